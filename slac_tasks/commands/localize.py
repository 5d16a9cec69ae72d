"""Find actions in your videos: where each begins and ends, with a score.

slac localize talk.mp4 match.avi --release r0001        with the network that was pretrained on a release
slac localize videos/ --release r0001 --category judo   every file of a folder, one action
slac localize --release r0001 --save judo-localizer     write network and head into a folder, for other machines
slac localize talk.mp4 --model judo-localizer           with such a folder: no store and no settings are needed

Writes into the folder of --to: segments.json (the results of ActivityNet, which its scripts judge), segments.csv, and
segments.html, which plays the videos with what was found on their bars.

Of a release the head is taught once, when it is first wanted, by the sparse clips of training videos that are left; it
is kept in the store. A run that is cut off goes on, in the teaching or with the next video: found.jsonl, beside the
results, holds what was found in each. A video is looked at again where its file has changed, by another network or
head, and with another --by-video. A file that cannot be read is counted with its reason and stops no other; if none can
be read the command ends with 65.
"""

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slac_tasks import config, outputs
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given.flags import number
from slac_tasks.given.words import wanted
from slac_tasks.localization.detecting import Search
from slac_tasks.localization.features import Unseen
from slac_tasks.localization.featuring import wanted_file
from slac_tasks.localization.folders import open_folder, write_folder
from slac_tasks.localization.localizing import Localizer, Stopwatch, localize, rendition
from slac_tasks.localization.releases import localizer_of_release
from slac_tasks.localization.results import FoundVideo, apart, names_of, rows_of, write_csv, write_json
from slac_tasks.localization.so_far import SoFar
from slac_tasks.networks.settings import Scoring
from slac_tasks.progress import counted, print_line, track
from slac_tasks.reports.found_segments import Shown, page
from slac_tasks.video.clips import decoders

