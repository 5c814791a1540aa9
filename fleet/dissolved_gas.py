"""What gases dissolved in a transformer's oil say about its fault: IEC 60599 ratios and Duval's triangle 1.

Both tell fault types apart in a transformer that has a fault; a healthy one's gases fall somewhere too. So
they are asked only once a gas is above its typical value, which 90 % of transformers keep (IEC 60599,
annex A). Tables and zones are not read in the standard but in what cites it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from math import inf, isnan, nan

from fleet.asset import FleetError


class GasFault(StrEnum):
    """Fault types that gases can tell (IEC 60599, table 1); DT is Duval's mixture of both kinds."""

    PD = "PD"
    D1 = "D1"
    D2 = "D2"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    DT = "DT"


MEANS = {
    GasFault.PD: ("partial discharge of corona type", "电晕型局部放电"),
    GasFault.D1: ("discharge of low energy", "低能放电"),
    GasFault.D2: ("discharge of high energy", "高能放电"),
    GasFault.T1: ("overheating below 300 °C", "低于 300 °C 的过热"),
    GasFault.T2: ("overheating between 300 and 700 °C", "300～700 °C 的过热"),
    GasFault.T3: ("overheating above 700 °C", "高于 700 °C 的过热"),
    GasFault.DT: ("discharge and overheating at once", "放电兼过热"),
}


@dataclass(frozen=True, slots=True)
class Gases:
    """Concentrations in oil, ppm by volume; NaN where unknown."""

    hydrogen: float = nan
    methane: float = nan
    ethane: float = nan
    ethylene: float = nan
    acetylene: float = nan


TYPICAL = Gases(150.0, 130.0, 90.0, 280.0, 20.0)
"""Upper ends of the ranges of typical values of power transformers (IEC 60599, annex A)."""


@dataclass(frozen=True, slots=True)
class GasMonitor:
    """The channels in which a type reports its gases, by the names of `Gases`, and what is typical of it.

    Raises `FleetError` for a name that is no gas's.
    """

    channels: tuple[tuple[str, str], ...]
    typical: Gases = TYPICAL

    def __post_init__(self) -> None:
        if strange := sorted({gas for gas, _ in self.channels} - {one.name for one in fields(Gases)}):
            raise FleetError(f"gas monitor: no gas {', '.join(strange)}")

    def read(self, values: Mapping[str, float]) -> "GasVerdict | None":
        """The verdict on values by channel, ppm; None while all known are typical, or if nothing fits."""
        gases = Gases(**{gas: values.get(channel, nan) for gas, channel in self.channels})
        above = tuple(name for name in _names() if getattr(gases, name) > getattr(self.typical, name))
        triangle, ratios = duval_triangle_1(gases), iec_60599_ratios(gases)
        return GasVerdict(above, triangle, ratios) if above and (triangle or ratios) else None


@dataclass(frozen=True, slots=True)
class GasVerdict:
    """Gases above typical, the triangle's fault type if its gases are known, and all the ratios allow."""

    above: tuple[str, ...]
    triangle: GasFault | None
    ratios: tuple[GasFault, ...]

    @property
    def faults(self) -> frozenset[GasFault]:
        """What either method says."""
        return frozenset(self.ratios) | ({self.triangle} if self.triangle else frozenset())

    def sentence(self) -> tuple[str, str]:
        """The verdict in English and Chinese."""
        methods = (
            ("Duval triangle 1", "Duval 三角形 1", (self.triangle,) if self.triangle else ()),
            ("IEC 60599 ratios", "IEC 60599 比值", self.ratios),
        )
        en = "; ".join(f"{method}: {_what_en(faults)}" for method, _, faults in methods if faults)
        zh = "；".join(f"{method}：{_what_zh(faults)}" for _, method, faults in methods if faults)
        return f"Gases in oil, {en}", f"油中气体，{zh}"


def duval_triangle_1(gases: Gases) -> GasFault | None:
    """Duval's triangle 1 (IEC 60599, annex B) of CH4, C2H2 and C2H4; None if one is unknown or all are 0."""
    total = gases.methane + gases.acetylene + gases.ethylene
    if isnan(total) or total <= 0:
        return None
    methane, acetylene, ethylene = (
        100 * gas / total for gas in (gases.methane, gases.acetylene, gases.ethylene)
    )
    zones = {
        GasFault.PD: methane >= 98,
        GasFault.T1: acetylene <= 4 and ethylene <= 20,
        GasFault.T2: acetylene <= 4 and ethylene < 50,
        GasFault.T3: acetylene <= 15 and ethylene >= 50,
        GasFault.D1: acetylene >= 13 and ethylene <= 23,
        GasFault.D2: acetylene >= 29 or (acetylene >= 13 and ethylene <= 40),
    }
    return next((fault for fault, inside in zones.items() if inside), GasFault.DT)


def iec_60599_ratios(gases: Gases) -> tuple[GasFault, ...]:
    """Every fault type whose ratios hold (IEC 60599, table 1); D1 and D2 overlap, and often none does."""
    acetylene = _ratio(gases.acetylene, gases.ethylene)
    methane = _ratio(gases.methane, gases.hydrogen)
    ethylene = _ratio(gases.ethylene, gases.ethane)
    holds = {
        GasFault.PD: methane < 0.1 and ethylene < 0.2,
        GasFault.D1: acetylene > 1 and 0.1 <= methane <= 0.5 and ethylene > 1,
        GasFault.D2: 0.6 <= acetylene <= 2.5 and 0.1 <= methane <= 1 and ethylene > 2,
        GasFault.T1: methane > 1 and ethylene < 1,
        GasFault.T2: acetylene < 0.1 and methane > 1 and 1 <= ethylene <= 4,
        GasFault.T3: acetylene < 0.2 and methane > 1 and ethylene > 4,
    }
    return tuple(fault for fault, yes in holds.items() if yes)


def _ratio(above: float, below: float) -> float:
    """NaN, for which no bound holds, if either is unknown or both are 0."""
    return above / below if below else (inf if above > 0 else nan)


def _what_en(faults: Sequence[GasFault]) -> str:
    return " or ".join(f"{fault} ({MEANS[fault][0]})" for fault in faults)


def _what_zh(faults: Sequence[GasFault]) -> str:
    return "或 ".join(f"{fault}（{MEANS[fault][1]}）" for fault in faults)


def _names() -> tuple[str, ...]:
    return tuple(one.name for one in fields(Gases))
