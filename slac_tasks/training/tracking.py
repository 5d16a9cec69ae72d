"""Where the curve of a run can be watched: event files for TensorBoard, and trackers that the environment names.

    MLFLOW_TRACKING_URI      MLflow, where the package mlflow (or mlflow-skinny) is installed
    WANDB_API_KEY, WANDB_MODE   Weights & Biases, where wandb is

A run has one name for ever: one that was killed and goes on draws on in the same curve.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, Protocol

from slac_tasks.errors import NotConfigured
from slac_tasks.progress import counted, print_line
from slac_tasks.training.events import Point, encode_events

MOST_POINTS = 5_000
"""A curve has no more: a longer run leaves steps out."""


class Tracker(Protocol):
    """Takes points of a curve."""

    @property
    def name(self) -> str:
        """What it is called."""

    def take(self, points: Sequence[Point]) -> None:
        """Take the points since the last call."""

    def close(self) -> None:
        """The run has ended well."""


class Puts(Protocol):
    """Writes a file into the run's folder; it is sent to the process of the first rank."""

    def __call__(self, name: str, data: bytes, /) -> None:
        """Write a file of this name."""


@dataclass(frozen=True)
class TensorBoard:
    """Writes an event file for each call; a call that is made again after a kill writes the same name."""

    put: Puts
    name: str = "TensorBoard"

    def take(self, points: Sequence[Point]) -> None:
        """Write an event file."""
        self.put(f"events.out.tfevents.{points[0].step:010d}.slac", encode_events(points))

    def close(self) -> None:
        """Do nothing: every file is whole."""


class MLflow:
    """A run of MLflow, found again by its tag."""

    name = "MLflow"

    def __init__(self, run: str, about: Mapping[str, str]) -> None:
        mlflow = _imported("mlflow", "MLFLOW_TRACKING_URI")
        self._client = mlflow.MlflowClient()
        experiment = mlflow.set_experiment("slac").experiment_id
        found = self._client.search_runs([experiment], f"tags.slac_run = '{run}'", max_results=1)
        tags = {"slac_run": run, "mlflow.runName": run}
        self._run = (found[0] if found else self._client.create_run(experiment, tags=tags)).info.run_id
        for name, value in about.items():
            self._client.set_tag(self._run, name, value)
        self._entities = importlib.import_module("mlflow.entities")

    def take(self, points: Sequence[Point]) -> None:
        """Log the points."""
        metrics = [
            self._entities.Metric(name, value, int(point.at_sec * 1000), point.step)
            for point in points
            for name, value in point.values.items()
        ]
        for at in range(0, len(metrics), 1000):  # MLflow takes no more at once
            self._client.log_batch(self._run, metrics=metrics[at : at + 1000])

    def close(self) -> None:
        """End the run."""
        self._client.set_terminated(self._run)


class WandB:
    """A run of Weights & Biases, whose id is the run's name."""

    name = "Weights & Biases"

    def __init__(self, run: str, about: Mapping[str, str]) -> None:
        wandb = _imported("wandb", "WANDB_API_KEY or WANDB_MODE")
        self._run: Any = wandb.init(
            project="slac", id=run.replace("/", "-"), name=run, resume="allow", config=dict(about)
        )  # fmt: skip

    def take(self, points: Sequence[Point]) -> None:
        """Log the points."""
        for point in points:
            self._run.log(dict(point.values), step=point.step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


def _imported(package: str, because: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise NotConfigured(
            f"{because} is set, but the package {package} cannot be imported ({error}); install it, or unset {because}"
        ) from error


def trackers(environ: Mapping[str, str], run: str, about: Mapping[str, str]) -> list[Tracker]:
    """Return the trackers that the environment names.

    Args:
        environ: the environment.
        run: name of the run.
        about: what is said of it.

    Raises:
        NotConfigured: the package of one is not installed.

    """
    found: list[Tracker] = []
    if environ.get("MLFLOW_TRACKING_URI"):
        found.append(MLflow(run, about))
    if environ.get("WANDB_API_KEY") or environ.get("WANDB_MODE"):
        found.append(WandB(run, about))
    return found


@dataclass
class Curve:
    """Points of a run on their way to the trackers.

    A tracker that is out of reach ends no run: it gets its points with the next ones, and what it lacks in the end is
    printed.
    """

    steps: int
    """Of the whole run."""
    trackers: Sequence[Tracker] = ()
    _waiting: dict[str, list[Point]] = field(default_factory=dict)

    def wants(self, step: int) -> bool:
        """Return whether a point is wanted after this step."""
        return bool(self.trackers) and step % -(-self.steps // MOST_POINTS) == 0

    def add(self, point: Point) -> None:
        """Add a point."""
        for tracker in self.trackers:
            self._waiting.setdefault(tracker.name, []).append(point)

    def flush(self) -> None:
        """Hand on what waits."""
        for tracker in self.trackers:
            points = self._waiting.get(tracker.name)
            if points and self._done(tracker, partial(tracker.take, points)):
                self._waiting[tracker.name] = []

    def close(self) -> None:
        """Hand on what waits, and end the run."""
        self.flush()
        for tracker in self.trackers:
            self._done(tracker, tracker.close)

    def _done(self, tracker: Tracker, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:  # a tracker raises what its server answers
            points = self._waiting.get(tracker.name, [])
            print_line(
                f"pretrain: {tracker.name} lacks {counted(len(points), 'point')}: {type(error).__name__}: {error}"
            )
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A run that is watched; it is sent to the process of the first rank, which alone draws."""

    run: str
    """Its name: a run that goes on after a kill has the same."""
    about: Mapping[str, str]
    """What is said of it."""
    put: Puts
    environ: Mapping[str, str] = field(repr=False)

    def curve(self, steps: int) -> Curve:
        """Return the curve of so many steps.

        Raises:
            NotConfigured: the package of a tracker that the environment names is not installed.

        """
        return Curve(steps=steps, trackers=[TensorBoard(self.put), *trackers(self.environ, self.run, self.about)])
