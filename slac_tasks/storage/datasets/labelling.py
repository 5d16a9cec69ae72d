"""What people say: votes, the labels that they add up to, and how far both can be trusted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import numpy as np
import pyarrow as pa

from slac_tasks.storage.columns import Int8, Int32
from slac_tasks.storage.datasets.collecting import ClipColumns
from slac_tasks.storage.declarations import Dataset, Upgrade


@dataclass(frozen=True, kw_only=True, slots=True)
class _VoteRow1:
    vote_id: Annotated[str, "UUID made by the client"]
    clip_id: Annotated[str, "video_id:start_ms"]
    category: Annotated[str, "hypothesised action"]
    round: Annotated[str, "round in which the clip was asked"]
    annotator: Annotated[str, "who answered"]
    answer: Annotated[str, "yes, no, unsure or broken"]
    seconds: Annotated[float, "from the clip's first frame to the answer"]
    guideline_version: Annotated[Int32, "version of the guideline that the person saw"]
    cast_at: Annotated[datetime, "when the answer was stored"]
    supersedes: Annotated[str | None, "vote that this one corrects"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteRow(_VoteRow1):
    """One person's answer about one clip."""

    set_id: Annotated[str | None, "UUID of the set in which it was answered with others; null: alone"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelRow(ClipColumns):
    """What people's votes on one clip and category add up to."""

    category: Annotated[str, "hypothesised action"]
    round: Annotated[str, "round in which the clip was asked"]
    strategy: Annotated[str, "why the clip was asked"]
    status: Annotated[str, "settled, open (more votes wanted), unsettled (no agreement), broken"]
    label: Annotated[Int8 | None, "+1 contains the action, -1 does not; null unless settled"]
    confidence: Annotated[float | None, "share of yes and no on its side, or a model's posterior; null unless settled"]
    method: Annotated[str, "how votes were aggregated, with its version"]
    yes: Annotated[Int32, "votes yes"]
    no: Annotated[Int32, "votes no"]
    unsure: Annotated[Int32, "votes unsure"]
    broken: Annotated[Int32, "votes broken"]
    first_two_agree: Annotated[
        bool | None, "whether the first two yes/no answers agree; null before two, and where one was to be enough"
    ]
    votes: Annotated[tuple[str, ...], "vote_id of every vote counted, in the order cast"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedRow(ClipColumns):
    """What all answers about a category together say of one clip."""

    category: Annotated[str, "hypothesised action"]
    kind: Annotated[
        str, "people (asked), sets (asked together with others), carried (from its neighbours in the shot), model, or "
        "imported (from an existing dataset)",
    ]  # fmt: skip
    label: Annotated[Int8, "+1 contains the action, -1 does not"]
    confidence: Annotated[float, "probability that the label is right, 0 to 1"]
    support: Annotated[
        Int32, "answers that it rests on: its own, its neighbours', or all that the model learnt from; 1: imported"
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlRow:
    """What one way of labelling says of a clip that was drawn by lot, beside what three people say of it."""

    clip_id: Annotated[str, "video_id:start_ms"]
    category: Annotated[str, "hypothesised action"]
    kind: Annotated[
        str, "people (its first answers), sets (gold: its first answers in sets), carried or model (of others) or "
        "imported",
    ]  # fmt: skip
    label: Annotated[Int8, "what this way of labelling says: +1 or -1"]
    confidence: Annotated[float, "probability that it is right, as the labels of this kind have it"]
    truth: Annotated[Int8, "what most of its answers say, of gold the expert: +1 or -1; 0: people are to be asked on"]
    weight: Annotated[
        float, "inverse of its chance to be drawn for labels of this kind; 0: some of them had none, so it says nothing"
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRow:
    """What people's time bought with one strategy in one category, in all rounds so far."""

    category: Annotated[str, "hypothesised action"]
    strategy: Annotated[str, "why the clips were asked"]
    seconds: Annotated[float, "people's time on its clips; an answer counts a minute at most"]
    labels: Annotated[Int32, "clips that have a label by their own answers"]
    carried: Annotated[Int32, "other clips to which these answers are carried; one may count for two strategies"]
    errors: Annotated[Int32, "labels that contradict the committee's joint score"]
    control: Annotated[Int32, "answered clips of the random control: what all strategies of the category are judged on"]
    worth: Annotated[
        float | None,
        "fall of the control's loss, in nats, if as much time again went to this strategy, to first order, beyond that "
        "if it went as before; null: too little control",
    ]  # fmt: skip
    worth_error: Annotated[float | None, "standard error of worth; null where worth is"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _ImportedRow1:
    candidate_id: Annotated[str, "16 hex digits of (source, source_id): the video, as the loop knows it"]
    source: Annotated[str, "the manifest that offers the video"]
    source_id: Annotated[str, "the dataset's own name of the video, e.g. a YouTube id"]
    category: Annotated[str, "category to which the label was mapped"]
    label: Annotated[Int8, "+1 contains the action, -1 does not"]
    start_sec: Annotated[float | None, "start of the labelled stretch, seconds; null: the whole video"]
    end_sec: Annotated[float | None, "its end, seconds; null: the whole video"]
    split: Annotated[str | None, "training, validation or testing in the dataset; null: it does not say"]
    name: Annotated[str, "the dataset's own name of the class"]
    place: Annotated[str, "where the label stands in its file"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedRow(_ImportedRow1):
    """One label of an existing dataset."""

    dense: Annotated[bool | None, "whether start and end are those of the action; null in version 1"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectionRow:
    """What became of the imported labels of one category."""

    category: Annotated[str, "category to which the labels were mapped"]
    labels: Annotated[int, "clips with an imported label, in the windows in which people were asked"]
    asked: Annotated[int, "those of them on which people have decided"]
    wrong: Annotated[int, "those of the asked ones on which people say the opposite"]
    doubted: Annotated[int, "those that were not asked and are set aside: they are more likely wrong than right"]
    rest: Annotated[int, "those that stand: the labels of kind imported"]
    control: Annotated[
        int, "clips drawn by lot whose imported label stands: what the error of the rest is estimated on"
    ]
    error: Annotated[float | None, "share of the rest that is wrong, estimated; null: no control"]
    error_low: Annotated[float | None, "lower end of its 95 % interval; null where error is"]
    error_high: Annotated[float | None, "upper end of it"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelChangeRow(LabelRow):
    """A label as it is from this version on."""

    withdrawn: Annotated[bool, "whether the label leaves: the clip's video was withdrawn"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _QualityRow1:
    category: Annotated[str, "category judged"]
    verdict: Annotated[str, "accepted, refused, or pending (too few labels to judge)"]
    reasons: Annotated[tuple[str, ...], "expectations that failed, with the value found and the value wanted"]
    settled: Annotated[int, "settled labels"]
    positive: Annotated[int, "positive labels"]
    agreement: Annotated[float | None, "share of clips with two planned answers on which these agree"]
    unsettled: Annotated[int, "clips on which people could not agree"]


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityRow(_QualityRow1):
    """The gate's verdict on one category."""

    failed: Annotated[tuple[str, ...], "name of each reason: the measure that failed"]
    shortfalls: Annotated[
        tuple[float | None, ...], pa.list_(pa.float64()),
        "how far outside its range each measure lies; null: it is unknown",
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureRow:
    """One measure of the labels of one category, in long form."""

    measure: Annotated[str, "settled, agreement, positive_share, unsettled_share, precision or gold"]
    kind: Annotated[
        str | None, "kind of label whose precision it is: people, carried, model or imported; null: another"
    ]
    value: Annotated[float | None, "the measure; null where there is nothing to measure"]
    low: Annotated[float | None, "lower end of the 95 % interval; null: a count has none"]
    high: Annotated[float | None, "upper end of the 95 % interval; null: a count has none"]
    count: Annotated[int, "clips that it rests on"]
    least: Annotated[float | None, "smallest value wanted; null: none"]
    most: Annotated[float | None, "largest value wanted; null: none"]
    state: Annotated[str, "met, outside, unclear (too little is known) or shown (nothing is demanded of it)"]
    needed: Annotated[int | None, "answers more, at least, after which it could be met; null: it is, or nobody knows"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundRow:
    """One measure of one round of mining, in long form."""

    measure: Annotated[
        str,
        "positive_share, positives_per_minute, lift_over_random, agreement, kappa, reliability, calibration_error or "
        "scores",
    ]
    round: Annotated[str | None, "round; null: all rounds together"]
    category: Annotated[str | None, "hypothesised action; null: all categories together"]
    strategy: Annotated[str, "why the clips were asked; members are judged on the random ones alone"]
    member: Annotated[str | None, "member of the committee, or joint"] = None
    other: Annotated[str | None, "the member that it is compared with"] = None
    bin: Annotated[float | None, "lower edge of the bin of the score, a tenth wide"] = None
    count: Annotated[int, "clips that the value rests on"]
    value: Annotated[float | None, "the measure; null where chance alone explains all agreement"] = None
    low: Annotated[float | None, "lower end of the 95 % interval; null where none is known"] = None
    high: Annotated[float | None, "upper end of the 95 % interval; null where none is known"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _PersonRow1:
    annotator: Annotated[str, "who answered"]
    category: Annotated[str | None, "category answered; null: all together"]
    answers: Annotated[int, "answers that stand"]
    sensitivity: Annotated[float, "chance of a yes to a clip with the action, posterior mean"]
    sensitivity_low: Annotated[float, "lower end of its 95 % credible interval"]
    sensitivity_high: Annotated[float, "upper end of its 95 % credible interval"]
    specificity: Annotated[float, "chance of a no to a clip without the action, posterior mean"]
    specificity_low: Annotated[float, "lower end of its 95 % credible interval"]
    specificity_high: Annotated[float, "upper end of its 95 % credible interval"]
    gold: Annotated[int, "yes and no answers to clips whose answer is known"]
    gold_right: Annotated[int, "those that are right"]
    seconds: Annotated[float, "median seconds of an answer"]
    drift: Annotated[float | None, "agreement with the others, later half less earlier; null: too few"]
    flags: Annotated[tuple[str, ...], "random, straight-line, drifting, hurried"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRow(_PersonRow1):
    """How good one person's answers are, in one category or over all."""

    set_gold: Annotated[int, "gold clips met in sets that were to get another answer than most of the set"]
    set_missed: Annotated[int, "those of them that got the answer of most"]
    set_miss_low: Annotated[float | None, "lower end of the 95 % interval of their share; null: no such clip"]
    set_miss_high: Annotated[float | None, "upper end of it"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CrowdRow:
    """One number that a model has learnt of those who answer; long form."""

    kind: Annotated[str, "person, average (all people), category, all (categories) or panel (of the committee)"]
    name: Annotated[str | None, "the person, category or panel; null for average and all"] = None
    answer: Annotated[str | None, "yes or no; null: kind has no such answer"] = None
    bin: Annotated[Int32 | None, "bin of a panel's score, its answer; null for the other kinds"] = None
    edge: Annotated[float | None, "lowest score of the bin; null for the first one and for the other kinds"] = None
    negative: Annotated[float | None, "chance of this answer without the action; null for category and all"] = None
    positive: Annotated[float, "chance of this answer with the action; of category and all: the share of positives"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _AgreementRow1:
    category: Annotated[str, "category answered"]
    clips: Annotated[int, "clips with two yes or no answers or more"]
    krippendorff: Annotated[float | None, "alpha, nominal; null: no two answers differ in value"]
    cohen: Annotated[float | None, "kappa of pairs of people, weighted by shared clips; null: none"]
    pairs: Annotated[int, "pairs of people in it"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementRow(_AgreementRow1):
    """How far people agree on one category."""

    krippendorff_low: Annotated[float | None, "lower end of alpha's 95 % interval; null: unknown, or version 1"] = None
    krippendorff_high: Annotated[float | None, "upper end of it; null: unknown, or version 1"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateRow:
    """What is promised of the labels of one kind: at most this share of them is wrong."""

    category: Annotated[str | None, "category of the labels; null: all categories together"]
    kind: Annotated[str, "kind of the labels: people, sets, carried, model or imported"]
    wanted: Annotated[float, "share of wrong labels that is allowed: quality.max_error"]
    level: Annotated[float, "chance that the row is right at every version of the labels at which it is read"]
    threshold: Annotated[float | None, "labels of this confidence or more are certified; null: none are"]
    certified: Annotated[int, "labels that are certified"]
    bound: Annotated[float | None, "share of wrong labels, at most: the two bounds together; null: one is unknown"]
    disagreement_bound: Annotated[
        float | None, "share that differs from what people say, at most, from the threshold on; null: no control"
    ]
    people_bound: Annotated[float | None, "share of clips on which people are wrong, at most; null: no gold"]
    control: Annotated[int, "control clips from the threshold on; without a threshold all"]
    errors: Annotated[int, "those of them whose label differs from what people say"]
    gold: Annotated[
        int, "gold clips, of all categories, with as many answers as a control clip; of kind sets: answered in sets"
    ]
    gold_errors: Annotated[int, "those on which people are wrong"]
    answers_needed: Annotated[
        int | None, "answers more, if all of them are right, after which some labels are certified; null: some are, or "
        "no number is enough, as where clips were chosen without an audit"
    ]  # fmt: skip
    gold_needed: Annotated[int | None, "those of the answers needed that are to gold clips"]
    rules: Annotated[Int32, "ways of labelling that were judged so far; each new one is given less of what is left"]
    judged: Annotated[bool, "whether this way is one of them: there was control enough to certify something"]


def _named_reasons(rows: pa.Table) -> pa.Table:
    """Add the name that each reason began with; how far it lay outside its range is unknown."""
    reasons = rows["reasons"].to_pylist()
    failed = [[reason.partition(" ")[0] for reason in row] for row in reasons]
    rows = rows.append_column("failed", pa.array(failed, pa.list_(pa.string())))
    return rows.append_column("shortfalls", pa.array([[None] * len(row) for row in reasons], pa.list_(pa.float64())))


def _no_sets(rows: pa.Table) -> pa.Table:
    """Add that a person met no gold in sets: nobody wrote down which answers were given in sets."""
    for name in ("set_gold", "set_missed"):
        rows = rows.append_column(name, pa.array(np.zeros(rows.num_rows, dtype=np.int64)))
    return rows


_VOTES_1 = Dataset(
    name="votes", version=1, keys=("batch",), unique=("vote_id",), row=_VoteRow1,
    meaning="People's answers, as they were given; each vote is in one batch.",
)  # fmt: skip
VOTES = Dataset(
    name="votes", version=2, keys=("batch",), unique=("vote_id",), row=VoteRow,
    meaning=_VOTES_1.meaning, upgrade=Upgrade(previous=_VOTES_1),
)  # fmt: skip
_IMPORTED_1 = Dataset(
    name="imported", version=1, keys=("origin",), unique=("candidate_id", "category", "start_sec", "end_sec"),
    row=_ImportedRow1, meaning="Labels of an existing dataset, as it published them; what is no label is set aside.",
)  # fmt: skip
IMPORTED = Dataset(
    name="imported", version=2, keys=_IMPORTED_1.keys, unique=_IMPORTED_1.unique, row=ImportedRow,
    meaning=_IMPORTED_1.meaning, upgrade=Upgrade(previous=_IMPORTED_1),
)  # fmt: skip
LABELS = Dataset(
    name="labels", version=1, keys=("labels",), unique=("clip_id", "category"), row=LabelRow,
    meaning="One row per asked clip and category: what people's votes add up to.",
)  # fmt: skip
LABEL_CHANGES = Dataset(
    name="label_changes", version=1, keys=("labels",), unique=("clip_id", "category"), row=LabelChangeRow,
    meaning="A version of the labels as the rows that differ from the version before it.",
)  # fmt: skip
CARRIED = Dataset(
    name="carried", version=1, keys=("labels",), unique=("clip_id", "category"), row=CarriedRow,
    meaning="Labels of every kind, with how sure each is: people's, carried to neighbours, and the people's model's.",
)  # fmt: skip
CONTROL = Dataset(
    name="control", version=1, keys=("labels",), unique=("clip_id", "category", "kind"), row=ControlRow,
    meaning="What each way of labelling says of clips drawn by lot, without their own answers, beside their truth.",
)  # fmt: skip
CORRECTIONS = Dataset(
    name="corrections", version=1, keys=("labels",), unique=("category",), row=CorrectionRow,
    meaning="How far the labels of existing datasets were checked by people, and how many of the rest are wrong.",
)  # fmt: skip
ACCOUNTS = Dataset(
    name="accounts", version=1, keys=("labels",), unique=("category", "strategy"), row=AccountRow,
    meaning="What people's time bought with each strategy, as the random control has it: the referee's account.",
)  # fmt: skip
_QUALITY_1 = Dataset(
    name="quality", version=1, keys=("labels",), unique=("category",), row=_QualityRow1,
    meaning="The gate's verdict on each category of a version of the labels.",
)  # fmt: skip
QUALITY = Dataset(
    name="quality", version=2, keys=("labels",), unique=("category",), row=QualityRow,
    meaning=_QUALITY_1.meaning, upgrade=Upgrade(previous=_QUALITY_1, change=_named_reasons),
)  # fmt: skip
MEASURES = Dataset(
    name="measures", version=1, keys=("labels", "category"), unique=("measure", "kind"), row=MeasureRow,
    meaning="What a category is judged by, at the version of the labels at which its labels changed; long form.",
)  # fmt: skip
ROUNDS = Dataset(
    name="rounds", version=1, keys=("labels",), row=RoundRow,
    unique=("measure", "round", "category", "strategy", "member", "other", "bin"),
    meaning="What the rounds of mining were worth, and how far their committees are to be trusted; long form.",
)  # fmt: skip
CROWD = Dataset(
    name="crowd", version=1, keys=("labels",), unique=("kind", "name", "answer", "bin"), row=CrowdRow,
    meaning="What the model learnt of those who answer, under which later votes are decided; beside a whole table.",
)  # fmt: skip
_PEOPLE_1 = Dataset(
    name="people", version=1, keys=("labels",), unique=("annotator", "category"), row=_PersonRow1,
    meaning="How good each person's answers are, by category and over all, under a model of all votes.",
)  # fmt: skip
PEOPLE = Dataset(
    name="people", version=2, keys=("labels",), unique=("annotator", "category"), row=PersonRow,
    meaning=_PEOPLE_1.meaning, upgrade=Upgrade(previous=_PEOPLE_1, change=_no_sets),
)  # fmt: skip
_AGREEMENT_1 = Dataset(
    name="agreement", version=1, keys=("labels",), unique=("category",), row=_AgreementRow1,
    meaning="How far people agree on each category, beyond chance.",
)  # fmt: skip
AGREEMENT = Dataset(
    name="agreement", version=2, keys=("labels",), unique=("category",), row=AgreementRow,
    meaning=_AGREEMENT_1.meaning, upgrade=Upgrade(previous=_AGREEMENT_1),
)  # fmt: skip
CERTIFICATES = Dataset(
    name="certificates", version=1, keys=("labels",), unique=("category", "kind"), row=CertificateRow,
    meaning="How many of the labels of each kind are wrong at most, and which are good enough to be released.",
)  # fmt: skip
