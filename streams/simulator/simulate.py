"""Turns a fleet, a span of time, a seed and faults into frames, in the order of time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge

from fleet.asset import Fleet
from fleet.clock import microseconds
from streams.simulator.fault import Fault
from streams.simulator.machine import DAY_S
from streams.simulator.source import MACHINES, Source
from streams.wire.frame import Frame


def simulate(
    fleet: Fleet,
    start: datetime,
    duration: timedelta,
    seed: int,
    faults: Sequence[Fault] = (),
    interval_s: int = 60,
    rows_per_frame: int = 60,
) -> Iterator[Frame]:
    """Frames with a row every `interval_s`, from `start` (aware) for `duration`.

    A machine whose channels are nominally sampled more seldom has its rows as seldom. The same arguments give
    the same values; `rows_per_frame` changes only how they are cut. Raises `ValueError` for an interval that
    does not divide a day, a machine without a model, an unknown fault.
    """
    if interval_s < 1 or DAY_S % interval_s:
        raise ValueError(f"interval_s is {interval_s}: it must divide a day's 86400 s")
    _check(fleet, faults)
    types = {kind.name: kind for kind in fleet.equipment_types}
    span = microseconds(start.astimezone(UTC)), microseconds((start + duration).astimezone(UTC))
    sources = [Source(asset, types[asset.equipment_type], span, seed, faults) for asset in fleet.assets]
    gateways = [source.frames(max(interval_s, source.rarest_s), rows_per_frame) for source in sources]
    return merge(*gateways, key=lambda frame: (int(frame.ts_us[-1]), frame.tenant, frame.asset))


def begin(now: datetime, duration: timedelta) -> datetime:
    """Where to begin so that the last rows are of the minute before `now`, as if the fleet were reporting."""
    return now.astimezone(UTC).replace(second=0, microsecond=0) - duration


def _check(fleet: Fleet, faults: Sequence[Fault]) -> None:
    kinds = {asset.name: asset.equipment_type for asset in fleet.assets}
    for name, kind in kinds.items():
        if kind not in MACHINES:
            raise ValueError(f"asset {name}: no model of a {kind}; there are models of {sorted(MACHINES)}")
    for fault in faults:
        if fault.asset not in kinds:
            raise ValueError(f"fault {fault.mode}: the fleet has no asset {fault.asset!r}")
        fault.check(kinds[fault.asset])
