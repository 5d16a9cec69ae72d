"""Settings: where things are, and the knobs of each part. Standard library only.

Addresses and secrets come from the environment; knobs come from the TOML file that `SLAC_CONFIG` names, one table
per section below, and every one has a default. A stage declares the sections that shape its output; those, and no
others, make an existing dataset stale when they change.
"""

import dataclasses
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from slac_tasks.errors import NotConfigured, WrongArguments

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Collect:
    """Which videos are looked for, and how many at a time."""

    sources: tuple[str, ...] = ()
    """Folders and s3://bucket/prefix (one sub-folder per category), csv, jsonl and parquet manifests of paths, URLs and
    object keys, and `yt-dlp:` searches such as `yt-dlp:ytsearch50:{query} after:{start} before:{end}`."""
    synonyms: tuple[str, ...] = ()
    """What else is searched for: `clean_and_jerk: olympic weightlifting, power clean`."""
    shots: str = "histogram"
    """How shots are found: `histogram` (HACS v3, section 3, with our rules) or `pyscenedetect`."""
    allow_private_addresses: bool = False
    """Let a manifest name hosts inside the private network."""
    max_duration_sec: float = 240.0
    """Longer videos are dropped (HACS v3: all under 4 minutes)."""
    min_duration_sec: float = 2.0
    """Shorter videos hold no clip."""
    max_size_bytes: int = 2_000_000_000
    """Larger downloads are refused."""
    max_pixels: int = 4096 * 2304
    """Larger frames are refused."""
    keep_originals: bool = False
    """Keep the downloaded bytes beside the proxies."""


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """How bytes are asked for; no knob changes what a video becomes (ours)."""

    workers: int = 2
    """Videos fetched at the same time by one task."""
    workers_per_host: int = 2
    """Of these, how many from the same host."""
    requests_per_sec: float = 4.0
    """Most requests that one host gets from one task in a second."""
    bytes_per_sec: float = 50_000_000.0
    """Most bytes that one host gives to one task in a second."""
    tries: int = 3
    """Tries of a download in one run, where another may help."""
    max_wait_sec: float = 120.0
    """A host that asks for a longer pause is left for a later run."""
    timeout_sec: float = 30.0
    """A server that is silent for so long is given up."""
    max_download_sec: float = 1800.0
    """One request may take so long in all."""
    scratch: str = ""
    """Folder for downloads that are not finished; empty: a folder of one's own among the system's temporary files."""

    def __post_init__(self) -> None:
        for name in ("workers", "workers_per_host", "requests_per_sec", "bytes_per_sec", "tries"):
            if getattr(self, name) <= 0:
                raise WrongArguments(f"setting fetch.{name}: is {getattr(self, name)}, want more than 0")


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Which fetched videos join the dataset, and in which split (ours)."""

    max_hash_distance: int = 14
    """Two pictures are alike when their 64-bit hashes differ in at most this many bits."""
    min_shared_frames: float = 0.5
    """Two videos are near-duplicates when this share of the shorter one's half seconds is alike, and the motion too."""
    validation_share: float = 0.1
    """Share of groups in the validation split."""
    testing_share: float = 0.2
    """Share of groups in the testing split."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """How candidate clips are cut."""

    people: str = "none"
    """People filter: `none`; OpenCV's `hog` and `hog_faces`, with nothing to download; or Faster R-CNN, which needs
    weights: `faster_rcnn` (ResNet-50, the paper's), `faster_rcnn_v2`, `faster_rcnn_mobilenet`. Of 24 real shots with
    people `hog` finds .75 and `hog_faces` .92, and they see people in .16 and .21 of 19 without (`bench.people`)."""
    people_frames: int = 0
    """Frames of a shot that the filter looks at: a shot passes when one of them shows people. 0: the filter's own
    number, 2 (HACS v3). More find more, false ones too: with 8, `hog` finds .88 and .37, `hog_faces` 1.00 and .63."""
    people_weights: str = ""
    """Path of the state dict of the Faster R-CNN that `people` names; empty asks the hub."""
    min_shot_sec: float = 2.0
    """A shot shorter than a clip holds none."""

    def __post_init__(self) -> None:
        if self.people_frames < 0:
            raise WrongArguments(f"setting proposal.people_frames: is {self.people_frames}, want 0 or more")


@dataclass(frozen=True, kw_only=True)
class Committee:
    """The classifiers and how they learn from weak labels."""

    members: tuple[str, ...] = ("frame_resnet18", "r3d_18", "motion_r3d_18")
    """Names in the registry of `slac_tasks.networks.registry`; at least three, of different kinds."""
    pretrained: str = "hub"
    """Where backbones start: `hub`, `random`, or a folder that holds <member>.pt."""
    steps: int = 400
    """Training steps of one member."""
    batch: int = 32
    """Clips in one training step."""
    clips_per_video: int = 4
    """Weakly labelled clips taken from one video."""
    seed: int = 0
    """Seed of every random choice in training."""


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How clips are scored; no knob changes what a score means."""

    batch: int = 64
    """Clips that a network is given at a time; halved when memory runs out."""
    workers: int = -1
    """Processes that decode; -1: none where networks run on processors, else one per two processors and 8 at most."""
    precision: str = "auto"
    """`auto` (bfloat16 where the device multiplies it), `float32` or `bfloat16`."""
    compile: bool = False
    """Compile each network first: minutes at the start, worth it from some ten thousand clips on."""


@dataclass(frozen=True, kw_only=True)
class Mining:
    """Which clips are sent to people. What the shares leave, a twentieth at least, is drawn at random as a control."""

    minutes_per_round: float = 45.0
    """Human minutes that one category may cost in one round."""
    clips_per_round: int = 300
    """Most clips of one category in one round."""
    seconds_per_answer: float = 4.4
    """What one answer costs until people have given some (SLAC v1: 8.8 s a clip; two answers)."""
    disagreement: float = 0.62
    """Share chosen by disagreement of the committee."""
    consensus: float = 0.3
    """Share chosen by its consensus."""
    entropy: float = 0.0
    """Share chosen by how unsure one member is."""
    disagreement_by: str = "disagreement"
    """What stands for disagreement: `disagreement` (Jensen-Shannon), `vote_entropy` or `spread`."""
    entropy_of: str = ""
    """The member that `entropy` asks; empty takes the first by name, and so does a panel without that member."""
    coherence_sec: float = 1.0
    """Clips of one shot that start at most this far apart are neighbours over which an action should hold; 0: none."""
    diversity: float = 0.7
    """Each clip of a video that is chosen already leaves the video's others this share of their value."""
    max_pattern_share: float = 0.6
    """Most of the disagreement slice with one and the same pattern of votes."""
    clips_per_video: int = 4
    """Most clips of one video in one round (SLAC v1: 3.4 on average)."""
    min_gap_sec: float = 2.0
    """Clips of one video start at least this far apart, in seconds."""
    days_of_work: float = 1.0
    """Clips are mined for categories whose queue holds less than this many days of work."""
    clips_per_person_day: int = 2000
    """What one person answers in a day; with `days_of_work` it says when the queue runs low (ours)."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """How people are asked."""

    votes_wanted: int = 2
    """Answers asked at first; a clip on which they differ asks for more, up to `votes_most`."""
    votes_most: int = 3
    """HACS v3: three people per clip, kept when at least two agree."""
    lease_sec: float = 120.0
    """A clip handed to a person comes back after this long without an answer."""
    gold_share: float = 0.05
    """Share of the clips handed out whose answer is known, as far as there are such clips (ours)."""
    media_sec: int = 600
    """How long the address of a clip works."""


@dataclass(frozen=True, kw_only=True)
class Aggregation:
    """How votes become labels; `review` says how many are wanted."""

    method: str = "two_of_three"
    """`two_of_three` (HACS v3), `dawid_skene`, or `with_committee`: the committee is one more voter of Dawid-Skene."""
    vote_price: float = 0.02
    """Under a model: an answer is asked for when it is expected to right this share of a label (ours)."""
    min_confidence: float = 0.75
    """Under a model: a clip whose answers are used up and whose label is less probable stays unsettled (ours)."""
    pooling: float = 10.0
    """Under a model: votes that the average person weighs in each person's sensitivity and specificity (ours)."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What the gate demands of a category's labels (ours)."""

    min_labels: int = 10
    """Fewer settled labels are too few to judge."""
    min_agreement: float = 0.75
    """Share of a category's clips on which the first two answers agree."""
    min_positive_share: float = 0.05
    """A category with fewer positives is probably not what was retrieved."""
    max_positive_share: float = 0.98
    """A category with hardly a negative was probably not looked at."""
    max_unsettled_share: float = 0.3
    """Share of a category's finished clips on which people could not agree."""
    approve_timeout_sec: float = 86_400.0
    """A question about a refused category that nobody answers in this time is closed without a decision; the next run
    of `check_labels` asks again."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """When validated labels become a release."""

    min_new_labels: int = 50_000
    """Validated labels that the last release does not hold."""
    wait_for_queue: bool = False
    """Wait until every collected window is mined and every clip in the queue is answered."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """Pretraining on the release, and its evaluation by transfer."""

    architecture: str = "r2plus1d_18"
    """A video network in the registry of `slac_tasks.networks.registry`."""
    steps: int = 20_000
    """Pretraining steps."""
    batch: int = 32
    """Clips in one step."""
    transfer: str = ""
    """Folder of the target data set: <split>/<class>/<video>; empty evaluates on the release's testing split alone."""
    transfer_labels: int = 10
    """Labels per class that the transfer may use."""
    transfer_steps: int = 300
    """Fine-tuning steps, the same for the pretrained and the fresh network."""
    transfer_seeds: int = 5
    """Repetitions, each with its own labels and start."""
    min_gain: float = 0.0
    """A model is promoted when its testing accuracy is above the best guess by more than this."""
    rescore_gpu_hours: float = 1.0
    """Budget for scoring old windows again with a promoted model."""
    clips_per_gpu_second: float = 300.0
    """Scoring rate by which the budget is spent (a constant of ours: estimates made from it are modelled)."""
    seed: int = 0
    """Seed of every random choice in training."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of one process."""

    store_url: str
    """A folder, or s3://bucket/prefix on the server that SLAC_S3_ENDPOINT names."""
    device: str = "auto"
    """Where networks run: `auto`, `cpu` or `cuda`."""
    batch_categories: int = 8
    """Categories that one mapped task handles, so that start-up is shared."""
    collect: Collect = field(default_factory=Collect)
    fetch: Fetch = field(default_factory=Fetch)
    admission: Admission = field(default_factory=Admission)
    proposal: Proposal = field(default_factory=Proposal)
    committee: Committee = field(default_factory=Committee)
    scoring: Scoring = field(default_factory=Scoring)
    mining: Mining = field(default_factory=Mining)
    review: Review = field(default_factory=Review)
    aggregation: Aggregation = field(default_factory=Aggregation)
    quality: Quality = field(default_factory=Quality)
    release: Release = field(default_factory=Release)
    training: Training = field(default_factory=Training)

    def digest(self, sections: tuple[str, ...]) -> dict[str, Any]:
        """Return the values of the named sections, ready for a manifest."""
        return {name: json.loads(json.dumps(dataclasses.asdict(getattr(self, name)))) for name in sections}


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings of this process from its environment and the TOML file that it names.

    Raises:
        NotConfigured: SLAC_STORE is not set, or the file that SLAC_CONFIG names cannot be read.
        WrongArguments: the file holds an unknown name or a value of the wrong type.

    """
    tables: dict[str, Any] = {}
    if path := environ.get("SLAC_CONFIG"):
        try:
            tables = tomllib.loads(Path(path).read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise NotConfigured(f"SLAC_CONFIG: cannot read {path!r}: {error}") from error
    store_url = environ.get("SLAC_STORE") or tables.pop("store_url", "")
    if not store_url:
        raise NotConfigured("SLAC_STORE: not set, want a folder or s3://bucket/prefix")
    tables["store_url"] = store_url
    return _typed(Config, tables, "")


def _typed(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build `kind` from plain values, refusing names and types that it does not declare."""
    hints = get_type_hints(kind)
    typed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in hints:
            raise WrongArguments(f"setting {where}{name}: unknown, want one of {', '.join(sorted(hints))}")
        want = hints[name]
        if isinstance(want, type) and dataclasses.is_dataclass(want) and isinstance(value, Mapping):
            typed[name] = _typed(want, value, f"{where}{name}.")
        elif want == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
            typed[name] = tuple(value)
        elif want is float and type(value) in (int, float):
            typed[name] = float(value)
        elif type(value) is want:
            typed[name] = value
        else:
            raise WrongArguments(f"setting {where}{name}: is {value!r}, want {getattr(want, '__name__', want)}")
    return kind(**typed)
