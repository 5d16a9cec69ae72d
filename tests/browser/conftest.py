"""A review service with clips in it, and a real browser in front of it."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import psycopg2
import pytest
import uvicorn
from playwright.sync_api import Browser
from visiting import opened_browser

from slac_tasks.config import Config
from slac_tasks.model import clip_id
from slac_tasks.storage.datasets import MAP
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review
from slac_tasks.web.accounts import Account, Accounts
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.passwords import seal

SECRET = "0123456789abcdef" * 4
PASSWORD = "correct horse"


@dataclass(frozen=True, kw_only=True)
class Service:
    url: str
    password: str
    ledger_url: str
    media: Media

    def rows(self, statement: str) -> list[tuple]:
        with closing(psycopg2.connect(self.ledger_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def run(self, statement: str) -> None:
        with closing(psycopg2.connect(self.ledger_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)


def movie(path: Path, seed: int, seconds: int = 12, fps: int = 25) -> bytes:
    """Draw a ball that swings over a plain ground: small, H.264, one keyframe a second, as proxies are."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": str(fps), "preset": "ultrafast", "crf": "30"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        y, x = np.mgrid[0:180, 0:320]
        for index in range(seconds * fps):
            at = 160 + 110 * np.sin(index / fps * 3 + seed)
            image = np.empty((180, 320, 3), np.uint8)
            image[:] = (70 + 20 * (seed % 3), 84, 96)
            image[130:] = (58, 66, 60)
            image[(x - at) ** 2 + (y - 105) ** 2 < 26**2] = (236, 170 + 10 * (seed % 4), 60)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


