"""What a command tells whoever watches the platform. Nothing is imported where the environment names no collector.

spans      traces and metrics over OTLP/HTTP: OTEL_EXPORTER_OTLP_ENDPOINT and the other variables of OpenTelemetry
lineage    one OpenLineage event for each manifest, over HTTP: OPENLINEAGE_URL and the other variables of OpenLineage

A collector that is away costs a command no more than a few seconds, and never its exit code.
"""
