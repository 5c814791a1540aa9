"""The words in which a wear model says what it counts and what it wants to know of the machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Where a counter starts, warns and ends (OPC 10000-100, LifetimeVariableType), in `unit`.

    Counts up from `start`; raises `ValueError` unless start < warning <= limit.
    """

    unit: str
    warning: float
    limit: float
    start: float = 0.0

    def __post_init__(self) -> None:
        if not self.start < self.warning <= self.limit:
            given = f"{self.start:g}, {self.warning:g}, {self.limit:g}"
            raise ValueError(f"a lifetime needs start < warning <= limit, not {given}")


SHARE = Lifetime("1", warning=0.8, limit=1.0)
"""Share of the part's life; that it warns at four fifths is an engineering default."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One column of a duty. A reading outside `low` to `high` is no reading.

    load: it grows in proportion when the machine is loaded more. counter: it is a running total, as a
    machine's own counter of trips; else what it reads held since the row before.
    """

    name: str
    unit: str
    high: float
    low: float = 0.0
    load: bool = False
    counter: bool = False
