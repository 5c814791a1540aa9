"""Operations of what wears by switching or stopping: contactors, relays, brakes (ISO 13849-1, annex C)."""

from typing import ClassVar, Self

from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear.counted import CountedModel
from forecasting.wear.model import WearModel

WARN_AT = 0.8
"""Part of B10d at which the counter warns; engineering default."""


class Operations(CountedModel):
    """Operations at rated severity so far; the limit is B10d.

    After B10d operations one device in ten has failed dangerously and is to be replaced: T10d = B10d / nop
    (ISO 13849-1:2015, C.4.2). Duty: the device's counter and, if `severity` is given, how hard it worked: one
    operation counts (severity/rated)^exponent. For a contactor that is the current it breaks, with an
    exponent of about 2 (maker's curve; from memory, not verified), for a brake the energy of a stop, with 1
    (Archard 1953: wear goes with the work of friction). What switches nothing then wears nothing: without a
    severity each operation counts as one.
    """

    NAME: ClassVar[str] = "operations"
    VERSION: ClassVar[int] = 1

    def __init__(
        self, b10d: float, severity: Quantity | None = None, rated: float = 1.0, exponent: float = 1.0
    ) -> None:
        if min(b10d, rated, exponent) <= 0:
            raise ValueError("B10d, the rated severity and its exponent must be above 0")
        matters = () if severity is None else ((severity, exponent),)
        super().__init__(
            Lifetime("1", warning=WARN_AT * b10d, limit=b10d),
            "operations",
            [quantity for quantity, _ in matters],
            [power for _, power in matters],
            rated**exponent,
        )

    @classmethod
    def example(cls) -> Self:
        """A 20 A contactor, B10d 1.3 million at rated load (ISO 13849-1, table C.1; from memory)."""
        return cls(1.3e6, Quantity("current", "A", 400.0, load=True), rated=20.0, exponent=2.0)


WEAR_MODEL: type[WearModel] = Operations
