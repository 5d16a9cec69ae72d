"""Stages run as pods: the real operator and trigger against a fake cluster whose containers are real commands."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred
from collectors import collecting
from slac_watch import place

from bench.harness.fake_kubernetes import FakeCluster, FakePod, Fate
from slac_tasks import boundary
from slac_tasks.storage.datasets import CANDIDATES, FETCHED
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

# The provider's own warnings, at import and from its clients, are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

JUDO = {"category": ["judo"], "window": "2026-01-05"}
RunStage = Callable[..., None]


@pytest.fixture
def cluster(tmp_path: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """A cluster with the secrets and settings of a deployment; its database does not answer."""
    secrets = {
        "slac-store": {"SLAC_STORE": store.url},
        "slac-ledger": {"SLAC_DATABASE_URL": "postgresql://slac@127.0.0.1:1/slac"},
    }
    settings = {"slac-settings": {"slac.toml": f'[collect]\nsources = ["{tmp_path / "videos"}"]\n'}}
    (tmp_path / "slac.toml").write_text(settings["slac-settings"]["slac.toml"])
    with FakeCluster(tmp_path, Path(sys.executable).parent, secrets, settings).serving() as found:
        monkeypatch.setenv("SLAC_POD_KUBECONFIG", str(found.kubeconfig()))
        monkeypatch.setenv("SLAC_POD_CONFIG_MAP", "slac-settings")
        monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "slac.toml"))
        monkeypatch.setenv("SLAC_STORE", store.url)
        monkeypatch.setenv("SLAC_POD_POLL_SECONDS", "0.2")
        monkeypatch.setenv("AIRFLOW_CONN_KUBERNETES_DEFAULT", "kubernetes://")
        yield found


def operator(stage: str, **kwargs: Any) -> Any:
    """Return the task of a stage as each process of Airflow that parses the DAG has it."""
    # Imported here: two seconds, and warnings that only a test's marks can silence.
    from slac_airflow_pods import Pod

    return Pod(**{"task_id": stage, "stage": stage, "item": JUDO, "startup_check_interval_seconds": 0.2, **kwargs})


def context(stage: str, try_number: int) -> dict[str, Any]:
    """Return what the operator uses of a task instance."""
    instance = SimpleNamespace(
        dag_id="collect_videos", task_id=stage, run_id="manual__1", map_index=0, try_number=try_number,
        start_date=datetime.now(UTC), xcom_push=lambda key, value: None,
    )  # fmt: skip
    return {"ti": instance, "run_id": instance.run_id, "dag": SimpleNamespace(), "params": {}}


def restored(trigger: Any) -> Any:
    """Return a trigger as the triggerer has it, from what the database holds of it."""
    _, fields = trigger.serialize()
    return type(trigger)(**fields)


async def first_event(trigger: Any) -> Any:
    """Return what a trigger says."""
    async for event in trigger.run():
        return event.payload


def run_task(stage: str, try_number: int = 1, **kwargs: Any) -> None:
    """Run a task as a worker, the triggerer and another worker do, one after the other."""
    about = context(stage, try_number)
    try:
        operator(stage, **kwargs).execute(about)
    except TaskDeferred as deferral:
        event = asyncio.run(first_event(restored(deferral.trigger)))
        operator(stage, **kwargs).resume_execution(deferral.method_name, {"event": event}, about)


def draw(path: Path) -> None:
    """Write a video of four seconds."""
    path.parent.mkdir(parents=True)
    source = ["-f", "lavfi", "-i", "mandelbrot=s=160x120:r=24", "-t", "4", "-preset", "ultrafast"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, str(path)], check=True)


def test_a_partition_is_made_by_pods_and_made_once(
    cluster: FakeCluster, ledger_url: str, make_job: Any, store: FolderStore, tmp_path: Path
) -> None:
    draw(tmp_path / "videos" / "judo" / "a.mp4")
    make_job("discover").ledger.run("register_category", category="judo", name="judo", guideline=None)
    cluster.secrets["slac-ledger"]["SLAC_DATABASE_URL"] = ledger_url
    run_task("discover")
    run_task("fetch")
    key = {"category": "judo", "window": "2026-01-05"}
    datasets = Datasets(store)
    assert datasets.need(CANDIDATES, **key).rows == 1
    (video,) = datasets.read(FETCHED, **key).to_pylist()
    assert store.exists(video["proxy_256"])
    # Again, watched by the worker itself: the other way in which the operator can run.
    run_task("fetch", deferrable=False)
    assert "finished already, 1 row" in cluster.history[-1].log.read_text()
    assert [pod.api_object["status"]["phase"] for pod in cluster.history] == ["Succeeded"] * 3
    assert cluster.pods == {}
    # By these labels the chart's network policies know them.
    known = [(pod.labels["task_id"], pod.labels["slac/holds"]) for pod in cluster.history]
    assert known == [("discover", "ledger"), ("fetch", "store"), ("fetch", "store")]
    assert {pod.labels["kubernetes_pod_operator"] for pod in cluster.history} == {"True"}


def test_a_pod_sends_lineage_and_spans_of_the_run_that_it_belongs_to(
    cluster: FakeCluster, make_job: Any, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "videos" / "judo").mkdir(parents=True)
    (tmp_path / "videos" / "judo" / "a.mp4").write_bytes(b"no video yet")
    make_job("discover").ledger.run("register_category", category="judo", name="judo", guideline=None)
    cluster.secrets["slac-ledger"]["SLAC_DATABASE_URL"] = ledger_url
    with collecting() as collector:
        for name, value in {**collector.environ, "OTEL_EXPORTER_OTLP_HEADERS": "key=s3cr3t"}.items():
            monkeypatch.setenv(name, value)
        run_task("discover")
    (event,) = collector.events
    assert event["outputs"][0]["name"].startswith("candidates/")
    told = place(context("discover", 1))["TRACEPARENT"].split("-")
    (span,) = (one for one in collector.spans if one.name == "slac discover")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (told[1], told[2])
    assert "s3cr3t" not in json.dumps(cluster.history[0].api_object)


@pytest.mark.parametrize("deferrable", [True, False])
def test_broken_data_fails_at_once_and_the_pod_stays(cluster: FakeCluster, deferrable: bool) -> None:
    with pytest.raises(AirflowFailException, match=r"^exit code 65: .*candidates"):
        run_task("fetch", deferrable=deferrable)
    assert len(cluster.pods) == 1


def test_a_pod_that_finds_other_settings_than_the_worker_refuses_to_work(cluster: FakeCluster, tmp_path: Path) -> None:
    (tmp_path / "slac.toml").write_text("[mining]\nclips_per_round = 7\n")
    with pytest.raises(AirflowException, match=r"^exit code 75: .*are not those of Airflow's worker") as raised:
        run_task("fetch")
    # A config map that was just changed arrives within a minute, so a retry may help.
    assert not isinstance(raised.value, AirflowFailException)


def test_a_wrong_command_line_fails_at_once(cluster: FakeCluster) -> None:
    with pytest.raises(AirflowFailException, match=r"^exit code 64: .*tuesday"):
        run_task("fetch", item={**JUDO, "window": "tuesday"})


def test_airflow_that_restarts_while_a_pod_runs_finds_it_again(
    cluster: FakeCluster, make_job: Any, ledger_url: str, tmp_path: Path
) -> None:
    draw(tmp_path / "videos" / "judo" / "a.mp4")
    make_job("discover").ledger.run("register_category", category="judo", name="judo", guideline=None)
    cluster.secrets["slac-ledger"]["SLAC_DATABASE_URL"] = ledger_url
    # The first worker starts the pod and is never heard of again; neither is the trigger that it left behind.
    with pytest.raises(TaskDeferred):
        operator("discover").execute(context("discover", 1))
    run_task("discover")
    assert [pod.api_object["status"]["phase"] for pod in cluster.history] == ["Succeeded"]


def test_a_database_that_does_not_answer_is_tried_again_in_a_pod_of_its_own(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    draw(tmp_path / "videos" / "judo" / "a.mp4")
    for try_number in (1, 2):
        with pytest.raises(AirflowException, match=r"^exit code 75: .*no answer") as raised:
            run_task("discover", try_number)
        assert not isinstance(raised.value, AirflowFailException)
    assert len(cluster.history) == 2


@pytest.mark.parametrize("deferrable", [True, False])
@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        ("out of memory", "exit code 137: OOMKilled"),
        ("evicted", "exit code 75: Evicted: The node was low on resource"),
        ("vanishes", "Not Found|exit code 75: the pod is gone: deleted, or drained from its node"),
        ("no image", "exit code 75: ImagePullBackOff: Back-off pulling image"),
        ("no node", "exit code 75: Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu"),
    ],
)
def test_what_befalls_a_pod_is_tried_again(cluster: FakeCluster, fate: Fate, reason: str, deferrable: bool) -> None:
    cluster.fate = fate
    with pytest.raises(Exception, match=reason) as raised:
        run_task("fetch", 3, deferrable=deferrable, schedule_timeout_seconds=1)
    assert not isinstance(raised.value, AirflowFailException)
    # A pod that still waits would start one day, beside the one of the next try.
    assert all(pod.ended for pod in cluster.pods.values())


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        # What the kubelet says of the node stands before the exit code of what it killed.
        ("evicted, states known", r"^exit code 137: Evicted: The node was low on resource: ephemeral-storage\.$"),
        ("drained", r"^exit code (75|143): EvictionByEvictionAPI: Eviction API: evicting$"),
        # The pod is gone before anybody looks; its events are not.
        ("preempted, gone", r"^exit code 75: the pod is gone: Preempted: Preempted by pod 5d2f on node gpu-1$"),
    ],
)
def test_what_the_cluster_did_to_a_pod_is_its_last_word(cluster: FakeCluster, fate: Fate, reason: str) -> None:
    cluster.fate = fate
    with pytest.raises(AirflowException, match=reason) as raised:
        run_task("fetch", 3)
    assert not isinstance(raised.value, AirflowFailException)


def test_a_pod_that_is_gone_is_tried_again_where_nobody_may_read_why(cluster: FakeCluster) -> None:
    cluster.fate, cluster.secret_events = "preempted, gone", True
    with pytest.raises(AirflowException, match=r"^exit code 75: the pod is gone: deleted, or drained") as raised:
        run_task("fetch", 3)
    assert not isinstance(raised.value, AirflowFailException)


@pytest.mark.parametrize("try_number", [1, 2])
def test_a_pod_that_hangs_is_stopped_and_a_second_time_fails_at_once(cluster: FakeCluster, try_number: int) -> None:
    cluster.fate = "overdue"
    with pytest.raises(AirflowException, match=r"^exit code 1.*: DeadlineExceeded: Pod was active") as raised:
        run_task("fetch", try_number)
    assert isinstance(raised.value, AirflowFailException) == (try_number == 2)
    assert cluster.history[0].api_object["spec"]["activeDeadlineSeconds"] == 48 * 3600


def test_a_plugin_and_an_image_of_different_releases_refuse_each_other(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundary, "spoken", lambda: "0.2.0 0123456789abcdef")
    with pytest.raises(AirflowFailException, match=r"^exit code 78: .*plugin of slac 0\.2\.0 \(0123456789abcdef\)"):
        run_task("fetch")


TEMPLATE = """
apiVersion: v1
kind: Pod
spec:
  nodeSelector: {pool: large}
  containers:
    - name: base
      resources: {requests: {cpu: "12", memory: 40Gi}, limits: {nvidia.com/gpu: "2"}}
