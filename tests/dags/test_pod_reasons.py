"""Which pods can never run, by what the scheduler says of them."""

import json
from datetime import UTC, datetime

import pytest
from kubernetes.client import models as k8s
from kubernetes.client.exceptions import ApiException
from slac_pod_reasons import (
    amount,
    ended_at,
    exit_code,
    farewell,
    is_hopeless,
    is_out_of_memory,
    reason,
    refused,
    taken_away,
)

HELPLESS = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("message", "hopeless"),
    [
        (f"0/3 nodes are available: 3 Insufficient nvidia.com/gpu. {HELPLESS}", True),
        (f"0/3 nodes are available: 1 Insufficient memory, 3 Insufficient nvidia.com/gpu. {HELPLESS}", True),
        (f"0/3 nodes are available: 3 Insufficient memory. no new claims to deallocate, {HELPLESS}", True),
        (f"0/12 nodes are available: 12 Insufficient memory. {HELPLESS.replace('3', '12')}", True),
        # One node may come back, or is held by a pod that ends one day.
        (f"0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient memory. {HELPLESS}", False),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 2 Insufficient "
            f"nvidia.com/gpu. {HELPLESS}",
            False,
        ),
        (
            "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 1 No "
            "preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
            False,
        ),
        ("no nodes available to schedule pods", False),
        ("", False),
    ],
)
def test_a_pod_is_hopeless_where_every_node_is_too_small_for_it_alone(message: str, hopeless: bool) -> None:
    said = k8s.V1PodCondition(type="PodScheduled", status="False", reason="Unschedulable", message=message)
    pod = k8s.V1Pod(status=k8s.V1PodStatus(phase="Pending", conditions=[said]))
    assert is_hopeless(pod) == hopeless
    assert exit_code(pod, fixed_nodes=True) == (78 if hopeless else 75)
    assert exit_code(pod) == 75


def ended(code: int, why: str = "Error", *, name: str = "base", message: str | None = None) -> k8s.V1ContainerStatus:
    """Return the status of a container that ended."""
    terminated = k8s.V1ContainerStateTerminated(exit_code=code, reason=why, message=message)
    state = k8s.V1ContainerState(terminated=terminated)
    return k8s.V1ContainerStatus(name=name, image="i", image_id="i", ready=False, restart_count=0, state=state)


def failed(*statuses: k8s.V1ContainerStatus, conditions: tuple[tuple[str, str], ...] = ()) -> k8s.V1Pod:
    told = [k8s.V1PodCondition(type=kind, status=status, reason=f"by {kind}") for kind, status in conditions]
    return k8s.V1Pod(status=k8s.V1PodStatus(phase="Failed", container_statuses=list(statuses), conditions=told))


@pytest.mark.parametrize(
    ("pod", "code", "why", "out_of_memory"),
    [
        (failed(ended(65, message="at work\nslac fetch: broken\n\n")), 65, "slac fetch: broken", False),
        (failed(ended(3)), 3, "Error", False),
        (failed(ended(137, "OOMKilled")), 137, "OOMKilled", True),
        # What stands beside the command says nothing of it.
        (failed(ended(9, "OOMKilled", name="sidecar"), ended(65, message="mine")), 65, "mine", False),
        (failed(ended(9, "OOMKilled", name="sidecar")), 75, "Failed", False),
        (failed(), 75, "Failed", False),
        # A condition says something where it holds, and each of its own matter.
        (failed(ended(3), conditions=(("PodScheduled", "True"), ("Ready", "False"))), 3, "Error", False),
        (failed(ended(3), conditions=(("DisruptionTarget", "False"),)), 3, "Error", False),
        (failed(ended(3), conditions=(("DisruptionTarget", "True"),)), 75, "by DisruptionTarget", False),
        (failed(ended(65, message="mine"), conditions=(("DisruptionTarget", "True"),)), 65, "mine", False),
        (failed(conditions=(("PodScheduled", "False"),)), 75, "by PodScheduled", False),
    ],
)
def test_the_end_of_a_pod_is_that_of_its_command_unless_the_cluster_ended_it(
    pod: k8s.V1Pod, code: int, why: str, out_of_memory: bool
) -> None:
    assert (exit_code(pod), reason(pod), is_out_of_memory(pod)) == (code, why, out_of_memory)


