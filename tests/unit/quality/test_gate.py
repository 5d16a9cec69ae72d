"""The gate says yes, no and not yet, with the value found and the value wanted."""

import pandas as pd
from judged_labels import labels

from slac_tasks.quality.gate import judge
from slac_tasks.quality.settings import Quality

KNOBS = Quality(min_labels=4)


def test_sound_labels_are_accepted() -> None:
    (verdict,) = judge(labels(), KNOBS)
    assert (verdict.verdict, verdict.reasons, verdict.settled, verdict.positive) == ("accepted", (), 4, 2)
    assert verdict.agreement == 1.0


def test_one_bad_category_is_refused_with_reasons_and_holds_up_no_other() -> None:
    bad = labels("bad", first_two_agree=[False, False, True, None], label=[1, 1, 1, 1])
    few = labels("few", status=["open"] * 4, label=[None] * 4, first_two_agree=[None] * 4)
    found = {verdict.category: verdict for verdict in judge(pd.concat([labels(), bad, few]), KNOBS)}
    assert {category: verdict.verdict for category, verdict in found.items()} == {
        "bad": "refused", "few": "pending", "judo": "accepted",
    }  # fmt: skip
    assert found["bad"].reasons == ("agreement is 0.333, want 0.75 to 1", "positive_share is 1.000, want 0.05 to 0.98")
    assert found["few"].reasons == ("settled is 0, want at least 4",)
    assert found["few"].agreement is None
