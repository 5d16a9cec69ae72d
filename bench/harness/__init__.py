"""What all benchmarks share, one subject per file.

running     sizes as flags, the folder to work in, and the last line
costs       wall clock, processor time and memory, of this process and of those that it starts
tables      figures for people
drawing     lines as a picture
intervals   how sure a mean is
plain       the loop that scoring is measured against
places      the real data, a Postgres, a ledger, a whole platform's environment
service     `slac web` as a process
reviewers   people who review as the page does
adversary   one who wants to know which clips are gold
videos      ffmpeg, and videos as `fetch` makes them
collection  videos as `fetch` sees them, and the index that is asked for them
edits       edited copies of videos
worlds      worlds that are collected once and judged often
pretraining sparse labels to pretrain on, and other actions to transfer to
campaigns   rounds of choosing, asking and carrying in such a world
"""

from bench.harness.running import ABSENT, Absent, Bench, Figures, Seed

__all__ = ["ABSENT", "Absent", "Bench", "Figures", "Seed"]
