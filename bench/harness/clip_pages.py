"""The page of clips of a large category, as a lead's browser asks for it."""

import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import median

import psycopg2

from bench.harness import Figures
from bench.harness.service import PASSWORD, Service, percentile
from bench.harness.tables import table
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web.passwords import seal

LEAD = "lin"
CATEGORY = "large"
ROUNDS, PEOPLE, ANSWERED = 100, 50, 10
"""Rounds of the category, people who answered, and of how many clips one has an answer with a name.

One round holds a tenth of all clips more, and one person gave half of all answers.
"""
RARE = 3
"""Clips that a rare strategy chose: the oldest ones."""
_VIDEO_CLIPS = 100
_WITHDRAWN = 20
"""Of so many videos one is withdrawn: those with the newest clips."""
_OTHERS = 2_000
"""For so many clips there is one category more on the platform."""

# One statement for each table, without the checks of single rows: they are made so that all of them hold.
_FILL = """
SELECT setseed(0);
SET session_replication_role = replica;
INSERT INTO categories (category, name) VALUES (%(category)s::text, 'A large one');
INSERT INTO annotators (annotator) SELECT 'person ' || n FROM generate_series(1, %(people)s) AS n;
CREATE TEMPORARY TABLE made AS
SELECT
    'f' || lpad(to_hex(n / %(video)s), 15, '0') AS video_id, n %% %(video)s AS place, n,
    CASE
        WHEN n %% %(video)s = 0 AND n >= %(clips)s - %(rare)s * %(video)s THEN 'companion'
        ELSE (ARRAY['disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage', 'lot',
            'contradiction'])[1 + floor(8 * random())]
    END AS strategy,
    'round ' || lpad((CASE WHEN n %% 10 = 1 THEN 0 ELSE n %% %(rounds)s END)::text, 4, '0') AS round,
    (ARRAY['training', 'validation', 'testing'])[1 + floor(3 * random())] AS split,
    (ARRAY['unanswered', 'open', 'yes', 'no', 'unsettled', 'broken'])[1 + floor(6 * random())] AS verdict,
    random() AS score, random() AS dispute, random() < 0.5 AS in_set
FROM generate_series(0, %(clips)s - 1) AS n;
INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)
SELECT DISTINCT video_id, video_id, video_id, 'training', '{}'::bigint[] FROM made;
INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256, votes_wanted)
SELECT
    video_id || ':' || 500 * place, %(category)s::text, video_id, round, strategy, 0.5 * place, 0.5 * place + 2, split,
    'media/' || video_id || '/256.mp4', 2
FROM made;
INSERT INTO clip_facets (category, strategy, split, verdict, kind, tenth, clips)
SELECT
    %(category)s::text, strategy, split, verdict,
    CASE WHEN verdict = 'unanswered' THEN 'none' WHEN in_set THEN 'sets' ELSE 'people' END, floor(10 * score), count(*)
FROM made
GROUP BY 2, 3, 4, 5, 6;
INSERT INTO listed_clips (clip_id, category, facet, score, dispute, doubt, queued_at)
SELECT
    m.video_id || ':' || 500 * m.place, %(category)s::text, f.facet, m.score, m.dispute / 2, 1 - abs(2 * m.score - 1),
    now() - make_interval(secs => m.n)
FROM made AS m
JOIN clip_facets AS f
    ON
        (f.category, f.strategy, f.split, f.verdict, f.tenth)
        = (%(category)s::text, m.strategy, m.split, m.verdict, floor(10 * m.score))
        AND f.kind = CASE WHEN m.verdict = 'unanswered' THEN 'none' WHEN m.in_set THEN 'sets' ELSE 'people' END;
INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version, cast_at)
SELECT
    gen_random_uuid(), video_id || ':' || 500 * place, %(category)s::text,
    'person ' || CASE WHEN n %% (2 * %(answered)s) = 0 THEN 1 ELSE 1 + n / (2 * %(answered)s) %% %(people)s END,
    'yes', 2, 1, now() - make_interval(secs => n)
FROM made
WHERE n %% %(answered)s = 0;
INSERT INTO categories (category, name)
SELECT 'other_' || n, 'Another ' || n FROM generate_series(1, %(clips)s / %(others)s) AS n;
INSERT INTO clip_facets (category, strategy, split, verdict, kind, tenth, clips)
SELECT 'other_' || n, f.strategy, f.split, f.verdict, f.kind, f.tenth, f.clips
FROM clip_facets AS f, generate_series(1, %(clips)s / %(others)s) AS n
WHERE f.facet %% 10 = 0;
DROP TABLE made;
SET session_replication_role = origin;
INSERT INTO tombstones (video_id, reason)
SELECT video_id, 'takedown' FROM videos
WHERE video_id < 'f' || lpad(to_hex(%(clips)s / %(video)s / %(withdrawn)s), 15, '0') AND video_id LIKE 'f%%';
"""

