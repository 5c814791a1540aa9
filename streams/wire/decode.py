"""A whole chunk of records at once: columns of numbers per equipment type, and what could not be used.

Python looks at each record's header once; the samples themselves are checked and spread by compiled loops
over the chunk, so that the cost of a frame hardly grows with its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.dead_letter import Reason
from fleet.registry import Registry
from streams.record import Record
from streams.wire import kernels
from streams.wire.admission import Admission, Plan
from streams.wire.bodies import FAULTS, Bodies, Packed
from streams.wire.envelope import read_value
from streams.wire.frame import FrameError
from streams.wire.limits import DEFAULT, Limits
from streams.wire.plain_json import read_plain


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

    def __init__(self) -> None:
        self.bodies = Bodies()
        self.record: list[int] = []
        self.asset_id: list[int] = []
        self.plan: list[int] = []
        self.boot_id: list[int] = []
        self.seq: list[int] = []

    def add(self, record: int, frame: Packed, asset_id: int, plan: int) -> None:
        self.bodies.add(frame)
        self.record.append(record)
        self.asset_id.append(asset_id)
        self.plan.append(plan)
        self.boot_id.append(frame.boot_id)
        self.seq.append(frame.seq)


def decode_chunk(
    records: Sequence[Record], tenant: str, registry: Registry, limits: Limits = DEFAULT
) -> DecodedChunk:
    """The records of one partition of `tenant`'s topic, in offset order. Raises nothing, whatever the bytes.

    Ends before the record whose frame would be too much for `limits.chunk_cells`, but takes at least one.

    A record without a value is a tombstone, whatever its key. How records are cut into chunks makes no
    difference to what they become.
    """
    admission, accepted = Admission(tenant, registry, limits), _Accepted()
    rejects, tombstones, taken, cells = [], [], len(records), 0
    plain = read_plain(records, limits)
    for index, record in enumerate(records):
        if record.value is None:
            tombstones.append(index)
            continue
        try:
            frame = plain.get(index) or read_value(record.value, record.headers, limits)
            asset_id, plan = admission.admit(record, frame)
        except FrameError as error:
            rejects.append(Reject(index, error.reason, error.detail))
            continue
        cells += frame.rows * len(admission.plans[plan].kind.channels)
        if cells > limits.chunk_cells and index:
            taken = index
            break
        accepted.add(index, frame, asset_id, plan)
    faults = accepted.bodies.faults()
    rejects += [Reject(accepted.record[at], *FAULTS[faults[at]]) for at in np.flatnonzero(faults)]
    frames, blocks = _tabulate(accepted, np.flatnonzero(faults == kernels.GOOD), admission.plans)
    return DecodedChunk(taken, frames, blocks, sorted(rejects), tombstones, admission.unknown_assets)


def _tabulate(
    accepted: _Accepted, good: NDArray[np.intp], plans: list[Plan]
) -> tuple[FrameTable, tuple[Block, ...]]:
    """The tables of those accepted frames that turned out good."""
    plan = np.array(accepted.plan, np.int32)[good]
    asset_id = np.array(accepted.asset_id, np.int32)[good]
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
    record = np.array(accepted.record, np.int32)[good]
    boot_id = np.array(accepted.boot_id, np.uint64)[good].view(np.int64)
    seq = np.array(accepted.seq, np.uint64)[good].view(np.int64)
    return FrameTable(record, asset_id, boot_id, seq, digest, block, first_row, rows), tuple(blocks)


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
