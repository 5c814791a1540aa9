"""Fits what surroundings explain of a type's channels on stored hours, and says what that leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console.training import machines_of
from detectors.contract import StateError
from detectors.surroundings import LAG_H, NAME, VERSION, Surroundings
from detectors.surroundings_fit import Names, Rival, Weeks, Window, fit, held_out
from fleet.asset import FleetError
from fleet.catalog import pack_of
from fleet.clock import from_microseconds
from fleet.hours import Hours
from fleet.model_scope import Scope, nearest
from fleet.vertical import VerticalPack
from storage.hours import hours_of, newest_hour
from storage.model_roles import Role, models_in_use, name_of
from storage.models import load_fit
from storage.pool import Pool
from storage.registry import load_registry

MOST_MACHINES = 50
"""Machines that teach, evenly out of all: more of them say nothing else, and take longer to read."""

MOST_DAYS = 366
"""One of each season."""

RESTING = 0.5
"""Part of an hour at rest from which it says nothing of a machine at work."""

HOUR_US = 3_600_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Record:
    """Stored hours of a scope's machines."""

    names: Names
    machines: Sequence[Weeks]


@dataclass(frozen=True, slots=True)
class InUse:
    """The fit that a scope's machines are explained by now, the tenant's own or the type's."""

    name: str
    fit: Surroundings
    until: int


async def record_of(pool: Pool, scope: Scope) -> Record:
    """What is on record of a scope's machines; raises `FleetError` if it names no surroundings or type."""
    registry = await load_registry(pool)
    numbers = machines_of(registry, scope)
    pack = pack_of(registry.equipment_type(scope.equipment_type))
    names = names_of(pack)
    machines = []
    for asset_id in numbers[:: max(1, -(-len(numbers) // MOST_MACHINES))]:
        newest = await newest_hour(pool, asset_id)
        if newest is not None:
            end = newest + timedelta(hours=1)
            start = end - timedelta(days=MOST_DAYS)
            hours = await hours_of(pool, asset_id, pack.equipment_type, start, end)
            machines.append(weeks_of(hours, pack, names))
    return Record(names, machines)


def names_of(pack: VerticalPack) -> Names:
    """The measured channels of a pack and its surroundings; raises `FleetError` if it names none."""
    measured = tuple(c.name for c in pack.equipment_type.channels if c.kind == "measurement")
    names = Names(measured, pack.detection.given, pack.detection.ambient)
    if not names.given and not names.ambient:
        raise FleetError(f"the pack of {pack.equipment_type.name} names no channels as given or ambient")
    return names


def weeks_of(hours: Hours, pack: VerticalPack, names: Names) -> Weeks:
    """A machine's hours; of those at rest the surroundings alone."""
    place = {name: k for k, name in enumerate(hours.names)}
    around = hours.mean[:, [place[name] for name in (*names.given, *names.ambient)]]
    x = hours.mean[:, [place[name] for name in names.channels]]
    at_rest = hours.at(pack.detection.idle) > RESTING  # where that is not known any more it counts as at work
    return Weeks.of(hours.hour, around, len(names.given), np.where(at_rest[:, None], np.nan, x))


async def fit_in_use(pool: Pool, scope: Scope) -> InUse | None:
    """What explains a scope's machines now; None for nothing, or for what this program cannot use."""
    uses = await models_in_use(pool)
    key = nearest({its: model for (its, role), model in uses.items() if role is Role.SURROUNDINGS}, scope)
    if key is None:
        return None
    state, lineage = await load_fit(pool, scope.equipment_type, *key)
    try:
        return InUse(name_of(key), Surroundings.read(state), int(lineage["until_hour"]))
    except StateError:
        return None


def learned(record: Record, in_use: InUse | None) -> tuple[Surroundings, dict[str, Any]]:
    """The fit to all of the record, and its lineage; raises `FleetError` for too little on record."""
    names = record.names
    comparable = in_use is not None and (in_use.fit.given, in_use.fit.ambient) == names[1:]
    rival = Rival(in_use.fit, in_use.until) if in_use is not None and comparable else None
    try:
        windows = list(held_out(record.machines, names, rival))
        found = fit(record.machines, names)
    except ValueError as error:
        raise FleetError(str(error)) from error
    hours = np.concatenate([each.hour for each in record.machines])
    first, until = int(hours.min()), int(hours.max()) + 1
    return found, {
        "from": _instant(first),
        "to": _instant(until),
        "until_hour": until,
        "assets": len(record.machines),
        "columns": list(found.channels),
        "given": list(names.given),
        "ambient": list(names.ambient),
        "lag_h": LAG_H,
        "code": f"faultline {metadata.version('faultline')}, {NAME} {VERSION}",
        "scores": None,
        "spread": spread(windows, found, names, in_use),
    }


def spread(
    windows: Sequence[Window], found: Surroundings, names: Names, in_use: InUse | None
) -> dict[str, Any]:
    """What is left of the spread without a fit, as parts of it: geometric means over channels and windows.

    Of the channels explained, by held-out window and by channel; and of those that the fit in use explains
    too, in windows that neither had seen.
    """
    mine = [names.channels.index(name) for name in found.channels]
    left = np.array([_parts(window.left, window.plain) for window in windows])[:, mine]
    told: dict[str, Any] = {
        "left": _mean(left),
        "windows": [
            {"from": _instant(one.first), "to": _instant(one.last), "left": _mean(row)}
            for one, row in zip(windows, left, strict=True)
        ],
        "channels": {name: _mean(column) for name, column in zip(found.channels, left.T, strict=True)},
    }
    if in_use is not None:
        both = [k for k, name in enumerate(names.channels) if name in {*found.channels, *in_use.fit.channels}]
        unseen = [(one.left, one.rival, one.plain) for one in windows if one.rival is not None]
        ours = np.array([_parts(own, plain)[both] for own, _, plain in unseen])
        theirs = np.array([_parts(its, plain)[both] for _, its, plain in unseen])
        told["beside"] = {
            "model": in_use.name,
            "windows": len(unseen),
            "left": _mean(ours),
            "its_left": _mean(theirs),
        }
    return told


def beside_another(lineage: Mapping[str, Any], in_use: InUse | None) -> bool:
    """Whether a fit was held against another one than is in use now."""
    beside = lineage["spread"].get("beside")
    return in_use is not None and (beside is None or beside["model"] != in_use.name)


def _parts(left: Floats, plain: Floats) -> Floats:
    return np.divide(left, plain, out=np.full_like(plain, np.nan), where=plain > 0)


def _mean(parts: Floats) -> float | None:
    known = parts[np.isfinite(parts) & (parts > 0)]
    return float(np.exp(np.mean(np.log(known)))) if known.size else None


def _instant(hour: int) -> str:
    return from_microseconds(hour * HOUR_US).isoformat()
