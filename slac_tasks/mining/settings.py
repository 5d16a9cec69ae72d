"""Settings of mining: what a round may cost in people's time, and what it is spent on."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.model import PAPER_CLIP_SEC
from slac_tasks.settings import Section, setting

_BESIDE = ("consensus", "entropy", "coverage", "unsure_coverage", "companions")
"""Shares beside that of disagreement."""

LEAST_CONTROL = 0.05
"""Smallest share of a round that is drawn at random: without it nothing says what the strategies are worth."""


@dataclass(frozen=True, kw_only=True)
class Mining(Section):
    """Which clips are sent to people. What the shares leave, a twentieth at least, is drawn at random as a control."""

    minutes_per_round: float = setting(45.0, "Human minutes that one category may cost in one round.", least=0.001)
    clips_per_round: int = setting(400, "Most clips of one category in one round.", least=1)
    seconds_per_answer: float = setting(
        PAPER_CLIP_SEC / 2,
        "What one answer costs until people have given some (SLAC v1: two answers a clip).",
        least=0.001,
    )
    disagreement: float = setting(0.19, "Share chosen by disagreement of the committee.", least=0, most=1)
    consensus: float = setting(0.1, "Share chosen by its consensus.", least=0, most=1)
    entropy: float = setting(0.0, "Share chosen by how unsure one member is.", least=0, most=1)
    coverage: float = setting(
        0.3, "Share that stands for the other clips, by the members' features (MaxHerding).", least=0, most=1
    )
    unsure_coverage: float = setting(
        0.3, "The same, where the committee is unsure (Uncertainty Herding).", least=0, most=1
    )
    carry_sec: float = setting(
        2.0,
        "Clips of a shot that start at most so many seconds from an answer are labelled by it (`carried`); further "
        "away it only helps the model. 0: an answer says nothing of other clips (ours).",
        least=0,
        most=10,
    )
    companions: float = setting(
        0.03,
        "Share of neighbours of chosen clips, drawn by lot: they say how far answers may be carried (ours).",
        least=0,
        most=1,
    )
    referee: bool = setting(
        False,
        "Once a category has been carried, the shares of its strategies follow what the random control says that their "
        "answers were worth. Strategies whose share is 0 stay out; the control keeps its share, and clips drawn by lot "
        "compete with the rest (ours).",
    )
    contradiction: float = setting(
        0.5,
        "Most of what is chosen that goes first to clips whose imported label all else contradicts (ours).",
        least=0,
        most=1,
    )
    segments: float = setting(
        0.1,
        "Most of what is chosen that goes to segments in which `slac detect` is sure and the members differ: the clips "
        "of each are one set (ours).",
        least=0,
        most=1,
    )
    disagreement_by: str = setting(
        "disagreement",
        "What stands for disagreement: `disagreement` (Jensen-Shannon), `vote_entropy` or `spread`.",
        choices=("disagreement", "vote_entropy", "spread"),
    )
    entropy_of: str = setting(
        "", "The member that `entropy` asks; empty takes the first by name, and so does a panel without that member."
    )
    coherence_sec: float = setting(
        1.0,
        "Clips of one shot that start at most this far apart are neighbours over which an action should hold; 0: none.",
        least=0,
    )
    diversity: float = setting(
        0.7,
        "Each clip of a video that is chosen already leaves the video's others this share of their value.",
        least=0,
        most=1,
    )
    max_pattern_share: float = setting(
        0.6, "Most of the disagreement slice with one and the same pattern of votes.", least=0.001, most=1
    )
    clips_per_video: int = setting(4, "Most clips of one video in one round (SLAC v1: 3.4 on average).", least=1)
    min_gap_sec: float = setting(2.0, "Clips of one video start at least this far apart, in seconds.", least=0)
    days_of_work: float = setting(
        1.0, "Clips are mined for categories whose queue holds less than this many days of work.", least=0.001
    )
    clips_per_person_day: int = setting(
        2000, "What one person answers in a day; with `days_of_work` it says when the queue runs low (ours).", least=1
    )

    def conflicts(self) -> Iterator[str]:
        """The strategies leave enough for the random control."""
        others = {name: getattr(self, name) for name in _BESIDE}
        if 1 - (self.disagreement + sum(others.values())) < LEAST_CONTROL - 1e-9:
            named = ", ".join(f"{name} ({share})" for name, share in others.items())
            yield self.refusal(
                "disagreement",
                f"at most {1 - LEAST_CONTROL} together with {named}: {LEAST_CONTROL} stay for the random control",
            )
