"""Frames, records and a small fleet for the tests of the wire format."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fleet.asset import Asset, Channel, EquipmentType
from fleet.registry import Registry
from streams.wire.frame import Frame

TENANT = "acme"
T0 = 1_772_000_000_000_000

PUMP = EquipmentType("pump", (Channel("rpm", "1/min"), Channel("oil_temp", "°C"), Channel("load", "%")))
LIFT = EquipmentType("lift", (Channel("speed", "m/s"), Channel("load", "kg")))
ASSETS = (
    Asset(11, TENANT, "yard", "pump-7", "pump"),
    Asset(12, TENANT, "yard", "pump-9", "pump"),
    Asset(13, TENANT, "yard", "lift-1", "lift"),
    Asset(14, "other", "yard", "pump-8", "pump"),
)
REGISTRY = Registry((TENANT, "other"), ASSETS, (PUMP, LIFT))


@dataclass(frozen=True)
class Sent:
    """A Kafka record."""

    value: bytes | None
    key: bytes | None = b"pump-7"
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int = T0 // 1000
    offset: int = 0


def frame(rows: int = 3, **other: Any) -> Frame:
    """Rows of pump-7's rpm and oil_temp a second apart."""
    values = np.arange(2 * rows, dtype=np.float32).reshape(2, rows)
    said: dict[str, Any] = {
        "asset": "pump-7",
        "tenant": None,
        "boot_id": 1,
        "seq": 1,
        "ts_us": T0 + 1_000_000 * np.arange(rows),
        "channels": ("rpm", "oil_temp"),
        "units": ("1/min", "°C"),
        "values": values,
        "missing": None,
    }
    return Frame(**said | other)


def meaning(frame: Frame) -> dict[str, Any]:
    """What a frame says, in the words of docs/wire-vectors.json."""
    values = frame.values.astype(object)
    if frame.missing is not None:
        values[frame.missing] = None
    return {
        "asset": frame.asset,
        "tenant": frame.tenant,
        "boot": frame.boot_id,
        "seq": frame.seq,
        "ts_us": frame.ts_us.tolist(),
        "channels": list(frame.channels),
        "units": list(frame.units),
        "values": values.tolist(),
    }


def sealed(data: bytes) -> bytes:
    """A frame whose bytes were changed, with the CRC that fits them."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
WORDS = st.integers(0, 2**64 - 1)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@st.composite
def instants(draw: st.DrawFn, first: st.SearchStrategy[int]) -> list[int]:
    """Evenly spaced or not."""
    start = draw(first)
    if draw(st.booleans()):
        return list(
            range(start, start + draw(st.integers(1, 20)) * (step := draw(st.integers(1, 10**7))), step)
        )
    steps = draw(st.lists(st.integers(1, 10**7), max_size=19))
    return [start + sum(steps[:at]) for at in range(len(steps) + 1)]


@st.composite
def frames_of(
    draw: st.DrawFn,
    assets: st.SearchStrategy[str],
    tenants: st.SearchStrategy[str | None],
    channels: dict[str, str] | None,
    first: st.SearchStrategy[int],
) -> Frame:
    """Frames with some of the given channels and units, or with any if None."""
    kinds = channels or draw(st.dictionaries(NAMES, NAMES, min_size=1, max_size=5))
    names = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, unique=True))
    units = tuple(kinds[name] if draw(st.booleans()) else "" for name in names)
    ts_us = draw(instants(first))
    readings = st.lists(NUMBERS, min_size=len(ts_us), max_size=len(ts_us))
    values = np.array([draw(readings) for _ in names], np.float32)
    missing = None
    if draw(st.booleans()):
        bits = st.lists(st.booleans(), min_size=len(ts_us), max_size=len(ts_us))
        missing = np.array([draw(bits) for _ in names], np.bool_)
    return Frame(
        draw(assets),
        draw(tenants),
        draw(WORDS),
        draw(WORDS),
        np.array(ts_us, np.int64),
        tuple(names),
        units,
        values,
        missing,
    )


ANY_FRAMES = frames_of(NAMES, st.none() | NAMES, None, st.integers(0, 4_000_000_000_000_000))


def _known(asset: Asset) -> st.SearchStrategy[Frame]:
    kind = REGISTRY.equipment_type(asset.equipment_type)
    return frames_of(
        st.just(asset.name),
        st.sampled_from([None, TENANT]),
        {channel.name: channel.unit for channel in kind.channels},
        st.integers(T0 - 10**12, T0 + 10**8),
    )


KNOWN_FRAMES = st.one_of([_known(asset) for asset in ASSETS[:3]])
"""Frames that the fleet's tenant may send."""
