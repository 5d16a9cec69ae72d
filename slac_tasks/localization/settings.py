"""Settings of localization: how a head is taught by a release."""

from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Localization(Section):
    """How the head of `slac localize` learns from the sparse clips of a release."""

    steps: int = setting(200, "Steps of a head; each learns from `batch` stretches of videos.", least=1)
    batch: int = setting(8, "Videos in a step, or stretches of long ones.", least=1)
    width: int = setting(64, "Channels of a head.", least=8)
    videos: int = setting(
        40, "Training videos of a category that are looked at: a whole video costs as much as a hundred clips.", least=1
    )
    seed: int = setting(0, "Seed of every random choice.", least=0)
