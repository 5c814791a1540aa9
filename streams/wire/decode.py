"""A whole chunk of records at once: columns of numbers per equipment type, and what could not be used.

Python looks at each record's header once; the samples themselves are checked and spread by compiled loops
over the chunk, so that the cost of a frame hardly grows with its rows.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.dead_letter import Reason
from fleet.registry import Registry
from streams.record import Record
from streams.wire import kernels
from streams.wire.admission import Admission, Admitted, Plan
from streams.wire.bodies import FAULTS, Bodies, Packed
from streams.wire.envelope import read_value
from streams.wire.frame import FrameError
from streams.wire.limits import DEFAULT, Limits
from streams.wire.plain_json import Columns, read_plain


@dataclass(frozen=True, slots=True)
class FrameTable:
    """The good frames in offset order, one entry each.

    record: index into the chunk's records. asset_id: int32. boot_id, seq: the wire's 64 bits as signed
    int64. digest: int64, 64 bits of the SHA-256 of what the frame says, the same in every encoding.
    block: index into the chunk's blocks; first_row, rows: where in that block its rows are.
    """

    record: NDArray[np.int32]
    asset_id: NDArray[np.int32]
    boot_id: NDArray[np.int64]
    seq: NDArray[np.int64]
    digest: NDArray[np.int64]
    block: NDArray[np.int32]
    first_row: NDArray[np.int32]
    rows: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Block:
    """All rows of one equipment type, in offset order, then time.

    frame: (n,) int32, index of the row's frame in the `FrameTable`. asset_id: (n,) int32. ts_us: (n,) int64.
    values: (n, channels of the type) float32, in catalogue order, NaN where missing.
    """

    equipment_type: str
    frame: NDArray[np.int32]
    asset_id: NDArray[np.int32]
    ts_us: NDArray[np.int64]
    values: NDArray[np.float32]


class Reject(NamedTuple):
    """A record that cannot be used: its index among the chunk's records, and why."""

    record: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class DecodedChunk:
    """Each of the first `records` records is in exactly one of frames, rejects (in order) and tombstones.

    Those are all of the chunk's, unless its frames hold more cells than are decoded at once.
    """

    records: int
    frames: FrameTable
    blocks: tuple[Block, ...]
    rejects: list[Reject]
    tombstones: list[int]
    unknown_assets: set[str]
    """Names that the registry does not have: refresh it and decode again before believing the rejects."""


class _Accepted:
    """Frames on their way into the tables, in columns: objects would keep the garbage collector busy."""

    def __init__(self, plain: Admitted, singles: NDArray[np.float32]) -> None:
        self.bodies = Bodies(singles, _plain_table(plain.columns))
        self._plain = plain
        self._record: list[int] = []
        self._asset_id: list[int] = []
        self._plan: list[int] = []
        self._boot_id: list[int] = []
        self._seq: list[int] = []

    def add(self, record: int, frame: Packed, asset_id: int, plan: int) -> None:
        self.bodies.add(frame)
        self._record.append(record)
        self._asset_id.append(asset_id)
        self._plan.append(plan)
        self._boot_id.append(frame.boot_id)
        self._seq.append(frame.seq)

    @cached_property
    def record(self) -> NDArray[np.int32]:
        return np.concatenate([self._plain.columns.record, self._record]).astype(np.int32)

    @cached_property
    def asset_id(self) -> NDArray[np.int32]:
        return np.concatenate([self._plain.asset_id, self._asset_id]).astype(np.int32)

    @cached_property
    def plan(self) -> NDArray[np.int32]:
        return np.concatenate([self._plain.plan, self._plan]).astype(np.int32)

    @cached_property
    def boot_id(self) -> NDArray[np.int64]:
        return np.concatenate([self._plain.columns.boot_id, _signed(self._boot_id)])

    @cached_property
    def seq(self) -> NDArray[np.int64]:
        return np.concatenate([self._plain.columns.seq, _signed(self._seq)])


def _signed(numbers: list[int]) -> NDArray[np.int64]:
    """The wire's unsigned 64 bits, as PostgreSQL's bigint holds them."""
    return np.array(numbers, np.uint64).view(np.int64)


def _plain_table(columns: Columns) -> NDArray[np.int64]:
    """Where the values of messages in plain form are among `singles`, as `kernels` wants it said."""
    table = np.zeros((len(columns.record), kernels.MASKED + 1), np.int64)
    table[:, kernels.START], table[:, kernels.ROWS] = 4 * columns.first, 1
    table[:, kernels.CHANNELS], table[:, kernels.FIRST_US] = columns.channels, columns.ts_us
    return table


