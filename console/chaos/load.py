"""What a fault run sends: frames of a seeded fleet, and among them records that are not as they should be."""

import struct
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from console.chaos.item import DUPLICATE, FRAME_HEADERS, LATE, VALID, Item, content_sha256
from console.chaos.poison import REASONS, poisoned
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame

KIND = "elevator"
CHANNELS = ("motion", "motor_current", "motor_temperature", "trips")
"""Regime, two measurements and a counter: work for scores, health, wear and forecasts."""

BOOT = 7
STEP_US = 10_000_000
SEQ_AT, FIRST_AT = 24, 32
"""Where the sequence and the first instant stand in a binary frame (docs/wire-format.md)."""

NOISE_ROWS = 8192
LATE_AFTER = (20, 400)
"""A late frame comes this many records after its turn."""


@dataclass(frozen=True, slots=True)
class Load:
    """A reproducible load: `poison`, `duplicate` and `late` are shares of the records.

    `name` begins the names of its tenants and changes nothing else. Each of `tenants` has `assets` machines,
    of the same names, so that a mix-up between tenants shows. `start_us` is the first instant; each record
    holds `rows` instants ten seconds apart.
    """

    name: str
    seed: int
    records: int
    start_us: int
    tenants: int = 2
    assets: int = 6
    rows: int = 8
    poison: float = 0.01
    duplicate: float = 0.01
    late: float = 0.01

    def tenant_names(self) -> list[str]:
        """The customers."""
        return [f"{self.name}-{number}" for number in range(self.tenants)]

    def fleet(self) -> Fleet:
        """Whom and what the load speaks of."""
        names = self.tenant_names()
        assets = [Asset(0, tenant, "site", f"lift-{k}", KIND) for tenant in names for k in range(self.assets)]
        sites = tuple(Site(name, "site") for name in names)
        tenants = tuple(Tenant(name) for name in names)
        return Fleet(tenants, sites, tuple(assets), (packs()[KIND].equipment_type,))

    def columns(self) -> list[int]:
        """Columns of the telemetry table that the load fills."""
        return [packs()[KIND].equipment_type.column(name) for name in CHANNELS]


@dataclass
class Machine:
    """One machine of the load: makes its frames by patching the bytes of its first one."""

    load: Load
    tenant: str
    name: str
    number: int
    noise: NDArray[np.float32]
    seq: int = 0
    template: bytes = field(init=False)
    body: int = field(init=False)

    def __post_init__(self) -> None:
        ts = self.load.start_us + STEP_US * np.arange(self.load.rows, dtype=np.int64)
        values = np.zeros((len(CHANNELS), self.load.rows), np.float32)
        units = ("",) * len(CHANNELS)
        self.template = encode_binary(
            Frame(self.name, self.tenant, BOOT, 0, ts, CHANNELS, units, values, None)
        )
        self.body = struct.unpack_from("<H", self.template, 6)[0]

    def next(self) -> Item:
        """The machine's next frame."""
        seq, self.seq = self.seq, self.seq + 1
        first = self.load.start_us + STEP_US * self.load.rows * seq
        values = self._values(seq)
        ts = first + STEP_US * np.arange(self.load.rows, dtype=np.int64)
        value = self._frame(seq, first, values)
        sha256 = content_sha256(ts, values.T)
        return Item(
            self.tenant, self.name, seq, VALID, self.name.encode(), value, FRAME_HEADERS, sha256, first
        )

    def conflicting(self, item: Item) -> bytes:
        """Another frame under the same number."""
        return self._frame(item.seq, item.first_us, self._values(item.seq) + np.float32(1.0))

    def _values(self, seq: int) -> NDArray[np.float32]:
        """(channels, rows): noise; later some machines' current grows, and a sensor is stuck for a while."""
        row = seq * self.load.rows + np.arange(self.load.rows)
        current, temperature = self.noise[:, (row * 5 + 977 * self.number) % NOISE_ROWS]
        done = seq * self.load.assets * self.load.tenants / self.load.records
        drift = 40.0 * max(done - 0.6, 0.0) if self.number % 3 == 0 else 0.0
        if self.number % 3 == 1 and 0.7 < done < 0.8:
            temperature = np.zeros(self.load.rows)
        motion = np.ones(self.load.rows)
        return np.stack([motion, 15 + current + drift, 45 + temperature, row]).astype(np.float32)

    def _frame(self, seq: int, first: int, values: NDArray[np.float32]) -> bytes:
        data = bytearray(self.template)
        struct.pack_into("<Q", data, SEQ_AT, seq)
        struct.pack_into("<q", data, FIRST_AT, first)
        data[self.body : -4] = values.astype("<f4").tobytes()
        struct.pack_into("<I", data, len(data) - 4, zlib.crc32(memoryview(data)[:-4]))
        return bytes(data)


def machines(load: Load) -> list[Machine]:
    """The load's machines; tenant after tenant, as the fleet has them."""
    rng = np.random.default_rng([load.seed, 0])
    noise = rng.normal(0.0, 1.0, (2, NOISE_ROWS)).astype(np.float32)
    places = [(tenant, f"lift-{k}") for tenant in load.tenant_names() for k in range(load.assets)]
    return [Machine(load, tenant, name, number, noise) for number, (tenant, name) in enumerate(places)]


def items(load: Load) -> Iterator[Item]:
    """The records in the order in which they are sent; the same for the same load."""
    rng, fleet = np.random.default_rng([load.seed, 1]), machines(load)
    held, latest = deque[tuple[int, Item]](), dict[int, Item]()
    chances = np.cumsum([load.poison, load.duplicate, load.late])
    for number in range(load.records):
        while held and held[0][0] <= number:
            yield held.popleft()[1]
        machine = fleet[number % len(fleet)]
        luck = int(np.searchsorted(chances, rng.random(), side="right"))
        known = latest.get(machine.number)
        if luck == 0 and known is not None:
            yield poisoned(known, REASONS[int(rng.integers(len(REASONS)))], machine.conflicting)
        elif luck == 1 and known is not None:
            yield replace(known, kind=DUPLICATE)
        elif luck == 2:
            held.append((number + int(rng.integers(*LATE_AFTER)), replace(machine.next(), kind=LATE)))
        else:
            latest[machine.number] = machine.next()
            yield latest[machine.number]
    for _, item in held:
        yield item
