"""People answer in a real Label Studio, and `slac sync` collects what they answered: each answer once, none in silence.

    python -m venv /tmp/studio && /tmp/studio/bin/pip install label-studio==1.23.0
    python tests/by_hand/label_studio.py --label-studio /tmp/studio/bin/label-studio --postgres postgresql://me@host/postgres

By hand, since Label Studio takes minutes to install and to start. Its database needs a Postgres with the extensions
pg_trgm and btree_gin, which the wheel of `make demo` lacks, and the right to create databases; two are made there and
dropped at the end. The last lines are the figures.
"""

import argparse
import http.cookiejar
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from slac_tasks.model import clip_id
from slac_tasks.scratch import Scratch
from slac_tasks.verification import label_studio, label_studio_tasks

ROOT = Path(__file__).resolve().parents[2]
CLIPS = [clip_id(f"{index:016x}", 0.0) for index in range(20)]
PASSWORD = "pass-word-of-nobody"
LEAD, ANN, BOB = "lead@example.org", "ann@example.org", "bob@example.org"


class Person:
    """Somebody who is logged in."""

    def __init__(self, base: str, email: str, page: str) -> None:
        self.base, self.jar = base, http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        self.opener.open(base + page).read()
        form = {"csrfmiddlewaretoken": self.csrf, "email": email, "password": PASSWORD}
        data = urllib.parse.urlencode(form).encode()
        self.opener.open(urllib.request.Request(base + page, data, {"Referer": base + page})).read()
        self.number = self.ask("GET", "/api/current-user/whoami")["id"]

    @property
    def csrf(self) -> str:
        return next((cookie.value or "" for cookie in self.jar if cookie.name == "csrftoken"), "")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "X-CSRFToken": self.csrf, "Referer": self.base}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            text = self.opener.open(request).read()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error
        return json.loads(text) if text else None

    def annotate(self, task: int, choices: Any, **more: Any) -> int:
        result = [{"from_name": "answer", "to_name": "video", "type": "choices", "value": {"choices": choices}}]
        body = {"result": result, "lead_time": 2.5, **more}
        return int(self.ask("POST", f"/api/tasks/{task}/annotations/", body)["id"])


@contextmanager
def database(admin: str, name: str) -> Iterator[str]:
    """A new database, dropped at the end."""
    connection = psycopg2.connect(admin)
    connection.autocommit = True
    name = f"slac_by_hand_{name}_{uuid.uuid4().hex[:8]}"
    connection.cursor().execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(admin)._replace(path=f"/{name}").geturl()
    finally:
        connection.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.close()


