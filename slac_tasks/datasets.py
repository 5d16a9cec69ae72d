"""Typed, immutable datasets: what one stage hands to the next.

A dataset is declared once, below. Its rows are Parquet parts; its address follows from its name and keys:

    <name>/v<version>/<key>=<value>/.../current.json          the generation that readers see
    <name>/v<version>/<key>=<value>/.../g0001/manifest.json   written last: makes the generation exist
    <name>/v<version>/<key>=<value>/.../g0001/<hash>.parquet  rows, named by content

A generation is never changed. A re-make writes the next one beside it and then moves `current.json`.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from slac_tasks import __version__
from slac_tasks.errors import BrokenContract, NotMade, Temporary, WrongArguments
from slac_tasks.store import Store

_KEY_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its Arrow type, whether a value may be unknown (null), and what it means, with its unit."""

    name: str
    dtype: pa.DataType
    meaning: str
    nullable: bool = False


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A declared hand-over."""

    name: str
    version: int
    keys: tuple[str, ...]
    unique: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        return pa.schema([pa.field(c.name, c.dtype, nullable=c.nullable) for c in self.columns])

    def address(self, keys: Mapping[str, str]) -> str:
        """Return the folder of the partition with these keys.

        Raises:
            WrongArguments: a key is missing, unknown, or holds characters that cannot stand in a name.

        """
        if set(keys) != set(self.keys):
            raise WrongArguments(f"dataset {self.name}: keys {sorted(keys)}, want {sorted(self.keys)}")
        for key, value in keys.items():
            if not _KEY_VALUE.fullmatch(value):
                raise WrongArguments(f"dataset {self.name}: {key}={value!r}, want letters, digits, '_', '.', '-'")
        return "/".join([self.name, f"v{self.version}", *(f"{key}={keys[key]}" for key in self.keys)])

    def rows(self, records: Iterable[Mapping[str, Any]]) -> pa.Table:
        """Make a table of this dataset's schema from plain records."""
        return pa.Table.from_pylist(list(records), schema=self.schema)


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

CANDIDATES = Dataset(
    name="candidates", version=1, keys=("category", "window"), unique=("candidate_id",),
    meaning="Videos that a source offers for a category, published within a window.",
    columns=(*_SOURCE, _c("location", _TEXT, "path or address of the bytes")),
)  # fmt: skip
FETCHED = Dataset(
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
VIDEOS = Dataset(
    name="videos", version=1, keys=("category", "window"), unique=("video_id",),
    meaning="Videos admitted to the dataset: no duplicate inside it or of an excluded video.",
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
        _c("architecture", _TEXT, "name in the registry of slac_tasks.classifiers"),
        _c("category", _TEXT, "category that this row's weights score"),
        _c("backbone", _TEXT, "content hash of the backbone: weights/<hash>.pt"),
        _c("head", _TEXT, "content hash of the head: weights/<hash>.pt"),
        _c("output", pa.int32(), "index of the category in the head's outputs"),
        _c("weights", _TEXT, "hash of (architecture, backbone, head): the key of the scores"),
        _c("origin", _TEXT, "bootstrap:<window> or release:<version>"),
    ),
)  # fmt: skip
SCORES = Dataset(
    name="scores", version=1, keys=("category", "window", "weights"), unique=("clip_id",),
    meaning="Each clip's score by one member for the hypothesised action.",
    columns=(
        _c("clip_id", _TEXT, "video_id:start_ms"),
        _c("video_id", _TEXT, "16 hex digits of the media's SHA-256"),
        _c("member", _TEXT, "name of the member"),
        _c("score", pa.float32(), "probability of the hypothesised action, 0 to 1"),
    ),
)  # fmt: skip
HARD_CLIPS = Dataset(
    name="hard_clips", version=1, keys=("category", "round"), unique=("clip_id",),
    meaning="Clips chosen for people, with the strategy and every score that chose them.",
    columns=(
        *_CLIP,
        _c("proxy_256", _TEXT, "object name of the rendition that people see"),
        _c("strategy", _TEXT, "disagreement, consensus or random"),
        _c("disagreement", pa.float64(), "Jensen-Shannon divergence of the members, in bits, 0 to 1"),
        _c("consensus", pa.float64(), "lowest member's score, 0 to 1"),
        _c("scores", _SCORES, "each member's score"),
    ),
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
        _c("confidence", pa.float64(), "share of yes and no votes on its side; null unless settled", nullable=True),
        _c("method", _TEXT, "how votes were aggregated, with its version"),
        _c("yes", pa.int32(), "votes yes"),
        _c("no", pa.int32(), "votes no"),
        _c("unsure", pa.int32(), "votes unsure"),
        _c("broken", pa.int32(), "votes broken"),
        _c("first_two_agree", pa.bool_(), "whether the first two yes/no answers agree; null before two", nullable=True),
        _c("votes", pa.list_(_TEXT), "vote_id of every vote counted, in the order cast"),
    ),
)  # fmt: skip
QUALITY = Dataset(
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
        _c("architecture", _TEXT, "name in the registry of slac_tasks.classifiers"),
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
        CANDIDATES, FETCHED, VIDEOS, CLIPS, COMMITTEES, SCORES, HARD_CLIPS, VOTES, LABELS, QUALITY, RELEASES, MODELS,
        EVALUATIONS,
    )
}  # fmt: skip
"""Every dataset by name, in the order of the procedure."""


