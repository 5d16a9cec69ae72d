"""A `slac` command as a pod. Imported only where pods are configured: the provider costs two seconds per import.

Settings, all from the environment of Airflow's workers; an empty one is as one that is not set:

    SLAC_PODS=1                  stages run as pods
    SLAC_POD_IMAGE               the task image, with tag or digest
    SLAC_POD_GPU_IMAGE           the one with CUDA, for stages that ask for a GPU; SLAC_POD_IMAGE without it
    SLAC_POD_NAMESPACE           where pods run; `default` without it
    SLAC_POD_STORE_SECRET        secret with SLAC_STORE and the store's credentials, for every stage; `slac-store`
    SLAC_POD_LEDGER_SECRET       secret with SLAC_DATABASE_URL, for the stages that write the ledger; `slac-ledger`
    SLAC_POD_CONFIG_MAP          config map with the slac.toml that SLAC_CONFIG names on these workers too; a pod that
                                 finds other settings refuses to work. Without it every setting has its default
    SLAC_POD_SERVICE_ACCOUNT     account of the pods; it needs no rights
    SLAC_POD_TEMPLATE            path of a pod template (YAML), for what clusters differ in: node selectors,
                                 tolerations, affinity, priorities, pull secrets. What it asks for (`resources` of
                                 the container `base`) stands above what the stage asks for; what is set here stands
                                 above all else of it
    SLAC_POD_GPU_TEMPLATE        the same for stages that ask for a GPU; without it SLAC_POD_TEMPLATE
    SLAC_POD_KUBECONFIG          path of a kubeconfig; without it the connection `kubernetes_default` decides
    SLAC_POD_FIXED_NODES=1       no node is ever added to the cluster: a stage that asks for more than any node has
                                 fails at once with 78. Without it the pod waits: an autoscaler may add such a node
    SLAC_POD_POLL_SECONDS        how often the triggerer looks at a pod that has run for long; 10 without it. A young
                                 one it looks at each second, and later after a tenth of the time waited
"""

import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, NoReturn

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodNotFoundException, PodPhase
from airflow.sdk.exceptions import AirflowException
from kubernetes.client import models as k8s
from kubernetes.client.exceptions import ApiException
from slac_command import Command, is_on, judge, number, variable
from slac_links import links
from slac_pod_reasons import (
    CONTAINER,
    amount,
    ended_at,
    exit_code,
    farewell,
    is_out_of_memory,
    reason,
    refused,
)
from slac_pod_trigger import FixedNodes, Watch
from slac_watch import collectors, place

from slac_tasks import boundary, config
from slac_tasks.errors import Temporary
from slac_tasks.procedure import Machine, holds_ledger, machine

CONFIG_FOLDER = "/etc/slac"
SCRATCH_FOLDER, SHARED_MEMORY = "/tmp", "/dev/shm"  # nosec B108
"""Folders of the pod alone, see `folders`."""
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""Annotation by which the cluster's autoscaler leaves the node of a pod alone."""
FAILED_STAY = timedelta(days=1)
"""How long the pod of a failed task can be looked at."""
MEMORY_MOST = 2
"""Times what a stage asks for: bound of the memory of a retry."""
UNPRIVILEGED = 50_000
"""User and group of the task image."""


