"""Settings of what the reports say."""

from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Costs(Section):
    """What people and machines cost. Without a price, hours are said."""

    gpu_hour: float = setting(0.0, "Money for an hour of the device that scores. 0: no price.", least=0)
    annotator_hour: float = setting(0.0, "Money for an hour of an annotator. 0: no price.", least=0)
    currency: str = setting("", "What stands behind an amount of money, such as `EUR`.")
