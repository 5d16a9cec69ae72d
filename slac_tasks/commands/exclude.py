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
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from slac_tasks import config
from slac_tasks.admission.exclusions import lists, registry
from slac_tasks.admission.exclusions.fingerprinting import fingerprint_files
from slac_tasks.admission.exclusions.registration import register
from slac_tasks.admission.exclusions.registry import ExcludedVideo
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given import folders
from slac_tasks.given.words import printable
from slac_tasks.model import media_video_id, slug
from slac_tasks.progress import counted, print_json, print_line, track
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    add = verbs.add_parser(
        "add", help="register a list of ids, or the media of a folder",
        description=lists.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add.add_argument("path", type=Path, help="csv, json or text; or a folder of videos")
    add.add_argument("--benchmark", help="whose they are; else as the format or the file's name says")
    listed = verbs.add_parser("list", help="print what is registered")
    listed.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says."""
    ledger = open_ledger()
    if arguments.what == "list" and arguments.json:
        print_json(asdict(one) for one in registry.exclusions(ledger))
        return
    if arguments.what == "list":
        print(f"{'benchmark':<32}{'names':>10}{'media':>10}  since")
        for one in registry.exclusions(ledger):
            print(f"{one.benchmark:<32}{one.names:>10,}{one.media:>10,}  {one.since:%Y-%m-%d}")
        return
    settings = config.load()
    store = open_store(settings.store_url)
    path: Path = arguments.path
    if os.path.isdir(path):
        benchmark = slug(arguments.benchmark or path.resolve().name)
        videos = fingerprint_folder(store, path, benchmark)
        others = Counter(video.benchmark for video in videos if video.benchmark != benchmark)
        what = f"{counted(len(videos) - others.total(), 'video')} of {benchmark} registered"
        what += f", {others.total():,} were before, of {', '.join(sorted(others))}" if others else ""
        done = register(store, ledger, settings.admission, None, videos)
    else:
        found = lists.read(path, arguments.benchmark)
        what = (
            f"{counted(len(found.members), 'name')} of {found.benchmark} registered, "
            f"{found.left_out:,} of other use left out"
        )
        done = register(store, ledger, settings.admission, found, [])
    ledger.close()
    releases = ", ".join(done.releases) or "no release"
    print_line(
        f"exclude: {what}; {counted(done.withdrawn, 'admitted video leaves', 'admitted videos leave')}, "
        f"withdrawn from {releases}"
    )


def fingerprint_folder(store: Store, folder: Path, benchmark: str) -> list[ExcludedVideo]:
    """Return the videos of a folder. Each is written to the store at once, so that a later run need not decode it.

    Raises:
        WrongArguments: something in the folder cannot be read: it may be the very video that would slip in.
        BrokenContract: the folder holds no usable video.

    """
    failures: list[OSError] = []
    paths = folders.files(folder, failures)
    video_ids: dict[Path, str] = {}
    for path in track(paths, len(paths), "exclude: read"):
        try:
            with path.open("rb") as file:
                video_ids[path.absolute()] = media_video_id(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            failures.append(error)
    if failures:
        more = f", and {len(failures) - 1} more" if len(failures) > 1 else ""
        raise WrongArguments(f"folder {folder}: nothing was registered: {folders.told(failures[0])}{more}")
    known = {path: registry.read_video(store, video_id) for path, video_id in video_ids.items()}
    found = {video.video_id: video for video in known.values() if video}
    dropped: Counter[str] = Counter()
    for made in fingerprint_files([path for path, video in known.items() if video is None]):
        path = Path(made.path)
        if made.reason:
            dropped[made.reason] += 1
            print_line(
                f"exclude: {path.relative_to(folder.absolute())} set aside: {made.reason} {made.detail}".rstrip()
            )
            continue
        video = ExcludedVideo(
            video_id=video_ids[path], benchmark=benchmark, name=printable(path.name), frame_hashes=made.frame_hashes
        )
        registry.write_video(store, video)
        found[video.video_id] = video
    if not found:
        raise BrokenContract(
            f"folder {folder}: holds {counted(len(paths), 'file')} and no usable video, want at least one"
        )
    if dropped:
        print_line(f"exclude: set aside {', '.join(f'{count} {reason}' for reason, count in dropped.most_common())}")
    return list(found.values())