class Pod(Command, KubernetesPodOperator):
    """A `slac` command in a pod, watched by the triggerer."""

    template_fields = (*Command.template_fields, *KubernetesPodOperator.template_fields)
    operator_extra_links = property(links)

    def __init__(self, *, stage: str, **kwargs: Any) -> None:
        settings = {**pod_settings(stage, os.environ), **kwargs}
        super().__init__(stage=stage, **settings)

    def execute(self, context: Any) -> Any:
        """Start the pod with the command line that a process would have."""
        words = self.words(context)
        self.cmds, self.arguments = words[:1], words[1:]
        # Should the pod find other settings than the plan was made with, it refuses to work.
        settings = config.load()
        told = {
            **collectors(os.environ),
            **place(context),
            config.FINGERPRINT: settings.fingerprint,
            boundary.VARIABLE: boundary.spoken(),
        }
        self.env_vars = {**self.env_vars, **told}
        # Read here and not when the DAG is parsed: what a stage asks for may change between two of its runs.
        for name, value in fitted(machine(self.stage, settings.machines), os.environ).items():
            setattr(self, name, value)
        self.log.info("%s", " ".join(words))
        return super().execute(context)

    def build_pod_request_obj(self, context: Any = None, *, dry_run: bool = False) -> k8s.V1Pod:
        """Return the pod, with what the stock operator has no argument for."""
        pod = super().build_pod_request_obj(context, dry_run=dry_run)
        # Variables with the address of each service of the namespace: a stage needs none, and too many of them are more
        # than a process can start with.
        pod.spec.enable_service_links = False
        container = self.container_of(pod)
        container.resources = above(stated(self.pod_template_file), container.resources)
        return pod

    def container_of(self, pod: k8s.V1Pod) -> k8s.V1Container:
        """Return the container of the command."""
        return next(one for one in pod.spec.containers if one.name == self.base_container_name)

    def get_or_create_pod(self, pod_request_obj: k8s.V1Pod, context: Any) -> k8s.V1Pod:
        """Judge what the API server refuses: a pod that it will never create needs no retry."""
        self.remove_old(pod_request_obj.metadata.namespace)
        try:
            if context["ti"].try_number > 1:
                self.give_memory(pod_request_obj, context)
            return super().get_or_create_pod(pod_request_obj, context)
        except ApiException as failure:
            end(*refused(failure), context, failure)

    def remove_old(self, namespace: str) -> None:
        """Remove the pods of any stage that failed a day ago: Kubernetes itself leaves some ten thousand of them."""
        ours = {"label_selector": "kubernetes_pod_operator=True", "field_selector": "status.phase=Failed"}
        try:
            for pod in self.client.list_namespaced_pod(namespace=namespace, **ours).items:
                old = datetime.now(UTC) - ended_at(pod) > FAILED_STAY
                if old and pod.metadata.name.startswith("slac-") and pod.status.phase == PodPhase.FAILED:
                    self.pod_manager.delete_pod(pod)
        except ApiException as failure:
            # It is no part of the stage's work; the next task tries again.
            self.log.warning("pods that failed a day ago cannot be removed: %s", failure.reason)

    def give_memory(self, pod: k8s.V1Pod, context: Any) -> None:
        """Ask for more memory than the earlier tries that ran out of it; their pods are still there."""
        same_task = self._build_find_pod_label_selector(context, exclude_checked=False)
        earlier = self.client.list_namespaced_pod(namespace=pod.metadata.namespace, label_selector=same_task).items
        if times := sum(map(is_out_of_memory, earlier)):
            container = self.container_of(pod)
            asked = math.ceil(amount(container.resources.limits["memory"]) / 2**30)
            given = memory_after(asked, times)
            self.log.warning("%d tries ran out of memory: %d GiB instead of %d", times, given, asked)
            for wanted in (container.resources.requests, container.resources.limits):
                wanted["memory"] = f"{given}Gi"

    def defer(self, *, trigger: Any, **kwargs: Any) -> NoReturn:
        """Wait for the pod; where nodes are fixed, only as long as one of them could run it."""
        watch = FixedNodes if has_fixed_nodes(os.environ) else Watch
        super().defer(trigger=watch(**trigger.serialize()[1]), **kwargs)

    def trigger_reentry(self, context: Any, event: dict[str, Any]) -> Any:
        """Go on after the wait; of a pod that is gone its events say why."""
        try:
            return super().trigger_reentry(context, event)
        except PodNotFoundException as failure:
            named = k8s.V1Pod(metadata=k8s.V1ObjectMeta(name=event["name"], namespace=event["namespace"]))
            end(Temporary.exit_code, self.why_gone(named), context, failure)

    def cleanup(
        self, pod: Any, remote_pod: Any, xcom_result: dict[str, Any] | None = None, context: Any = None
    ) -> None:
        """Judge the container's exit code; the stock operator knows only failed, which a retry never mends."""
        if self._killed:
            # The stock operator would say nothing, and a task whose worker was stopped half-way would end as a success.
            raise AirflowException("the worker was asked to stop, and the pod with it")
        try:
            super().cleanup(pod, remote_pod, xcom_result, context)
        except AirflowException as failure:
            # What ended has said how it ended; its pod may be gone by now.
            over = remote_pod.status.phase in PodPhase.terminal_states
            found = remote_pod if over else self.read_again(remote_pod)
            if found.status.phase not in PodPhase.terminal_states:
                # It waits for a node or an image, or runs unwatched: left alone, it runs beside the next try's pod.
                self.pod_manager.delete_pod(found)
            end(exit_code(found, fixed_nodes=has_fixed_nodes(os.environ)), reason(found), context, failure)

    def read_again(self, pod: k8s.V1Pod) -> k8s.V1Pod:
        """Return a pod as it is now: the stock operator may hold one that is as old as its start."""
        try:
            return self.pod_manager.read_pod(pod)
        except ApiException as failure:
            if failure.status != HTTPStatus.NOT_FOUND:
                raise
            return k8s.V1Pod(metadata=pod.metadata, status=k8s.V1PodStatus(reason=self.why_gone(pod)))

    def why_gone(self, pod: k8s.V1Pod) -> str:
        """Return why a pod that no longer exists was taken away, as its events have it."""
        try:
            events = self.pod_manager.read_pod_events(pod).items
        except ApiException as failure:
            # The role may lack the right; the reason is then unknown, and the task ends as it would.
            self.log.warning("the events of pod %s cannot be read: %s", pod.metadata.name, failure.reason)
            events = []
        return farewell(events)


