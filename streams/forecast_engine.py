"""Prognostic assessment (ISO 13374): health and wear in, remaining life out."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.state_bytes import pack, unpack
from fleet.catalog import pack_of
from fleet.dead_letter import Reason
from fleet.failure_level import SPREAD, failure_level
from fleet.model_scope import Scope, nearest
from fleet.vertical import VerticalPack
from forecasting.contract import Forecast, Forecaster, History, Verdict
from forecasting.first_passage import FirstPassage
from storage.chunk_result import ChunkResult, DeadLetter, ForecastRow, Tally
from streams.dead_letter import dead_letter
from streams.health_message import HealthMessage, decode
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.trajectory import Trajectory

FORECAST_EVERY_US = 12 * 3600 * 1_000_000
"""Event time between two forecasts of an asset, on round instants so that no chunking changes them."""

CONDITION = "condition"
"""The machine as a whole, among what runs out."""

STATE = "forecast-engine-1"
EMPTY: dict[str, NDArray[Any]] = {
    "targets": np.empty(0, np.uint8),
    "points": np.empty((0, 3), np.int64),
    "ts_us": np.empty(0, np.int64),
    "level": np.empty(0, np.float64),
}

Due = tuple[int, str, Trajectory, str]
"""(asset id, what runs out, its trajectory when the forecast fell due, the fault mode named then or "")."""


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A forecaster fitted on failures; `fit` is the number of that fit."""

    forecaster: Forecaster
    fit: int

    def says(self, history: History) -> tuple[str, Forecast]:
        """Its name, as it stands beside each forecast, and its forecast from the end of the history."""
        # health on record, which it was fitted on, ends at 0 %
        capped = replace(history, x=np.minimum(history.x, 1.0))
        return name_of_fit(self.forecaster, self.fit), self.forecaster.predict([capped])[0]


def to_failure(pack: VerticalPack, mode: str, history: History) -> History | None:
    """A condition's history against the failure of a fault mode; None if it is not known when that fails."""
    level = failure_level(pack, mode, history.x[:, 0])
    return None if level is None else History(history.age_h, level[:, None], limit_spread=SPREAD)


def name_of_fit(forecaster: Forecaster | type[Forecaster], fit: int) -> str:
    """What stands beside each forecast of a fitted model."""
    return f"{_name(forecaster)} fit {fit}"


@dataclass(frozen=True, slots=True)
class Forecasters:
    """Which forecaster answers.

    A wear counter goes on at its pace. Whether a condition gets worse at all is the trend's word, on the
    asset's own past, held against the failure of the fault mode that a finding names. If so, a model fitted
    on failures of the equipment type says when; what it cannot say, the trend does, and what that cannot say
    either, the lives of such machines (`priors`). Where no wear is to be seen, that stays the answer, with
    those lives beside it. `challengers` are asked beside the fitted models. Each of these is a tenant's own,
    or else the equipment type's; never another tenant's. `renewed_us` is when each asset was repaired or
    restored last: its condition begins anew there. Whoever fills the mappings may change them at any time.
    """

    trend: Forecaster
    fitted: Mapping[Scope, FittedModel] = field(default_factory=dict)
    challengers: Mapping[Scope, FittedModel] = field(default_factory=dict)
    priors: Mapping[Scope, FittedModel] = field(default_factory=dict)
    renewed_us: Mapping[int, int] = field(default_factory=dict)
    counter: Forecaster = field(default_factory=FirstPassage)

    def history(self, asset_id: int, target: str, trajectory: Trajectory) -> History:
        """The past since the asset was as good as new; a forecast from before that knows nothing of it."""
        since = self.renewed_us.get(asset_id) if target == CONDITION else None
        known = since is not None and since < trajectory.ts_us[-1]
        return trajectory.history(since if known else None)

    def forecast(
        self, scope: Scope, target: str, history: History, to_failure: History | None = None
    ) -> tuple[str, Forecast]:
        """The forecaster's name and its forecast from the last point of the history of a tenant's machine.

        to_failure: the condition against what the named fault mode fails at; the trend goes by it if known.
        """
        if target != CONDITION:
            return _says(self.counter, history)
        name, seen = _says(self.trend, history if to_failure is None else to_failure)
        prior, model = nearest(self.priors, scope), nearest(self.fitted, scope)
        if seen.verdict not in {Verdict.ESTIMATE, Verdict.MORE_THAN}:
            return name, seen if prior is None else _beside(seen, prior.says(history)[1])
        if model is None:
            return name, seen
        by_model, learned = model.says(history)
        if learned.verdict is not Verdict.TOO_LITTLE_DATA:
            return by_model, learned
        if prior is not None and seen.verdict is Verdict.MORE_THAN:
            by_prior, usual = prior.says(history)
            if usual.verdict is Verdict.ESTIMATE:
                return by_prior, replace(usual, basis=f"{learned.basis}; {usual.basis}")
        return name, replace(seen, basis=f"{learned.basis}; {seen.basis}")

    def in_shadow(self, scope: Scope, target: str, history: History) -> tuple[str, Forecast] | None:
        """What the challenger would say, if there is one for that."""
        model = nearest(self.challengers, scope) if target == CONDITION else None
        return model.says(history) if model is not None else None


