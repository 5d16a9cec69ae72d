"""Rehearse a campaign on trimmed videos that you have, before anybody is paid.

  slac rehearse ~/UCF-101                       the whole loop under Airflow, with simulated people
  slac rehearse ~/UCF-101 --only-make           write the videos and their truth, and run nothing
  slac rehearse ~/UCF-101 --videos 30 --wrong 0.5 --seed 1

FOLDER/<class>/<videos>: trimmed videos, each of which shows its class from its first frame to its last. Videos of one
series are joined into untrimmed ones of 20 to 120 seconds, with background and other classes between. What they show
is known to the frame, and a share of the videos found for a class does not show it.

A series is what was recorded at one place with one person. A file tells its own: `v_Archery_g07_c02.avi` (UCF-101)
belongs to g07, `studio__squat_1.mp4` to studio; any other file is a series of its own. No series is in two splits. The
sub-folders `background` and `other` hold what is none of the classes. A class of one series is only joined between
others. What cannot be used is counted, with the reason.

Safe to run again: it goes on where it was. `slac down` stops what runs.
"""

import argparse
import time
from pathlib import Path

from slac_tasks.children import processors
from slac_tasks.given.flags import whole
from slac_tasks.launcher import loop
from slac_tasks.launcher.state import Demo
from slac_tasks.launcher.subjects import Rehearsed, check_videos
from slac_tasks.progress import print_line
from slac_tasks.world.rehearsal import Rehearsal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac rehearse`."""
    parser.add_argument("folder", type=Path, help="folder with one sub-folder of trimmed videos per class")
    parser.add_argument("--seed", type=int, default=0, help="of every draw (default: 0)")
    parser.add_argument("--videos", type=int, default=12, help="joined videos of one class (default: 12)")
    parser.add_argument("--wrong", type=float, default=0.3, help="share of them that do not show it (default: 0.3)")
    parser.add_argument("--only-make", action="store_true", help="write the videos and their truth, and run nothing")
    parser.add_argument("--processes", type=whole(1), default=processors(), help="videos joined at the same time")
    parser.add_argument("--port", type=whole(0, 65_535), help="port of the UI (default: 8080, or a free one)")


def main(arguments: argparse.Namespace) -> None:
    """Make the videos, and run the loop on them unless they are all that is asked for."""
    folder = check_videos(arguments.folder)
    rehearsal = Rehearsal.of(folder, seed=arguments.seed, videos=arguments.videos, wrong=arguments.wrong)
    demo = Demo(subject=Rehearsed(rehearsal=rehearsal))
    if not arguments.only_make:
        loop.run(demo, arguments.port)
        return
    from slac_tasks.world.joined import make_rehearsal

    began = time.monotonic()
    made = make_rehearsal(rehearsal, demo.world, processes=arguments.processes)
    took = f"made in {time.monotonic() - began:.0f} s" if made else "finished already"
    print_line(f"rehearse: {demo.world}: {took}")