def end(code: int, why: str, context: Any, failure: Exception) -> NoReturn:
    """End a task whose pod failed, in words of ours; what the stock operator says of it stands above them."""
    try:
        judge(code, why, context["ti"].try_number)
    except AirflowException as judged:
        raise judged from failure
    raise failure


def has_fixed_nodes(environ: Mapping[str, str]) -> bool:
    """Return whether no node is ever added to the cluster."""
    return is_on("SLAC_POD_FIXED_NODES", environ)


def pod_settings(stage: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return everything in which a pod of ours differs from the provider's defaults, each with its reason."""
    secrets = [variable("SLAC_POD_STORE_SECRET", environ, "slac-store")]
    if holds_ledger(stage):
        secrets.append(variable("SLAC_POD_LEDGER_SECRET", environ, "slac-ledger"))
    config_map = variable("SLAC_POD_CONFIG_MAP", environ)
    return {
        "name": f"slac-{stage}",
        # By them the chart's network policies know whom to let through.
        "labels": {"app.kubernetes.io/part-of": "slac", "slac/holds": "ledger" if holds_ledger(stage) else "store"},
        "namespace": variable("SLAC_POD_NAMESPACE", environ, "default"),
        "service_account_name": variable("SLAC_POD_SERVICE_ACCOUNT", environ) or None,
        "config_file": variable("SLAC_POD_KUBECONFIG", environ) or None,
        # A stage speaks to the store and the ledger, never to Kubernetes.
        "automount_service_account_token": False,
        # Secrets by reference only: a value in the pod's specification would be read by everyone who may list pods.
        "env_from": [k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=name)) for name in secrets],
        "env_vars": {"HOME": SCRATCH_FOLDER, "TMPDIR": SCRATCH_FOLDER}
        | ({"SLAC_CONFIG": f"{CONFIG_FOLDER}/slac.toml"} if config_map else {}),
        # Hours of waiting must not hold a worker, and survive a restart of the triggerer.
        "deferrable": True,
        # A worker that died finds its pod again instead of starting a second one.
        "durable": True,
        # A stale "success" may fail a task that was deferred twice in a short time (apache/airflow#72716).
        "poll_interval": number("SLAC_POD_POLL_SECONDS", environ, 10),
        # 120 s by default, both; a queue for GPUs is hours long, and a pull of the CUDA image minutes.
        "schedule_timeout_seconds": 6 * 3600,
        "startup_timeout_seconds": 1800,
        # The last lines of the log are the reason that a person reads; nothing writes /dev/termination-log.
        "termination_message_policy": "FallbackToLogsOnError",
        # A failed pod stays for a day, to be looked at; a finished one has said all in its log and its manifest.
        "on_finish_action": "delete_succeeded_pod",
        # Who marks a task failed wants its GPU back.
        "on_kill_action": "delete_pod",
        # A sidecar from another registry, which hangs when its pod is evicted; and stages hand on datasets, not values.
        "do_xcom_push": False,
        # The specification names secrets and would fill the log.
        "log_pod_spec_on_failure": False,
        "log_events_on_failure": True,
        # Below the retry's delay, so that a retry never attaches to a pod that is ending.
        "termination_grace_period": 60,
        # Days of training are not moved to save a node; a stage that goes on where it was costs minutes.
        "annotations": {SAFE_TO_EVICT: "false"} if stage == "pretrain" else {},
        "security_context": k8s.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=UNPRIVILEGED,
            run_as_group=UNPRIVILEGED,
            fs_group=UNPRIVILEGED,
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        # Downloaded media is hostile: what breaks a decoder finds nothing to write, to raise or to call.
        "container_security_context": k8s.V1SecurityContext(
            read_only_root_filesystem=True,
            allow_privilege_escalation=False,
            privileged=False,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        ),
        **fitted(machine(stage), environ),
    }


