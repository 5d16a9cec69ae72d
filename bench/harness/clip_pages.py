"""The page of clips of a large category, as a lead's browser asks for it."""

import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice

import psycopg2

from bench.harness import Figures
from bench.harness.service import PASSWORD, Service, percentile
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web.passwords import seal

LEAD = "lin"
CATEGORY = "large"
ROUNDS, PEOPLE, ANSWERED = 100, 50, 10
"""Rounds of the category, people who answered, and of how many clips one has an answer with a name."""
_VIDEO_CLIPS = 100

# One statement for each table, without the checks of single rows: they are made so that all of them hold.
_FILL = """
SET session_replication_role = replica;
INSERT INTO categories (category, name) VALUES (%(category)s::text, 'A large one');
INSERT INTO annotators (annotator) SELECT 'person ' || n FROM generate_series(1, %(people)s) AS n;
CREATE TEMPORARY TABLE made AS
SELECT
    'f' || lpad(to_hex(n / %(video)s), 15, '0') AS video_id, n %% %(video)s AS place, n,
    (ARRAY['disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage', 'lot', 'contradiction',
        'companion'])[1 + floor(9 * random())] AS strategy,
    (ARRAY['training', 'validation', 'testing'])[1 + floor(3 * random())] AS split,
    (ARRAY['unanswered', 'open', 'yes', 'no', 'unsettled', 'broken'])[1 + floor(6 * random())] AS verdict,
    random() AS score, random() AS dispute, random() < 0.5 AS in_set
FROM generate_series(0, %(clips)s - 1) AS n;
INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)
SELECT DISTINCT video_id, video_id, video_id, 'training', '{}'::bigint[] FROM made;
INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256, votes_wanted)
SELECT
    video_id || ':' || 500 * place, %(category)s::text, video_id, 'round ' || lpad((n %% %(rounds)s)::text, 4, '0'),
    strategy, 0.5 * place, 0.5 * place + 2, split, 'media/' || video_id || '/256.mp4', 2
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
INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version)
SELECT
    gen_random_uuid(), video_id || ':' || 500 * place, %(category)s::text,
    'person ' || 1 + n / %(answered)s %% %(people)s, 'yes', 2, 1
FROM made
WHERE n %% %(answered)s = 0;
DROP TABLE made;
"""

FILTERS: Sequence[Mapping[str, str]] = (
    {"strategy": "coverage"},
    {"verdict": "unsettled", "split": "testing"},
    {"score": "4", "verdict": "yes"},
    {"kind": "sets", "strategy": "lot", "split": "validation", "verdict": "no", "score": "9"},
    {"round": "round 0042"},
    {"round": "round 0007", "verdict": "yes"},
    {"person": "person 7"},
    {"person": "person 21", "score": "0"},
)
"""What a lead asks for, one after the other."""


def fill(url: str, clips: int) -> None:
    """Put a category with so many clips of the queue into a ledger, and a lead."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        of = {"category": CATEGORY, "rounds": ROUNDS, "people": PEOPLE, "answered": ANSWERED, "video": _VIDEO_CLIPS}
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

    def took(queries: Iterator[Mapping[str, str]]) -> list[float]:
        found = []
        for query in islice(queries, pages):
            asked = urllib.parse.urlencode({"category": CATEGORY, **query})
            began = time.perf_counter()
            page = browser.open(f"{service.url}/clips?{asked}", timeout=60).read()
            found.append(1000 * (time.perf_counter() - began))
            if b"data-media=" not in page:
                raise RuntimeError(f"the page of {asked} shows no clip")
        return found

    orders = [{"order": order} for order in ("disputed", "unsure", "newest")]
    following = [{"order": "disputed", "rank": "0.25", "after": "0"}, {"order": "unsure", "rank": "0.5", "after": "0"}]
    took(iter([*orders, *FILTERS]))  # the service and the cache are warm
    return {
        "clips_page_ms": percentile(took(cycle(orders)), 0.95),
        "clips_next_page_ms": percentile(took(cycle(following)), 0.95),
        "clips_filter_ms": percentile(took(cycle(FILTERS)), 0.95),
    }
