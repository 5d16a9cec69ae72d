"""What a release costs, with the release before beside it: `python -m bench.release [--quick]`.

A platform with a real Postgres holds 1.75 million judged labels of people in 200 categories, on 515,000 videos with
titles, licences and addresses. `slac release` writes the first release; a label in a hundred then changes its sign, a
hundredth is new, and `slac release` writes the second one: its rows, the register of videos, three formats, the data
sheet, and the comparison with the first. `slac release verify` proves it, without decoding. All three run as processes
of their own, as Airflow runs them; `write_s` and `verify_s` are of the second release, `peak_gib` is the most memory of
any of them.

What streams: rows of a release are made, written, hashed, compared and counted one category at a time, and exports read
them part by part. What does not: the labels of the version without their videos (`gib_of_labels`, in Arrow), the names
of all videos, and the keys by which `Datasets.write` proves that no label stands twice. The last line is one JSON
object.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa

from bench.harness import Bench, Figures, Seed
from bench.harness.costs import ProcessCost, slac
from bench.harness.places import platform
from bench.harness.tables import table
from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.model import Split, Strategy
from slac_tasks.release.finished import need_release
from slac_tasks.storage.datasets import FETCHED, LABELS, QUALITY, VIDEOS
from slac_tasks.storage.datasets.labelling import QualityRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.outcome import record_verdicts

GIB = 1 << 30
WINDOW = "2026-01-05"
PER_VIDEO = 3.4
"""Labels of one video (SLAC v1)."""
_MADE: dict[str, Any] = {"stage": "bench", "settings": {}, "made_from": {}}
_SPLITS = (Split.TRAINING, Split.TRAINING, Split.TRAINING, Split.VALIDATION, Split.TESTING)
_LICENCES = ("CC BY 4.0", "CC BY-SA 4.0", "CC0", None)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is released."""

    rows: Annotated[int, "labels of the second release"] = 1_750_000
    categories: Annotated[int, "categories"] = 200
    seed: Seed = 0


def measure(size: Size, folder: Path) -> Figures:
    """Release twice, and verify."""
    with platform(folder) as url:
        datasets, ledger = Datasets(open_store(url)), open_ledger()
        names = [f"category_{number:03d}" for number in range(size.categories)]
        for name in names:
            ledger.run("register_category", category=name, name=name.replace("_", " "), guideline=None)
            _collect(datasets, ledger, name, _videos(size))
        _judge(datasets, ledger, "000001", size, names)
        first = slac(["release", "--release", "r0001"], folder / "log")
        held = _judge(datasets, ledger, "000002", size, names)
        ledger.close()
        second = slac(["release", "--release", "r0002"], folder / "log")
        verified = slac(["release", "verify", "r0002", "--decode", "0"], folder / "log")
        row, _ = need_release(datasets, "r0002")
    print(table({"": "", "s": ".1f", "processor s": ".1f", "GiB": ".2f"}, _costs(first, second, verified)))
    print(f"{row.version}: {row.labels:,} labels; {row.added:,} added, {row.changed:,} changed")
    return {
        "rows": row.labels,
        "write_s": second.wall_sec,
        "first_s": first.wall_sec,
        "verify_s": verified.wall_sec,
        "peak_gib": max(one.peak_bytes for one in (first, second, verified)) / GIB,
        "gib_of_labels": held / GIB,
        "scale": size.rows / Size().rows,
    }


def _costs(first: ProcessCost, second: ProcessCost, verified: ProcessCost) -> Iterator[tuple[str, float, float, float]]:
    for name, one in (("first release", first), ("second release", second), ("verify", verified)):
        yield name, one.wall_sec, one.processor_sec, one.peak_bytes / GIB


def _videos(size: Size) -> int:
    return max(1, round(size.rows / size.categories / PER_VIDEO))


def _filled(dataset: Dataset[Any], count: int, **columns: Any) -> pa.Table:
    """Return rows with these columns, of one value or many; what is missing says as little as it may."""
    empty: dict[str, Any] = {"string": "x", "double": 1.0}
    found = {}
    for field in dataset.schema:
        value = columns.get(field.name, None if field.nullable else empty.get(str(field.type), 0))
        if pa.types.is_list(field.type):
            value = [[]] * count
        many = isinstance(value, list | np.ndarray)
        found[field.name] = pa.array(value if many else [value] * count, field.type)
    return pa.table(found, schema=dataset.schema)