def fitted(asked: Machine, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what of a pod depends on what its stage asks of a machine."""
    image, template = variable("SLAC_POD_IMAGE", environ, "slac-task:latest"), variable("SLAC_POD_TEMPLATE", environ)
    if asked.gpus:
        image = variable("SLAC_POD_GPU_IMAGE", environ, image)
        template = variable("SLAC_POD_GPU_TEMPLATE", environ, template)
    return {
        "image": image,
        # Airflow merges it under everything else; what it says of the container is said of the one called `base`.
        "pod_template_file": template or None,
        "container_resources": resources(asked),
        # From its start on a node, so that a queue for GPUs does not count.
        "active_deadline_seconds": asked.hours * 3600,
        **folders(asked, variable("SLAC_POD_CONFIG_MAP", environ)),
    }


def stated(template: str | None) -> k8s.V1ResourceRequirements:
    """Return what a pod template says of the resources of the command's container."""
    containers = PodGenerator.deserialize_model_file(template).spec.containers or () if template else ()
    named = [one.resources for one in containers if one.name == CONTAINER and one.resources]
    return named[0] if named else k8s.V1ResourceRequirements()


def above(stated: k8s.V1ResourceRequirements, asked: k8s.V1ResourceRequirements) -> k8s.V1ResourceRequirements:
    """Return what a pod asks for: what is stated, and of what is not mentioned what its stage asks for.

    What is limited without a request is asked for up to the limit, as Kubernetes has it; and what a stage limits is
    limited to the request that is stated.
    """
    requests, limits = stated.requests or {}, stated.limits or {}
    return k8s.V1ResourceRequirements(
        requests={**asked.requests, **limits, **requests},
        limits={**asked.limits, **{name: requests[name] for name in requests if name in asked.limits}, **limits},
    )


def resources(asked: Machine) -> k8s.V1ResourceRequirements:
    """Return what a container asks for. Memory is also the limit; processors are not, they only slow down."""
    limits = {"memory": f"{asked.memory_gib}Gi", "ephemeral-storage": f"{asked.scratch_gib}Gi"}
    requests = {"cpu": str(asked.processors), **limits}
    if asked.gpus:
        limits["nvidia.com/gpu"] = str(asked.gpus)
    return k8s.V1ResourceRequirements(requests=requests, limits=limits)


def memory_after(asked: int, times: int) -> int:
    """Return the GiB of a try after some that ran out of memory: half more each time, at most twice what was asked.

    A leak must not take the whole node, and a stage that always needs more is set in `machines`.
    """
    return min(max(asked * (2 + times) // 2, asked + 1), MEMORY_MOST * asked)


def folders(asked: Machine, config_map: str) -> dict[str, Any]:
    """Return the folders that a container may write, and the settings that it reads."""
    found = [k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource())]
    mounts = [k8s.V1VolumeMount(name="tmp", mount_path=SCRATCH_FOLDER)]
    if asked.gpus:
        # Loader processes hand batches over in shared memory, of which a container has 64 MB by default.
        memory = k8s.V1EmptyDirVolumeSource(medium="Memory", size_limit="8Gi")
        found.append(k8s.V1Volume(name="shm", empty_dir=memory))
        mounts.append(k8s.V1VolumeMount(name="shm", mount_path=SHARED_MEMORY))
    if config_map:
        found.append(k8s.V1Volume(name="config", config_map=k8s.V1ConfigMapVolumeSource(name=config_map)))
        mounts.append(k8s.V1VolumeMount(name="config", mount_path=CONFIG_FOLDER, read_only=True))
    return {"volumes": found, "volume_mounts": mounts}
