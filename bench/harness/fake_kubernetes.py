"""A Kubernetes API server for tests and benchmarks, and a node that runs a pod's command as a local process.

It is a double of the cluster and of nothing else: the operator's requests, the trigger's, and what the container runs
are real. Known: create, get, list, patch, delete, log (also followed), events (also watched). What a test wants to go
wrong it says before with `FakeCluster.fate`.
"""

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

Fate = Literal[
    "",
    "out of memory",
    "evicted",
    "evicted, states known",
    "drained",
    "overdue",
    "preempted, gone",
    "vanishes",
    "no image",
    "no node",
    "no such node",
]
Data = Mapping[str, Mapping[str, str]]
"""Secrets or config maps: name -> key -> value."""

LOW = "The node was low on resource: ephemeral-storage."
TOO_LONG = "Pod was active on the node longer than the specified deadline"
NO_ROOM = (
    "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 No preemption "
    "victims found for incoming pod."
)

TOO_MUCH = NO_ROOM.replace(
    "3 No preemption victims found for incoming pod", "3 Preemption is not helpful for scheduling"
)


def now() -> str:
    """Return the time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class FakePod:
    """A pod: its API object, the process that stands for its container, and that one's log."""

    def __init__(self, api_object: dict[str, Any], folder: Path) -> None:
        self.api_object = api_object
        self.name: str = api_object["metadata"]["name"]
        self.container: dict[str, Any] = api_object["spec"]["containers"][0]
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        self.events = [("Accepted", f"the fake cluster took pod {self.name}")]
        """Reason and message of each."""
        self.process: subprocess.Popen[bytes] | None = None
        self.seconds = 0.0
        """Wall clock of its command."""
        self.set_status("Pending")

    def set_status(self, phase: str, state: dict[str, Any] | None = None, **more: Any) -> None:
        """Put phase and container state in one step, so that no reader sees one without the other."""
        status: dict[str, Any] = {"phase": phase, **more}
        if state is not None:
            fields = {"name": self.container["name"], "image": self.container["image"], "imageID": ""}
            status["containerStatuses"] = [{**fields, "state": state, "ready": "running" in state, "restartCount": 0}]
        self.api_object["status"] = status

    @property
    def words(self) -> list[str]:
        """The command line of its container."""
        words: list[str] = [*self.container["command"], *self.container.get("args", [])]
        return words

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the pod."""
        labels: dict[str, str] = self.api_object["metadata"].setdefault("labels", {})
        return labels

    @property
    def ended(self) -> bool:
        """Whether nothing more will be logged."""
        return str(self.api_object["status"]["phase"]) in ("Succeeded", "Failed")

    @property
    def waits(self) -> bool:
        """Whether its container has not been started."""
        return str(self.api_object["status"]["phase"]) == "Pending"

    def environment(self, secrets: Data, config_maps: Data) -> dict[str, str]:
        """Return what the container sees; its own variables stand above those from secrets, as in a cluster."""
        found = {"PATH": os.environ["PATH"]}
        for source in self.container.get("envFrom", ()):
            found |= secrets[source["secretRef"]["name"]]
        found |= {variable["name"]: variable["value"] for variable in self.container.get("env", ())}
        # A process has no mounts of its own: what points into a mounted config map is pointed to a folder of the test.
        for volume in self.api_object["spec"].get("volumes", ()):
            for mount in self.container.get("volumeMounts", ()) if "configMap" in volume else ():
                if mount["name"] == volume["name"]:
                    for name, text in config_maps[volume["configMap"]["name"]].items():
                        (self.folder / name).write_text(text, encoding="utf-8")
                    found = {name: value.replace(mount["mountPath"], str(self.folder)) for name, value in found.items()}
        return found

    def run(self, programs: Path, environment: dict[str, str], fate: Fate) -> None:
        """Run the container's command to its end; `programs` stands for the image's folder of programs."""
        program, *words = self.words
        began = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [programs / program, *words], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.set_status("Running", {"running": {"startedAt": now()}}, startTime=now())
        if fate:
            self.stop(signal.SIGTERM if fate in ("drained", "overdue") else signal.SIGKILL)
        code = self.process.wait()
        self.seconds = time.perf_counter() - began
        code = code if code >= 0 else 128 - code
        match fate:
            case "evicted":
                # The kubelet throws the containers' states away with the containers, or does not.
                self.set_status("Failed", reason="Evicted", message=LOW)
            case "evicted, states known":
                self.end(code, reason="Evicted", message=LOW)
            case "overdue":
                self.end(code, reason="DeadlineExceeded", message=TOO_LONG)
            case "drained":
                said = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
                self.end(code, conditions=[{"type": "DisruptionTarget", "status": "True", **said}])
            case _:
                self.end(code)

    def end(self, code: int, **more: Any) -> None:
        """Say how the container ended."""
        reason = {0: "Completed", 137: "OOMKilled"}.get(code, "Error")
        ended = {"exitCode": code, "reason": reason, "startedAt": now(), "finishedAt": now()}
        if code and self.container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            ended["message"] = self.log.read_text(errors="replace", encoding="utf-8")[-2048:]
        self.set_status("Failed" if code else "Succeeded", {"terminated": ended}, **more)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Signal the container's processes, if it has any."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)


class FakeCluster:
    """The API server on a free port of loopback, and its one node."""

    def __init__(self, folder: Path, programs: Path, secrets: Data, config_maps: Data) -> None:
        self.folder, self.programs, self.secrets, self.config_maps = folder, programs, secrets, config_maps
        self.fate: Fate = ""
        """What befalls the next pods."""
        self.refusal: tuple[int, str] | None = None
        """Status and message with which the API server refuses the next pods."""
        self.secret_events = False
        """Nobody may read the events of pods."""
        self.pods: dict[str, FakePod] = {}
        self.history: list[FakePod] = []
        """Every pod that ever was, in the order of creation."""
        self._nodes: list[threading.Thread] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"cluster": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator["FakeCluster"]:
        """Answer requests; in the end stop what still runs."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="fake-kubernetes")
        thread.start()
        try:
            yield self
        finally:
            for pod in self.history:
                pod.stop(signal.SIGKILL)
            self._server.shutdown()
            self._server.server_close()
            for one in (thread, *self._nodes):
                one.join(10)

    def kubeconfig(self) -> Path:
        """Return the path of a kubeconfig for this cluster."""
        path = self.folder / "kubeconfig.json"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "airflow", "user": {"token": "no-secret-of-anybody"}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "airflow"}}],
            "current-context": "fake",
        }
        path.write_text(json.dumps(config), encoding="utf-8")
        return path

    def create(self, api_object: dict[str, Any], namespace: str) -> FakePod:
        """Take a pod and hand it to the node."""
        api_object["metadata"] |= {"namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": now()}
        folder = self.folder / f"pod-{len(self.history)}"
        folder.mkdir()
        pod, fate = FakePod(api_object, folder), self.fate
        self.pods[pod.name] = pod
        self.history.append(pod)
        if fate == "no image":
            pod.set_status("Pending", {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}})
        elif fate in ("no node", "no such node"):
            said = {"reason": "Unschedulable", "message": NO_ROOM if fate == "no node" else TOO_MUCH}
            pod.set_status("Pending", conditions=[{"type": "PodScheduled", "status": "False", **said}])
        else:
            environment = pod.environment(self.secrets, self.config_maps)
            node = threading.Thread(target=pod.run, args=(self.programs, environment, fate), name=pod.name)
            node.start()
            self._nodes.append(node)
        if fate in ("vanishes", "preempted, gone"):
            node.join()
            del self.pods[pod.name]
        if fate == "preempted, gone":
            pod.events.append(("Preempted", "Preempted by pod 5d2f on node gpu-1"))
        return pod

    def delete(self, pod: FakePod) -> None:
        """Take a pod away and stop what it runs."""
        del self.pods[pod.name]
        pod.stop()


