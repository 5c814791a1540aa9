"""Whether a well-formed frame may come in here: its key, tenant, asset, channels, units and instants."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.asset import MAX_CHANNELS, Asset, EquipmentType
from fleet.dead_letter import Reason
from fleet.registry import Registry
from streams.record import Record
from streams.wire.bodies import Packed
from streams.wire.frame import FrameError, brief
from streams.wire.layout import Layout
from streams.wire.limits import Limits
from streams.wire.plain_json import REPLAYED, Columns, PlainMessages

_MICROSECOND = timedelta(microseconds=1)

_FAR_MS, _LONGEST_US = 2**52, 2**62
"""Beyond all instants, and together still an int64: a sender, or a setting, may have any number."""


class Plan(NamedTuple):
    """Where the channels of a layout go.

    source: (`MAX_CHANNELS`,) int32, the layout's channel for each column of the type, -1 for none.
    """

    kind: EquipmentType
    source: NDArray[np.int32]


class Admitted(NamedTuple):
    """Messages in plain form that may come in: what they say, the asset's id and the plan's index of each."""

    columns: Columns
    asset_id: NDArray[np.int32]
    plan: NDArray[np.int32]


class Admission:
    """The rules of one tenant's topic."""

    def __init__(self, tenant: str, registry: Registry, limits: Limits) -> None:
        self.unknown_assets: set[str] = set()
        self._tenant = tenant
        self._registry = registry
        self._assets = registry.by_key(tenant)
        self._past_us = min(limits.past // _MICROSECOND, _LONGEST_US)
        self._future_us = min(limits.future // _MICROSECOND, _LONGEST_US)
        self.plans: list[Plan] = []
        self._numbers: dict[tuple[Layout, str], int] = {}

    def admit_plain(self, records: Sequence[Record], plain: PlainMessages) -> Admitted:
        """The messages that may come in; why the others may not is for `admit` to say."""
        columns = plain.columns
        sent = [records[index] for index in columns.record.tolist()]
        assets = [self._assets.get(record.key or b"") for record in sent]
        kinds = [asset.equipment_type if asset else None for asset in assets]
        pairs = list(zip(columns.layout.tolist(), kinds, strict=True))
        plans = {pair: self._plan_of_plain(plain.layouts[pair[0]], pair[1]) for pair in set(pairs)}
        asset_id = np.array([asset.asset_id if asset else 0 for asset in assets], np.int32)
        plan = np.array([plans[pair] for pair in pairs], np.int32)
        admitted = (plan >= 0) & self._in_window(sent, columns.ts_us)
        return Admitted(columns.take(admitted), asset_id[admitted], plan[admitted])

    def _plan_of_plain(self, layout: Layout, type_name: str | None) -> int:
        """The index in `plans`, -1 if there is something wrong."""
        if type_name is None or layout.tenant not in (None, self._tenant):
            return -1
        try:
            return self._plan(layout, type_name)
        except FrameError:
            return -1

    def _in_window(self, sent: Sequence[Record], ts_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        told = np.array([record.timestamp for record in sent], np.int64)
        now = 1000 * np.clip(told, -_FAR_MS, _FAR_MS)
        replayed = np.array([record.headers == REPLAYED for record in sent], np.bool_)
        return replayed | ((now - self._past_us <= ts_us) & (ts_us <= now + self._future_us))

    def admit(self, record: Record, frame: Packed) -> tuple[int, int]:
        """The frame's asset id, and the index in `plans` of what to do with it. Raises `FrameError`."""
        if record.key is None:
            raise FrameError(Reason.NULL_KEY, "the record has no key; it is the asset's name")
        if record.key != frame.asset.encode():
            raise FrameError(
                Reason.SCHEMA_INVALID, f"key {brief(record.key)} of a frame of {brief(frame.asset)}"
            )
        asset = self._asset(frame)
        plan = self._plan(frame.layout, asset.equipment_type)
        self._check_window(record, frame)
        return asset.asset_id, plan

    def _asset(self, frame: Packed) -> Asset:
        claimed = frame.layout.tenant
        if claimed is not None and claimed != self._tenant:
            raise FrameError(Reason.TENANT_MISMATCH, f"the topic is {self._tenant}'s, not {brief(claimed)}'s")
        asset = self._assets.get(frame.asset.encode())
        if asset is None:
            self.unknown_assets.add(frame.asset)
            raise FrameError(Reason.UNKNOWN_ASSET, f"{self._tenant} has no asset {brief(frame.asset)}")
        return asset

    def _plan(self, layout: Layout, type_name: str) -> int:
        number = self._numbers.get((layout, type_name))
        if number is None:
            number = len(self.plans)
            self.plans.append(_plan(layout, self._registry.equipment_type(type_name)))
            self._numbers[layout, type_name] = number
        return number

    def _check_window(self, record: Record, frame: Packed) -> None:
        """Against the broker's clock, not ours: a record read again meets the same window."""
        now = record.timestamp * 1000
        if now - self._past_us <= frame.first_us and frame.last_us <= now + self._future_us:
            return
        if ("replay", b"1") not in record.headers:
            raise FrameError(
                Reason.TS_OUT_OF_RANGE,
                f"instants {frame.first_us} to {frame.last_us} are too far from the broker's clock, {now} µs",
            )


def _plan(layout: Layout, kind: EquipmentType) -> Plan:
    """Raises `FrameError` for a channel that the type does not have, or has in another unit."""
    source = np.full(MAX_CHANNELS, -1, np.int32)
    for position, (channel, unit) in enumerate(zip(layout.channels, layout.units, strict=True)):
        try:
            column = kind.column(channel)
        except KeyError:
            raise FrameError(
                Reason.UNKNOWN_SIGNAL_OR_UNIT, f"{kind.name} has no channel {brief(channel)}"
            ) from None
        known = kind.channels[column].unit
        if unit and unit != known:
            raise FrameError(Reason.UNKNOWN_SIGNAL_OR_UNIT, f"{channel} is in {known}, not in {brief(unit)}")
        source[column] = position
    return Plan(kind, source)
