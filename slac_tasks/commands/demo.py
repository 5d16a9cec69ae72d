"""Run the whole loop under Airflow on this machine, with a synthetic world or with a folder of your own videos.

  slac demo                              the synthetic world and its simulated people; then it is your turn
  slac demo --videos ~/videos            your videos, one sub-folder per category; you review them in the browser
  slac demo --videos ~/videos --people simulated

Starts Postgres and Airflow, starts Airflow's backfill of `collect_videos`, and then only watches: Airflow runs the
rest by its own schedules. Leaves everything running; `slac down` stops it. Safe to run again: it starts what is dead,
goes on where it was, and says so when everything is finished.
"""

import argparse
from pathlib import Path

from slac_tasks.given.flags import whole
from slac_tasks.launcher import loop
from slac_tasks.launcher.state import Demo
from slac_tasks.launcher.subjects import GeneratedWorld, OwnVideos, check_videos


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac demo`."""
    parser.add_argument("--videos", type=Path, help="folder with one sub-folder of videos per category")
    parser.add_argument("--people", choices=("simulated", "real"), help="who reviews (default: simulated in the world)")
    parser.add_argument("--size", choices=("demo", "quick"), default="demo", help="how large the synthetic world is")
    parser.add_argument("--port", type=whole(0, 65_535), help="port of the UI (default: 8080, or a free one)")


def main(arguments: argparse.Namespace) -> None:
    """Run the loop on the world, or on a folder of videos."""
    if arguments.videos:
        demo = Demo(subject=OwnVideos(folder=check_videos(arguments.videos)), people=arguments.people == "simulated")
    else:
        demo = Demo(subject=GeneratedWorld(size=arguments.size), people=arguments.people != "real")
    loop.run(demo, arguments.port)