def _says(forecaster: Forecaster, history: History) -> tuple[str, Forecast]:
    return _name(forecaster), forecaster.predict([history])[0]


def _name(forecaster: Forecaster | type[Forecaster]) -> str:
    return f"{forecaster.NAME}-{forecaster.VERSION}"


def _beside(seen: Forecast, usual: Forecast) -> Forecast:
    """What is seen, with what is usual at this age in its basis, if that is known."""
    if usual.p10_h is None:
        return seen
    hours = (
        f"more than {usual.p10_h:.0f}" if usual.p90_h is None else f"{usual.p10_h:.0f} to {usual.p90_h:.0f}"
    )
    return replace(seen, basis=f"{seen.basis}; usual at this age: {hours} h left ({usual.basis})")


class ForecastEngine:
    """The trajectories and forecasts of one partition of one tenant's health topic."""

    def __init__(self, tenant: str, registry: RegistryCache, forecasters: Forecasters) -> None:
        self._tenant = tenant
        self._registry = registry
        self._forecasters = forecasters
        self._trajectories: dict[tuple[int, str], Trajectory] = {}
        self._renewed: dict[int, tuple[int, Trajectory]] = {}

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        """Extend the trajectories; forecast those that passed a round instant."""
        messages, dead = await self._read(chunk)
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
                if before // FORECAST_EVERY_US != message.ts_us // FORECAST_EVERY_US:
                    mode = message.mode if name == CONDITION else ""
                    due.append((message.asset_id, name, (renewed or trajectory).copy(), mode))
        return due if fresh else None

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
        for asset_id, name, trajectory, mode in due:
            kind = self._registry.current.asset_by_id(asset_id).equipment_type
            scope, pack = Scope(kind, self._tenant), pack_of(self._registry.current.equipment_type(kind))
            history, at = self._forecasters.history(asset_id, name, trajectory), trajectory.ts_us[-1]
            says = self._forecasters.forecast(scope, name, history, to_failure(pack, mode, history))
            rows.append(_row(asset_id, at, name, *says))
            if beside := self._forecasters.in_shadow(scope, name, history):
                shadow.append(_row(asset_id, at, name, *beside))
        return rows, shadow

    def state(self) -> bytes:
        """All trajectories as arrays."""
        targets: list[tuple[Any, ...]] = sorted(self._trajectories)
        found = [self._trajectories[target] for target in targets]
        for asset_id, (since, trajectory) in sorted(self._renewed.items()):
            targets.append((asset_id, CONDITION, since))
            found.append(trajectory)
        arrays: dict[str, NDArray[Any]] = {
            "targets": np.frombuffer(json.dumps(targets).encode(), np.uint8),
            "points": np.array([[len(t.ts_us), t.stride, t.seen] for t in found], np.int64).reshape(-1, 3),
            "ts_us": np.array([ts for t in found for ts in t.ts_us], np.int64),
            "level": np.array([level for t in found for level in t.level], np.float64),
        }
        return pack(STATE, arrays)

    def load(self, state: bytes) -> None:
        """Go on from saved trajectories; raises `StateError`."""
        arrays = unpack(STATE, state, EMPTY)
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