_WINDOWS_A_VIDEO = 400
"""About a minute: enough that a process that decodes is worth its start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO", help="a file, or a folder of files")
    parser.add_argument("--release", help="version of the release whose network and labels are used, e.g. r0001")
    parser.add_argument("--model", type=Path, help="folder that --save wrote")
    parser.add_argument("--category", action="append", default=[], help="find this action alone; may be repeated")
    parser.add_argument("--to", type=Path, default=Path("localized"), help="folder of the results (default: localized)")
    parser.add_argument(
        "--least-score", type=number, default=0.3, help="what is printed and shown is surer (default .3)"
    )
    parser.add_argument(
        "--by-video", action="store_true", help="multiply scores with how probably the whole video shows the action"
    )
    parser.add_argument("--save", type=Path, help="folder into which network and head are written, for --model")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where networks run (default: the setting)")


def main(arguments: argparse.Namespace) -> None:
    """Find the segments, print them, and write the files."""
    if (arguments.release is None) == (arguments.model is None):
        raise WrongArguments("--release and --model: want one of them, the network that looks at the videos")
    if not (arguments.videos or arguments.save):
        raise WrongArguments("videos: none given, want files or folders, or --save alone")
    for path in (arguments.save, arguments.to if arguments.videos else None):
        if path is not None:
            outputs.folder(path)  # before hours of work
    if arguments.model:
        localizer = open_folder(arguments.model, arguments.device or "auto", Scoring())
    else:
        settings = config.load()
        settings = replace(settings, device=arguments.device or settings.device)
        localizer = localizer_of_release(settings, arguments.release, os.environ)
    known = localizer.head.shape.categories
    if unknown := sorted(set(arguments.category) - set(known)):
        raise WrongArguments(f"--category {unknown[0]}: unknown, {wanted(unknown[0], known)}")
    if arguments.save:
        write_folder(arguments.save, localizer)
        print_line(f"localize: wrote {arguments.save}, for --model")
    if arguments.videos:
        _find(_files(arguments.videos), localizer, arguments)


def _files(given: Sequence[Path]) -> list[Path]:
    """Return the files; of a folder all that lie in it."""
    found: list[Path] = []
    for path in given:
        try:
            # Of a name that is too long `Path` asks with an error; it is set aside like any that cannot be opened.
            found += sorted(each for each in path.iterdir() if each.is_file()) if os.path.isdir(path) else [path]
        except OSError as error:
            raise WrongArguments(f"videos: {path}: cannot be read: {error.strerror}") from error
    if not found:
        raise WrongArguments(f"videos: {', '.join(map(str, given))} hold no file, want videos")
    return found


def _find(paths: Sequence[Path], localizer: Localizer, arguments: argparse.Namespace) -> None:
    wanted, to, least_score = arguments.category, arguments.to, arguments.least_score
    media = to / "media"
    outputs.folder(media)
    search = Search(by_video=arguments.by_video)
    so_far = SoFar.of(to, localizer, search)
    path_of = dict(zip(names_of(paths), paths, strict=True))
    videos = {name: wanted_file(name, path) for name, path in path_of.items()}
    there = {one.name: one for one in so_far.videos(videos.values()) if rendition(media, one.name).exists()}
    if there:
        print_line(f"localize: {len(there):,} of {counted(len(videos), 'video')} looked at before")
    for video in there.values():
        _print(video.of_categories(wanted), least_score)
    due = [(name, path) for name, path in path_of.items() if name not in there]
    so_far.begin(videos[name] for name, _ in due)
    workers = decoders(-1, clips=_WINDOWS_A_VIDEO * len(due), beside=localizer.extractor.where)
    watch, lost = Stopwatch(), Counter[str]()
    looked = localize(due, localizer, media, workers=workers, search=search)
    for each in track(looked, len(due), "localize: looks at videos"):
        path = path_of[each.name]
        if isinstance(each, Unseen):
            lost[each.lost.reason] += 1
            print_line(f"localize: set aside {path}: {each.lost.reason}: {each.lost.detail}".rstrip(": "))
            continue
        watch.add(each.clock)
        rows = rows_of(each.name, each.spotted, localizer.head.shape.categories)
        video = FoundVideo(name=each.name, path=str(path), duration_sec=each.clock.duration_sec, rows=rows)
        so_far.add(video, videos[each.name].source)
        there[each.name] = video
        _print(video.of_categories(wanted), least_score)
    for reason, count in sorted(lost.items()):
        print_line(f"localize: set aside {count}: {reason}")
    found = [there[name].of_categories(wanted) for name in videos if name in there]
    if not found:
        raise BrokenContract(f"{counted(len(paths), 'video')}, none of which can be read; want files that play")
    _write(found, to, localizer.about.taught, least_score)
    where = localizer.extractor.where
    pace = f" {watch.sec_per_min:.1f} s for a minute of video on {where};" if watch.video_min else ""
    minutes = sum(video.duration_sec for video in found) / 60
    print_line(
        f"localize: {counted(len(found), 'video')}, {minutes:.1f} minutes;{pace} wrote segments.json, segments.csv and "
        f"segments.html into {to}"
    )


def _write(found: Sequence[FoundVideo], to: Path, taught: str, least_score: float) -> None:
    write_json(found, to / "segments.json", taught)
    write_csv(found, to / "segments.csv")
    shown = [
        Shown(
            name=video.name, media=f"media/{rendition(to, video.name).name}", duration_sec=video.duration_sec,
            rows=apart(video.rows, least_score),
        )
        for video in found
    ]  # fmt: skip
    with outputs.whole(to / "segments.html") as part:
        part.write_text(page(shown, taught), encoding="utf-8")


def _print(video: FoundVideo, least_score: float) -> None:
    rows = apart(video.rows, least_score)
    print(f"{video.path}  {video.duration_sec:.1f} s, {counted(len(rows), 'segment')}")
    for row in rows:
        print(f"  {row.start_sec:8.2f} to {row.end_sec:8.2f} s  {row.score:.2f}  {row.category}")
