"""Fits a forecaster on the lives that a type's machines have behind them, and says how well it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet.asset import FleetError
from fleet.clock import from_microseconds
from fleet.maintenance import Life, lives
from fleet.model_scope import Scope
from fleet.registry import Registry
from forecasting.catalog import catalog
from forecasting.contract import Forecaster, Run
from forecasting.drift import decile_edges, error_profile, shares, stability_index
from forecasting.evaluation import evaluation, left_out
from forecasting.leakage import leaks
from forecasting.prior_calibration import calibration
from forecasting.weibull_life import WeibullLife
from storage.history import health_history
from storage.maintenance import events
from storage.pool import Pool
from storage.registry import load_registry
from streams.trajectory import Trajectory

COLUMNS = ["condition"]
"""What is learned from."""

RECENT_US = 30 * 86_400 * 1_000_000
"""What machines show now is what they showed in the last 30 days on record."""


@dataclass(frozen=True, slots=True)
class Record:
    """The lives of a type's machines. `assets` says whose each is, `ends_us` when it was last seen.

    Of all health on record (n,): `ts_us` and the `level` of wear.
    """

    runs: list[Run]
    assets: list[int]
    ends_us: list[int]
    ts_us: NDArray[np.int64]
    level: NDArray[np.float64]

    @property
    def failures(self) -> int:
        """Lives that ended in failure."""
        return sum(run.failed for run in self.runs)

    def recent_level(self) -> NDArray[np.float64]:
        """What the machines showed in the last days on record."""
        return np.asarray(self.level[self.ts_us > self.ts_us.max(initial=0) - RECENT_US])


async def record_of(pool: Pool, scope: Scope) -> Record:
    """What is on record of a scope's machines; raises `FleetError` without such a type or tenant."""
    assets = _machines(await load_registry(pool), scope)
    happened = await events(pool, assets)
    runs, owners, ends = list[Run](), list[int](), list[int]()
    instants, levels = list[NDArray[Any]](), list[NDArray[Any]]()
    for asset_id in assets:
        ts_us, health = await health_history(pool, asset_id)
        level = 1.0 - health / 100.0
        instants.append(ts_us)
        levels.append(level)
        for life in lives(ts_us, [event for event in happened if event.asset_id == asset_id]):
            mine = slice(life.start, life.end)
            runs.append(_run(ts_us[mine], level[mine], life))
            owners.append(asset_id)
            ends.append(int(ts_us[life.end - 1]))
    if not instants:
        return Record(runs, owners, ends, np.zeros(0, np.int64), np.zeros(0))
    return Record(runs, owners, ends, np.concatenate(instants), np.concatenate(levels))


def _machines(registry: Registry, scope: Scope) -> list[int]:
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


def fit(record: Record, name: str) -> tuple[Forecaster, dict[str, Any]]:
    """The forecaster and its lineage; raises `FleetError` for one that there is not, or without a failure."""
    known = catalog()
    if name not in known:
        raise FleetError(f"no forecaster {name!r}: there are {', '.join(sorted(known))}")
    if not record.failures:
        raise FleetError(
            "no failure of such a machine is on record: say when they failed with `faultline maintenance add`"
        )
    if known_ahead := leaks(record.runs, COLUMNS):
        raise FleetError(
            "; ".join(f"{leak.column} must not be learned from: {leak.reason}" for leak in known_ahead)
        )
    forecaster = known[name]()
    forecaster.fit(record.runs)
    edges = decile_edges(record.recent_level())
    return forecaster, {
        "from": from_microseconds(int(record.ts_us.min())).isoformat(),
        "to": from_microseconds(int(record.ts_us.max())).isoformat(),
        "failures": record.failures,
        "censored": len(record.runs) - record.failures,
        "assets": len(set(record.assets)),
        "columns": COLUMNS,
        "code": f"faultline {metadata.version('faultline')}, {name} {known[name].VERSION}",
        "level": {"edges": edges, "shares": shares(edges, record.recent_level())},
        **(_calibrated(record) if name == WeibullLife.NAME else _scored(record, known[name])),
    }


def _scored(record: Record, make: type[Forecaster]) -> dict[str, Any]:
    """How well such a fit does on machines left out, and how far it errs at how much life left."""
    said = left_out(make, record.runs, record.assets)
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


def _run(ts_us: NDArray[np.int64], level: NDArray[np.float64], life: Life) -> Run:
    """Thinned as the live trajectory is, so that what is learned from is what will be seen."""
    trajectory = Trajectory()
    for at, value in zip(ts_us.tolist(), level.tolist(), strict=True):
        trajectory.add(at, value)
    return Run(trajectory.history(), life.failed)
