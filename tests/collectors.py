"""A collector of OpenTelemetry and OpenLineage over HTTP: it keeps what it is sent."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from serving import serving


@dataclass
class Collector:
    """What was received."""

    url: str = ""
    spans: list[Any] = field(default_factory=list)
    metrics: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    """Texts for people."""

    @property
    def environ(self) -> dict[str, str]:
        """Variables that lead here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OPENLINEAGE_URL": self.url}

    def take(self, path: str, body: bytes, kind: str) -> None:
        match path:
            case "/v1/traces":
                sent = ExportTraceServiceRequest.FromString(body)
                self.spans += [one for of in sent.resource_spans for scope in of.scope_spans for one in scope.spans]
            case "/v1/metrics":
                found = ExportMetricsServiceRequest.FromString(body)
                scopes = [scope for of in found.resource_metrics for scope in of.scope_metrics]
                self.metrics |= {one.name for scope in scopes for one in scope.metrics}
            case "/api/v1/lineage":
                self.events.append(json.loads(body))
            case _:
                assert kind == "application/json", "chats refuse anything else"
                self.messages.append(json.loads(body)["text"])


@contextmanager
def collecting() -> Iterator[Collector]:
    """Receive on a free port of loopback."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
            found.take(self.path, body, self.headers["Content-Type"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        yield found
