"""The air outdoors: seasons, days and weather."""

import numpy as np

from streams.simulator.dynamics import Array, Wander
from streams.simulator.machine import DAY_S, Block

YEAR_DAYS = 365.25
WARMEST_DAY = 200
"""Day of the year: July, in the northern hemisphere."""
WARMEST_HOUR = 15


class OpenAir:
    """Temperature, °C: a mean with a yearly and a daily swing (amplitudes, K) and weather around them."""

    def __init__(
        self,
        mean: float,
        seasonal: float = 9.0,
        daily: float = 4.0,
        weather: float = 2.5,
        rough_s: float = 3 * DAY_S,
    ) -> None:
        self.mean, self.seasonal, self.daily = mean, seasonal, daily
        self.weather = Wander(rough_s, weather)

    def temperature(self, block: Block, rng: np.random.Generator) -> Array:
        """(n,) °C at the rows of the day."""
        hour = np.cos(2 * np.pi * (block.clock_s / DAY_S - WARMEST_HOUR / 24))
        level = self.mean + self.seasonal * season(block, WARMEST_DAY)
        return level + self.daily * hour + self.weather.walk(rng, block.rows, block.step_s)


def season(block: Block, peak_day: int) -> Array:
    """(n,) from -1 to 1, a cosine over the year that peaks on a day of the year."""
    since = block.day - peak_day + block.clock_s / DAY_S  # 1970 began with January
    return np.asarray(np.cos(2 * np.pi * since / YEAR_DAYS))
