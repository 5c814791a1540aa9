"""An outlook as tables for people and as a document for scripts."""

from collections.abc import Mapping
from dataclasses import asdict

from console.outlook import MachineOutlook
from console.output import out, print_table
from fleet.wear_outlook import CounterOutlook, Headroom
from forecasting.contract import Forecast, Verdict
from forecasting.wear.headroom import LIMITS

WHY = {Verdict.MORE_THAN: "lasts longer", Verdict.TOO_LITTLE_DATA: "too little data"}


def show(machine: str, days: int, found: MachineOutlook) -> None:
    """Print the counters, the headroom, and what ratings are missing."""
    rows = [row for one in found.counters for row in _rows(one)]
    header = ["counter", "stands at", "load", "warns in", "P10", "P50", "P90", "on what"]
    title = f"{machine}: days until each counter is at its limit, from {found.end:%Y-%m-%d %H:%M} UTC"
    print_table(title, header, rows)
    if found.headroom:
        _show_headroom(found.headroom)
    for counter, names in found.lacking.items():
        out.print(f"No counter {counter}: the fleet file does not say {', '.join(names)}", highlight=False)


def _rows(one: CounterOutlook) -> list[list[str]]:
    unit, limit = one.counter.unit, one.counter.limit
    stands = f"{one.value:,.4g} of {limit:,.7g}" + ("" if unit == "1" else f" {unit}")
    return [
        [
            one.counter.name,
            stands,
            f"{at.load:.0%}",
            _days(at.left.warning.p50_h) or WHY.get(at.left.warning.verdict, ""),
            *_quantiles(at.left.limit),
            at.left.limit.basis,
        ]
        for at in one.at
    ]


def _quantiles(said: Forecast) -> list[str]:
    if said.verdict is Verdict.MORE_THAN:
        return [f"over {_days(said.p10_h)}", "", ""]
    return [_days(said.p10_h), _days(said.p50_h), _days(said.p90_h)]


def _days(hours: float | None) -> str:
    return "" if hours is None else f"{max(hours, 0.0) / 24:,.0f}"


def _show_headroom(room: Headroom) -> None:
    rows = [
        [f"{load:.0%}", *(_until(hours[limit]) for limit in LIMITS)] for load, hours in room.hours.items()
    ]
    title = (
        f"hours at a constant load until the hot spot, now {room.hot_spot:.0f} °C, reaches a limit; "
        f"ambient {room.ambient:.0f} °C, the warmest of the last day"
    )
    print_table(title, ["of rated current", *(f"{limit:.0f} °C" for limit in LIMITS)], rows)


def _until(hours: float | None) -> str:
    return "never" if hours is None else "now" if hours == 0 else f"{hours:.1f}"


def document(machine: str, days: int, found: MachineOutlook) -> dict[str, object]:
    """The outlook as one JSON document; times are hours from `from`."""
    return {
        "machine": machine,
        "from": found.end.isoformat(),
        "days": days,
        "counters": [_counter(one) for one in found.counters],
        "headroom": _headroom(found.headroom),
        "ratings_missing": {name: list(names) for name, names in found.lacking.items()},
    }


def _counter(one: CounterOutlook) -> Mapping[str, object]:
    counter = one.counter
    at = [
        {"load": at.load, "warning": asdict(at.left.warning), "limit": asdict(at.left.limit)} for at in one.at
    ]
    return {
        "counter": counter.name,
        "value": one.value,
        "warning": counter.warning,
        "limit": counter.limit,
        "unit": counter.unit,
        "at": at,
    }


def _headroom(room: Headroom | None) -> Mapping[str, object] | None:
    if room is None:
        return None
    hours = [
        {"load": load, "until": {f"{limit:.0f}": told for limit, told in each.items()}}
        for load, each in room.hours.items()
    ]
    return {"top_oil": room.top_oil, "hot_spot": room.hot_spot, "ambient": room.ambient, "hours": hours}
