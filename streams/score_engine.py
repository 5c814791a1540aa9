"""From a chunk of frames to what one transaction stores (ISO 13374: acquisition to health assessment).

The shell around pure parts: it asks the registry for names and the ledger for frames seen before, and hands
the rest to the equipment types' scorers.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.explained import Fit
from detectors.state_bytes import pack, unpack
from fleet.catalog import pack_of
from fleet.dead_letter import Reason
from fleet.model_scope import Scope, nearest
from fleet.rating import Ratings
from fleet.vertical import VerticalPack
from storage import crash_point
from storage.chunk_result import FRAME, ChunkResult, DeadLetter, OutboxMessage, Tally
from storage.sink import Sink
from streams import metrics
from streams.dead_letter import dead_letter
from streams.frame_dedup import Fate, FrameDedup, Sightings
from streams.health_message import CONTENT_TYPE, HealthMessage
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.rows import Rows, Scored
from streams.scorer import Scorer
from streams.topics import health_topic, tenant_of
from streams.wire.decode import Block, DecodedChunk, decode_chunk
from streams.wire.limits import Limits

STATE = "score-engine-2"

Fits = Mapping[Scope, Fit]
"""What surroundings explain, of tenants' or all machines of a type."""

NO_FITS: Fits = {}

DAY_US = 86_400_000_000

HEALTH_HEADERS = (("content-type", CONTENT_TYPE.encode()),)


class ScoreEngine:
    """Scores one partition of one tenant's telemetry."""

    def __init__(
        self,
        tenant: str,
        registry: RegistryCache,
        sink: Sink,
        limits: Limits,
        false_per_day: float | None = None,
        fits: Fits = NO_FITS,
    ) -> None:
        self._tenant = tenant
        self._false_per_day = false_per_day
        self._fits = fits
        self._registry = registry
        self._rated_by = registry.current
        self._sink = sink
        self._limits = limits
        self._seen = FrameDedup()
        self._scorers: dict[str, Scorer] = {}
        self._from_nothing = True

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        """Decode, tell new from seen, score. `again`: only rebuild the state.

        A machine starts over when the record of its repair is known, or another fit is in use. So that what
        follows a snapshot is computed again as it was stored, machines start over at new rows alone, and then
        the state is stored with them. Only a state that is computed from nothing has every repair where it
        belongs.
        """
        decoded = await self._decode(chunk)
        chunk = chunk.first(decoded.records)
        crash_point.reached("after_decode")
        sightings = _sightings(chunk, decoded)
        fates = await self._judge(sightings, again)
        new = fates == Fate.NEW
        self._from_nothing &= again
        self._rate()
        hears = self._from_nothing or not again
        scored = [self._score(block, new, hears) for block in decoded.blocks]
        started_over = any(part.renewed for part in scored)
        if not again:
            _count(decoded.blocks, scored)
        dead = [
            dead_letter(chunk.records[index], reason, detail) for index, reason, detail in decoded.rejects
        ]
        dead += _conflicts(chunk, decoded, fates)
        return ChunkResult(
            chunk.topic,
            chunk.partition,
            first_offset=chunk.records[0].offset,
            next_offset=chunk.end_offset,
            tally=Tally(
                int(new.sum()), int((fates == Fate.DUPLICATE).sum()), len(dead), len(decoded.tombstones)
            ),
            telemetry=[part.telemetry for part in scored],
            frames=_ledger_rows(decoded, sightings, new),
            dead_letters=sorted(dead, key=lambda letter: letter.offset),
            health=[row for part in scored for row in part.health],
            episodes=[row for part in scored for row in part.episodes],
            features=[row for part in scored for row in part.features],
            wear=[row for part in scored for row in part.wear],
            outbox=[self._outbox(message) for part in scored for message in part.messages],
            snapshot=self.state() if started_over and not again else None,
        )

    async def _decode(self, chunk: Chunk) -> DecodedChunk:
        decoded = decode_chunk(chunk.records, self._tenant, self._registry.current, self._limits)
        if decoded.unknown_assets and await self._registry.refresh():
            decoded = decode_chunk(chunk.records, self._tenant, self._registry.current, self._limits)
        return decoded

    async def _judge(self, sightings: Sightings, again: bool) -> NDArray[np.int8]:
        strangers = self._seen.strangers(sightings.asset_id)
        if strangers:
            self._seen.load(strangers, await self._sink.high_water(strangers))
        doubt = self._seen.doubtful(sightings, again)
        known = await self._sink.known_frames(sightings.keys(doubt.which))
        return self._seen.judge(sightings, doubt, known, again)

    def _rate(self) -> None:
        """Take up ratings that were registered since."""
        if self._rated_by is not self._registry.current:
            self._rated_by = self._registry.current
            for scorer in self._scorers.values():
                scorer.rate()

    def _score(self, block: Block, new: NDArray[np.bool_], hears: bool) -> Scored:
        """`hears`: of repairs, changes of parts and what surroundings explain."""
        scorer = self._scorers.get(block.equipment_type)
        if scorer is None:
            scorer = self._scorers[block.equipment_type] = self._scorer(block.equipment_type)
        elif scorer.channels < block.values.shape[1]:  # some were added while we run
            scorer.widen(self._pack(block.equipment_type))
        rows = Rows(block.asset_id, block.ts_us, block.values).take(new[block.frame])
        if not hears:
            return scorer.score(rows, self._name_of)
        scorer.offer(nearest(self._fits, Scope(block.equipment_type, self._tenant)))
        known = self._registry.current
        return scorer.score(rows, self._name_of, known.renewed_us, known.changed_us)

    def _scorer(self, equipment_type: str) -> Scorer:
        return Scorer(self._pack(equipment_type), ratings_of=self._ratings_of)

    def _ratings_of(self, asset_id: int) -> Ratings:
        return self._registry.current.asset_by_id(asset_id).ratings

    def _pack(self, equipment_type: str) -> VerticalPack:
        pack = pack_of(self._registry.current.equipment_type(equipment_type))
        if self._false_per_day is None:
            return pack
        return replace(pack, detection=replace(pack.detection, false_per_day=self._false_per_day))

    def _name_of(self, asset_id: int) -> tuple[str, str]:
        return self._tenant, self._registry.current.asset_by_id(asset_id).name

    def _outbox(self, message: HealthMessage) -> OutboxMessage:
        _, name = self._name_of(message.asset_id)
        topic = health_topic(self._tenant)
        return OutboxMessage(message.message_key, topic, name.encode(), message.encode(), HEALTH_HEADERS)

    def state(self) -> bytes:
        """Each scorer's state under the name of its equipment type."""
        names = sorted(self._scorers)
        states = [self._scorers[name].state() for name in names]
        index = json.dumps([names, [len(state) for state in states], self._from_nothing]).encode()
        parts = {"index": index, "states": b"".join(states)}
        return pack(STATE, {name: np.frombuffer(part, np.uint8) for name, part in parts.items()})

    def load(self, state: bytes) -> None:
        """Go on from a saved state; raises `StateError`."""
        raw = np.empty(0, np.uint8)
        found = unpack(STATE, state, {"index": raw, "states": raw})
        names, sizes, from_nothing = json.loads(found["index"].tobytes())
        states, at = found["states"].tobytes(), 0
        scorers = {}
        for name, size in zip(names, sizes, strict=True):
            scorers[name] = self._scorer(name)
            scorers[name].load(states[at : at + size])
            at += size
        self._scorers, self._from_nothing = scorers, from_nothing


