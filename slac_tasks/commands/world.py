"""Make the synthetic world, let its simulated people answer, or measure its card.

slac world make <folder> [--size quick|demo] [--seed N]
slac world review <folder> [--follow]
slac world card <folder>
slac world measure <folder>
"""

import argparse
import time
from pathlib import Path

from slac_tasks.children import processors
from slac_tasks.given.flags import whole
from slac_tasks.progress import print_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare make, review and card."""
    what = parser.add_subparsers(metavar="<what>", dest="what", required=True)
    make = what.add_parser("make", help="write the world's videos, manifest, truth and settings")
    make.add_argument("folder", type=Path)
    make.add_argument("--size", choices=("quick", "demo"), default="demo")
    make.add_argument("--seed", type=whole(0), default=0)
    make.add_argument("--processes", type=whole(1), default=processors())
    review = what.add_parser("review", help="answer every open clip, as simulated people would")
    review.add_argument("folder", type=Path, nargs="?", help="the world whose truth the people see")
    review.add_argument("--seed", type=whole(0), default=0)
    review.add_argument("--follow", action="store_true", help="go on until stopped")
    review.add_argument(
        "--assume-retrieval-is-right",
        action="store_true",
        help="without a world: take every clip to contain the action that its video was found for",
    )
    review.add_argument("--sets", action="store_true", help="answer clips together that may be asked together")
    review.add_argument("--until-release", action="store_true", help="with --follow: stop when there is a release")
    review.add_argument(
        "--leave", metavar="CATEGORY", help="category whose clips that are asked again are left to somebody else"
    )
    card = what.add_parser("card", help="measure what the world promises")
    card.add_argument("folder", type=Path)
    measure = what.add_parser("measure", help="measure what the platform made of it, against its truth")
    measure.add_argument("folder", type=Path)


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    if arguments.what == "make":
        return _make(arguments)
    if arguments.what == "card":
        from slac_tasks.world.card import measure, render

        print(render(measure(arguments.folder)))
        return 0
    if arguments.what == "measure":
        return _measure(arguments.folder)
    from slac_tasks.world import people

    people.review(
        arguments.folder,
        seed=arguments.seed,
        follow=arguments.follow,
        assume_right=arguments.assume_retrieval_is_right,
        in_sets=arguments.sets,
        leave=arguments.leave,
        until_release=arguments.until_release,
    )
    return 0


def _make(arguments: argparse.Namespace) -> int:
    from slac_tasks.world.make import make_world

    began = time.monotonic()
    made = make_world(arguments.folder, seed=arguments.seed, size=arguments.size, processes=arguments.processes)
    took = f"made in {time.monotonic() - began:.0f} s" if made else "finished already"
    print_line(f"world: {arguments.folder}, size {arguments.size}, seed {arguments.seed}: {took}")
    return 0


def _measure(folder: Path) -> int:
    from slac_tasks import config
    from slac_tasks.storage.objects import open_store
    from slac_tasks.storage.tables import Datasets
    from slac_tasks.world.against_truth import lines
    from slac_tasks.world.truth import read_truth

    for line in lines(Datasets(open_store(config.load().store_url)), read_truth(folder)):
        print(line)
    return 0
