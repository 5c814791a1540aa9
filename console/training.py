"""Fits a forecaster on the lives that a type's machines have behind them, and says how well it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet.asset import FleetError
from fleet.catalog import pack_of
from fleet.clock import from_microseconds, microseconds
from fleet.life_rows import LEVEL_ALONE, LifeColumns, LifeRows
from fleet.maintenance import Life, MaintenanceEvent, lives
from fleet.model_scope import Scope
from fleet.registry import Registry
from fleet.vertical import VerticalPack
from forecasting.catalog import catalog
from forecasting.contract import Forecaster, Run
from forecasting.drift import decile_edges, error_profile, shares, stability_index
from forecasting.evaluation import evaluation, left_out
from forecasting.leakage import leaks
from forecasting.learned_life import LearnedLife
from forecasting.prior_calibration import calibration
from forecasting.weibull_life import WeibullLife
from storage.life_rows import life_rows
from storage.maintenance import events
from storage.pool import Pool
from storage.registry import load_registry
from streams.trajectory import Trajectory

CONDITION = "condition"
"""The level of wear, the first column that is learned from, and for most forecasters the only one."""

LEAST_KNOWN = 0.5
"""A channel is learned from if each life that failed has it in such a part of its hours."""

RECENT_US = 30 * 86_400 * 1_000_000
"""What machines show now is what they showed in the last 30 days on record."""


@dataclass(frozen=True, slots=True)
class HourlyLife:
    """A life by the hour, and the renewal that it began with, None for a first one."""

    rows: LifeRows
    since_us: int | None
    failed: bool


@dataclass(frozen=True, slots=True)
class Record:
    """The lives of a type's machines. `assets` says whose each is, `ends_us` when it was last seen.

    Of all health on record (n,): `ts_us` and the `level` of wear. `by_hour` are the same lives by the hour,
    of machines of the `pack`.
    """

    runs: list[Run]
    assets: list[int]
    ends_us: list[int]
    ts_us: NDArray[np.int64]
    level: NDArray[np.float64]
    by_hour: Sequence[HourlyLife] = ()
    pack: VerticalPack | None = None

    @property
    def failures(self) -> int:
        """Lives that ended in failure."""
        return sum(run.failed for run in self.runs)

    def hourly(self, columns: LifeColumns, beside: LifeColumns = LEVEL_ALONE) -> list[Run]:
        """The lives by the hour, those hours alone in which all columns are known, and those `beside` too."""
        assert self.pack is not None  # as in all that `record_of` gives
        kind, runs = self.pack.equipment_type, []
        for life in self.by_hour:
            which = columns.usable(kind, life.rows, life.since_us)
            which &= beside.usable(kind, life.rows, life.since_us)
            history = columns.history(kind, life.rows, which, int(life.rows.ts_us[0]))
            runs.append(Run(history, life.failed))
        return runs

    def known_columns(self) -> LifeColumns:
        """All of the pack's of which each life that failed has enough."""
        assert self.pack is not None
        columns, kind = LifeColumns.all_of(self.pack), self.pack.equipment_type
        shares = [np.isfinite(life.rows.means).mean(axis=0) for life in self.by_hour if life.failed]
        least = np.min(shares, axis=0, initial=1.0)
        return columns.without(name for name in columns.names if least[kind.column(name)] < LEAST_KNOWN)

    def recent_level(self) -> NDArray[np.float64]:
        """What the machines showed in the last days on record."""
        return np.asarray(self.level[self.ts_us > self.ts_us.max(initial=0) - RECENT_US])


async def record_of(pool: Pool, scope: Scope) -> Record:
    """What is on record of a scope's machines; raises `FleetError` without such a type or tenant."""
    registry = await load_registry(pool)
    assets = machines_of(registry, scope)
    pack = pack_of(registry.equipment_type(scope.equipment_type))
    channels = len(pack.equipment_type.channels)
    happened = await events(pool, assets)
    runs, owners, ends, by_hour = list[Run](), list[int](), list[int](), list[HourlyLife]()
    instants, levels = [np.zeros(0, np.int64)], [np.zeros(0)]
    for asset_id in assets:
        rows = await life_rows(pool, asset_id, channels)
        instants.append(rows.ts_us)
        levels.append(rows.level)
        its = [event for event in happened if event.asset_id == asset_id]
        for life in lives(rows.ts_us, its):
            mine = rows.take(slice(life.start, life.end))
            runs.append(_run(mine, life))
            owners.append(asset_id)
            ends.append(int(mine.ts_us[-1]))
            by_hour.append(HourlyLife(mine, _since_us(mine, its), life.failed))
    return Record(runs, owners, ends, np.concatenate(instants), np.concatenate(levels), by_hour, pack)


