"""Settings of admission: which videos join, and in which split."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Admission(Section):
    """Which fetched videos join the dataset, and in which split (ours)."""

    max_hash_distance: int = setting(
        14, "Two pictures are alike when their 64-bit hashes differ in at most this many bits.", least=0, most=64
    )
    min_shared_frames: float = setting(
        0.5,
        "Two videos are near-duplicates when this share of the shorter one's half seconds is alike, and their motion.",
        least=0.001,
        most=1,
    )
    validation_share: float = setting(0.1, "Share of groups in the validation split.", least=0, most=1)
    testing_share: float = setting(0.2, "Share of groups in the testing split.", least=0, most=1)

    def conflicts(self) -> Iterator[str]:
        """Something is left for training."""
        if self.validation_share + self.testing_share >= 1:
            yield self.refusal(
                "testing_share",
                f"less than 1 with validation_share ({self.validation_share}): the rest trains",
            )
