"""What a category cost: people's hours, hours of a device, and both for each certified label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slac_tasks.progress import counted, span
from slac_tasks.reports.settings import Costs


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What went into one category."""

    category: str
    people_hours: float
    """Of all answers up to the newest labels that were certified; what a person left open for long counts as capped."""
    device_hours: float | None
    """To score its clips once with the committee of today, at the measured rate; None: no device has done this."""
    certified: int
    """Labels of any kind with a certificate."""

    def money(self, prices: Costs) -> float | None:
        """Return what it cost; None: no price is set, or something priced is unknown."""
        if not (prices.gpu_hour or prices.annotator_hour) or (prices.gpu_hour and self.device_hours is None):
            return None
        return self.people_hours * prices.annotator_hour + (self.device_hours or 0.0) * prices.gpu_hour

    def each(self, amount: float | None) -> float | None:
        """Return an amount for each certified label; None: there is none, or the amount is unknown."""
        return None if amount is None or not self.certified else amount / self.certified


def lines(costs: Sequence[Cost], prices: Costs) -> Iterator[str]:
    """Yield a line for each category."""
    for cost in costs:
        people = f"{cost.category}: {cost.people_hours:.2f} h of people"
        device = "no device was timed with its committee of today"
        if cost.device_hours is not None:
            device = f"{span(3600 * cost.device_hours)} of a device"
        said = [people, device, counted(cost.certified, "certified label")]
        if (seconds := cost.each(3600 * cost.people_hours)) is not None:
            said.append(f"{seconds:.1f} s of people each")
        if (money := cost.money(prices)) is not None:
            said.append(f"{money:.2f} {prices.currency}".rstrip())
            if (each := cost.each(money)) is not None:
                said.append(f"{each:.4f} {prices.currency}".rstrip() + " each")
        yield "; ".join(said)
