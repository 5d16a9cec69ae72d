"""Settings of verification: how people are asked, and how their votes become labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Review(Section):
    """How people are asked."""

    votes_wanted: int = setting(
        2,
        "Answers asked at first about a chosen clip for training; a clip on which they differ asks for more, up to "
        "`votes_most` (HACS v3). Of one answer a second is asked where all else contradicts it (`again_below`, ours).",
        least=1,
        most=99,
    )
    votes_judging: int = setting(
        2,
        "The same, at least, about a clip for validation or testing: it judges networks, and no neighbour's answer "
        "speaks for it (HACS v3).",
        least=1,
        most=99,
    )
    control_votes: int = setting(
        3,
        "Answers asked about each clip of the random control and of the audit: they say what labels are worth (ours).",
        least=1,
        most=99,
    )
    control_lead: int = setting(
        3,
        "People are asked about a clip of the control until one side has so many answers more: three that agree are "
        "wrong far less often than two of three (ours).",
        least=1,
        most=9,
    )
    control_most: int = setting(7, "Answers after which nobody more is asked about it (ours).", least=1, most=99)
    audit_share: float = setting(
        0.05,
        "Share of the chosen clips that get as many answers as the control; 0: none, so that no certificate speaks for "
        "people's labels where clips were chosen. A clip keeps the share under which it was queued (ours).",
        least=0,
        most=1,
    )
    again_below: float = setting(
        0.8,
        "A second person is asked where all else leaves a first answer less probable than this (ours); 0: nobody is.",
        least=0,
        most=1,
    )
    model_least: float = setting(
        0.9, "The people's model labels clips of which it is at least so sure (ours); 1: none.", least=0.5, most=1
    )
    votes_most: int = setting(3, "HACS v3: three people per clip, kept when at least two agree.", least=1, most=99)
    sets: str = setting(
        "clusters",
        "Which clips may be asked together, twelve on a screen: `clusters`, clips that look alike by their kept "
        "features, and where none are kept as `shots`, clips of one shot of a video; `never`. The control and the "
        "audit are asked alone (ours).",
        choices=("clusters", "shots", "never"),
    )
    lease_sec: float = setting(
        120.0, "A clip handed to a person comes back after this long without an answer.", least=0.001, most=86_400
    )
    gold_share: float = setting(
        0.05,
        "Share of the clips handed out whose answer is known, as far as there are such clips (ours).",
        least=0,
        most=1,
    )
    feedback_after: int = setting(
        25,
        "Answers of a category after which a person sees on which clips of them an expert said otherwise; what was "
        "answered before that stands. 0: never (ours).",
        least=0,
        most=1000,
    )
    media_sec: int = setting(
        600, "How long the address of a clip works; S3 allows a week at most.", least=1, most=604_800
    )

    def conflicts(self) -> Iterator[str]:
        """A clip never wants more answers than it may get."""
        for name in ("votes_wanted", "votes_judging"):
            if self.votes_most < (least := getattr(self, name)):
                yield self.refusal("votes_most", f"{name} ({least}) or more")
        if self.control_most < self.control_votes:
            yield self.refusal("control_most", f"control_votes ({self.control_votes}) or more")


@dataclass(frozen=True, kw_only=True)
class Segments(Section):
    """How people are asked about proposed segments, and when two of them agree."""

    votes_wanted: int = setting(
        2, "Answers asked at first about a segment; one on which people differ asks for more (ours).", least=1, most=9
    )
    votes_most: int = setting(3, "Answers after which nobody more is asked about a segment (ours).", least=1, most=9)
    tiou_least: float = setting(
        0.5, "Two people mean the same segment where their ends overlap by so much: temporal intersection over union. "
        "ActivityNet's first threshold (ours).", least=0.001, most=1,
    )  # fmt: skip
    lease_sec: float = setting(
        300.0, "A segment handed to a person comes back after this long without an answer.", least=0.001, most=86_400
    )
    gold_share: float = setting(
        0.05, "Share of the segments handed out whose ends are known, as far as there are such (ours).", least=0, most=1
    )

    def conflicts(self) -> Iterator[str]:
        """A segment never wants more answers than it may get."""
        if self.votes_most < self.votes_wanted:
            yield self.refusal("votes_most", f"votes_wanted ({self.votes_wanted}) or more")


@dataclass(frozen=True, kw_only=True)
class Elsewhere(Section):
    """What people's answers in another system, such as Label Studio, mean here."""

    deleted: str = setting(
        "stays",
        "A vote whose annotation is deleted there `stays`, or is `withdrawn`: `unsure` takes its place.",
        choices=("stays", "withdrawn"),
    )


@dataclass(frozen=True, kw_only=True)
class Aggregation(Section):
    """How votes become labels; `review` says how many are wanted."""

    method: str = setting(
        "two_of_three",
        "`two_of_three` (HACS v3), `dawid_skene`, or `with_committee`: the committee is one more voter of Dawid-Skene.",
        choices=("two_of_three", "dawid_skene", "with_committee"),
    )
    vote_price: float = setting(
        0.02,
        "Under a model: an answer is asked for when it is expected to right this share of a label (ours).",
        least=0,
        most=1,
    )
    min_confidence: float = setting(
        0.75,
        "Under a model: a clip whose answers are used up and whose label is less probable stays unsettled (ours).",
        least=0,
        most=1,
    )
    pooling: float = setting(
        3.0,
        "Under a model: votes that the average person weighs in each person's sensitivity and specificity (ours; by "
        "`bench.crowds`).",
        least=0,
    )
