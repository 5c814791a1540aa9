"""Energy that a machine no longer makes at the same wind: its power curve against that of the span before.

Bins of 0.5 m/s as in IEC 61400-12-1, there of ten-minute means, here of hours and without the density of the
air: good for a change of one machine, not for a guarantee.
"""

from dataclasses import dataclass

import numpy as np

from fleet.advice import Loss
from fleet.hours import Hours, Values

BIN = 0.5
"""m/s."""

FEWEST = 3
"""Hours that a bin of the span before must have."""

FEWEST_COMPARED = 24
"""Hours that must be in such bins."""


@dataclass(frozen=True, slots=True)
class PowerCurveLoss:
    """Less power (channel `power`, kW) at the same wind (`wind`, m/s) than in the span before."""

    name: str
    title_en: str
    title_zh: str
    power: str
    wind: str
    least: float = 0.03

    @property
    def channels(self) -> tuple[str, ...]:
        """Power and wind."""
        return self.power, self.wind

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """kWh below the medians of the bins before, worth telling from the share `least` of theirs."""
        power, curve = hours.of(self.power), self._curve(before)
        expected = np.array([curve.get(each, np.nan) for each in _bins(hours.of(self.wind)).tolist()])
        known = np.isfinite(expected) & np.isfinite(power)
        if known.sum() < FEWEST_COMPARED or (promised := float(expected[known].sum())) <= 0:
            return None
        lost = promised - float(power[known].sum())
        return Loss(
            max(lost, 0.0),
            "kWh",
            int(known.sum()),
            lost >= self.least * promised,
            False,
            f"{lost / promised:.1%} less energy than at the same wind before: "
            f"{promised - lost:.0f} of {promised:.0f} kWh in {known.sum()} h",
            f"同等风速下发电量比此前低 {lost / promised:.1%}：{known.sum()} h 内 {promised - lost:.0f} kWh，"
            f"应为 {promised:.0f} kWh",
        )

    def _curve(self, before: Hours) -> dict[float, float]:
        """Median power by bin, of those with enough hours."""
        power, bins = before.of(self.power), _bins(before.of(self.wind))
        known = np.isfinite(power) & np.isfinite(bins)
        found = ((each, power[known & (bins == each)]) for each in np.unique(bins[known]).tolist())
        return {each: float(np.median(those)) for each, those in found if len(those) >= FEWEST}


def _bins(wind: Values) -> Values:
    return np.asarray(np.floor(wind / BIN))
