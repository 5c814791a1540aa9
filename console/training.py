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
from forecasting.catalog import catalog
from forecasting.contract import Forecaster, Run
from forecasting.drift import decile_edges, shares, stability_index
from forecasting.evaluation import evaluate
from forecasting.leakage import leaks
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
    """The lives of a type's machines. `assets` says whose each is.

    Of all health on record (n,): `ts_us` and the `level` of wear.
    """

    runs: list[Run]
    assets: list[int]
    ts_us: NDArray[np.int64]
    level: NDArray[np.float64]

    @property
    def failures(self) -> int:
        """Lives that ended in failure."""
        return sum(run.failed for run in self.runs)

    def recent_level(self) -> NDArray[np.float64]:
        """What the machines showed in the last days on record."""
        return np.asarray(self.level[self.ts_us > self.ts_us.max(initial=0) - RECENT_US])


async def record_of(pool: Pool, equipment_type: str) -> Record:
    """What is on record; raises `FleetError` if there is no such type."""
    registry = await load_registry(pool)
    kinds = [kind.name for kind in registry.equipment_types]
    if equipment_type not in kinds:
        raise FleetError(f"no equipment type {equipment_type!r}: there are {', '.join(kinds) or 'none yet'}")
    assets = [one.asset_id for one in registry.assets if one.equipment_type == equipment_type]
    happened = await events(pool, assets)
    runs, owners, instants, levels = list[Run](), list[int](), list[NDArray[Any]](), list[NDArray[Any]]()
    for asset_id in assets:
        ts_us, health = await health_history(pool, asset_id)
        level = 1.0 - health / 100.0
        instants.append(ts_us)
        levels.append(level)
        for life in lives(ts_us, [event for event in happened if event.asset_id == asset_id]):
            mine = slice(life.start, life.end)
            runs.append(_run(ts_us[mine], level[mine], life))
            owners.append(asset_id)
    if not instants:
        return Record(runs, owners, np.zeros(0, np.int64), np.zeros(0))
    return Record(runs, owners, np.concatenate(instants), np.concatenate(levels))


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
    scores = evaluate(known[name], record.runs, record.assets)
    edges = decile_edges(record.recent_level())
    return forecaster, {
        "from": from_microseconds(int(record.ts_us.min())).isoformat(),
        "to": from_microseconds(int(record.ts_us.max())).isoformat(),
        "failures": record.failures,
        "censored": len(record.runs) - record.failures,
        "assets": len(set(record.assets)),
        "columns": COLUMNS,
        "code": f"faultline {metadata.version('faultline')}, {name} {known[name].VERSION}",
        "scores": scores.as_json() if scores else None,
        "level": {"edges": edges, "shares": shares(edges, record.recent_level())},
    }


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
