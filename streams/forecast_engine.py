"""Prognostic assessment (ISO 13374): health and wear in, remaining life out."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.state_bytes import names, pack, unpack
from fleet.catalog import pack_of
from fleet.dead_letter import Reason
from fleet.model_scope import Scope
from forecasting.contract import Forecast
from storage.chunk_result import ChunkResult, DeadLetter, ForecastRow, Tally
from streams.dead_letter import dead_letter
from streams.followed_assets import FollowedAssets
from streams.forecasters import CONDITION, NOT_FOLLOWED, AllLatest, Forecasters, to_failure
from streams.health_message import HealthMessage, decode
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.trajectory import Trajectory

FORECAST_EVERY_US = 12 * 3600 * 1_000_000
"""Event time between two forecasts of an asset, on round instants so that no chunking changes them."""

STATE = "forecast-engine-1"
FOLLOWED = "followed"
"""Not in a snapshot of an earlier release."""
EMPTY: dict[str, NDArray[Any]] = {
    FOLLOWED: np.empty(0, np.uint8),
    "targets": np.empty(0, np.uint8),
    "points": np.empty((0, 3), np.int64),
    "ts_us": np.empty(0, np.int64),
    "level": np.empty(0, np.float64),
}

Due = tuple[int, str, Trajectory, AllLatest, str]
"""(asset id, what runs out; its trajectory, its life by the hour and the fault mode that is named, "" without
one, when the forecast fell due)."""


class ForecastEngine:
    """The trajectories and forecasts of one partition of one tenant's health topic."""

    def __init__(self, tenant: str, registry: RegistryCache, forecasters: Forecasters) -> None:
        self._tenant = tenant
        self._registry = registry
        self._forecasters = forecasters
        self._followed = FollowedAssets(tenant, registry, forecasters)
        self._trajectories: dict[tuple[int, str], Trajectory] = {}
        self._renewed: dict[int, tuple[int, Trajectory]] = {}

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        """Extend the trajectories; forecast those that passed a round instant."""
        messages, dead = await self._read(chunk)
        if not again:
            await self._followed.reach(messages, self._heard_us)
        due: list[Due] = []
        repeated = 0
        for message in messages:
            passed = self._extend(message)
            repeated += passed is None
            due += passed or []
        tombstones = len(chunk.records) - len(messages) - len(dead)
        forecasts, shadow = ([], []) if again else await asyncio.to_thread(self._forecast_all, due)
        stored = len(messages) - repeated
        return ChunkResult(
            chunk.topic,
            chunk.partition,
            first_offset=chunk.records[0].offset,
            next_offset=chunk.end_offset,
            tally=Tally(stored=stored, duplicate=repeated, dead=len(dead), tombstone=tombstones),
            dead_letters=dead,
            forecasts=forecasts,
            shadow_forecasts=shadow,
        )

    async def _read(self, chunk: Chunk) -> tuple[list[HealthMessage], list[DeadLetter]]:
        """The chunk's messages in order, all of machines that are known, and what is none."""
        messages: list[HealthMessage] = []
        dead: list[DeadLetter] = []
        for record in chunk.records:
            if record.value is None:
                continue
            try:
                message = decode(record.value)
            except ValueError as error:
                dead.append(dead_letter(record, Reason.SCHEMA_INVALID, str(error)))
                continue
            if not await self._is_known(message.asset_id):
                detail = f"{self._tenant} has no asset {message.asset_id}"
                dead.append(dead_letter(record, Reason.UNKNOWN_ASSET, detail))
                continue
            messages.append(message)
        return messages, dead

    async def _is_known(self, asset_id: int) -> bool:
        """Asks again for a machine that was added a moment ago, by way of another worker."""
        if not self._registry.current.owns(self._tenant, asset_id):
            await self._registry.refresh()
        return self._registry.current.owns(self._tenant, asset_id)

    def _extend(self, message: HealthMessage) -> list[Due] | None:
        """Trajectories, as they are now, that passed a round instant; None if the message is a repeat."""
        due: list[Due] = []
        fresh = False
        for name, level in message.levels.items():
            trajectory = self._trajectories.setdefault((message.asset_id, name), Trajectory())
            renewed = self._since_renewed(message, trajectory) if name == CONDITION else None
            before = trajectory.ts_us[-1] if trajectory.ts_us else message.ts_us
            if trajectory.add(message.ts_us, level):
                fresh = True
                if renewed is not None:
                    renewed.add(message.ts_us, level)
                if name == CONDITION:
                    self._followed.extend(message, before)
                if before // FORECAST_EVERY_US != message.ts_us // FORECAST_EVERY_US:
                    of_condition = name == CONDITION
                    latest = self._followed.latest(message) if of_condition else NOT_FOLLOWED
                    mode = message.mode if of_condition else ""
                    due.append((message.asset_id, name, (renewed or trajectory).copy(), latest, mode))
        return due if fresh else None

    def _heard_us(self, asset_id: int) -> int | None:
        """When the asset's condition was told last."""
        trajectory = self._trajectories.get((asset_id, CONDITION))
        return trajectory.ts_us[-1] if trajectory and trajectory.ts_us else None

    def _since_renewed(self, message: HealthMessage, whole: Trajectory) -> Trajectory | None:
        """The condition's trajectory since the last repair, if the message came after one.

        The whole one of a machine with years on record has points days apart, too few for weeks after a
        repair. It is kept, since a record of a repair can be taken back.
        """
        asset_id, since = message.asset_id, self._forecasters.renewed_us.get(message.asset_id)
        if since is None:
            self._renewed.pop(asset_id, None)
        if since is None or message.ts_us <= since:
            return None
        before, trajectory = self._renewed.get(asset_id, (since + 1, whole))
        if before != since:
            trajectory = (trajectory if before < since else whole).after(since)
            self._renewed[asset_id] = since, trajectory
        return trajectory

    def _forecast_all(self, due: Sequence[Due]) -> tuple[list[ForecastRow], list[ForecastRow]]:
        """What is said, and what challengers would have said."""
        rows, shadow = [], []
        for asset_id, name, trajectory, latest, mode in due:
            kind = self._registry.current.equipment_type(
                self._registry.current.asset_by_id(asset_id).equipment_type
            )
            scope = Scope(kind.name, self._tenant)
            history, at = self._forecasters.history(asset_id, name, trajectory), trajectory.ts_us[-1]
            worn = to_failure(pack_of(kind), mode, history)
            says = self._forecasters.forecast(scope, name, history, latest, worn)
            rows.append(_row(asset_id, at, name, *says))
            if beside := self._forecasters.in_shadow(scope, name, history, latest):
                shadow.append(_row(asset_id, at, name, *beside))
        return rows, shadow

    def state(self) -> bytes:
        """All trajectories as arrays, and the lives that are followed."""
        targets: list[tuple[Any, ...]] = sorted(self._trajectories)
        found = [self._trajectories[target] for target in targets]
        for asset_id, (since, trajectory) in sorted(self._renewed.items()):
            targets.append((asset_id, CONDITION, since))
            found.append(trajectory)
        arrays: dict[str, NDArray[Any]] = {
            FOLLOWED: np.frombuffer(self._followed.state(), np.uint8),
            "targets": np.frombuffer(json.dumps(targets).encode(), np.uint8),
            "points": np.array([[len(t.ts_us), t.stride, t.seen] for t in found], np.int64).reshape(-1, 3),
            "ts_us": np.array([ts for t in found for ts in t.ts_us], np.int64),
            "level": np.array([level for t in found for level in t.level], np.float64),
        }
        return pack(STATE, arrays)

    def load(self, state: bytes) -> None:
        """Go on from saved trajectories; raises `StateError`."""
        saved_names = names(state)
        arrays = unpack(STATE, state, {name: like for name, like in EMPTY.items() if name in saved_names})
        if FOLLOWED in arrays:
            self._followed.load(arrays[FOLLOWED].tobytes())
        targets = json.loads(arrays["targets"].tobytes())
        ts, level, at = arrays["ts_us"].tolist(), arrays["level"].tolist(), 0
        self._trajectories, self._renewed = {}, {}
        saved = zip(targets, arrays["points"].tolist(), strict=True)
        for (asset_id, name, *since), (n, stride, seen) in saved:
            points = slice(at, at + n)
            trajectory = Trajectory(ts[points], level[points], stride, seen)
            if since:
                self._renewed[asset_id] = since[0], trajectory
            else:
                self._trajectories[asset_id, name] = trajectory
            at += n


def _row(asset_id: int, ts_us: int, target: str, forecaster: str, says: Forecast) -> ForecastRow:
    quantiles = says.p10_h, says.p50_h, says.p90_h
    return ForecastRow(asset_id, ts_us, target, forecaster, says.verdict, *quantiles, says.basis)
