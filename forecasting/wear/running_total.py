"""What a machine counts itself: trips, hours, kilometres."""

from dataclasses import replace
from typing import ClassVar, Self

from forecasting.wear.contract import Lifetime
from forecasting.wear.counted import CountedModel
from forecasting.wear.model import WearModel


class RunningTotal(CountedModel):
    """Goes on as the machine's own counter does. How that follows the load is not known."""

    NAME: ClassVar[str] = "running_total"
    VERSION: ClassVar[int] = 1

    def __init__(self, lifetime: Lifetime) -> None:
        super().__init__(lifetime, "total", (), (), 1.0)
        self.duty = (replace(self.duty[0], unit=lifetime.unit, load=False),)

    @classmethod
    def example(cls) -> Self:
        """The travel of a ball guide: 50 km (C/P)³ with C/P = 5 (ISO 14728-1)."""
        return cls(Lifetime("km", 5_000.0, 6_250.0))


WEAR_MODEL: type[WearModel] = RunningTotal