class _Handler(BaseHTTPRequestHandler):
    """The part of Kubernetes' REST interface that the pod operator and its trigger use.

    HTTP/1.0, the default of the standard library: a connection per request, and a stream ends when it is closed.
    """

    cluster: FakeCluster

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        match self._path():
            case ["pods"]:
                wanted = self._query("labelSelector")
                pods = [pod.api_object for pod in self.cluster.pods.values() if selected(pod.labels, wanted)]
                self._answer({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods})
            case ["pods", name] if name in self.cluster.pods:
                self._answer(self.cluster.pods[name].api_object)
            case ["pods", name, "log"] if name in self.cluster.pods and self.cluster.pods[name].waits:
                self._refuse(400, "BadRequest")
            case ["pods", name, "log"] if name in self.cluster.pods:
                self._stream(self._log(self.cluster.pods[name]))
            case ["events"] if self.cluster.secret_events:
                self._refuse(403, "Forbidden")
            case ["events"] if self._query("watch"):
                self._stream(self._watch())
            case ["events"]:
                self._answer({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": self._events()})
            case _:
                self._refuse(404, "NotFound")

    def do_POST(self) -> None:
        match self._path():
            case ["pods"] if self.cluster.refusal:
                self._body()
                self._refuse(self.cluster.refusal[0], "Refused", self.cluster.refusal[1])
            case ["pods"]:
                self._answer(self.cluster.create(self._body(), self.path.split("/")[4]).api_object, 201)
            case _:
                self._refuse(404, "NotFound")

    def do_PATCH(self) -> None:
        match self._path():
            case ["pods", name] if name in self.cluster.pods:
                pod = self.cluster.pods[name]
                pod.labels.update(self._body()["metadata"]["labels"])
                self._answer(pod.api_object)
            case _:
                self._refuse(404, "NotFound")

    def do_DELETE(self) -> None:
        match self._path():
            case ["pods", name] if name in self.cluster.pods:
                pod = self.cluster.pods[name]
                self.cluster.delete(pod)
                self._answer(pod.api_object)
            case _:
                self._refuse(404, "NotFound")

    def _path(self) -> list[str]:
        """Return what follows /api/v1/namespaces/<namespace>/."""
        return urlsplit(self.path).path.split("/")[5:]

    def _query(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def _answer(self, found: dict[str, Any], code: int = 200) -> None:
        data = json.dumps(found).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked has gone
            self.wfile.write(data)

    def _refuse(self, code: int, reason: str, message: str = "") -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
        status |= {"message": message} if message else {}
        self._answer(status, code)

    def _stream(self, chunks: Iterator[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
        except (BrokenPipeError, ConnectionResetError):
            return  # the reader has seen enough

    def _log(self, pod: FakePod) -> Iterator[bytes]:
        """Yield the lines of a pod's log; followed, until its end."""
        stamp = f"{datetime.now(UTC).isoformat().split('+')[0]}Z ".encode() if self._query("timestamps") else b""
        with pod.log.open("rb") as lines:
            while True:
                over = pod.ended or self._query("follow") != "True"
                yield from (stamp + line for line in lines)
                if over:
                    return
                time.sleep(0.05)

    def _events(self) -> list[dict[str, Any]]:
        """Return the events of the pod that is meant."""
        named = self._query("fieldSelector").removeprefix("involvedObject.name=")
        return [
            {
                "metadata": {"name": f"{pod.name}.{number}", "uid": f"{pod.name}.{number}", "resourceVersion": "1"},
                "involvedObject": {"kind": "Pod", "name": pod.name},
                "type": "Normal",
                "reason": reason,
                "message": message,
            }
            for pod in self.cluster.history
            if pod.name == named
            for number, (reason, message) in enumerate(pod.events)
        ]

    def _watch(self) -> Iterator[bytes]:
        for event in self._events():
            yield json.dumps({"type": "ADDED", "object": event}).encode() + b"\n"
        time.sleep(0.5)


def selected(labels: Mapping[str, str], selector: str) -> bool:
    """Return whether labels satisfy a selector made of `a=b`, `a!=b` and `!a`."""
    for term in filter(None, selector.split(",")):
        name, differs, value = term.partition("!=")
        if differs:
            if labels.get(name) == value:
                return False
        elif term.startswith("!"):
            if term[1:] in labels:
                return False
        elif labels.get(term.partition("=")[0]) != term.partition("=")[2]:
            return False
    return True
