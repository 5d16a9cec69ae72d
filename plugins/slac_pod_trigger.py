"""The wait for a pod: looked at often while it is young, and given up at once where no node can ever run it."""

import asyncio
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.triggers.pod import ContainerState, KubernetesPodTrigger
from airflow.providers.cncf.kubernetes.utils.pod_manager import AsyncPodManager, PodLaunchTimeoutException, PodPhase
from slac_pod_reasons import is_hopeless, reason

SOONEST_SEC = 1.0
"""Between two looks at a pod, at least."""
SHARE = 0.1
"""Of the time that a pod was waited for, until the next look: what the wait adds to a pod's time, at most."""


class Watch(KubernetesPodTrigger):
    """The stock trigger, whose looks at a pod lie the farther apart the longer it has run.

    Its `poll_interval` is the bound. The stock one looks five and ten seconds after the start of a pod that took three.
    """

    @property
    def poll_interval(self) -> float:
        """Seconds until the next look."""
        return min(self._longest, max(SOONEST_SEC, SHARE * self._waited_sec()))

    @poll_interval.setter
    def poll_interval(self, longest: float) -> None:
        self._longest = longest

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return where the triggerer finds this class, and the fields of the stock one."""
        where = f"{type(self).__module__}.{type(self).__name__}"
        return where, {**super().serialize()[1], "poll_interval": self._longest}

    def _waited_sec(self) -> float:
        return (datetime.now(UTC) - self.trigger_start_time).total_seconds()

    async def _wait_for_pod_start(self) -> ContainerState:
        """Look for the start as often as for the end until the stock trigger would look for a second time."""
        pod = await self._get_pod()
        while pod.status.phase == PodPhase.PENDING and self._waited_sec() < self.startup_check_interval:
            await asyncio.sleep(self.poll_interval)
            pod = await self._get_pod()
        return await super()._wait_for_pod_start()


class FixedNodes(Watch):
    """The same where no node is ever added: it gives up on what the scheduler can never place."""

    @cached_property
    def pod_manager(self) -> AsyncPodManager:
        """Return who reads the pod while it waits."""
        return _PodManager(async_hook=self.hook)


class _PodManager(AsyncPodManager):
    async def read_pod(self, pod: Any) -> Any:
        found = await super().read_pod(pod)
        if is_hopeless(found):
            # The one failure that the stock trigger hands on without another wait.
            raise PodLaunchTimeoutException(reason(found))
        return found
