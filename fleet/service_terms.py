"""What a service and a failure cost, and who can go: the terms on which services are planned."""

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any, TypeVar

from fleet.asset import FleetError

T = TypeVar("T")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    """What servicing a type of machine costs, and what a failure costs; money in any one currency.

    During the `service_h` hours that a crew works the machine stands; after a failure it stands for
    `failure_downtime_h` hours. `service_cost` and `failure_cost` are for parts and repair, without standstill
    and visits.
    """

    service_h: float = 4.0
    service_cost: float = 400.0
    downtime_cost_per_h: float = 50.0
    failure_cost: float = 2000.0
    failure_downtime_h: float = 24.0

    def __post_init__(self) -> None:
        if self.service_h <= 0 or min(self.service_cost, self.downtime_cost_per_h) < 0:
            raise FleetError("service_h must be above 0 and no cost below 0")
        if self.failed < self.planned:
            raise FleetError(
                f"a failure with its standstill ({self.failed:g}) must cost at least as much as a service "
                f"({self.planned:g}): raise failure_cost or failure_downtime_h"
            )

    @property
    def planned(self) -> float:
        """Cost of a planned service with its standstill, without the visit."""
        return self.service_cost + self.service_h * self.downtime_cost_per_h

    @property
    def failed(self) -> float:
        """Cost of a failure with its standstill."""
        return self.failure_cost + self.failure_downtime_h * self.downtime_cost_per_h


@dataclass(frozen=True, slots=True)
class Crews:
    """Who can go, and when (`weekdays`, 0 is Monday); a visit to a site costs money and hours on the road."""

    crews: int = 2
    hours_per_day: float = 8.0
    visit_cost: float = 200.0
    travel_h: float = 1.0
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        if self.crews < 1 or self.visit_cost < 0 or not self.weekdays:
            raise FleetError("need at least one crew, one day of the week and no visit_cost below 0")
        if not 0 <= self.travel_h < self.hours_per_day <= 24:
            raise FleetError("need 0 <= travel_h < hours_per_day <= 24")

    def work_days(self, first: date, days: int) -> list[date]:
        """Those of the `days` days from `first` on that are worked on."""
        return [day for n in range(days) if (day := first + timedelta(n)).weekday() in self.weekdays]

    def hours_by_day(self, service_h: float) -> list[float]:
        """The hours that a service takes of one crew on its first day, the second, ..."""
        first = min(service_h, self.hours_per_day - self.travel_h)
        parts, left = [first], service_h - first
        while left > 1e-9:
            parts.append(min(left, self.hours_per_day))
            left -= parts[-1]
        return parts


@dataclass(frozen=True, slots=True)
class Terms:
    """Crews, and terms by equipment type; a type that is not named has those of `others`."""

    crews: Crews = Crews()
    others: ServiceTerms = ServiceTerms()
    by_type: Mapping[str, ServiceTerms] = field(default_factory=dict)

    def of(self, equipment_type: str) -> ServiceTerms:
        """The terms of a type."""
        return self.by_type.get(equipment_type, self.others)

    def check(self, equipment_types: Collection[str]) -> None:
        """Raises `FleetError` for terms of a type that there is not, which would go unnoticed."""
        if unknown := sorted(self.by_type.keys() - equipment_types):
            known = ", ".join(sorted(equipment_types))
            raise FleetError(f"[service.{unknown[0]}]: no such equipment type: there are {known}")


def parse_terms(text: str, origin: str) -> Terms:
    """Terms from TOML: `[crews]`, `[service]` for all types, `[service.<equipment type>]` for one.

    What is left out has its default. Raises `FleetError`, which names the table and the cure.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FleetError(f"{origin}: not valid TOML: {error}") from error
    if unknown := sorted(set(document) - {"crews", "service"}):
        raise FleetError(f"{origin}: unknown table [{unknown[0]}]: there are [crews] and [service]")
    crews = _table(document, "crews", origin)
    if "weekdays" in crews:
        crews["weekdays"] = _weekdays(crews["weekdays"], f"{origin}: [crews]")
    service = _table(document, "service", origin)
    kinds = {name: dict(table) for name, table in service.items() if isinstance(table, Mapping)}
    common = {name: value for name, value in service.items() if name not in kinds}
    return Terms(
        _made(Crews, crews, f"{origin}: [crews]"),
        _made(ServiceTerms, common, f"{origin}: [service]"),
        {
            name: _made(ServiceTerms, common | table, f"{origin}: [service.{name}]")
            for name, table in kinds.items()
        },
    )


def _table(document: Mapping[str, Any], name: str, origin: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, Mapping):
        raise FleetError(f"{origin}: write [{name}] as a table of its own")
    return dict(table)


def _weekdays(said: Any, where: str) -> tuple[int, ...]:
    if not isinstance(said, list) or not all(day in WEEKDAYS for day in said):
        raise FleetError(f'{where}: weekdays is a list such as ["mon", "tue"], not {said!r}')
    return tuple(sorted({WEEKDAYS.index(day) for day in said}))


def _made(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    known = [part.name for part in fields(kind)]  # type: ignore[arg-type]  # both are dataclasses
    for name, value in table.items():
        if name not in known:
            raise FleetError(f"{where}: unknown key {name!r}: known keys are {', '.join(sorted(known))}")
        number = isinstance(value, int if name == "crews" else int | float) and not isinstance(value, bool)
        if name != "weekdays" and not (number and math.isfinite(value)):
            raise FleetError(f"{where}: {name} must be a number, not {value!r}")
    try:
        return kind(**table)
    except FleetError as error:
        raise FleetError(f"{where}: {error}") from error
