"""What the decision desk shows: what waits for a lead, with its clips, and what leads ruled."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from slac_tasks.verification.nobody import waiting
from slac_tasks.web.clip_list import disputed, people

if TYPE_CHECKING:
    from slac_tasks.storage.ledger import Ledger

_DISPUTED_MOST = 12
"""Clips of one category on the desk; the page of clips has the others."""
_RULINGS_MOST = 40
_NOBODY_MOST = 5
"""Categories that wait for a person who is not there; `slac annotator list` names all of them."""


def desk_values(ledger: "Ledger", asked: Mapping[str, str]) -> Mapping[str, object]:
    """Return what the template of the desk shows.

    Args:
        ledger: of the platform.
        asked: `of`: the category that is open; without it the first that waits for a decision, or any.

    """
    standings = ledger.rows("web_quality")
    names_of_people, is_cut = people(ledger)
    # The categories that wait for a decision come first.
    names = {row["category"]: row for row in standings}
    open_one = names.get(asked.get("of", "")) or next(iter(standings), None)
    nobody = [row for row in ledger.rows("waiting_for_nobody") if row["category"] in names]
    return {
        "nobody": [(names[row["category"]], *waiting(row)) for row in nobody[:_NOBODY_MOST]],
        "nobody_more": len(nobody[_NOBODY_MOST:]),
        "standings": standings,
        "waiting": [row for row in standings if row["standing"] == "undecided"],
        "one": open_one,
        "tiles": disputed(ledger, open_one["category"], _DISPUTED_MOST) if open_one else [],
        "people": names_of_people,
        "typed": is_cut,
        "retired": [row for row in ledger.rows("categories") if row["retired_at"] is not None],
        "rulings": ledger.rows("web_rulings", category=None, clip_id=None, most=_RULINGS_MOST),
    }
