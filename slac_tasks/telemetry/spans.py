"""Spans and metrics of one command, sent to an OpenTelemetry collector.

A command is a span below the one that TRACEPARENT names (W3C trace context): Airflow's task, so one trace goes from the
run of a DAG through process or pod to what is decoded and scored.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from slac_tasks import __version__

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

T = TypeVar("T")
Value = str | int | float

TRACEPARENT = "TRACEPARENT"
"""Variable with the span that a command belongs to."""
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
"""Variables each of which turns spans and metrics on."""
BUNDLE = "SLAC_BUNDLE"
"""Variable with the version of Airflow's DAG bundle whose run started a command."""

_FAREWELL_MS = 5_000
"""How long a command waits in the end for its last spans to be taken."""


class _Watch:
    """The tracer and the meter of this process while a command is watched."""

    def __init__(self, tracer: "Tracer", meter: "Meter", root: "Context") -> None:
        self.tracer, self.meter, self.root = tracer, meter, root


_watch: _Watch | None = None


def is_on(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a collector is named."""
    return any(environ.get(name) for name in ENDPOINTS) and environ.get("OTEL_SDK_DISABLED", "").lower() != "true"


@contextmanager
def watched(command: str, environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Make the block the span of a command, and send what it holds; without a collector this does nothing.

    Args:
        command: name of the span, e.g. `slac score`.
        environ: where the collector and the parent are named.

    """
    global _watch
    if _watch is not None or not is_on(environ):
        yield
        return
    import logging

    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # The last line that a command prints is the reason of its end, not that a collector is away.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False
    about = {"service.name": "slac", "service.version": __version__}
    resource = Resource.create(about | ({"slac.bundle": environ[BUNDLE]} if environ.get(BUNDLE) else {}))
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    metering = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
    parent = TraceContextTextMapPropagator().extract({"traceparent": environ.get(TRACEPARENT, "")})
    began = time.monotonic()
    try:
        with tracing.get_tracer("slac").start_as_current_span(command, context=parent) as root:
            _watch = _Watch(tracing.get_tracer("slac"), metering.get_meter("slac"), trace.set_span_in_context(root))
            try:
                yield
            finally:
                seconds = _watch.meter.create_histogram("slac.command.duration", unit="s")
                seconds.record(time.monotonic() - began, {"slac.command": command})
    finally:
        _watch = None
        tracing.force_flush(_FAREWELL_MS)
        metering.force_flush(_FAREWELL_MS)
        tracing.shutdown()
        metering.shutdown(_FAREWELL_MS)


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[None]:
    """Make the block a span of the command, in whatever thread."""
    if _watch is None:
        yield
        return
    with _watch.tracer.start_as_current_span(name, context=_here(_watch), attributes=attributes):
        yield


def add_span(name: str, seconds: float, **attributes: Value) -> None:
    """Add a span that ends now and took so long in sum, below the present one."""
    if _watch is not None:
        end = time.time_ns()
        begun = _watch.tracer.start_span(
            name, context=_here(_watch), attributes=attributes, start_time=end - int(seconds * 1e9)
        )
        begun.end(end)


def count(name: str, amount: int, **attributes: Value) -> None:
    """Add to a counter."""
    if _watch is not None and amount:
        _watch.meter.create_counter(name).add(amount, attributes)


class Waits(Iterator[T], Generic[T]):
    """What an iterable yields, and how long it was waited for."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items, self._seconds = iter(items), 0.0

    def __next__(self) -> T:
        began = time.perf_counter()
        try:
            return next(self._items)
        finally:
            self._seconds += time.perf_counter() - began

    def taken(self) -> float:
        """Return the seconds since this was asked last."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


def _here(watch: _Watch) -> "Context":
    """Return the present span; in a thread that was started meanwhile, the command's."""
    from opentelemetry import context, trace

    return context.get_current() if trace.get_current_span().get_span_context().is_valid else watch.root
