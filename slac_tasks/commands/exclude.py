"""Keep the validation and test videos of other benchmarks out of the dataset.

slac exclude add kinetics700_val.csv        a published list; `slac exclude add --help` has the formats
slac exclude add ids.txt --benchmark mine   one id, address or file name per line
slac exclude add ucf101_test/               media: what shows the same as one of these files
slac exclude list                           what is registered

`discover` drops what is listed, `deduplicate` what shows the same. Videos of ours that were admitted before are left
out of every later dataset, with their whole group of near-duplicates, and listed as withdrawn beside the releases that
held them; no bytes are deleted. Safe to run again: run it again after a `fetch` that was under way.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from slac_tasks import config
from slac_tasks.admission.exclusions import lists, registry
from slac_tasks.admission.exclusions.lists import MemberList
from slac_tasks.admission.exclusions.look import look_at
from slac_tasks.admission.exclusions.registry import ExcludedVideo
from slac_tasks.admission.likeness.archive import Archive
from slac_tasks.admission.settings import Admission
from slac_tasks.admission.withdrawals import leave_out
from slac_tasks.errors import BrokenContract
from slac_tasks.job import say
from slac_tasks.model import media_video_id, slug
from slac_tasks.progress import track
from slac_tasks.storage.datasets import FETCHED
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.objects import Store, open_store
from slac_tasks.storage.tables import Datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    add = verbs.add_parser(
        "add", help="register a list of ids, or the media of a folder",
        description=lists.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add.add_argument("path", type=Path, help="csv, json or text; or a folder of videos")
    add.add_argument("--benchmark", help="whose they are; else as the format or the file's name says")
    verbs.add_parser("list", help="say what is registered")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says."""
    ledger = open_ledger()
    if arguments.what == "list":
        print(f"{'benchmark':<32}{'names':>10}{'media':>10}  since")
        for row in ledger.rows("exclusions"):
            since = f"{row['since']:%Y-%m-%d}"
            print(f"{row['benchmark']:<32}{row['names']:>10,}{row['media']:>10,}  {since}")
        return
    settings = config.load()
    store = open_store(settings.store_url)
    path: Path = arguments.path
    if path.is_dir():
        benchmark = slug(arguments.benchmark or path.resolve().name)
        looked = _look(store, path, benchmark)
        what = f"{len(looked):,} videos of {benchmark} registered"
        ours, releases = add(store, ledger, settings.admission, None, looked)
    else:
        found = lists.read(path, arguments.benchmark)
        what = f"{len(found.members):,} names of {found.benchmark} registered, {found.left_out:,} of other use left out"
        ours, releases = add(store, ledger, settings.admission, found, [])
    ledger.close()
    say(f"exclude: {what}; {ours} admitted videos leave, withdrawn from {', '.join(releases) or 'no release'}")


def add(
    store: Store, ledger: Ledger, rules: Admission, found: MemberList | None, looked: Sequence[ExcludedVideo]
) -> tuple[int, list[str]]:
    """Register a list and videos; withdraw ours. Return how many of ours left, and the releases that held them."""
    datasets = Datasets(store)
    with ledger.transaction():
        # Nothing is admitted between the look at what was and the word to those who come.
        ledger.rows("lock_admission")
        videos = list(looked)
        if found is not None:
            registry.keep_list(store, found)
            registry.tell_list(ledger, found)
            videos += _fetched(datasets, ledger)
        registry.tell_videos(ledger, videos)
        ours = _ours(ledger, rules, videos)
        releases: set[str] = set()
        for benchmark in sorted(set(ours.values())):
            leaving = {video_id for video_id, whose in ours.items() if whose == benchmark}
            releases |= set(leave_out(datasets, ledger, leaving, registry.tombstone(benchmark)))
    return len(ours), sorted(releases)


def _look(store: Store, folder: Path, benchmark: str) -> list[ExcludedVideo]:
    """Return the videos of a folder; each is kept as soon as it was looked at, so that the next run need not.

    Raises:
        BrokenContract: the folder holds no usable video.

    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    video_ids: dict[Path, str] = {}
    for path in track(paths, len(paths), "exclude: read"):
        with path.open("rb") as file:
            video_ids[path.absolute()] = media_video_id(hashlib.file_digest(file, "sha256").hexdigest())
    done = {path: registry.kept_video(store, video_id) for path, video_id in video_ids.items()}
    found = {video.video_id: video for video in done.values() if video}
    dropped: Counter[str] = Counter()
    for looked in look_at([path for path, video in done.items() if video is None]):
        path = Path(looked.path)
        if looked.reason:
            dropped[looked.reason] += 1
            say(f"exclude: {path.relative_to(folder.absolute())} set aside: {looked.reason} {looked.detail}".rstrip())
            continue
        video = ExcludedVideo(
            video_id=video_ids[path], benchmark=benchmark, name=path.name, frame_hashes=looked.frame_hashes
        )
        registry.keep_video(store, video)
        found[video.video_id] = video
    if not found:
        raise BrokenContract(f"folder {folder}: holds {len(paths)} files and no usable video, want at least one")
    if dropped:
        say(f"exclude: set aside {', '.join(f'{count} {reason}' for reason, count in dropped.most_common())}")
    return list(found.values())


def _fetched(datasets: Datasets, ledger: Ledger) -> list[ExcludedVideo]:
    """Return the videos that were fetched, admitted or not, under a name that is excluded: what they show is known."""
    found = []
    for keys in datasets.partitions(FETCHED):
        # Fingerprints are large: they are read where a name is listed.
        names = datasets.read(FETCHED, ["candidate_id", "source_id", "location"], **keys).to_pylist()
        named = registry.excluded_by_name(ledger, [registry.Names(**row) for row in names])
        for row in datasets.rows(FETCHED, **keys) if named else ():
            if listed := named.get(row.candidate_id):
                video = ExcludedVideo(video_id=row.video_id, frame_hashes=list(row.frame_hashes), **listed._asdict())
                registry.keep_video(datasets.store, video)
                found.append(video)
    return found


def _ours(ledger: Ledger, rules: Admission, videos: Sequence[ExcludedVideo]) -> dict[str, str]:
    """Return the admitted videos that show one of these, with all of their groups, and whose they are."""
    benchmark = {video.video_id: video.benchmark for video in videos}
    alike = Archive(ledger, rules, {video.video_id: video.frame_hashes for video in videos}).alike()
    for video in videos:
        for other in alike.get(video.video_id, ()):
            benchmark.setdefault(other, video.benchmark)
    known = ledger.rows("known_videos", videos=sorted(benchmark))
    of_group = {row["group_id"]: benchmark[row["video_id"]] for row in known if row["video_id"] in benchmark}
    gone = {row["video_id"] for row in ledger.rows("tombstones")}
    return {row["video_id"]: of_group[row["group_id"]] for row in known if row["video_id"] not in gone}
