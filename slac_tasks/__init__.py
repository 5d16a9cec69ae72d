"""SLAC: sparse action labels at scale. See README.md for the procedure and slac_tasks/DECISIONS.md for the why."""

__version__ = "0.1.0"
