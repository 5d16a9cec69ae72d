"""What Airflow tells whoever watches the platform: the trace that a command belongs to, and messages to people.

    SLAC_ALERT_URL          address that takes a POST of {"text": "..."}, as the webhooks of most chats do
    SLAC_ALERT_CONNECTION   a connection of Airflow instead, whose password is that address

Without either nobody is told. The address may be a secret: it is no argument, stands in no log, and reaches no command.
"""

import asyncio
import datetime
import hashlib
import json
import logging
import os
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any

from airflow.sdk import AsyncCallback, DeadlineAlert
from airflow.sdk.definitions.deadline import BaseDeadlineReference
from airflow.sdk.exceptions import AirflowNotFoundException
from slac_command import variable

from slac_tasks.errors import NotConfigured

log = logging.getLogger(__name__)

_TIMEOUT_SEC = 10
GIVEN = ("OTEL_", "OPENLINEAGE_")
"""Starts of the names of variables by which a command finds its collectors."""
SECRET = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
          "OPENLINEAGE_API_KEY")  # fmt: skip
"""Those that may hold a key: a process inherits them, a pod has them from the store's secret."""


def place(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that tell a command of which trace it is a part, and which version of the DAGs started it.

    The trace is Airflow's, where Airflow sends traces; else its id follows from the run, so that all commands of a run
    are one trace either way.
    """
    instance = context["ti"]
    version = getattr(getattr(instance, "bundle_instance", None), "version", None)
    return {"TRACEPARENT": _traceparent(instance)} | ({"SLAC_BUNDLE": str(version)} if version else {})


def collectors(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a pod is told of collectors; keys come from its secrets."""
    return {name: value for name, value in environ.items() if name.startswith(GIVEN) and name not in SECRET}


def _traceparent(instance: Any) -> str:
    if "opentelemetry.trace" in sys.modules:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        if "traceparent" in carrier:
            return carrier["traceparent"]
    run = f"{instance.dag_id} {instance.run_id}"
    task = f"{run} {instance.task_id} {instance.map_index} {instance.try_number}"
    trace, span = (hashlib.sha256(text.encode()).hexdigest() for text in (run, task))
    return f"00-{trace[:32]}-{span[:16]}-01"


class RunMade(BaseDeadlineReference):
    """The moment at which a run was made, from which its deadline is counted. The plugin registers it.

    Not Airflow's own DAGRUN_QUEUED_AT: in 3.3.2 no run with such a deadline can be cleared, nor any of its tasks, since
    `_recalculate_dagrun_queued_at_deadlines` takes the stored interval for a number and fails.
    """

    def _evaluate_with(self, **_: Any) -> datetime.datetime:
        """Return now: Airflow asks when it makes the run."""
        return datetime.datetime.now(datetime.UTC)


def alerts(*, hours: float) -> dict[str, Any]:
    """Return the arguments of a DAG by which people hear of a run that failed, or that has not ended in time."""
    late = DeadlineAlert(
        reference=RunMade(),
        interval=datetime.timedelta(hours=hours),
        callback=AsyncCallback("slac_watch.run_late", kwargs={"hours": hours}),
    )
    return {"on_failure_callback": run_failed, "deadline": late}


def run_failed(context: Mapping[str, Any]) -> None:
    """Tell people that a run failed."""
    run = context["dag_run"]
    tell(f"{run.dag_id}: the run {run.run_id} failed: {context.get('reason') or 'a task failed'}")


async def run_late(hours: float, context: Mapping[str, Any] | None = None, **_: Any) -> None:
    """Tell people that a run has not ended in time."""
    run = (context or {}).get("dag_run") or {}
    name = f"{run['dag_id']}: the run {run['dag_run_id']}" if "dag_run_id" in run else "a run"
    await asyncio.to_thread(tell, f"{name} has not ended {hours:g} h after it was made")


def tell(text: str) -> None:
    """Send people a message; that it cannot be sent is logged and fails nothing."""
    try:
        if address := _address(os.environ):
            request = urllib.request.Request(
                address, data=json.dumps({"text": text}).encode(), headers={"Content-Type": "application/json"}
            )
            # The address is the operator's.
            urllib.request.urlopen(request, timeout=_TIMEOUT_SEC).close()  # nosec B310
    except NotConfigured as failure:
        log.warning("nobody was told, %s: %s", failure, text)
    except Exception as failure:
        # Its text would hold the address.
        log.warning("nobody was told, %s: %s", type(failure).__name__, text)


def _address(environ: Mapping[str, str]) -> str:
    """Return the address that people are told at; empty: none is set."""
    if name := variable("SLAC_ALERT_CONNECTION", environ):
        from airflow.sdk import Connection

        try:
            found = (Connection.get(name).password or "").strip()
        except AirflowNotFoundException:
            found = ""
        if not found:
            raise NotConfigured(f"SLAC_ALERT_CONNECTION: no connection {name} with a password, want the address there")
        return found
    return variable("SLAC_ALERT_URL", environ)