def seed(ledger_url: str, store: FolderStore, films: Sequence[bytes]) -> None:
    """Fill a ledger: one category with clips to review, one that is judged and released, one refused."""
    connection = psycopg2.connect(ledger_url)
    with connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO categories (category, name, guideline) VALUES (%s, %s, %s)",
            [
                ("ball_swing", "Ball swing", "Yes when the ball is seen to swing from one side to the other.\n\n"
                 "A ball that lies still, or is only carried, is a no."),
                ("clean_and_jerk", "Clean and jerk", ""),
                ("tai_chi", "Tai chi", ""),
            ],
        )  # fmt: skip
        cursor.execute("INSERT INTO annotators (annotator, introduced_at) VALUES ('ada', now()), ('grace', now())")
        for number, data in enumerate(films):
            video = f"{number:016x}"
            name = f"media/{video}/{number:016x}-256.mp4"
            store.put(name, data)
            cursor.execute("INSERT INTO videos VALUES (%s, %s, %s, 'training', '{}')", (video, f"{number:064x}", video))
            cursor.execute(
                "INSERT INTO admissions VALUES (%s, 'ball_swing', '2026-01-05', %s, 'folder', %s)",
                (video, video, video),
            )
            for half in range(0, 20, 2):
                start = half / 2
                # Two clusters of twelve; the last clips of each video are the control, which is asked alone.
                place = 8 * number + half // 2
                alike = None if half >= 16 else f"cluster {place // 12}"
                strategy = "coverage" if alike else "random"
                cursor.execute(
                    "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split,"
                    " proxy_256, votes_wanted, alike) VALUES (%s, 'ball_swing', %s, '2026-01-05.c1234abcd', %s, %s, %s,"
                    " 'training', %s, 2, %s)",
                    (clip_id(video, start), video, strategy, start, start + 2, name, alike),
                )
        cursor.executemany(
            "INSERT INTO verdicts (labels, category, verdict, reasons, failed, shortfalls)"
            " VALUES ('000003', %s, %s, %s, %s, %s::double precision[])",
            [
                ("clean_and_jerk", "accepted", [], [], []),
                ("tai_chi", "refused", ["agreement is 0.610, want 0.75 to 1"], ["agreement"], [0.14]),
            ],
        )
        cursor.execute(
            "INSERT INTO decisions (category, labels, decision, reason, person, covers, shortfalls) VALUES"
            " ('tai_chi', '000003', 'reject', 'guideline is being rewritten', 'mara', '{agreement}', '{0.14}')"
        )
        cursor.executemany(
            "INSERT INTO measures (labels, category, place, measure, kind, value, low, high, clip_count, least, most,"
            " state, needed) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                ("000002", "tai_chi", 1, "agreement", None, 0.71, 0.61, 0.79, 210, 0.75, 1.0, "outside", None),
                ("000003", "tai_chi", 0, "settled", None, 400, None, None, 400, 10, None, "met", None),
                ("000003", "tai_chi", 1, "agreement", None, 0.61, 0.53, 0.68, 400, 0.75, 1.0, "outside", None),
                ("000003", "tai_chi", 2, "precision", "people", 0.96, 0.71, 1.0, 31, 0.8, None, "unclear", 120),
            ],
        )
        cursor.executemany(
            "INSERT INTO label_kinds (category, kind, labels, label_count, certified, threshold, bound, wanted, level,"
            " answers_needed, gold_needed) VALUES (%s, %s, '000003', %s, %s, %s, %s, 0.05, 0.95, %s, %s)",
            [
                (None, "people", 1640, 1234, 0.9, 0.041, None, None),
                (None, "carried", 3210, 0, None, 0.118, 1737, 609),
                (None, "model", 25400, 21900, 0.97, 0.049, None, None),
                ("clean_and_jerk", "people", 1240, 1234, 0.0, 0.041, None, None),
                ("clean_and_jerk", "carried", 3210, 0, None, None, None, None),
                ("tai_chi", "people", 400, 0, None, 0.212, 2310, 609),
            ],
        )
        cursor.executemany(
            "INSERT INTO label_costs VALUES (%s, '000003', %s, %s, %s, %s)",
            [("clean_and_jerk", 2610, 8640.0, 210, 31), ("tai_chi", 930, 3570.0, 0, 0)],
        )
        cursor.execute(
            "INSERT INTO releases (release, labels, label_count, categories) VALUES ('r0001', '000003', 1240, %s)",
            (["clean_and_jerk"],),
        )
        cursor.execute(
            "INSERT INTO promotions (release, reason, rescore)"
            " VALUES ('r0001', 'testing accuracy 0.71, best guess 0.74', '{}')"
        )
    connection.close()


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Three videos as `movie` draws them."""
    folder = tmp_path_factory.mktemp("films")
    return [movie(folder / f"{seed}.mp4", seed) for seed in range(3)]


@pytest.fixture
def review() -> Review:
    """How people are asked; a module that wants it otherwise has a fixture of this name."""
    return Review()


@contextmanager
def serving(ledger_url: str, store: FolderStore, review: Review) -> Iterator[Service]:
    """Serve the pages in front of a ledger and a store; ada and grace are leads, edith is a reviewer."""
    sealed = seal(PASSWORD)
    people = {name: Account(name=name, password=sealed, role="lead") for name in ("ada", "grace")}
    people["edith"] = Account(name="edith", password=sealed, role="reviewer")
    ledgers = Ledgers(lambda: open_ledger({"SLAC_DATABASE_URL": ledger_url}))

    def find(name: str) -> Account | None:
        """Look up an account, whose person the ledger knows."""
        if name in people:
            with ledgers.borrow() as ledger:
                ledger.run("ensure_annotator", annotator=name)
        return people.get(name)

    accounts = Accounts(find=find, secret=SECRET.encode())
    media = Media(store=store, secret=SECRET.encode())
    config = Config(store_url=store.url, review=review)
    app = make_app(
        config, ledgers, media, authenticate=accounts.authenticate, oversee=accounts.oversee, accounts=accounts
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Service(url=f"http://127.0.0.1:{port}", password=PASSWORD, ledger_url=ledger_url, media=media)
        server.should_exit = True
        thread.join(10)
    ledgers.close()


@pytest.fixture
def service(ledger_url: str, store: FolderStore, films: list[bytes], review: Review) -> Iterator[Service]:
    """The pages in front of three categories: one to review, one judged and released, one refused."""
    seed(ledger_url, store, films)
    with serving(ledger_url, store, review) as running:
        yield running


@pytest.fixture
def answered(service: Service) -> Service:
    """A service whose clips are listed and on a map; two people answered three clips of one video, and disagree on one.

    On the map each video's clips are a circle around a middle of their own.
    """
    video = f"{0:016x}"
    service.run("INSERT INTO annotators (annotator) VALUES ('ann'), ('bob') ON CONFLICT DO NOTHING")
    for number, (start, ann, bob) in enumerate([(0.0, "yes", "no"), (1.0, "yes", "yes"), (2.0, "no", "no")]):
        for person, answer in (("ann", ann), ("bob", bob)):
            service.run(
                "INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version, cast_at)"
                f" VALUES (gen_random_uuid(), '{clip_id(video, start)}', 'ball_swing', '{person}', '{answer}',"
                f" 2.{number}, 1, '2026-01-07T10:0{number}:00Z')"
            )
    rows = service.rows("SELECT clip_id FROM queue WHERE category = 'ball_swing' ORDER BY clip_id")
    ids = [row[0] for row in rows]
    verdicts: dict[str, str] = dict(
        zip([clip_id(video, start) for start in (0.0, 1.0, 2.0)], ["unsettled", "yes", "no"], strict=True)
    )
    ledger = Ledger(service.ledger_url)
    ledger.run(
        "list_clips", clip_ids=ids, categories=["ball_swing"] * len(ids),
        verdicts=[verdicts.get(one, "unanswered") for one in ids],
        kinds=["people" if one in verdicts else "none" for one in ids],
        disputes=[0.5 if verdicts.get(one) == "unsettled" else 0.0 for one in ids],
        scores=[place / len(ids) for place in range(len(ids))],
    )  # fmt: skip
    ledger.close()
    places = []
    for place, one in enumerate(ids):
        x, y = ((0.125, 0.125), (0.875, 0.375), (0.375, 0.875))[place // 10]
        turn = 2 * np.pi * place / 10
        places.append({"clip_id": one, "x": x + 0.06 * np.cos(turn), "y": y + 0.06 * np.sin(turn)})
    Datasets(service.media.store).write(
        MAP, [MAP.from_records(places)], keys={"category": "ball_swing"}, stage="map", settings={}, made_from={}
    )
    return service


@pytest.fixture
def empty_service(ledger_url: str, store: FolderStore, review: Review) -> Iterator[Service]:
    """The pages in front of nothing: a test fills ledger and store with the stages themselves."""
    with serving(ledger_url, store, review) as running:
        yield running


# Playwright keeps an event loop in this thread while it is open; other modules have loops of their own to run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as chromium:
        yield chromium
