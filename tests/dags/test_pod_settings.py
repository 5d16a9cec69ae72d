"""What the pod of a stage is given, and for how long it is waited for."""

from pathlib import Path

import pytest

from slac_tasks.procedure import machine

# The provider's own warnings, at its import, are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

TEMPLATE = """
apiVersion: v1
kind: Pod
spec:
  containers:
    - {name: sidecar, resources: {limits: {memory: 1Gi}}}
    - {name: base, image: other}
"""


def test_a_pod_waits_as_long_as_the_runbook_says_and_ends_before_it_is_tried_again() -> None:
    from slac_airflow_pods import pod_settings

    found = pod_settings("pretrain", {})
    assert (found["schedule_timeout_seconds"], found["startup_timeout_seconds"]) == (6 * 3600, 1800)
    assert found["poll_interval"] == 10
    assert found["termination_grace_period"] < 120


def test_a_stage_with_a_gpu_runs_from_what_is_given_to_all_where_nothing_is_given_to_it() -> None:
    from slac_airflow_pods import fitted

    asked, environ = machine("pretrain"), {"SLAC_POD_IMAGE": "all", "SLAC_POD_TEMPLATE": "all.yaml"}
    own = {"SLAC_POD_GPU_IMAGE": "gpu", "SLAC_POD_GPU_TEMPLATE": "gpu.yaml"}
    for given, image, template in ((environ, "all", "all.yaml"), ({**environ, **own}, "gpu", "gpu.yaml")):
        found = fitted(asked, given)
        assert (found["image"], found["pod_template_file"]) == (image, template)


def test_what_a_template_says_of_another_container_is_not_said_of_the_command(tmp_path: Path) -> None:
    from slac_airflow_pods import stated

    (tmp_path / "pod.yaml").write_text(TEMPLATE)
    assert stated(str(tmp_path / "pod.yaml")).limits is None


def test_memory_after_tries_that_ran_out_of_it_grows_up_to_a_bound() -> None:
    from slac_airflow_pods import memory_after

    grown = [[memory_after(asked, times) for times in (1, 2, 9)] for asked in (1, 3, 32)]
    assert grown == [[2, 2, 2], [4, 6, 6], [48, 64, 64]]
