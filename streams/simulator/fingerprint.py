"""The test program of a machining centre: every morning, without a part, each axis and then the spindle.

Its steps are those of the pack: `fleet/verticals/machine_tool.py`.
"""

from collections.abc import Mapping

import numpy as np

from streams.simulator.dynamics import Array, Indices
from streams.simulator.machine import Block

BEGIN_S = 5.75 * 3600
"""Before the first shift; what it moves is too little for the counters of a day."""

AXIS_STEP_S, SPINDLE_STEP_S = 20.0, 60.0

FEED = 10_000.0
"""Of an axis in the test, mm/min."""

FRICTION = np.array([[12.0, 12.0], [14.0, 14.0], [17.0, 11.0]])
"""Load of each axis to its plus end and back, in % of rated; Z carries the spindle head."""

REVERSAL = 2.0
"""Lost motion of a sound screw as its axis turns round, µm."""

SPEEDS = np.array([3_000.0, 8_000.0, 14_000.0])

AXES = len(FRICTION)
ENDS_S = np.cumsum([AXIS_STEP_S] * 3 * AXES + [SPINDLE_STEP_S] * len(SPEEDS))


class Fingerprint:
    """One machine's friction, and the axis whose screw will wear, if one does."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.friction = FRICTION * rng.lognormal(0, 0.08, (AXES, 1))
        self.worn_axis = int(rng.integers(AXES))

    def run(self, block: Block, readings: Mapping[str, Array], rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings (n,), with the test in them; without it they are as given."""
        since = block.clock_s - BEGIN_S
        step = np.where(since >= 0, 1 + np.searchsorted(ENDS_S, since, side="right"), 0)
        step[step > len(ENDS_S)] = 0
        rows = np.flatnonzero(step)
        told = self._axes(block, step[rows] - 1, rows, rng) | self._spindle(block, step[rows], rows, rng)
        tested = {name: values.copy() for name, values in readings.items() if name in told}
        for name, values in tested.items():
            values[rows] = told[name]
        return {**readings, **tested, "test_step": step.astype(float)}

    def _axes(self, block: Block, step: Indices, rows: Indices, rng: np.random.Generator) -> dict[str, Array]:
        """step: (n,) from 0."""
        axis, way = np.minimum(step // 3, AXES - 1), step % 3
        moves = step < 3 * AXES
        screw = block.fault("ball-screw")[rows] * (axis == self.worn_axis)
        dry = block.fault("lubrication")[rows]
        today = rng.lognormal(0, 0.03, (2, AXES))
        gone = (block.clock_s[rows] - BEGIN_S) / AXIS_STEP_S % 1
        # a screw wears most in the middle of its travel
        screw = screw * (1 - 0.5 * np.cos(2 * np.pi * gone))
        friction = np.column_stack([self.friction, self.friction.mean(axis=1)])
        load = friction[axis, way] * today[0][axis] * (1 + 0.5 * screw) * (1 + 0.15 * dry)
        error = np.where(way == 2, (REVERSAL + 6 * screw) * today[1][axis], 3 + screw)
        noise = rng.normal(1, 0.06, len(rows)), rng.lognormal(0, 0.2, len(rows))
        return {
            "feed_rate": np.where(moves, FEED, 0.0),
            "feed_axis_load": np.where(moves, load, 3.0) * noise[0],
            "axis_position_error": np.where(moves, error, 0.6) * noise[1],
        }

    def _spindle(
        self, block: Block, step: Indices, rows: Indices, rng: np.random.Generator
    ) -> dict[str, Array]:
        """step: (n,) from 1."""
        speeds = np.concatenate([np.zeros(3 * AXES + 1), SPEEDS])
        speed, n = speeds[step], len(rows)
        part, bearing = speed / SPEEDS[-1], block.fault("spindle-bearing")[rows]
        shake, today = rng.lognormal(0, 0.22, (2, n)), rng.lognormal(0, 0.03, 3)
        return {
            "spindle_speed": speed * rng.normal(1, 0.001, n) + np.abs(rng.normal(0, 0.5, n)),
            "spindle_load": (1 + 7 * part) * (1 + 0.3 * bearing) * today[0] * rng.normal(1, 0.06, n),
            "spindle_vibration": (0.05 + 0.6 * part + 1.7 * bearing * part) * today[1] * shake[0],
            "spindle_envelope": (0.3 + 5 * part + 9 * bearing * part) * today[2] * shake[1],
        }
