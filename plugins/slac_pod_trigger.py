"""The wait for a pod where nodes are fixed: a request that no node can ever meet ends it at once."""

from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.providers.cncf.kubernetes.utils.pod_manager import AsyncPodManager, PodLaunchTimeoutException
from slac_pod_reasons import is_hopeless, reason


class FixedNodes(KubernetesPodTrigger):
    """The stock trigger, which also gives up on what the scheduler can never place."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return where the triggerer finds this class, and the fields of the stock one."""
        return f"{type(self).__module__}.{type(self).__name__}", super().serialize()[1]

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
