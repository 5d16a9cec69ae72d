"""How often the triggerer looks at a pod."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.cncf.kubernetes.triggers.pod import ContainerState, KubernetesPodTrigger
from slac_pod_trigger import FixedNodes, Watch


def watch(kind: type[Watch], waited_sec: float, most: float = 10.0) -> Watch:
    since = datetime.now(UTC) - timedelta(seconds=waited_sec)
    fields: dict[str, Any] = {"pod_name": "slac-fetch", "pod_namespace": "slac", "base_container_name": "base"}
    return kind(**fields, trigger_start_time=since, poll_interval=most)


def waited(monkeypatch: pytest.MonkeyPatch, seconds: Iterator[float]) -> None:
    monkeypatch.setattr(Watch, "_waited_sec", lambda self: next(seconds))


@pytest.mark.parametrize(("waited_sec", "wanted"), [(0, 1), (9, 1), (50, 5), (3600, 10)])
def test_the_longer_a_pod_has_run_the_later_the_next_look(
    monkeypatch: pytest.MonkeyPatch, waited_sec: float, wanted: float
) -> None:
    waited(monkeypatch, count(waited_sec, 0))
    assert watch(Watch, 0).poll_interval == wanted
    assert watch(Watch, 0, most=0.2).poll_interval == 0.2


@pytest.mark.parametrize(
    ("phases", "looks"), [(["Running"], 1), (["Pending", "Pending", "Succeeded"], 3), (["Pending"] * 9, 3)]
)
def test_a_young_pod_is_looked_at_until_it_starts_or_the_stock_trigger_would_look_again(
    monkeypatch: pytest.MonkeyPatch, phases: list[str], looks: int
) -> None:
    waited(monkeypatch, count(0.0, 1.0))  # asked twice a look: 4 s have gone by with the third one
    seen, slept = iter(phases), []

    async def look(self: Watch) -> Any:
        return SimpleNamespace(status=SimpleNamespace(phase=next(seen)))

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def stock(self: KubernetesPodTrigger) -> ContainerState:
        return ContainerState.RUNNING

    monkeypatch.setattr(Watch, "_get_pod", look)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(KubernetesPodTrigger, "_wait_for_pod_start", stock)
    pod = watch(Watch, 0)
    pod.startup_check_interval = 4
    assert asyncio.run(pod._wait_for_pod_start()) == ContainerState.RUNNING
    assert slept == [1.0] * (looks - 1)
    assert len(phases) - len(list(seen)) == looks


@pytest.mark.parametrize("kind", [Watch, FixedNodes])
def test_a_triggerer_that_starts_again_goes_on_with_the_same_bound(kind: type[Watch]) -> None:
    where, fields = watch(kind, 50).serialize()
    assert where == f"slac_pod_trigger.{kind.__name__}"
    assert fields["poll_interval"] == 10
    assert kind(**fields).serialize() == (where, fields)
