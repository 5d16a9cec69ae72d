"""Every dataset that one stage hands to the next, declared once: name, keys, columns with unit and meaning."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from slac_tasks.storage.tables import Column, Dataset, Upgrade


def _c(name: str, dtype: pa.DataType, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name=name, dtype=dtype, meaning=meaning, nullable=nullable)


_TEXT, _SEC, _TIME = pa.string(), pa.float64(), pa.timestamp("us", tz="UTC")
_SPANS = pa.list_(pa.struct([pa.field("start_sec", _SEC, nullable=False), pa.field("end_sec", _SEC, nullable=False)]))
_SCORES = pa.list_(pa.struct([pa.field("member", _TEXT), pa.field("weights", _TEXT), pa.field("score", pa.float32())]))

_SOURCE = (
    _c("candidate_id", _TEXT, "16 hex digits of (source, source_id)"),
    _c("source", _TEXT, "where the video was found"),
    _c("source_id", _TEXT, "the source's own name of the video, e.g. a YouTube id"),
    _c("title", _TEXT, "title at the source", nullable=True),
    _c("licence", _TEXT, "licence at the source", nullable=True),
    _c("published_at", _TIME, "publication at the source; null when the source does not say", nullable=True),
)
_PROXY = (
    _c("duration_sec", _SEC, "length of the proxy in seconds"),
    _c("fps", pa.float64(), "frames per second of the proxy: 24, 25 or 30"),
    _c("proxy_256", _TEXT, "object name of the rendition with short side 256 at most"),
    _c("proxy_128", _TEXT, "object name of the rendition with short side 128 at most"),
    _c("proxy_sha256", _TEXT, "SHA-256 (hex) of the 256 rendition"),
    _c("shots", _SPANS, "shots on the proxy's clock, in order"),
)
_CLIP = (
    _c("clip_id", _TEXT, "video_id:start_ms"),
    _c("video_id", _TEXT, "16 hex digits of the media's SHA-256"),
    _c("start_sec", _SEC, "start on the proxy's clock, seconds"),
    _c("end_sec", _SEC, "end on the proxy's clock, seconds"),
    _c("split", _TEXT, "training, validation or testing"),
)

_CANDIDATES_1 = Dataset(
    name="candidates", version=1, keys=("category", "window"), unique=("candidate_id",),
    meaning="Videos that a source offers for a category, published within a window.",
    columns=(*_SOURCE, _c("location", _TEXT, "path or address of the bytes")),
)  # fmt: skip
CANDIDATES = replace(
    _CANDIDATES_1, version=2,
    columns=(
        *_CANDIDATES_1.columns, _c("sha256", _TEXT, "of the bytes, in hex, where the source knows it", nullable=True)
    ),
    upgrade=Upgrade(
        previous=_CANDIDATES_1, table=lambda rows: rows.append_column("sha256", pa.nulls(len(rows), _TEXT))
    ),
)  # fmt: skip
_FETCHED_1 = Dataset(
    name="fetched", version=1, keys=("category", "window"), unique=("candidate_id",),
    meaning="Candidates whose media was downloaded, checked and decoded to the end, with their proxies.",
    columns=(
        *_SOURCE,
        _c("video_id", _TEXT, "16 hex digits of media_sha256"),
        _c("media_sha256", _TEXT, "SHA-256 (hex) of the downloaded bytes"),
        _c("size_bytes", pa.int64(), "length of the downloaded bytes"),
        _c("codec", _TEXT, "video codec of the original"),
        _c("width", pa.int32(), "pixels of the original as shown, rotation applied"),
        _c("height", pa.int32(), "pixels of the original as shown, rotation applied"),
        *_PROXY,
        _c("frame_hashes", pa.list_(pa.uint64()), "perceptual hash (DCT, 64 bit) of one frame per second"),
    ),
)  # fmt: skip


def _from_fetched_1(rows: pa.Table) -> pa.Table:
    """Leave out the hashes of version 1: they cannot be compared with fingerprints."""
    place = rows.column_names.index("frame_hashes")
    return rows.set_column(place, rows.schema.field(place), pa.array([[]] * len(rows), pa.list_(pa.uint64())))


FETCHED = replace(
    _FETCHED_1, version=2,
    columns=(
        *_FETCHED_1.columns[:-1],
        _c("frame_hashes", pa.list_(pa.uint64()), "fingerprint: 3 picture hashes and motion per 0.5 s; none: unknown"),
    ),
    upgrade=Upgrade(previous=_FETCHED_1, table=_from_fetched_1),
)  # fmt: skip
VIDEOS = Dataset(
    name="videos", version=1, keys=("category", "window"), unique=("video_id",),
    meaning="Videos admitted to the dataset: no duplicate inside it, none that another benchmark tests on.",
    columns=(
        *_SOURCE,
        _c("video_id", _TEXT, "16 hex digits of the media's SHA-256"),
        _c("group_id", _TEXT, "near-duplicates across categories share it: the video_id of the first member"),
        _c("split", _TEXT, "training, validation or testing; fixed for the group"),
        *_PROXY,
    ),
)  # fmt: skip
CLIPS = Dataset(
    name="clips", version=1, keys=("category", "window"), unique=("clip_id",),
    meaning="Candidate clips of 2 seconds on a 0.5 s grid, each inside one shot.",
    columns=(
        *_CLIP,
        _c("proxy_128", _TEXT, "object name of the rendition that 112-pixel models read"),
        _c("proxy_256", _TEXT, "object name of the rendition that people and 224-pixel models see"),
        _c("shot", pa.int32(), "index of the shot in its video"),
        _c("people", pa.int32(), "people found in the shot; null when no detector looked", nullable=True),
    ),
)  # fmt: skip
COMMITTEES = Dataset(
    name="committees", version=1, keys=("committee",), unique=("member", "category"),
    meaning="A frozen set of classifiers: for each member and category, the weights that score it.",
    columns=(
        _c("member", _TEXT, "name of the member"),
        _c("architecture", _TEXT, "name in the registry of slac_tasks.networks.registry"),
        _c("category", _TEXT, "category that this row's weights score"),
        _c("backbone", _TEXT, "content hash of the backbone: weights/<hash>.pt"),
        _c("head", _TEXT, "content hash of the head: weights/<hash>.pt"),
        _c("output", pa.int32(), "index of the category in the head's outputs"),
        _c("weights", _TEXT, "hash of (architecture, backbone, head): the key of the scores"),
        _c("origin", _TEXT, "bootstrap:<window> or release:<version>"),
    ),
)  # fmt: skip
_SCORES_1 = Dataset(
    name="scores", version=1, keys=("category", "window", "weights"), unique=("clip_id",),
    meaning="Each clip's score by one member for the hypothesised action.",
    columns=(
        _c("clip_id", _TEXT, "video_id:start_ms"),
        _c("video_id", _TEXT, "16 hex digits of the media's SHA-256"),
        _c("member", _TEXT, "name of the member"),
        _c("score", pa.float32(), "probability of the hypothesised action, 0 to 1"),
    ),
)  # fmt: skip
SCORES = replace(
    _SCORES_1, version=2,
    columns=(
        *_SCORES_1.columns,
        _c("preprocessing", _TEXT, "what became of the clip before the network, and its precision", nullable=True),
    ),
    upgrade=Upgrade(
        previous=_SCORES_1, table=lambda rows: rows.append_column("preprocessing", pa.nulls(len(rows), _TEXT))
    ),
)  # fmt: skip
_HARD_CLIPS_1 = Dataset(
    name="hard_clips", version=1, keys=("category", "round"), unique=("clip_id",),
    meaning="Clips chosen for people, with the strategy and every score that chose them.",
    columns=(
        *_CLIP,
        _c("proxy_256", _TEXT, "object name of the rendition that people see"),
        _c("strategy", _TEXT, "disagreement, consensus or random"),
        _c("disagreement", pa.float64(), "Jensen-Shannon divergence of the members, in bits, 0 to 1"),
        _c("consensus", pa.float64(), "members' joint score: their mean log-odds as a probability, 0 to 1"),
        _c("scores", _SCORES, "each member's score"),
    ),
)  # fmt: skip
_MEASURES = (
    _c("vote_entropy", pa.float64(), "entropy of the members' votes, in bits; null in version 1", nullable=True),
    _c("spread", pa.float64(), "highest minus lowest score; null in version 1", nullable=True),
    _c("entropy", pa.float64(), "entropy of one member's score, in bits; null in version 1", nullable=True),
    _c("coherence", pa.float64(), "how far the action holds over the clip's neighbours; null without", nullable=True),
    _c("value", pa.float64(), "what its strategy ranked the clip by; null where drawn by lot", nullable=True),
)


def _from_hard_clips_1(rows: pa.Table) -> pa.Table:
    """Add what version 1 did not keep, as unknown."""
    for column in _MEASURES:
        rows = rows.append_column(column.name, pa.nulls(rows.num_rows, column.dtype))
    return rows


HARD_CLIPS = Dataset(
    name="hard_clips", version=2, keys=("category", "round"), unique=("clip_id",),
    meaning="Clips chosen for people, with the strategy and every score that chose them.",
    columns=(
        *(column for column in _HARD_CLIPS_1.columns if column.name not in ("strategy", "scores")),
        _c("strategy", _TEXT, "disagreement, consensus, random or entropy"),
        *_MEASURES,
        _c("scores", _SCORES, "each member's score"),
    ),
    upgrade=Upgrade(previous=_HARD_CLIPS_1, table=_from_hard_clips_1),
)  # fmt: skip
VOTES = Dataset(
    name="votes", version=1, keys=("batch",), unique=("vote_id",),
    meaning="People's answers, as they were given; each vote is in one batch.",
    columns=(
        _c("vote_id", _TEXT, "UUID made by the client"),
        _c("clip_id", _TEXT, "video_id:start_ms"),
        _c("category", _TEXT, "hypothesised action"),
        _c("round", _TEXT, "round in which the clip was asked"),
        _c("annotator", _TEXT, "who answered"),
        _c("answer", _TEXT, "yes, no, unsure or broken"),
        _c("seconds", _SEC, "from the clip's first frame to the answer"),
        _c("guideline_version", pa.int32(), "version of the guideline that the person saw"),
        _c("cast_at", _TIME, "when the answer was stored"),
        _c("supersedes", _TEXT, "vote that this one corrects", nullable=True),
    ),
)  # fmt: skip
LABELS = Dataset(
    name="labels", version=1, keys=("labels",), unique=("clip_id", "category"),
    meaning="One row per asked clip and category: what people's votes add up to.",
    columns=(
        *_CLIP,
        _c("category", _TEXT, "hypothesised action"),
        _c("round", _TEXT, "round in which the clip was asked"),
        _c("strategy", _TEXT, "why the clip was asked"),
        _c("status", _TEXT, "settled, open (more votes wanted), unsettled (no agreement), broken"),
        _c("label", pa.int8(), "+1 contains the action, -1 does not; null unless settled", nullable=True),
        _c(
            "confidence", pa.float64(), "share of yes and no on its side, or a model's posterior; null unless settled",
            nullable=True,
        ),
        _c("method", _TEXT, "how votes were aggregated, with its version"),
        _c("yes", pa.int32(), "votes yes"),
        _c("no", pa.int32(), "votes no"),
        _c("unsure", pa.int32(), "votes unsure"),
        _c("broken", pa.int32(), "votes broken"),
        _c("first_two_agree", pa.bool_(), "whether the first two yes/no answers agree; null before two", nullable=True),
        _c("votes", pa.list_(_TEXT), "vote_id of every vote counted, in the order cast"),
    ),
)  # fmt: skip
_QUALITY_1 = Dataset(
    name="quality", version=1, keys=("labels",), unique=("category",),
    meaning="The gate's verdict on each category of a version of the labels.",
    columns=(
        _c("category", _TEXT, "category judged"),
        _c("verdict", _TEXT, "accepted, refused, or pending (too few labels to judge)"),
        _c("reasons", pa.list_(_TEXT), "expectations that failed, with the value found and the value wanted"),
        _c("settled", pa.int64(), "settled labels"),
        _c("positive", pa.int64(), "positive labels"),
        _c("agreement", pa.float64(), "share of clips whose first two answers agree", nullable=True),
        _c("unsettled", pa.int64(), "clips on which people could not agree"),
    ),
)  # fmt: skip


def _from_quality_1(rows: pa.Table) -> pa.Table:
    """Add the name that each reason began with; how far it lay outside its range is unknown."""
    reasons = rows["reasons"].to_pylist()
    failed = [[reason.partition(" ")[0] for reason in row] for row in reasons]
    rows = rows.append_column("failed", pa.array(failed, pa.list_(_TEXT)))
    return rows.append_column("shortfalls", pa.array([[None] * len(row) for row in reasons], pa.list_(pa.float64())))


QUALITY = Dataset(
    name="quality", version=2, keys=("labels",), unique=("category",),
    meaning=_QUALITY_1.meaning,
    columns=(
        *_QUALITY_1.columns,
        _c("failed", pa.list_(_TEXT), "name of each reason: the measure that failed"),
        _c("shortfalls", pa.list_(pa.float64()), "how far outside its range each measure lies; null: it is unknown"),
    ),
    upgrade=Upgrade(previous=_QUALITY_1, table=_from_quality_1),
)  # fmt: skip
ROUNDS = Dataset(
    name="rounds", version=1, keys=("labels",),
    unique=("measure", "round", "category", "strategy", "member", "other", "bin"),
    meaning="What the rounds of mining were worth, and how far their committees are to be trusted; long form.",
    columns=(
        _c("measure", _TEXT, "positive_share, positives_per_minute, lift_over_random, agreement, kappa, reliability, "
           "calibration_error or scores"),
        _c("round", _TEXT, "round; null: all rounds together", nullable=True),
        _c("category", _TEXT, "hypothesised action; null: all categories together", nullable=True),
        _c("strategy", _TEXT, "why the clips were asked; members are judged on the random ones alone"),
        _c("member", _TEXT, "member of the committee, or joint", nullable=True),
        _c("other", _TEXT, "the member that it is compared with", nullable=True),
        _c("bin", pa.float64(), "lower edge of the bin of the score, a tenth wide", nullable=True),
        _c("count", pa.int64(), "clips that the value rests on"),
        _c("value", pa.float64(), "the measure; null where chance alone explains all agreement", nullable=True),
        _c("low", pa.float64(), "lower end of the 95 % interval; null where none is known", nullable=True),
        _c("high", pa.float64(), "upper end of the 95 % interval; null where none is known", nullable=True),
    ),
)  # fmt: skip
PEOPLE = Dataset(
    name="people", version=1, keys=("labels",), unique=("annotator", "category"),
    meaning="How good each person's answers are, by category and over all, under a model of all votes.",
    columns=(
        _c("annotator", _TEXT, "who answered"),
        _c("category", _TEXT, "category answered; null: all together", nullable=True),
        _c("answers", pa.int64(), "answers that stand"),
        _c("sensitivity", pa.float64(), "chance of a yes to a clip with the action, posterior mean"),
        _c("sensitivity_low", pa.float64(), "lower end of its 95 % credible interval"),
        _c("sensitivity_high", pa.float64(), "upper end of its 95 % credible interval"),
        _c("specificity", pa.float64(), "chance of a no to a clip without the action, posterior mean"),
        _c("specificity_low", pa.float64(), "lower end of its 95 % credible interval"),
        _c("specificity_high", pa.float64(), "upper end of its 95 % credible interval"),
        _c("gold", pa.int64(), "yes and no answers to clips whose answer is known"),
        _c("gold_right", pa.int64(), "those that are right"),
        _c("seconds", _SEC, "median seconds of an answer"),
        _c("drift", pa.float64(), "agreement with the others, later half less earlier; null: too few", nullable=True),
        _c("flags", pa.list_(_TEXT), "random, straight-line, drifting, hurried"),
    ),
)  # fmt: skip
AGREEMENT = Dataset(
    name="agreement", version=1, keys=("labels",), unique=("category",),
    meaning="How far people agree on each category, beyond chance.",
    columns=(
        _c("category", _TEXT, "category answered"),
        _c("clips", pa.int64(), "clips with two yes or no answers or more"),
        _c("krippendorff", pa.float64(), "alpha, nominal; null: no two answers differ in value", nullable=True),
        _c("cohen", pa.float64(), "kappa of pairs of people, weighted by shared clips; null: none", nullable=True),
        _c("pairs", pa.int64(), "pairs of people in it"),
    ),
)  # fmt: skip
RELEASES = Dataset(
    name="release", version=1, keys=("release",), unique=("video_id", "category", "start_sec"),
    meaning="Validated sparse labels, ready for training.",
    columns=(
        *_CLIP,
        _c("category", _TEXT, "hypothesised action"),
        _c("label", pa.int8(), "+1 contains the action, -1 does not"),
        _c("confidence", pa.float64(), "share of the votes on the label's side"),
        _c("strategy", _TEXT, "why the clip was asked"),
        _c("round", _TEXT, "round in which the clip was asked"),
        _c("source", _TEXT, "where the video was found"),
        _c("source_id", _TEXT, "the source's own name of the video"),
        _c("duration_sec", _SEC, "length of the video in seconds"),
        _c("proxy_128", _TEXT, "object name of the rendition that 112-pixel models read"),
        _c("proxy_256", _TEXT, "object name of the rendition that 224-pixel models read"),
    ),
)  # fmt: skip
MODELS = Dataset(
    name="models", version=1, keys=("release",), unique=("backbone",),
    meaning="The network pretrained on a release.",
    columns=(
        _c("architecture", _TEXT, "name in the registry of slac_tasks.networks.registry"),
        _c("backbone", _TEXT, "content hash of the backbone: weights/<hash>.pt"),
        _c("head", _TEXT, "content hash of the head: weights/<hash>.pt"),
        _c("categories", pa.list_(_TEXT), "categories in the order of the head's outputs"),
        _c("steps", pa.int64(), "training steps"),
        _c("clips", pa.int64(), "training clips"),
        _c("loss", pa.float64(), "mean loss of the last tenth of the steps"),
    ),
)  # fmt: skip
EVALUATIONS = Dataset(
    name="evaluations", version=1, keys=("release",), unique=("measure", "subject"),
    meaning="What the pretrained network is worth, with 95 % intervals.",
    columns=(
        _c("measure", _TEXT, "testing_accuracy, testing_best_guess or transfer_accuracy"),
        _c("subject", _TEXT, "pretrained, scratch or guess"),
        _c("value", pa.float64(), "mean, 0 to 1"),
        _c("low", pa.float64(), "lower end of the 95 % interval"),
        _c("high", pa.float64(), "upper end of the 95 % interval"),
        _c("repeats", pa.int64(), "seeds, or clips where there is one run"),
        _c("budget", _TEXT, "labels and steps that the subject was given"),
    ),
)  # fmt: skip

ALL: Mapping[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        CANDIDATES, FETCHED, VIDEOS, CLIPS, COMMITTEES, SCORES, HARD_CLIPS, VOTES, LABELS, PEOPLE, AGREEMENT,
        QUALITY, ROUNDS, RELEASES, MODELS, EVALUATIONS,
    )
}  # fmt: skip
"""Every dataset by name, in the order of the procedure."""
