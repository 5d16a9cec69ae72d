"""Which pods can never run, by what the scheduler says of them."""

import pytest
from kubernetes.client import models as k8s
from slac_pod_reasons import exit_code, is_hopeless

HELPLESS = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("message", "hopeless"),
    [
        (f"0/3 nodes are available: 3 Insufficient nvidia.com/gpu. {HELPLESS}", True),
        (f"0/3 nodes are available: 1 Insufficient memory, 3 Insufficient nvidia.com/gpu. {HELPLESS}", True),
        (f"0/3 nodes are available: 3 Insufficient memory. no new claims to deallocate, {HELPLESS}", True),
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
