"""How often the triggerer looks at a pod."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slac_pod_trigger import FixedNodes, Watch


def watch(kind: type[Watch], waited_sec: float, most: float = 10.0) -> Watch:
    since = datetime.now(UTC) - timedelta(seconds=waited_sec)
    fields: dict[str, Any] = {"pod_name": "slac-fetch", "pod_namespace": "slac", "base_container_name": "base"}
    return kind(**fields, trigger_start_time=since, poll_interval=most)


@pytest.mark.parametrize(("waited_sec", "wanted"), [(0, 1), (9, 1), (50, 5), (3600, 10)])
def test_the_longer_a_pod_has_run_the_later_the_next_look(waited_sec: float, wanted: float) -> None:
    assert watch(Watch, waited_sec).poll_interval == pytest.approx(wanted, abs=0.1)
    assert watch(Watch, waited_sec, most=0.2).poll_interval == 0.2


@pytest.mark.parametrize("kind", [Watch, FixedNodes])
def test_a_triggerer_that_starts_again_goes_on_with_the_same_bound(kind: type[Watch]) -> None:
    where, fields = watch(kind, 50).serialize()
    assert where == f"slac_pod_trigger.{kind.__name__}"
    assert fields["poll_interval"] == 10
    assert kind(**fields).serialize() == (where, fields)
