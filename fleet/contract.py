"""What a customer may use machines for by contract, and how far that is used up.

Periods are calendar months or years in UTC, from their first instant until before their last (half-open), cut
off where the contract begins or ends: such a part allows the same part of what the whole does.
"""

import math
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from enum import StrEnum

from fleet.asset import FleetError, check_name

WEAR = "wear:"
"""How the meter of a wear counter begins; it goes on with the counter's name."""


class Every(StrEnum):
    """How long a period is, by the calendar."""

    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a period is used up: `used` of what it allows, as of the instant `at`."""

    used: float
    allowed: float
    projected: float | None
    """Used at the end of the period if it goes on as it did so far; None before anything has passed."""

    @property
    def share(self) -> float:
        """The part of what is allowed that is used; above 1 it is over."""
        return self.used / self.allowed


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` until before `end`, both whole hours; `allowed` is in the meter's unit."""

    start: datetime
    end: datetime
    allowed: float

    def standing(self, used: float, at: datetime) -> Standing:
        """How far it is used up where `used` was counted until `at`, projected pro rata to its end."""
        passed = min(at, self.end) - self.start
        projected = used * ((self.end - self.start) / passed) if passed > timedelta(0) else None
        return Standing(used, self.allowed, projected)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a tenant's machines, those of a `site` or one `asset` may be used for in a period.

    `meter` is what is counted, in `unit`: a counter (trips), the power of which energy is made (kWh), or the
    share of a machine's wear limit that is used up (`wear:rope-bends`, %). `allowance` is for a whole period
    and all machines together. `begin` and `end` are aware UTC and whole hours, for wear whole days, as meters
    are kept so; without `end` it goes on. One that ends as it begins was never in force. Raises `FleetError`.
    """

    tenant: str
    name: str
    meter: str
    unit: str
    allowance: float
    every: Every
    begin: datetime
    end: datetime | None = None
    site: str | None = None
    asset: str | None = None
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        check_name("contract", self.name)
        if not (self.allowance > 0 and math.isfinite(self.allowance)):
            raise FleetError(f"contract {self.name}: the allowance must be above 0, not {self.allowance:g}")
        self._check_instants()
        if self.site is not None and self.asset is not None:
            raise FleetError(f"contract {self.name}: a machine is at a site already: say one of both")
        if self.wears and self.asset is None:
            raise FleetError(
                f"contract {self.name}: wear is a share of one machine's limit: say which machine"
            )

    @property
    def wears(self) -> bool:
        """Whether its meter is a wear counter."""
        return self.meter.startswith(WEAR)

    def _check_instants(self) -> None:
        kept = "day" if self.wears else "hour"
        for instant in filter(None, (self.begin, self.end)):
            first = instant.replace(hour=0 if self.wears else instant.hour, minute=0, second=0, microsecond=0)
            if instant.utcoffset() != timedelta(0) or instant != first:
                raise FleetError(
                    f"contract {self.name}: {instant} is no whole {kept} of UTC, as {self.meter} is kept"
                )
        if self.end is not None and self.end < self.begin:
            raise FleetError(f"contract {self.name}: it ends before it begins: say another end")

    def period(self, at: datetime) -> Period | None:
        """The period that an instant lies in; None while the contract is not in force.

        Raises `FleetError` for the last year that a date can have, whose end none has.
        """
        if at < self.begin or (self.end is not None and at >= self.end):
            return None
        first, last = _calendar(self.every, at)
        start, end = max(first, self.begin), min(last, self.end or last)
        return Period(start, end, self.allowance * ((end - start) / (last - first)))


def _calendar(every: Every, at: datetime) -> tuple[datetime, datetime]:
    """First instant of the calendar's month or year, and of the next."""
    day = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if day.year == MAXYEAR:
        raise FleetError(f"no period ends after {at:%Y-%m-%d}: say an instant before the year {MAXYEAR}")
    if every == Every.YEAR:
        first = day.replace(month=1)
        return first, first.replace(year=first.year + 1)
    return day, (day + timedelta(days=31)).replace(day=1)
