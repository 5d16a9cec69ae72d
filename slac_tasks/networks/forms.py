"""Forms of a frozen network: the same function of the same weights, of which a card runs one fastest.

Which one it is differs from card to card and from one version of the libraries to the next. So each is tried once, on
batches of the size that is scored, and what was found is written down, in a file for each card, version and network.
What only a card needs is imported where it is used: to import torchvision takes two seconds of a processor.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from slac_tasks.networks.registry import Architecture, laid_out, to_stream
from slac_tasks.progress import print_line
from slac_tasks.video.ring import clip_shape

PLAIN = "plain"
"""As it was built and trained, each layer in the precision that autocast gives it."""

MOVED = 0.02
"""Most that features may differ from those in float32, as a share of their length; bfloat16 moves them by .005."""

_ROUNDS = 4


@dataclass(frozen=True, kw_only=True)
class Form:
    """A network as it is run."""

    name: str
    network: nn.Module
    """Maps a stream to features."""
    mixed: bool
    """Runs under autocast; else it knows its own precision."""


class _Half(nn.Module):
    """A network in another precision: what comes in is brought to it."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network.to(dtype), dtype

    def forward(self, stream: Tensor) -> Tensor:
        return cast(Tensor, self.network(stream.to(self.dtype)))


def plain(network: nn.Module) -> Form:
    """Return a network as it is."""
    return Form(name=PLAIN, network=network, mixed=True)


def _folded(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    from torch.fx.experimental.optimization import fuse

    return _Half(laid_out(fuse(network)), dtype)


def _makers(network: nn.Module, dtype: torch.dtype, *, compiled: bool) -> Mapping[str, Callable[[], nn.Module]]:
    """Return what makes each form but the plain one, by name."""
    from slac_tasks.networks.planes import Planes

    found: dict[str, Callable[[], nn.Module]] = {"folded": lambda: _folded(network, dtype)}
    if Planes.fits(network):
        ours = network
        found["planes"] = lambda: Planes(ours, dtype=dtype, fused=False)
        found["fused"] = lambda: Planes(ours, dtype=dtype, fused=True)
    if compiled:
        # Of the folded one: on a card where both were tried, the compiler refused planes.
        found["compiled"] = lambda: cast(nn.Module, torch.compile(_folded(network, dtype), dynamic=False))
    return found


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a form did."""

    clips_per_s: float
    moved: float
    """How far its features are from those in float32, as a share of their length."""


@torch.inference_mode()
def tried(entry: Architecture, form: Form, pixels: Tensor, exact: Tensor, dtype: torch.dtype) -> Trial:
    """Return how a form does on a batch that lies on the card.

    Args:
        entry: what the network is.
        form: the form.
        pixels: uint8 (n, frames, size, size, 3).
        exact: the features of the first of them, in float32.
        dtype: the precision.

    """
    found = run(entry, form, pixels, dtype)
    moved = float((found[: len(exact)] - exact).norm() / exact.norm())
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(_ROUNDS):
        run(entry, form, pixels, dtype)
    torch.cuda.synchronize()
    return Trial(clips_per_s=_ROUNDS * len(pixels) / (time.perf_counter() - began), moved=moved)


def run(entry: Architecture, form: Form, pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """Return features (n, features), float32, of pixels (n, frames, size, size, 3) on the same device."""
    low = form.mixed and dtype is torch.bfloat16
    with torch.inference_mode(), torch.autocast(pixels.device.type, torch.bfloat16, enabled=low):
        return cast(Tensor, form.network(to_stream(entry, pixels)).float())


def trials(
    entry: Architecture, network: nn.Module, dtype: torch.dtype, batch: int, *, compiled: bool
) -> Iterator[tuple[Form, Trial]]:
    """Yield every form of a network that runs on this card, and how it does; the plain one comes first."""
    where = next(network.parameters()).device
    chance = torch.Generator(device=where).manual_seed(0)
    shape = (batch, *clip_shape(entry.view))
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, device=where, generator=chance)
    form = plain(network)
    exact = run(entry, form, pixels[:8], torch.float32)
    yield form, tried(entry, form, pixels, exact, dtype)
    for name, make in _makers(network, dtype, compiled=compiled).items():
        try:
            form = Form(name=name, network=make().to(where), mixed=False)
            yield form, tried(entry, form, pixels, exact, dtype)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
        except Exception as error:  # a compiler or a library that knows no such card says so in many ways
            print_line(f"score: {entry.name}: form {name} does not run here: {type(error).__name__}: {error}"[:400])


def fastest(
    entry: Architecture, network: nn.Module, dtype: torch.dtype, batch: int, *, compiled: bool, cache: Path, learn: bool
) -> Form:
    """Return a network on a card in the form that runs fastest there.

    Args:
        entry: what the network is.
        network: the network, on the card.
        dtype: the precision.
        batch: clips at a time.
        compiled: a compiled form is one of them, which takes half a minute to make.
        cache: folder where what was found is written down.
        learn: try the forms where nothing is written down; else the network stays plain then.

    """
    note = cache / f"{_key(entry, dtype, batch, compiled)}.json"
    known = _read(note)
    if known is None and learn:
        found = {form.name: (form, trial) for form, trial in trials(entry, network, dtype, batch, compiled=compiled)}
        good = {name: trial.clips_per_s for name, (_, trial) in found.items() if trial.moved <= MOVED}
        known = max(good, key=lambda name: good[name], default=PLAIN)
        rates = ", ".join(f"{name} {trial.clips_per_s:.0f}" for name, (_, trial) in found.items())
        print_line(f"score: {entry.name} runs as {known} on {torch.cuda.get_device_name()}; clips/s: {rates}")
        _write(note, known, {name: trial for name, (_, trial) in found.items()})
        return found[known][0]
    maker = _makers(network, dtype, compiled=compiled).get(known or PLAIN)
    where = next(network.parameters()).device
    return Form(name=cast(str, known), network=maker().to(where), mixed=False) if maker else plain(network)


def _key(entry: Architecture, dtype: torch.dtype, batch: int, compiled: bool) -> str:
    import torchvision

    made = [
        torch.cuda.get_device_name(), torch.__version__, torchvision.__version__, str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        entry.name, str(dtype), str(batch), str(compiled),
    ]  # fmt: skip
    return f"{entry.name.replace(':', '-')}-{hashlib.sha256(json.dumps(made).encode()).hexdigest()[:16]}"


def _read(note: Path) -> str | None:
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["form"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(note: Path, known: str, found: Mapping[str, Trial]) -> None:
    """Write down what was found; a folder that cannot be written to costs the next run some seconds."""
    text = {
        "form": known, "card": torch.cuda.get_device_name(),
        "clips_per_s": {name: round(trial.clips_per_s, 1) for name, trial in found.items()},
        "moved": {name: round(trial.moved, 5) for name, trial in found.items()},
    }  # fmt: skip
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        own = note.with_suffix(f".{os.getpid()}")
        own.write_text(json.dumps(text, indent=1), encoding="utf-8")
        own.replace(note)
    except OSError as error:
        print_line(f"score: cache {note.parent}: cannot be written to: {error}")
