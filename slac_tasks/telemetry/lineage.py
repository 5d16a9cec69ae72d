"""One OpenLineage event for each manifest: what was made, by which stage, from which datasets.

OPENLINEAGE_URL names the server, OPENLINEAGE_NAMESPACE the namespace of the stages (`slac` without it). A dataset's
name is its address, which a person can list; its namespace is the store. The run's id follows from the manifest, so an
event that is sent twice is one run.
"""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slac_tasks import __version__
from slac_tasks.progress import print_line

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient

PRODUCER = f"urn:slac:{__version__}"
_TIMEOUT_SEC = 5


@dataclass(frozen=True, kw_only=True)
class Made:
    """A generation of a dataset that was written."""

    stage: str
    store_url: str
    address: str
    mark: str
    """Generation and hash."""
    rows: int
    columns: Mapping[str, str]
    made_from: Mapping[str, str]
    """Address of a dataset, or name of weights -> generation and hash."""
    written_at: str
    """ISO 8601."""


class _Gave:
    """Whether this process has given up: a server that is away is waited for once."""

    up = False


def is_on(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a server is named."""
    return bool(environ.get("OPENLINEAGE_URL")) and environ.get("OPENLINEAGE_DISABLED", "").lower() != "true"


def tell(made: Made, environ: Mapping[str, str] = os.environ) -> None:
    """Send the event of a manifest; a server that is away is said once and fails nothing."""
    if not is_on(environ) or _Gave.up:
        return
    try:
        _send(_client(environ), made, environ)
    # The library raises whatever its transport does; no stage may fail for its lineage.
    except Exception as failure:
        _Gave.up = True
        print_line(f"lineage: {made.address}: no event was taken, and none is sent any more: {type(failure).__name__}")


def _client(environ: Mapping[str, str]) -> "OpenLineageClient":
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.http import HttpConfig, HttpTransport

    key, endpoint = environ.get("OPENLINEAGE_API_KEY"), environ.get("OPENLINEAGE_ENDPOINT")
    settings = {"url": environ["OPENLINEAGE_URL"], "timeout": _TIMEOUT_SEC, "retry": {"total": 1}}
    settings |= {"auth": {"type": "api_key", "apiKey": key}} if key else {}
    settings |= {"endpoint": endpoint} if endpoint else {}
    return OpenLineageClient(transport=HttpTransport(HttpConfig.from_dict(settings)))


def _send(client: "OpenLineageClient", made: Made, environ: Mapping[str, str]) -> None:
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
    from openlineage.client.facet_v2 import (
        dataset_version_dataset,
        output_statistics_output_dataset,
        processing_engine_run,
        schema_dataset,
    )

    columns = [schema_dataset.SchemaDatasetFacetFields(name=name, type=kind) for name, kind in made.columns.items()]

    def version(mark: str) -> dataset_version_dataset.DatasetVersionDatasetFacet:
        return dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=mark, producer=PRODUCER)

    engine = processing_engine_run.ProcessingEngineRunFacet(version=__version__, name="slac", producer=PRODUCER)
    client.emit(
        RunEvent(
            eventType=RunState.COMPLETE,
            eventTime=made.written_at,
            producer=PRODUCER,
            run=Run(
                runId=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{made.store_url}/{made.address} {made.mark}")),
                facets={"processing_engine": engine},
            ),
            job=Job(namespace=environ.get("OPENLINEAGE_NAMESPACE") or "slac", name=made.stage),
            inputs=[
                InputDataset(namespace=made.store_url, name=name, facets={"version": version(mark)})
                for name, mark in made.made_from.items()
            ],
            outputs=[
                OutputDataset(
                    namespace=made.store_url,
                    name=made.address,
                    facets={
                        "version": version(made.mark),
                        "schema": schema_dataset.SchemaDatasetFacet(fields=columns, producer=PRODUCER),
                    },
                    outputFacets={
                        "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                            rowCount=made.rows, producer=PRODUCER
                        )
                    },
                )
            ],
        )
    )
