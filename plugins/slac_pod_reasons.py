"""Why a pod ended, or never began: one line for a person, and the exit code that decides about a retry.

what happened                                            exit code
the command ended                                        its own
evicted, drained, preempted, out of memory, gone         what the signal made of it, else 75
no node has room, no image                               75
longer than its stage may take                           1: it hangs; a second time fails at once
the API server refused to create it (400, 403, 404, 422) 78: it would refuse the same pod again
the quota is used up by others (403)                     75: they end one day
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus

from kubernetes.client import models as k8s
from kubernetes.client.exceptions import ApiException
from slac_command import FATAL, PASSING

from slac_tasks.errors import NotConfigured, Temporary

CONTAINER = "base"
"""Name of the command's container."""
GONE = "the pod is gone"
OVERDUE = "DeadlineExceeded"
"""Why the kubelet stops a pod that ran for longer than it may."""
HUNG = 1
"""A bug's exit code: a retry goes on where the first try was stopped, and a second one is stopped for good."""
REFUSALS = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""What the API server answers to a pod that it will never create: malformed, not allowed, no namespace, not valid."""
TAKEN_AWAY = frozenset({"Evicted", "Preempted", "Preempting", "TaintManagerEviction", "NodeNotReady", "NodeShutdown"})
"""Reasons of events that say why a pod was taken away. They outlive the pod by an hour."""

_QUOTA = re.compile(r"exceeded quota: .*?requested: (?P<requested>\S+), used: \S+, limited: (?P<limited>\S+)")
_NO_NODE = re.compile(
    r"0/(?P<nodes>[1-9]\d*) nodes are available: (?P<why>.*?)\. .*"
    r"preemption: 0/(?P=nodes) nodes are available: (?P=nodes) Preemption is not helpful for scheduling"
)
_EXPONENT = re.compile(r"[eE][+-]?[0-9]+")
_UNITS = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "Ei": 2**60,
}


def exit_code(pod: k8s.V1Pod, *, fixed_nodes: bool = False) -> int:
    """Return the exit code of the command; a pod that the cluster ended, or that never ran, passes.

    Args:
        pod: that failed, or waits.
        fixed_nodes: no node will be added, so what fits on none now never will.

    """
    if fixed_nodes and is_hopeless(pod):
        return NotConfigured.exit_code
    if pod.status.reason == OVERDUE:
        return HUNG
    terminated = container_state(pod).terminated
    code = int(terminated.exit_code) if terminated else 0
    if not code or (taken_away(pod) and code not in FATAL | PASSING):
        # What a command makes of being stopped by the cluster is no bug of it.
        return Temporary.exit_code
    return code


def reason(pod: k8s.V1Pod) -> str:
    """Return one line that says why a pod failed: what the cluster did to it, else the command's last word."""
    state = container_state(pod)
    if state.terminated and state.terminated.exit_code in FATAL:
        return _last_word(state.terminated)
    if cluster := taken_away(pod):
        return cluster
    if state.terminated:
        return _last_word(state.terminated)
    if state.waiting:
        return _line(state.waiting.reason, state.waiting.message)
    return _line(pod.status.reason, pod.status.message) or unscheduled(pod) or str(pod.status.phase)


def taken_away(pod: k8s.V1Pod) -> str:
    """Return what the cluster did to a pod: evicted, drained, preempted; empty if it did nothing."""
    if said := _line(pod.status.reason, pod.status.message):
        # The kubelet writes `Evicted` here, and of what it killed the exit code alone.
        return said
    return _condition(pod, "DisruptionTarget", "True")


def unscheduled(pod: k8s.V1Pod) -> str:
    """Return why the scheduler found no node, e.g. `Insufficient nvidia.com/gpu`; empty if it did, or has not tried."""
    return _condition(pod, "PodScheduled", "False")


def is_hopeless(pod: k8s.V1Pod) -> bool:
    """Return whether a pod asks for more of something than any node has, free or not.

    The scheduler then says of every node that it is insufficient, and that the end of no other pod would help. Where a
    node is cordoned, not ready or tainted it says that of this node, and the pod may fit when it is back.
    """
    said = _NO_NODE.search(unscheduled(pod))
    return bool(said) and all("Insufficient " in why for why in said["why"].split(", "))


def ended_at(pod: k8s.V1Pod) -> datetime:
    """Return when a failed pod ended; of one whose containers are unknown, when it was created."""
    terminated = container_state(pod).terminated
    found: datetime = (terminated and terminated.finished_at) or pod.metadata.creation_timestamp
    return found


def is_out_of_memory(pod: k8s.V1Pod) -> bool:
    """Return whether the command was killed since it used more memory than its pod has."""
    terminated = container_state(pod).terminated
    return bool(terminated) and terminated.reason == "OOMKilled"


def farewell(events: Iterable[k8s.CoreV1Event]) -> str:
    """Return why a pod that no longer exists was taken away, by its events in the order of the API."""
    said = [_line(event.reason, event.message) for event in events if event.reason in TAKEN_AWAY]
    return f"{GONE}: {said[-1]}" if said else f"{GONE}: deleted, or drained from its node"


def refused(answer: ApiException) -> tuple[int, str]:
    """Return the exit code and the reason of a pod that the API server did not create."""
    try:
        said = json.loads(answer.body)["message"]
    except (TypeError, ValueError, KeyError):
        # A proxy's page, or nothing.
        said = None
    why = _line(f"no pod was created, HTTP {answer.status}", said or answer.reason)
    quota = _QUOTA.search(why)
    if answer.status not in REFUSALS or (quota and _fits(quota["requested"], quota["limited"])):
        return Temporary.exit_code, why
    return NotConfigured.exit_code, why


def container_state(pod: k8s.V1Pod) -> k8s.V1ContainerState:
    """Return the state of the command's container; an empty one before it has any."""
    for status in pod.status.container_statuses or ():
        if status.name == CONTAINER and status.state:
            return status.state
    return k8s.V1ContainerState()


def _last_word(terminated: k8s.V1ContainerStateTerminated) -> str:
    lines = [line for line in (terminated.message or "").splitlines() if line.strip()]
    return str(lines[-1] if lines else terminated.reason)


def _condition(pod: k8s.V1Pod, kind: str, status: str) -> str:
    for condition in pod.status.conditions or ():
        if condition.type == kind and condition.status == status:
            return _line(condition.reason, condition.message)
    return ""


def _line(*parts: str | None) -> str:
    """Join what is said into one line: the last line of a log is what a person reads."""
    return ": ".join(" ".join(part.split()) for part in parts if part)


def _fits(requested: str, limited: str) -> bool:
    """Return whether a quota allows a pod once nobody else uses it; both as `cpu=2,memory=4Gi`."""
    limits = dict(pair.split("=") for pair in limited.split(","))
    pairs = (pair.split("=") for pair in requested.split(","))
    return all(amount(value) <= amount(limits[name]) for name, value in pairs if name in limits)


def amount(quantity: str) -> float:
    """Return a quantity of Kubernetes as a number, e.g. `500m`, `4Gi` or `5e12`; an unknown unit counts as 1."""
    unit = quantity.lstrip("0123456789.")
    if _EXPONENT.fullmatch(unit):
        return float(quantity)
    return float(quantity.removesuffix(unit) or 0) * _UNITS.get(unit, 1.0)
