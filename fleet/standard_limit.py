"""Limits that a standard or the maker gives, as data of a vertical pack: no statistics move them."""

from dataclasses import dataclass, replace

from detectors.limit_alarm import Limit
from detectors.vibration_severity import VibrationSeverity
from fleet.asset import Channel, FleetError

DEADBAND = 0.05
"""Of a vibration limit, as a share of it; engineering default."""


@dataclass(frozen=True, slots=True)
class StandardLimit:
    """One limit of a channel, what it means to be beyond it, and what to look at first.

    `at` is in the channel's unit, of its change per second with `per_s`, of its change since the machine was
    new to us or repaired with `since_new` (`detectors.reference_level`); deadband and delays are those of
    :class:`detectors.limit_alarm.Limit`. `source` is the standard and its clause, the same in every language.
    """

    channel: str
    at: float
    source: str
    title_en: str
    title_zh: str
    check_en: str
    check_zh: str
    above: bool = True
    per_s: bool = False
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    since_new: bool = False

    def __post_init__(self) -> None:
        if not self.source:
            raise FleetError(f"{self.name}: say which standard or maker it comes from")
        if self.per_s and self.since_new:
            raise FleetError(f"{self.name}: is of the change per second or since new, not of both")
        try:
            self.of_column(0)
        except ValueError as error:
            raise FleetError(f"{self.name}: {error}") from error

    @property
    def name(self) -> str:
        """What episodes call it; tells the limits of a pack apart."""
        side = "above" if self.above else "below"
        of = "-per-s" if self.per_s else "-since-new" if self.since_new else ""
        return f"limit-{self.channel}-{side}-{self.at:g}{of}"

    def of_column(self, column: int) -> Limit:
        """The limit for the detector, its channel being in `column`."""
        delays = self.on_delay_s, self.off_delay_s
        return Limit(column, self.at, self.above, self.per_s, self.deadband, *delays)

    def check(self, channel: Channel) -> None:
        """Raise `FleetError` if the channel's range makes that no value can be beyond."""
        low, high = channel.low, channel.high
        if self.since_new:
            low, high = low - high, high - low
        reach = high > self.at if self.above else low < self.at
        if not (self.per_s or reach):
            reports = f"{channel.low:g} to {channel.high:g} {channel.unit}"
            raise FleetError(f"{self.name}: is never passed, since {channel.name} reports {reports}")


def either_way(limit: StandardLimit) -> tuple[StandardLimit, StandardLimit]:
    """The limit and its mirror image about 0, for a channel that strays to both sides."""
    return limit, replace(limit, at=-limit.at, above=not limit.above)


def vibration_limits(
    channel: str, severity: VibrationSeverity, *, on_delay_s: float, off_delay_s: float
) -> tuple[StandardLimit, ...]:
    """Limits of a channel of RMS velocity in mm/s, by ISO 20816-3.

    Where zones C and D begin (criterion I, tables A.1 and A.2), and which change matters within any zone, up
    or down (criterion II).
    """
    table = f"ISO 20816-3, table A.{severity.size:d}"
    return (
        *zone_limits(channel, severity.boundaries[1:], table, on_delay_s=on_delay_s, off_delay_s=off_delay_s),
        *either_way(
            StandardLimit(
                channel,
                severity.significant_change,
                "ISO 20816-3, 6.4, criterion II",
                "Vibration has changed significantly",
                "振动发生显著变化",
                "Find out what changed: mounting, balance, alignment, tool or bearings.",
                "查明变化原因：安装、平衡、对中、刀具或轴承。",
                deadband=DEADBAND * severity.significant_change,
                on_delay_s=on_delay_s,
                off_delay_s=off_delay_s,
                since_new=True,
            )
        ),
    )


def zone_limits(
    channel: str, boundaries: tuple[float, float], source: str, *, on_delay_s: float, off_delay_s: float
) -> tuple[StandardLimit, StandardLimit]:
    """Where zones C and D of a part of ISO 20816 begin, in the channel's unit; `source` is part and table."""
    c, d = boundaries
    return (
        StandardLimit(
            channel,
            c,
            f"{source}, B/C",
            "Vibration fit for a limited time only (zone C)",
            "振动仅允许短期运行（C 区）",
            "Find the cause (imbalance, alignment, looseness, bearings) and plan the repair.",
            "查找原因（不平衡、不对中、松动、轴承）并安排检修。",
            deadband=DEADBAND * c,
            on_delay_s=on_delay_s,
            off_delay_s=off_delay_s,
        ),
        StandardLimit(
            channel,
            d,
            f"{source}, C/D",
            "Vibration that damages the machine (zone D)",
            "振动足以损坏设备（D 区）",
            "Take the machine out of operation as soon as it is safe; find the cause before it runs again.",
            "在安全条件下尽快停机，查明原因后方可再次运行。",
            deadband=DEADBAND * d,
            on_delay_s=on_delay_s,
            off_delay_s=off_delay_s,
        ),
    )