@dataclass(frozen=True, kw_only=True)
class Drop:
    """An item that a stage set aside."""

    item: str
    reason: str
    detail: str = ""
    retryable: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a generation holds and what it was made from."""

    dataset: str
    version: int
    keys: dict[str, str]
    generation: int
    rows: int
    columns: dict[str, str]
    parts: list[dict[str, Any]]
    dropped: dict[str, int]
    drops: list[dict[str, Any]]
    made_by: dict[str, Any]
    made_from: dict[str, str]
    written_at: str
    sha256: str = field(default="", compare=False)

    def encode(self) -> bytes:
        """Return the bytes of manifest.json."""
        values = asdict(self)
        del values["sha256"]
        return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()

    @property
    def address(self) -> str:
        """The partition's folder."""
        return ALL[self.dataset].address(self.keys)

    @property
    def retryable(self) -> int:
        """How many drops a later try may not meet."""
        return sum(1 for drop in self.drops if drop["retryable"])


class Datasets:
    """The datasets in one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def manifest(self, dataset: Dataset, **keys: str) -> Manifest | None:
        """Return the manifest of the generation that readers see, or None when there is none.

        A generation whose writer died between its manifest and the pointer is whole: the pointer is moved here.

        Raises:
            BrokenContract: the manifest was altered, or was written by another version of this dataset.

        """
        folder = dataset.address(keys)
        generation, want = 0, ""
        try:
            pointer = json.loads(self.store.get(f"{folder}/current.json"))
            generation, want = int(pointer["generation"]), str(pointer["manifest"])
        except NotMade:
            pass
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenContract(f"{folder}/current.json: is not a pointer, want generation and manifest") from error
        while self.store.exists(f"{folder}/g{generation + 1:04d}/manifest.json"):
            generation, want = generation + 1, ""
        if generation == 0:
            return None
        manifest = self._read_manifest(dataset, f"{folder}/g{generation:04d}/manifest.json", want)
        if not want:
            self._point(manifest)
        return manifest

    def _read_manifest(self, dataset: Dataset, name: str, want: str) -> Manifest:
        data = self.store.get(name)
        found = hashlib.sha256(data).hexdigest()
        if want and found != want:
            raise BrokenContract(f"{name}: was altered, found sha256 {found[:16]}, want {want[:16]}")
        try:
            manifest = Manifest(**json.loads(data), sha256=found)
        except (ValueError, TypeError) as error:
            raise BrokenContract(f"{name}: is not a manifest: {error}") from error
        if (manifest.dataset, manifest.version) != (dataset.name, dataset.version):
            raise BrokenContract(
                f"{name}: holds {manifest.dataset} v{manifest.version}, want {dataset.name} v{dataset.version}"
            )
        columns = {column.name: str(column.dtype) for column in dataset.columns}
        if manifest.columns != columns:
            raise BrokenContract(f"{name}: columns {manifest.columns}, want {columns}")
        return manifest

    def _point(self, manifest: Manifest) -> None:
        pointer = {"generation": manifest.generation, "manifest": manifest.sha256}
        self.store.put(f"{manifest.address}/current.json", json.dumps(pointer).encode())

    def need(self, dataset: Dataset, **keys: str) -> Manifest:
        """Return the current manifest.

        Raises:
            NotMade: the partition has not been written.

        """
        manifest = self.manifest(dataset, **keys)
        if manifest is None:
            raise NotMade(f"dataset {dataset.address(keys)}: not made yet, want it written by an earlier stage")
        return manifest

    def tables(self, manifest: Manifest, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the rows of a generation, one table per part, checking every byte against the manifest."""
        for part in manifest.parts:
            name = f"{manifest.address}/g{manifest.generation:04d}/{part['name']}"
            data = self.store.get(name)
            found = hashlib.sha256(data).hexdigest()
            if found != part["sha256"]:
                raise BrokenContract(f"{name}: was altered, found sha256 {found[:16]}, want {part['sha256'][:16]}")
            yield pq.read_table(io.BytesIO(data), columns=columns)

    def read(self, dataset: Dataset, columns: list[str] | None = None, /, **keys: str) -> pa.Table:
        """Return all rows of the current generation.

        Raises:
            NotMade: the partition has not been written.
            BrokenContract: its bytes are not those that were written.

        """
        tables = list(self.tables(self.need(dataset, **keys), columns))
        schema = dataset.schema if columns is None else pa.schema([dataset.schema.field(c) for c in columns])
        return pa.concat_tables(tables) if tables else schema.empty_table()

    def partitions(self, dataset: Dataset, **some: str) -> list[dict[str, str]]:
        """Return the keys of all written partitions whose keys include `some`, in order of their address."""
        head = [dataset.name, f"v{dataset.version}"]
        for key in dataset.keys:
            if key not in some:
                break
            head.append(f"{key}={some[key]}")
        found: dict[str, dict[str, str]] = {}
        for name in self.store.names("/".join(head) + "/"):
            folder, _, file = name.rpartition("/")
            if file != "manifest.json":
                continue
            folder = folder.rpartition("/")[0]
            keys = dict(part.split("=", 1) for part in folder.split("/")[2:])
            if all(keys.get(key) == value for key, value in some.items()):
                found[folder] = keys
        return [found[folder] for folder in sorted(found)]

    def write(
        self,
        dataset: Dataset,
        tables: Iterable[pa.Table],
        *,
        keys: Mapping[str, str],
        stage: str,
        settings: Mapping[str, Any],
        made_from: Mapping[str, str],
        drops: Iterable[Drop] = (),
    ) -> Manifest:
        """Write the next generation of a partition: parts, then the manifest, then the pointer.

        Raises:
            BrokenContract: rows do not fit the declared columns, or a unique key repeats.
            Temporary: another process finished the same generation first; its work stands, this one's is discarded.

        """
        folder = dataset.address(keys)
        before = self.manifest(dataset, **keys)
        generation = before.generation + 1 if before else 1
        parts: list[dict[str, Any]] = []
        seen: set[tuple[Any, ...]] = set()
        for table in tables:
            rows = _conform(dataset, table, folder)
            _check_unique(dataset, rows, seen, folder)
            buffer = io.BytesIO()
            pq.write_table(rows, buffer, compression="zstd")
            digest = hashlib.sha256(buffer.getvalue()).hexdigest()
            name = f"{digest[:16]}.parquet"
            self.store.put(f"{folder}/g{generation:04d}/{name}", buffer.getvalue())
            parts.append({"name": name, "rows": rows.num_rows, "sha256": digest})
        drops = list(drops)
        dropped: dict[str, int] = {}
        for drop in drops:
            dropped[drop.reason] = dropped.get(drop.reason, 0) + 1
        manifest = Manifest(
            dataset=dataset.name,
            version=dataset.version,
            keys=dict(keys),
            generation=generation,
            rows=sum(part["rows"] for part in parts),
            columns={column.name: str(column.dtype) for column in dataset.columns},
            parts=parts,
            dropped=dict(sorted(dropped.items())),
            drops=[asdict(drop) for drop in drops],
            made_by={"stage": stage, "code": __version__, "settings": dict(settings)},
            made_from=dict(made_from),
            written_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        data = manifest.encode()
        if not self.store.create(f"{folder}/g{generation:04d}/manifest.json", data):
            raise Temporary(f"dataset {folder} g{generation:04d}: another process finished it first; nothing was lost")
        manifest = Manifest(**json.loads(data), sha256=hashlib.sha256(data).hexdigest())
        self._point(manifest)
        return manifest


def _conform(dataset: Dataset, table: pa.Table, folder: str) -> pa.Table:
    """Return the table in the declared order and types; refuse missing columns and unknown values where none may be."""
    missing = [c.name for c in dataset.columns if c.name not in table.column_names]
    extra = [name for name in table.column_names if name not in dataset.schema.names]
    if missing or extra:
        raise BrokenContract(f"dataset {folder}: columns missing {missing}, not declared {extra}")
    try:
        rows = table.select(dataset.schema.names).cast(dataset.schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise BrokenContract(f"dataset {folder}: {error}") from error
    for column in dataset.columns:
        if not column.nullable and rows[column.name].null_count:
            raise BrokenContract(
                f"dataset {folder}: column {column.name} has {rows[column.name].null_count} unknown values"
            )
    return rows


def _check_unique(dataset: Dataset, rows: pa.Table, seen: set[tuple[Any, ...]], folder: str) -> None:
    for key in zip(*(rows[name].to_pylist() for name in dataset.unique), strict=True):
        if key in seen:
            raise BrokenContract(f"dataset {folder}: {dict(zip(dataset.unique, key, strict=True))} stands twice")
        seen.add(key)