ORDERS: Sequence[Mapping[str, str]] = [{"order": order} for order in ("disputed", "unsure", "newest")]
FOLLOWING: Sequence[Mapping[str, str]] = (
    {"order": "disputed", "rank": "0.25", "after": "0"}, {"order": "unsure", "rank": "0.5", "after": "0"},
)  # fmt: skip
"""Pages in the middle of the category."""
FILTERS: Sequence[Mapping[str, str]] = (
    {"strategy": "coverage"},
    {"verdict": "unsettled", "split": "testing"},
    {"score": "4", "verdict": "yes"},
    {"kind": "sets", "strategy": "lot", "split": "validation", "verdict": "no", "score": "9"},
    {"round": "round 0042"},
    {"round": "round 0007", "verdict": "yes"},
    {"person": "person 7"},
    {"person": "person 21", "score": "0"},
    # Those that would cost most: what is rare, and whose clips are many.
    {"strategy": "companion"},
    {"round": "round 0000", "order": "newest"},
    {"round": "round 0000", "strategy": "companion"},
    {"person": "person 1", "order": "unsure"},
    {"person": "person 1", "strategy": "companion"},
    {"person": "person 1", "round": "round 0000"},
)
"""What a lead asks for, one after the other."""


def fill(url: str, clips: int) -> None:
    """Put a category with so many clips of the queue into a ledger, and a lead."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        of = {
            "category": CATEGORY, "rounds": ROUNDS, "people": PEOPLE, "answered": ANSWERED, "rare": RARE,
            "video": _VIDEO_CLIPS, "withdrawn": _WITHDRAWN, "others": _OTHERS,
        }  # fmt: skip
        cursor.execute(_FILL, {"clips": clips, **of})
    connection.close()
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    ledger = Ledger(url)
    ledger.run("add_account", annotator=LEAD, password=seal(PASSWORD), groups=[], role="lead")
    ledger.close()


def measure(service: Service, pages: int) -> Figures:
    """Ask for first pages in every order, for following pages, and for filters; each as often as said.

    Returns: milliseconds until all of a page is here, at the 95th percentile; the tiles follow by themselves.

    """
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    form = urllib.parse.urlencode({"name": LEAD, "password": PASSWORD, "next": "clips"}).encode()
    browser.open(f"{service.url}/login", form, timeout=60).read()

    def took(query: Mapping[str, str]) -> float:
        asked = urllib.parse.urlencode({"category": CATEGORY, **query})
        began = time.perf_counter()
        page = browser.open(f"{service.url}/clips?{asked}", timeout=60).read()
        ended = time.perf_counter()
        if b"data-media=" not in page and b"begin=" not in page:
            raise RuntimeError(f"the page of {asked} shows no clip, and no way to others")
        return 1000 * (ended - began)

    for query in (*ORDERS, *FILTERS):
        took(query)  # the service and the cache are warm
    found = {
        name: [[took(query) for query in asked] for _ in range(-(-pages // len(asked)))]
        for name, asked in {"page": ORDERS, "next_page": FOLLOWING, "filter": FILTERS}.items()
    }
    of_each = zip(FILTERS, zip(*found["filter"], strict=True), strict=True)
    print(table({"filter": "", "median ms": ".0f"}, [[urllib.parse.urlencode(one), median(ms)] for one, ms in of_each]))
    return {f"clips_{name}_ms": percentile([*chain(*ms)], 0.95) for name, ms in found.items()}
