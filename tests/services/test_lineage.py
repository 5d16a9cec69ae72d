"""A round can be followed: from a release's network over its scores, hard clips and votes to the next release."""

from platform_records import add_release
from review_work import ROUND, TWICE, WINDOW, cast, lease, prepare

from slac_tasks.commands.show import lineage_lines
from slac_tasks.stages import publish, sync
from slac_tasks.storage.datasets import HARD_CLIPS, SCORES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record


def test_a_round_is_followed_from_the_scores_of_a_network_to_the_releases_that_hold_its_votes(
    ledger: Ledger, make_job
) -> None:
    datasets = make_job("publish").datasets
    prepare(ledger, datasets, clips=6)
    made = {"stage": "test", "settings": {}}
    scores = {
        weights: datasets.write(
            SCORES, [SCORES.table([])], keys={"category": "high_jump", "window": WINDOW, "weights": weights},
            made_from={}, **made,
        )
        for weights in ("new", "other")
    }  # fmt: skip
    rows = datasets.read(HARD_CLIPS, category="high_jump", round=ROUND)
    hard = datasets.write(
        HARD_CLIPS, [rows], keys={"category": "high_jump", "round": ROUND},
        made_from={scores["new"].address: scores["new"].mark}, **made,
    )  # fmt: skip
    record(ledger, [Record.of(one) for one in (*scores.values(), hard)])
    assert [row["votes"] for row in ledger.rows("lineage", weights=["new"])] == [0]

    publish.run(make_job("publish", categories=("high_jump",), round=ROUND, settings={"review": TWICE}))
    for clip in lease(ledger, "ann"):
        cast(ledger, "ann", clip["clip_id"], "yes")
    sync.run(make_job("sync"))
    add_release(ledger, "high_jump")

    (found,) = ledger.rows("lineage", weights=["new"])
    assert (found["round"], found["chosen"], found["asked"], found["votes"]) == (ROUND, 6, 6, 6)
    assert (found["first_batch"], found["last_batch"], found["releases"]) == (1, 1, ["r0001"])
    assert lineage_lines([found]) == [
        f"{ROUND} high_jump: 0 clips scored, 6 chosen, 6 asked, 6 votes, batches 1 to 1 -> r0001"
    ]
    assert ledger.rows("lineage", weights=["other"]) == []
    assert lineage_lines([]) == ["no round was mined from its scores yet"]