"""


def test_what_a_template_asks_for_stands_above_what_the_stage_asks_for(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "large.yaml").write_text(TEMPLATE)
    settings = cluster.config_maps["slac-settings"]["slac.toml"].replace(
        "[collect]", 'machines = ["fetch: gpus=1, memory_gib=8, hours=3"]\n[collect]'
    )
    (tmp_path / "slac.toml").write_text(settings)
    for name, value in (("GPU_TEMPLATE", tmp_path / "large.yaml"), ("IMAGE", "small"), ("GPU_IMAGE", "large")):
        monkeypatch.setenv(f"SLAC_POD_{name}", str(value))
    cluster.fate = "out of memory"
    for try_number in (1, 2):
        with pytest.raises(AirflowException, match="OOMKilled"):
            run_task("fetch", try_number)
    first, second = (pod.container["resources"] for pod in cluster.history)
    gpus = {"nvidia.com/gpu": "2"}
    assert first["requests"] == {"cpu": "12", "memory": "40Gi", "ephemeral-storage": "40Gi", **gpus}
    assert first["limits"] == {"memory": "40Gi", "ephemeral-storage": "40Gi", **gpus}
    # More memory after a try that ran out of it, and nothing else.
    assert second["requests"] == {**first["requests"], "memory": "60Gi"}
    spec = cluster.history[0].api_object["spec"]
    assert (spec["nodeSelector"], spec["activeDeadlineSeconds"]) == ({"pool": "large"}, 3 * 3600)
    assert cluster.history[0].container["image"] == "large"


QUOTA = 'pods "p" is forbidden: exceeded quota: q, requested: {0}, used: {0}, limited: requests.memory=16Gi'


@pytest.mark.parametrize("deferrable", [True, False])
@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (403, 'pods "p" is forbidden: violates PodSecurity "restricted:latest"', 78),
        (403, QUOTA.format("requests.memory=32Gi"), 78),
        (403, QUOTA.format("requests.memory=8192Mi"), 75),
        (422, 'Pod "p" is invalid: spec.containers[0].image: Required value', 78),
    ],
)
def test_a_pod_that_will_never_be_created_fails_at_once(
    cluster: FakeCluster, status: int, message: str, code: int, deferrable: bool
) -> None:
    cluster.refusal = status, message
    with pytest.raises(AirflowException) as raised:
        run_task("fetch", deferrable=deferrable)
    assert isinstance(raised.value, AirflowFailException) == (code == 78)
    assert str(raised.value) == f"exit code {code}: no pod was created, HTTP {status}: {message}"
    assert cluster.history == []


@pytest.mark.parametrize("fate", ["no node", "no such node"])
def test_what_no_node_can_ever_hold_fails_at_once_where_nodes_are_fixed(
    cluster: FakeCluster, fate: Fate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLAC_POD_FIXED_NODES", "1")
    cluster.fate = fate
    never = fate == "no such node"
    with pytest.raises(AirflowException, match=r"Insufficient nvidia\.com/gpu") as raised:
        run_task("fetch", schedule_timeout_seconds=3600 if never else 1)
    assert isinstance(raised.value, AirflowFailException) == never
    assert str(raised.value).startswith("exit code 78: " if never else "exit code 75: ")
    assert cluster.pods == {}


def memory_of(pod: FakePod) -> str:
    resources = pod.container["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    return str(resources["limits"]["memory"])


def test_a_try_after_one_that_ran_out_of_memory_gets_more(cluster: FakeCluster) -> None:
    cluster.fate = "out of memory"
    with pytest.raises(AirflowException, match="OOMKilled"):
        run_task("fetch", 1)
    cluster.fate = ""
    with pytest.raises(AirflowFailException, match=r"^exit code 65"):
        run_task("fetch", 2)
    first, second = (int(memory_of(pod).removesuffix("Gi")) for pod in cluster.history)
    assert second == first * 3 // 2


def test_a_try_after_another_failure_gets_what_the_stage_asks_for(cluster: FakeCluster) -> None:
    cluster.fate = "drained"
    with pytest.raises(AirflowException):
        run_task("fetch", 1)
    cluster.fate = "no image"
    with pytest.raises(AirflowException):
        run_task("fetch", 2)
    assert len({memory_of(pod) for pod in cluster.history}) == 1


def test_pods_that_failed_a_day_ago_are_removed_and_no_others(cluster: FakeCluster) -> None:
    with pytest.raises(AirflowFailException, match=r"^exit code 65"):
        run_task("fetch")
    (made,) = cluster.history

    def add(name: str, hours: int, **changes: str) -> None:
        """Add a pod like the one that failed, of some hours ago."""
        api_object, at = deepcopy(made.api_object), datetime.now(UTC) - timedelta(hours=hours)
        api_object["metadata"].update(name=name, creationTimestamp=(moment := at.strftime("%Y-%m-%dT%H:%M:%SZ")))
        pod = cluster.pods[name] = FakePod(api_object, made.folder)
        pod.api_object["status"] = deepcopy(made.api_object["status"])
        pod.api_object["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = moment
        pod.labels.update(changes)

    add("slac-fetch-old", 25)
    add("slac-fetch-young", 23)
    add("slac-fetch-foreign", 25, kubernetes_pod_operator="False")
    add("another-dag", 25)
    add("slac-pretrain", 25)
    cluster.pods["slac-pretrain"].set_status("Running")
    cluster.fate = "no such node"
    with pytest.raises(TaskDeferred):
        operator("fetch").execute(context("fetch", 1))
    left = {"slac-fetch-young", "slac-fetch-foreign", "another-dag", "slac-pretrain"}
    assert set(cluster.pods) == {*left, *(pod.name for pod in cluster.history)}


def test_a_pod_that_is_larger_than_any_node_waits_for_one_that_may_be_added(cluster: FakeCluster) -> None:
    cluster.fate = "no such node"
    with pytest.raises(TaskDeferred) as deferral:
        operator("fetch").execute(context("fetch", 1))
    assert type(deferral.value.trigger).__name__ == "Watch"


def test_who_ends_a_waiting_task_ends_its_pod(cluster: FakeCluster) -> None:
    cluster.fate = "no node"
    with pytest.raises(TaskDeferred) as deferral:
        operator("fetch").execute(context("fetch", 1))
    assert len(cluster.pods) == 1
    asyncio.run(restored(deferral.value.trigger).on_kill())
    assert cluster.pods == {}


def test_a_task_whose_worker_is_stopped_is_no_success(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    task = operator("fetch", deferrable=False)
    # The worker is stopped while it follows the log; as in a cluster, the pod stays until its grace period is over.
    monkeypatch.setattr(cluster, "delete", FakePod.stop)
    monkeypatch.setattr(task, "await_pod_completion", lambda pod: task.on_kill())
    with pytest.raises(AirflowException, match="asked to stop"):
        task.execute(context("fetch", 1))
    assert cluster.history[0].ended
