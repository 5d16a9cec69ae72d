import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slac_tasks.procedure import holds_ledger, wants_gpu

# The operator is imported in a process of its own: its dependencies warn, and tests of DAG files must not see it.
RENDER = """
import json
from kubernetes.client import ApiClient
from slac_airflow_pods import Pod
from slac_command import argv
from slac_tasks.procedure import STAGES
item = {"category": ["judo"], "window": "2026-01-05", "committee": "c1234abcd", "uncovered": ["judo"],
        "round": "2026-01-05.c1234abcd", "labels": "000003", "release": "r0001", "decision": "approve",
        "reason": "seen", "person": "rev1"}
found = {}
for stage in [*STAGES, "register"]:
    pod = Pod(task_id=stage, stage=stage, item=item)
    words = pod.words({"params": {}})
    assert words == argv(stage, item)
    pod.cmds, pod.arguments = words[:1], words[1:]
    spec = ApiClient().sanitize_for_serialization(pod.build_pod_request_obj(dry_run=True))
    found[stage] = {"words": words, "spec": spec}
print(json.dumps(found))
"""


TEMPLATE = """
apiVersion: v1
kind: Pod
spec:
  priorityClassName: slac
  tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: In, values: [h100]}]}]
  containers: [{name: base, image: other, securityContext: {privileged: true}}]
"""


@pytest.fixture(scope="module")
def pods() -> dict:
    return rendered()


def rendered(**more: str) -> dict:
    """Return the pod of every stage, as a worker with these variables makes it."""
    ours = {"SLAC_POD_CONFIG_MAP": "slac-config", "SLAC_POD_IMAGE": "registry.example/slac-task:1", **more}
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore", **ours}
    run = subprocess.run([sys.executable, "-c", RENDER], env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_every_pod_is_a_valid_one(pods: dict) -> None:
    import kubernetes_validate

    for pod in pods.values():
        kubernetes_validate.validate(pod["spec"], "1.33", strict=True)


def test_a_variable_that_says_nothing_is_as_one_that_is_not_set(pods: dict) -> None:
    names = (
        "STORE_SECRET", "LEDGER_SECRET", "NAMESPACE", "SERVICE_ACCOUNT", "KUBECONFIG", "POLL_SECONDS", "TEMPLATE",
        "GPU_TEMPLATE", "GPU_IMAGE",
    )  # fmt: skip
    empty = rendered(**dict.fromkeys((f"SLAC_POD_{name}" for name in names), " "))
    assert {stage: same_for_all_runs(pod) for stage, pod in empty.items()} == {
        stage: same_for_all_runs(pod) for stage, pod in pods.items()
    }


def test_pods_run_in_the_default_namespace_unless_another_is_named(pods: dict) -> None:
    assert {pod["spec"]["metadata"]["namespace"] for pod in pods.values()} == {"default"}


def same_for_all_runs(pod: dict) -> dict:
    return {**pod["spec"]["spec"], "namespace": pod["spec"]["metadata"]["namespace"]}


def test_a_pod_runs_the_command_line_of_the_process(pods: dict) -> None:
    for pod in pods.values():
        container = pod["spec"]["spec"]["containers"][0]
        assert container["command"] + container["args"] == pod["words"]


def test_secrets_come_by_reference_and_the_ledger_only_to_its_stages(pods: dict) -> None:
    for stage, pod in pods.items():
        container = pod["spec"]["spec"]["containers"][0]
        secrets = [source["secretRef"]["name"] for source in container["envFrom"]]
        ledger = holds_ledger(stage)
        assert secrets == (["slac-store", "slac-ledger"] if ledger else ["slac-store"])
        assert {variable["name"] for variable in container["env"]} == {"HOME", "TMPDIR", "SLAC_CONFIG"}


def test_a_pod_has_no_rights_and_a_gpu_only_where_one_is_used(pods: dict) -> None:
    for stage, pod in pods.items():
        spec, container = pod["spec"]["spec"], pod["spec"]["spec"]["containers"][0]
        assert spec["automountServiceAccountToken"] is False
        own = spec["securityContext"]
        assert own["runAsNonRoot"] is True
        assert own["seccompProfile"] == {"type": "RuntimeDefault"}
        # The image's; what is mounted is given to it.
        assert own["runAsUser"] == own["fsGroup"] == 50_000
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
        gpu = wants_gpu(stage)
        assert ("nvidia.com/gpu" in container["resources"]["limits"]) == gpu
        assert ("/dev/shm" in {mount["mountPath"] for mount in container["volumeMounts"]}) == gpu


def test_a_pod_gets_no_addresses_of_services_and_only_training_holds_its_node(pods: dict) -> None:
    for stage, pod in pods.items():
        assert pod["spec"]["spec"]["enableServiceLinks"] is False
        held = (pod["spec"]["metadata"].get("annotations") or {}).get("cluster-autoscaler.kubernetes.io/safe-to-evict")
        assert held == ("false" if stage == "pretrain" else None)


def test_a_template_says_where_a_pod_may_run_and_nothing_else(tmp_path: Path) -> None:
    import kubernetes_validate

    (tmp_path / "gpu.yaml").write_text(TEMPLATE)
    for stage, pod in rendered(SLAC_POD_GPU_TEMPLATE=str(tmp_path / "gpu.yaml")).items():
        kubernetes_validate.validate(pod["spec"], "1.33", strict=True)
        spec = pod["spec"]["spec"]
        told = [bool(spec.get(name)) for name in ("affinity", "tolerations", "priorityClassName")]
        assert told == [wants_gpu(stage)] * 3
        (container,) = spec["containers"]
        assert container["image"] == "registry.example/slac-task:1"
        assert container["securityContext"]["privileged"] is False
        assert container["command"] + container["args"] == pod["words"]