def engine_for(
    topic: str,
    registry: RegistryCache,
    sink: Sink,
    limits: Limits,
    false_per_day: float | None = None,
    fits: Fits = NO_FITS,
) -> ScoreEngine:
    """The engine of a partition of `topic`; `false_per_day` is promised in place of what packs promise.

    fits: of what surroundings explain; whoever fills it may change it at any time.
    """
    return ScoreEngine(tenant_of(topic), registry, sink, limits, false_per_day, fits)


def _count(blocks: Sequence[Block], scored: Sequence[Scored]) -> None:
    """What the promise of false episodes is held against."""
    for block, part in zip(blocks, scored, strict=True):
        metrics.WATCHED_DAYS.labels(block.equipment_type).inc(part.watched_us / DAY_US)
        metrics.EPISODES.labels(block.equipment_type).inc(part.opened)


def _sightings(chunk: Chunk, decoded: DecodedChunk) -> Sightings:
    frames = decoded.frames
    offset = np.array([chunk.records[index].offset for index in frames.record.tolist()], np.int64)
    return Sightings(frames.asset_id.astype(np.int64), frames.boot_id, frames.seq, frames.digest, offset)


def _conflicts(chunk: Chunk, decoded: DecodedChunk, fates: NDArray[np.int8]) -> list[DeadLetter]:
    detail = "another frame of this asset has the same boot id and sequence and says something else"
    records = decoded.frames.record[fates == Fate.CONFLICT].tolist()
    return [dead_letter(chunk.records[index], Reason.CONFLICT, detail) for index in records]


def _ledger_rows(decoded: DecodedChunk, sightings: Sightings, new: NDArray[np.bool_]) -> NDArray[np.void]:
    frames = decoded.frames
    rows = np.empty(len(new), FRAME)
    for name in ("asset_id", "boot_id", "seq", "digest", "offset"):
        rows[name] = getattr(sightings, name)
    rows["rows"] = frames.rows
    for number, block in enumerate(decoded.blocks):
        mine = frames.block == number
        rows["first_ts_us"][mine] = block.ts_us[frames.first_row[mine]]
    return rows[new]