def _since_us(rows: LifeRows, happened: Sequence[MaintenanceEvent]) -> int | None:
    """The last event before a life's first row."""
    return max((us for event in happened if (us := microseconds(event.ts)) < rows.ts_us[0]), default=None)


def machines_of(registry: Registry, scope: Scope) -> list[int]:
    """The numbers of a scope's machines; raises `FleetError` without such a type or tenant."""
    kinds = [kind.name for kind in registry.equipment_types]
    if scope.equipment_type not in kinds:
        raise FleetError(
            f"no equipment type {scope.equipment_type!r}: there are {', '.join(kinds) or 'none yet'}"
        )
    if scope.tenant not in {None, *registry.tenants}:
        raise FleetError(f"no tenant {scope.tenant!r}: there are {', '.join(registry.tenants)}")
    return [
        one.asset_id
        for one in registry.assets
        if one.equipment_type == scope.equipment_type and scope.tenant in {None, one.tenant}
    ]


def forecaster_of(name: str) -> type[Forecaster]:
    """The forecaster of that name; raises `FleetError` for one that there is not."""
    known = catalog()
    if name not in known:
        raise FleetError(f"no forecaster {name!r}: there are {', '.join(sorted(known))}")
    return known[name]


def fit(record: Record, name: str) -> tuple[Forecaster, dict[str, Any]]:
    """The forecaster and its lineage; raises `FleetError` for one that there is not, or without a failure."""
    kind = forecaster_of(name)
    if not record.failures:
        raise FleetError(
            "no failure of such a machine is on record: say when they failed with `faultline maintenance add`"
        )
    runs, what = _learned_from(record, name)
    forecaster = kind()
    forecaster.fit(runs)
    edges = decile_edges(record.recent_level())
    return forecaster, {
        "from": from_microseconds(int(record.ts_us.min())).isoformat(),
        "to": from_microseconds(int(record.ts_us.max())).isoformat(),
        "failures": record.failures,
        "censored": len(record.runs) - record.failures,
        "assets": len(set(record.assets)),
        **what,
        "code": f"faultline {metadata.version('faultline')}, {name} {kind.VERSION}",
        "level": {"edges": edges, "shares": shares(edges, record.recent_level())},
        **(_calibrated(record) if name == WeibullLife.NAME else _scored(record, runs, kind)),
    }


def _learned_from(record: Record, name: str) -> tuple[list[Run], dict[str, Any]]:
    """The lives as the forecaster wants them, and what of them it learns from; raises `FleetError`.

    A level of wear that knows the end is refused, a channel that does is left out.
    """
    if known_ahead := leaks(record.runs, [CONDITION]):
        raise FleetError(f"{CONDITION} must not be learned from: {known_ahead[0].reason}")
    if name != LearnedLife.NAME:
        return record.runs, {"columns": [CONDITION]}
    columns = record.known_columns()
    found = leaks(record.hourly(columns), [CONDITION, *columns.names])
    columns = columns.without(leak.column for leak in found)
    return record.hourly(columns), {
        "columns": [CONDITION, *columns.names],
        "bands": columns.bands,
        "left_out": {leak.column: leak.reason for leak in found},
    }


def _scored(record: Record, runs: Sequence[Run], make: type[Forecaster]) -> dict[str, Any]:
    """How well such a fit does on machines left out, and how far it errs at how much life left."""
    said = left_out(make, runs, record.assets)
    if said is None:
        return {"scores": None}
    known = said.at(said.answered)
    return {
        "scores": evaluation(said).as_json(),
        "errors": error_profile(known.left_h, np.abs(known.p50_h - known.left_h)),
    }


def _calibrated(record: Record) -> dict[str, Any]:
    """How a survival prior does on machines left out, those that still run included."""
    found = calibration(record.runs, record.assets)
    return {"scores": None, "calibration": found.as_json() if found else None}


def shifts(lineage: Mapping[str, Any], record: Record) -> dict[str, float]:
    """Stability index of what the machines show now against what they showed when the model was fitted."""
    then, now = lineage.get("level"), record.recent_level()
    if not then or not len(now):
        return {}
    return {"the wear of its machines": stability_index(then["shares"], then["edges"], now)}


def _run(rows: LifeRows, life: Life) -> Run:
    """Thinned as the live trajectory is, so that what is learned from is what will be seen."""
    trajectory = Trajectory()
    for at, value in zip(rows.ts_us.tolist(), rows.level.tolist(), strict=True):
        trajectory.add(at, value)
    return Run(trajectory.history(), life.failed)