@pytest.mark.parametrize(
    ("requested", "limited", "code"),
    [
        ("memory=8Gi", "memory=16Gi", 75),
        ("memory=16384Mi", "memory=16Gi", 75),
        ("memory=17Gi", "memory=16Gi", 78),
        ("memory=17G", "memory=16Gi", 75),
        # Kubernetes writes 1024Ti so. A stage would have failed for good on a cluster as large as that.
        ("memory=17Gi", "memory=1Pi", 75),
        ("cpu=500m,memory=17Gi", "cpu=1,memory=16Gi", 78),
        ("cpu=1500m,memory=8Gi", "cpu=1,memory=16Gi", 78),
        ("cpu=500m,pods=1", "cpu=1", 75),
    ],
)
def test_a_quota_that_others_use_up_is_waited_for_and_one_that_is_too_small_is_not(
    requested: str, limited: str, code: int
) -> None:
    answer = ApiException(status=403, reason="Forbidden")
    answer.body = json.dumps({"message": f"exceeded quota: q, requested: {requested}, used: x=1, limited: {limited}"})
    assert refused(answer)[0] == code


@pytest.mark.parametrize(
    ("status", "code"), [(400, 78), (403, 78), (404, 78), (422, 78), (409, 75), (429, 75), (500, 75)]
)
@pytest.mark.parametrize("body", [None, "<html>", "{}", "[]"])
def test_a_refusal_without_words_is_judged_by_its_status(status: int, code: int, body: str | None) -> None:
    answer = ApiException(status=status, reason="No")
    answer.body = body
    assert refused(answer) == (code, f"no pod was created, HTTP {status}: No")


@pytest.mark.parametrize(
    ("quantity", "number"),
    # https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    [("3", 3), ("500m", 0.5), ("1.5", 1.5), ("2k", 2e3), ("2M", 2e6), ("2G", 2e9), ("2T", 2e12), ("2Ki", 2048),
     ("2Mi", 2 * 1024**2), ("2Gi", 2 * 1024**3), ("2Ti", 2 * 1024**4), ("2P", 2e15), ("2E", 2e18), ("2Pi", 2 * 1024**5),
     ("2Ei", 2 * 1024**6), ("2n", 2e-9), ("2u", 2e-6), ("5e12", 5e12), ("5E-1", 0.5), ("7lightyears", 7), ("", 0)],
)  # fmt: skip
def test_a_quantity_is_a_number_with_a_unit(quantity: str, number: float) -> None:
    assert amount(quantity) == number


@pytest.mark.parametrize(("word", "code"), [("DeadlineExceeded", 1), ("Evicted", 75)])
def test_what_the_kubelet_writes_of_a_pod_says_more_than_what_became_of_its_command(word: str, code: int) -> None:
    pod = failed(ended(1))
    pod.status.reason, pod.status.message = word, "so it\n was"
    assert (exit_code(pod), reason(pod), taken_away(pod)) == (code, f"{word}: so it was", f"{word}: so it was")


def test_a_pod_that_never_ran_says_what_it_waits_for() -> None:
    waiting = k8s.V1ContainerState(waiting=k8s.V1ContainerStateWaiting(reason="ErrImagePull", message="no such image"))
    status = k8s.V1ContainerStatus(name="base", image="", image_id="", ready=False, restart_count=0, state=waiting)
    assert reason(failed(status)) == "ErrImagePull: no such image"


def test_a_pod_ended_when_its_command_did_and_else_when_it_was_made() -> None:
    made, end = (datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in (8, 9))
    timed = ended(3)
    timed.state.terminated.finished_at = end
    for pod, want in ((failed(ended(3)), made), (failed(timed), end), (failed(), made)):
        pod.metadata = k8s.V1ObjectMeta(creation_timestamp=made)
        assert ended_at(pod) == want


def test_a_pod_that_is_gone_says_what_took_it_away_last() -> None:
    events = [
        k8s.CoreV1Event(involved_object=k8s.V1ObjectReference(), metadata=k8s.V1ObjectMeta(), reason=word, message=why)
        for word, why in (("Scheduled", "a"), ("NodeNotReady", "b"), ("Evicted", "disk\nfull"), ("Killing", "c"))
    ]
    assert farewell(events) == "the pod is gone: Evicted: disk full"
    assert farewell(events[:2]) == "the pod is gone: NodeNotReady: b"
    assert farewell(events[:1]) == farewell([]) == "the pod is gone: deleted, or drained from its node"