def decode_chunk(
    records: Sequence[Record], tenant: str, registry: Registry, limits: Limits = DEFAULT
) -> DecodedChunk:
    """The records of one partition of `tenant`'s topic, in offset order. Raises nothing, whatever the bytes.

    Ends before the record whose frame would be too much for `limits.chunk_cells`, but takes at least one.

    A record without a value is a tombstone, whatever its key. How records are cut into chunks makes no
    difference to what they become.
    """
    admission = Admission(tenant, registry, limits)
    messages = read_plain(records, limits)
    plain = admission.admit_plain(records, messages)
    accepted = _Accepted(plain, messages.singles)
    rejects, tombstones, taken = _read_others(records, plain.columns.record, admission, accepted, limits)
    taken = min(taken, _enough(accepted, admission.plans, limits))
    faults, used = accepted.bodies.faults(), accepted.record < taken
    faulty = np.flatnonzero(used & (faults != kernels.GOOD))
    rejects += [Reject(int(accepted.record[at]), *FAULTS[faults[at]]) for at in faulty]
    good = np.flatnonzero(used & (faults == kernels.GOOD))
    good = good[np.argsort(accepted.record[good])]
    frames, blocks = _tabulate(accepted, good, admission.plans)
    return DecodedChunk(
        taken,
        frames,
        blocks,
        sorted(reject for reject in rejects if reject.record < taken),
        [index for index in tombstones if index < taken],
        admission.unknown_assets,
    )


def _read_others(
    records: Sequence[Record],
    plain: NDArray[np.int64],
    admission: Admission,
    accepted: _Accepted,
    limits: Limits,
) -> tuple[list[Reject], list[int], int]:
    """Add the frames that are no plain messages; returns rejects, tombstones and how many records were read.

    Stops once they have too many cells by themselves, so that no more is held than may be used.
    """
    rejects, tombstones, cells = list[Reject](), list[int](), 0
    for index in np.delete(np.arange(len(records)), plain).tolist():
        record = records[index]
        if record.value is None:
            tombstones.append(index)
            continue
        try:
            frame = read_value(record.value, record.headers, limits)
            asset_id, plan = admission.admit(record, frame)
        except FrameError as error:
            rejects.append(Reject(index, error.reason, error.detail))
            continue
        cells += frame.rows * len(admission.plans[plan].kind.channels)
        if cells > limits.chunk_cells and index:
            return rejects, tombstones, index
        accepted.add(index, frame, asset_id, plan)
    return rejects, tombstones, len(records)


def _enough(accepted: _Accepted, plans: list[Plan], limits: Limits) -> int:
    """The first record, but not the very first, with which the accepted frames have too many cells."""
    order = np.argsort(accepted.record)
    width = np.array([len(plan.kind.channels) for plan in plans], np.int64)
    cells = np.cumsum((accepted.bodies.table[:, kernels.ROWS] * width[accepted.plan])[order])
    record = accepted.record[order]
    too_much = record[(cells > limits.chunk_cells) & (record > 0)]
    return int(too_much[0]) if len(too_much) else sys.maxsize


def _tabulate(
    accepted: _Accepted, good: NDArray[np.intp], plans: list[Plan]
) -> tuple[FrameTable, tuple[Block, ...]]:
    """The tables of those accepted frames that turned out good, in this order."""
    plan, asset_id = accepted.plan[good], accepted.asset_id[good]
    rows = accepted.bodies.table[good, kernels.ROWS].astype(np.int32)
    kinds = sorted({plans[number].kind.name for number in set(plan.tolist())})
    numbers = [kinds.index(each.kind.name) if each.kind.name in kinds else -1 for each in plans]
    block = np.array(numbers, np.int32)[plan]
    first_row, digest, blocks = np.zeros_like(rows), np.zeros(len(good), np.int64), []
    for number, kind in enumerate(kinds):
        members = np.flatnonzero(block == number).astype(np.int32)
        counts = rows[members]
        first_row[members] = np.cumsum(counts) - counts
        ts_us, values = _spread(accepted.bodies, good[members], plan[members], plans)
        digest[members] = _digests(ts_us, values, counts)
        frame = np.repeat(members, counts)
        blocks.append(Block(kind, frame, asset_id[frame], ts_us, values))
    said = accepted.record[good], asset_id, accepted.boot_id[good], accepted.seq[good]
    return FrameTable(*said, digest, block, first_row, rows), tuple(blocks)


def _spread(
    bodies: Bodies, frames: NDArray[np.intp], plan: NDArray[np.int32], plans: list[Plan]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Instants and values of frames of one equipment type, one after the other."""
    table = bodies.table[frames]
    n, columns = table[:, kernels.ROWS].sum(), len(plans[plan[0]].kind.channels)
    ts_us, values = np.empty(n, np.int64), np.empty((n, columns), np.float32)
    sources = np.stack([each.source for each in plans])
    kernels.scatter(bodies.words, bodies.singles, bodies.octets, table, sources, plan, ts_us, values)
    return ts_us, values


def _digests(
    ts_us: NDArray[np.int64], values: NDArray[np.float32], rows: NDArray[np.int32]
) -> NDArray[np.int64]:
    said, bounds = kernels.write_down(ts_us, values, rows)
    octets = said.data.cast("B")
    digests = [sha256(octets[start:end]).digest()[:8] for start, end in bounds.tolist()]
    return np.frombuffer(b"".join(digests), "<i8")