def _ids(category: str, count: int) -> list[str]:
    return [f"{category[-3:]}{number:013d}" for number in range(count)]


def _collect(datasets: Datasets, ledger: Ledger, category: str, count: int) -> None:
    """Admit the videos of a category; write them, and where they were fetched."""
    videos, keys = _ids(category, count), {"category": category, "window": WINDOW}
    columns: dict[str, Any] = {
        "candidate_id": videos, "video_id": videos, "group_id": videos, "duration_sec": 120.0,
        "source_id": [f"y{one[-10:]}" for one in videos],
        "split": [_SPLITS[number % len(_SPLITS)] for number in range(count)],
        "title": [f"A video about {category}, number {number}" for number in range(count)],
        "licence": [_LICENCES[number % len(_LICENCES)] for number in range(count)],
        "location": [f"https://videos.example/watch?v={one}" for one in videos],
        "proxy_256": [f"media/{one}/0123456789abcdef-256.mp4" for one in videos],
        "proxy_128": [f"media/{one}/0123456789abcdef-128.mp4" for one in videos],
        "proxy_sha256": [one * 4 for one in videos],
    }  # fmt: skip
    for dataset in (FETCHED, VIDEOS):
        datasets.write(dataset, [_filled(dataset, count, **columns)], keys=keys, **_MADE)
    admitted = [
        {"video_id": one, "media_sha256": one * 4, "group_id": one, "split": split, "proxy_256": proxy, **stored([])}
        for one, split, proxy in zip(videos, columns["split"], columns["proxy_256"], strict=True)
    ]
    ledger.run_many("add_video", admitted)


def _judge(datasets: Datasets, ledger: Ledger, version: str, size: Size, names: list[str]) -> int:
    """Write labels that the gate accepts; return how many bytes they are in Arrow, as far as a release reads them."""
    held = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal held
        for place, name in enumerate(names):
            made = _labels(name, version, size, np.random.default_rng((size.seed, place)))
            held += made.drop_columns(["votes", "method", "status"]).nbytes
            yield made

    datasets.write(LABELS, tables(), keys={"labels": version}, **_MADE)
    rows = [
        QualityRow(
            category=name, verdict="accepted", reasons=(), settled=1, positive=1, agreement=None, unsettled=0,
            failed=(), shortfalls=(),
        )
        for name in names
    ]  # fmt: skip
    datasets.write(QUALITY, [QUALITY.table(rows)], keys={"labels": version}, **_MADE)
    record_verdicts(ledger, version, rows)
    return held


def _labels(category: str, version: str, size: Size, dice: np.random.Generator) -> pa.Table:
    """Return the labels of a category; the later version has a hundredth more, and another hundredth changed."""
    count, videos = size.rows // size.categories, _ids(category, _videos(size))
    place = np.arange(count)
    sign = np.where(dice.random(count) < 0.4, 1, -1)
    later = version > "000001"
    sign[dice.random(count) < 0.01] *= -1 if later else 1
    known = slice(None) if later else slice(0, count - count // 100)
    of, start = place % len(videos), (place // len(videos)) * 2.5
    chosen = [(videos[one], float(begin)) for one, begin in zip(of[known], start[known], strict=True)]
    strategies = list(Strategy)
    return _filled(
        LABELS,
        len(chosen),
        clip_id=[f"{video}:{round(begin * 1000)}" for video, begin in chosen],
        video_id=[video for video, _ in chosen],
        start_sec=[begin for _, begin in chosen],
        end_sec=[begin + 2 for _, begin in chosen],
        split=[_SPLITS[one % len(_SPLITS)] for one in of[known].tolist()],
        category=category,
        round=f"{WINDOW}.p0001",
        strategy=[strategies[one % len(strategies)] for one in place[known].tolist()],
        status="settled",
        label=sign[known],
        confidence=1.0,
        yes=2,
        first_two_agree=(place[known] % 10 > 0).tolist(),
    )


BENCH = Bench(
    name="release", doc=__doc__, measure=measure, full=Size(), quick=Size(rows=60_000, categories=20),
    tiny=Size(rows=600, categories=3),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
