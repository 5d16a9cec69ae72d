"""Settings of localization: how a head is taught by a release, and in which videos it then looks."""

from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Localization(Section):
    """How the head of `slac localize` learns from the sparse clips of a release, and what `slac detect` looks at."""

    steps: int = setting(200, "Steps of a head; each learns from `batch` stretches of videos.", least=1)
    batch: int = setting(8, "Videos in a step, or stretches of long ones.", least=1, most=65_536)
    width: int = setting(64, "Channels of a head.", least=8, most=8_192)
    videos: int = setting(
        40,
        "Training videos of a category that are looked at, those with known ends first: a whole video costs as much as "
        "a hundred clips.",
        least=1,
    )
    seed: int = setting(0, "Seed of every random choice.", least=0)
    detect_videos: int = setting(
        100, "Newest videos of a category in which `slac detect` looks for its action; 0: in none.", least=0
    )
    detect_least: float = setting(0.1, "Segments of a lower score are not kept.", least=0, most=1)