@contextmanager
def studio(program: str, url: str, folder: Path) -> Iterator[str]:
    """A Label Studio of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    parts = urlsplit(url)
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "DJANGO_DB": "default", "POSTGRE_NAME": parts.path[1:],
        "POSTGRE_USER": parts.username or "", "POSTGRE_PASSWORD": parts.password or "",
        "POSTGRE_HOST": parts.hostname or "", "POSTGRE_PORT": str(parts.port or 5432),
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"), "LATEST_VERSION_CHECK": "false",
        "COLLECT_ANALYTICS": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "",
    }  # fmt: skip
    words = ["start", "--no-browser", "--port", str(port), "--username", LEAD, "--password", PASSWORD]
    with (folder / "studio.log").open("wb") as log:
        server = subprocess.Popen([program, *words], env=environ, cwd=folder, stdout=log, stderr=log)
    base, started = f"http://127.0.0.1:{port}", time.monotonic()
    try:
        while not answers(f"{base}/health"):
            if server.poll() is not None or time.monotonic() - started > 600:
                raise SystemExit(f"label-studio did not start: {(folder / 'studio.log').read_text()[-2000:]}")
            time.sleep(2)
        print(f"label-studio started in {time.monotonic() - started:.0f} s")
        yield base
    finally:
        server.terminate()
        server.wait(30)


def answers(url: str) -> bool:
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).status == 200
    except OSError:
        return False


def ask_people(ledger: str) -> None:
    """Put the clips into the review queue."""
    with psycopg2.connect(ledger) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES ('judo', 'Judo')")
        for clip in CLIPS:
            video = clip.partition(":")[0]
            cursor.execute(
                "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)"
                " VALUES (%s, %s, %s, 'training', '{}')",
                (video, video * 4, video),
            )
            cursor.execute(
                "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
                " votes_wanted) VALUES (%s, 'judo', %s, '2026-01-05.p0', 'random', 0, 2, 'training', 'x', 2)",
                (clip, video),
            )


def votes_of(ledger: str) -> list[tuple[Any, ...]]:
    with psycopg2.connect(ledger) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT annotator, clip_id, answer, supersedes FROM votes ORDER BY cast_at")
        return cursor.fetchall()


def set_aside(ledger: str) -> dict[str, str]:
    with psycopg2.connect(ledger) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT item, reason FROM rejected_votes")
        return dict(cursor.fetchall())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label-studio", required=True, help="the program label-studio")
    parser.add_argument("--postgres", required=True, help="address of a Postgres, with a user who may create databases")
    given = parser.parse_args()
    with (
        Scratch() as folder,
        database(given.postgres, "studio") as studio_url,
        database(given.postgres, "ledger") as ledger,
        studio(given.label_studio, studio_url, folder) as base,
    ):
        check(base, studio_url, ledger, folder)


def check(base: str, studio_url: str, ledger: str, folder: Path) -> None:
    """Answer as people do, collect twice after each step, and compare what was made with what arrived."""
    lead = Person(base, LEAD, "/user/login/")
    ann, bob = Person(base, ANN, "/user/signup/"), Person(base, BOB, "/user/signup/")
    about = {"title": "judo", "label_config": label_studio_tasks.LABEL_CONFIG}
    project = lead.ask("POST", "/api/projects/", about)["id"]
    clips = [
        {"clip_id": clip, "category": "judo", "name": "Judo", "guideline": "", "proxy_256": "p", "start_sec": 0.0,
         "end_sec": 2.0} for clip in CLIPS
    ]  # fmt: skip
    tasks = label_studio_tasks.tasks(clips, "https://media.example")
    lead.ask("POST", f"/api/projects/{project}/import", tasks)
    listed = lead.ask("GET", f"/api/tasks?project={project}&page_size=100&fields=all")["tasks"]
    task_of = {task["data"]["clip_id"]: task["id"] for task in listed}
    environ = os.environ | {
        "SLAC_STORE": str(folder / "store"), "SLAC_CONFIG": str(folder / "slac.toml"), "SLAC_DATABASE_URL": ledger,
        label_studio.URL: studio_url, label_studio.PROJECT: str(project), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    (folder / "slac.toml").write_text('[elsewhere]\ndeleted = "withdrawn"\n')

    def slac(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "slac_tasks.cli", *words], env=environ, cwd=folder, check=True)

    slac("migrate")
    ask_people(ledger)

    made = {}
    for index, clip in enumerate(CLIPS):
        for person in (ann, bob):
            skips = person is bob and index == 0
            answer = ["yes", "no", "unsure", "broken"][index % 4]
            made[person, clip] = person.annotate(task_of[clip], [answer], was_cancelled=skips)
    sent = lead.annotate(task_of[CLIPS[1]], ["no"], completed_by=bob.number)
    strange = {
        "no lead_time": ann.annotate(task_of[CLIPS[0]], ["yes"], lead_time=None),
        "nested": ann.annotate(task_of[CLIPS[0]], [["yes", "sure"]]),
        "object": ann.annotate(task_of[CLIPS[0]], [{"a": 1}]),
        "two": ann.annotate(task_of[CLIPS[0]], ["yes", "no"]),
        "other label": ann.annotate(task_of[CLIPS[0]], ["perhaps"]),
        "huge": ann.annotate(task_of[CLIPS[0]], ["yes"], lead_time=1.7e308),
        "empty": int(
            ann.ask("POST", f"/api/tasks/{task_of[CLIPS[0]]}/annotations/", {"result": [], "lead_time": 1})["id"]
        ),
    }
    slac("sync")
    slac("sync")
    first = votes_of(ledger)
    # The one that the lead sent in for bob supersedes bob's own.
    assert len(first) == len(made) + 1, len(first)
    assert {row[0] for row in first} == {f"label-studio:{email}" for email in (ANN, BOB)}
    assert [row[2] for row in first if row[0].endswith(BOB) and row[1] == CLIPS[0]] == ["unsure"]
    assert set(set_aside(ledger)) == {f"annotation {number}" for number in strange.values()}, set_aside(ledger)

    time.sleep(1.5)  # an edit is known by its time
    change = {"result": [{"from_name": "answer", "to_name": "video", "type": "choices", "value": {"choices": ["no"]}}]}
    ann.ask("PATCH", f"/api/annotations/{made[ann, CLIPS[4]]}/", change)
    lead.ask("PATCH", f"/api/annotations/{made[ann, CLIPS[8]]}/", change)
    ann.ask("DELETE", f"/api/annotations/{made[ann, CLIPS[12]]}/")
    lead.ask("PATCH", f"/api/annotations/{strange['no lead_time']}/", {"lead_time": 2.0})
    slac("sync")
    slac("sync")
    later = votes_of(ledger)[len(first) :]
    found = sorted((row[0].removeprefix("label-studio:"), row[1], row[2], row[3] is not None) for row in later)
    wanted = sorted(
        [(ANN, CLIPS[4], "no", True), (LEAD, CLIPS[8], "no", False), (ANN, CLIPS[12], "unsure", True),
         (LEAD, CLIPS[0], "yes", False)]
    )  # fmt: skip
    assert found == wanted, found
    slac("votes", "rejected")
    annotations = len(made) + 1 + len(strange)
    print(f"annotations made {annotations} (one sent in by the lead: {sent}), edited or deleted later 4")
    print(
        f"arrived {len(first)}, then {len(later)} for the 4 changes; set aside {len(strange)}, then {len(strange) - 1}"
    )
    print(f"once: {len(first) + len(later)} votes after 4 runs of sync, each of which was repeated")


if __name__ == "__main__":
    main()
