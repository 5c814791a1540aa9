"""Losses of machines that idle, by the codes of their state channel; hours count by the rows in them."""

from dataclasses import dataclass

import numpy as np

from fleet.advice import Loss
from fleet.hours import Hours

WHOLE = 0.999
"""Part of an hour at rest from which it counts as one that could have been switched off."""


@dataclass(frozen=True, slots=True)
class IdleShare:
    """Idles longer than `target`, a share of the time it is on (ISO/TS 15143-3: idle over operating hours).

    `idle` and `on` are codes, the latter all at which it is on. An idle hour costs `per_hour`, in `unit`.
    """

    name: str
    title_en: str
    title_zh: str
    idle: tuple[int, ...]
    on: tuple[int, ...]
    target: float
    per_hour: float = 1.0
    unit: str = "h"
    channels: tuple[str, ...] = ()

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """Idle time beyond the target, at what an hour of it costs."""
        idle, on = (float(np.nansum(hours.at(codes))) for codes in (self.idle, self.on))
        if on <= 0:
            return None
        share = idle / on
        amount = max(idle - self.target * on, 0.0)
        return Loss(
            amount * self.per_hour,
            self.unit,
            _known(hours),
            share > self.target,
            self.unit != "h",
            f"Idle for {idle:.0f} of {on:.0f} h ({share:.0%}); {self.target:.0%} is enough",
            f"开机 {on:.0f} h 中怠速 {idle:.0f} h（{share:.0%}），目标为 {self.target:.0%}",
        )


@dataclass(frozen=True, slots=True)
class IdleEnergy:
    """Stays powered through whole hours at rest; switched off it would take `saved_kw` less (ISO 14955-1).

    With `channel` only hours in which its mean is above `above` count.
    """

    name: str
    title_en: str
    title_zh: str
    idle: tuple[int, ...]
    saved_kw: float
    least: float = 0.1
    channel: str = ""
    above: float = 0.0

    @property
    def channels(self) -> tuple[str, ...]:
        """The channel that must be above something, if there is one."""
        return (self.channel,) if self.channel else ()

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """Energy of the whole hours at rest; worth telling from the share `least` of all known hours."""
        if not (known := _known(hours)):
            return None
        wasted = hours.at(self.idle) >= WHOLE
        if self.channel:
            wasted &= hours.of(self.channel) > self.above
        rest = int(wasted.sum())
        return Loss(
            rest * self.saved_kw,
            "kWh",
            known,
            rest > self.least * known,
            True,
            f"At rest for {rest} whole hours of {known}; switched off it takes {self.saved_kw:g} kW less",
            f"{known} h 中有 {rest} 个整小时处于待机，每小时可节省 {self.saved_kw:g} kW",
        )


@dataclass(frozen=True, slots=True)
class Availability:
    """Stands within hours in which it works: availability, of the OEE (ISO 22400-2), below `target`.

    Planned time is taken to be the hours in which it worked at all.
    """

    name: str
    title_en: str
    title_zh: str
    idle: tuple[int, ...]
    target: float = 0.85
    channels: tuple[str, ...] = ()

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """Hours that would have been worked at the target."""
        active = 1.0 - hours.at(self.idle)
        worked = int((active > 0).sum())
        if not worked:
            return None
        productive = float(np.nansum(active))
        return Loss(
            max(self.target * worked - productive, 0.0),
            "h",
            _known(hours),
            productive < self.target * worked,
            False,
            f"Works {productive:.0f} of {worked} h in which it is used ({productive / worked:.0%}); "
            f"{self.target:.0%} is good",
            f"在使用的 {worked} h 中加工 {productive:.0f} h（{productive / worked:.0%}），"
            f"目标为 {self.target:.0%}",
        )


def _known(hours: Hours) -> int:
    return int(np.isfinite(hours.at(())).sum())
