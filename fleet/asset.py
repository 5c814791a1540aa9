"""Tenants, sites, assets and channels (IEC 62264 role-based equipment, OPC UA variables)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MAX_CHANNELS = 64
"""Columns of the wide telemetry table, so also the most channels of one equipment type."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?")


class FleetError(ValueError):
    """A fleet description that cannot be used; the message says what to change."""


def check_name(kind: str, name: str) -> str:
    """Return `name` if it can stand in a topic, a schema and a URL, else raise `FleetError`."""
    if not _NAME.fullmatch(name):
        raise FleetError(
            f"{kind} {name!r}: use 1 to 64 characters of a-z, 0-9, '-', '_' and '.', "
            "starting and ending with a letter or digit"
        )
    return name


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity of a machine.

    `low` and `high` bound what the sensor can truthfully report, in `unit`; a value outside is
    flagged bad, never scored. `rate_hz` is the nominal sampling rate. `kind` says what the number is:
    a `measurement` is scored, a `setpoint` tells the regime, a `counter` only grows, a `state` is a code.
    """

    name: str
    unit: str
    low: float = float("-inf")
    high: float = float("inf")
    kind: str = "measurement"
    rate_hz: float = 1.0
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        check_name("channel", self.name)
        for number in ("low", "high", "rate_hz"):  # whole numbers are welcome in files
            object.__setattr__(self, number, float(getattr(self, number)))
        if self.kind not in {"measurement", "setpoint", "counter", "state"}:
            raise FleetError(f"channel {self.name}: kind is measurement, setpoint, counter or state")
        if not self.low < self.high:
            raise FleetError(f"channel {self.name}: low ({self.low}) must be below high ({self.high})")


@dataclass(frozen=True, slots=True)
class EquipmentType:
    """A class of machine: its channels in column order (ISO 14224 equipment class).

    The position of a channel is its column in the telemetry table for good: add channels at the end,
    never reorder or remove them.
    """

    name: str
    channels: tuple[Channel, ...]
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        check_name("equipment type", self.name)
        names = [channel.name for channel in self.channels]
        if not 1 <= len(names) <= MAX_CHANNELS:
            raise FleetError(
                f"equipment type {self.name}: has {len(names)} channels, 1 to {MAX_CHANNELS} fit"
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise FleetError(f"equipment type {self.name}: channels named twice: {', '.join(twice)}")

    def first(self, channels: int) -> "EquipmentType":
        """The type with its first channels only, as it was before others were added; raises `FleetError`."""
        return replace(self, channels=self.channels[:channels])

    def column(self, channel: str) -> int:
        """Column of a channel by name; raises `KeyError`."""
        for position, known in enumerate(self.channels):
            if known.name == channel:
                return position
        raise KeyError(channel)


@dataclass(frozen=True, slots=True)
class Asset:
    """A machine. `asset_id` is the database's number; `name` is unique within its tenant.

    `ratings` are what its nameplate and data sheets say, see `fleet.rating`.
    """

    asset_id: int
    tenant: str
    site: str
    name: str
    equipment_type: str
    title: str = ""
    ratings: Mapping[str, float | str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Site:
    """A place of a tenant; `timezone` (IANA name) is how its people read the clock.

    `latitude` and `longitude` are degrees north and east (WGS 84), both or neither. Raises `FleetError`.
    """

    tenant: str
    name: str
    title: str = ""
    timezone: str = "UTC"
    latitude: float | None = None
    longitude: float | None = None

    def __post_init__(self) -> None:
        for name, most in (("latitude", 90), ("longitude", 180)):
            degrees = getattr(self, name)
            if degrees is None:
                continue
            if not -most <= degrees <= most:
                raise FleetError(
                    f"site {self.name}: {name} {degrees} is not between -{most} and {most} degrees"
                )
            object.__setattr__(self, name, float(degrees))
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            raise FleetError(f"site {self.name}: {missing} is missing: give both or neither")


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer who is kept apart from all others."""

    name: str
    title: str = ""

    def __post_init__(self) -> None:
        check_name("tenant", self.name)


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a fleet file describes: assets carry `asset_id` 0 until the database numbers them."""

    tenants: tuple[Tenant, ...]
    sites: tuple[Site, ...]
    assets: tuple[Asset, ...]
    equipment_types: tuple[EquipmentType, ...] = field(default=())
