"""A machining centre: a test, then two shifts of program cycles a day, tools that wear and are changed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streams.simulator.dynamics import Array, Flags, Indices, LowPass, Wander
from streams.simulator.fingerprint import Fingerprint
from streams.simulator.machine import DAY_S, Block

SHIFT_H = (6.0, 22.0)
BATCH_S = 2.5 * 3600
LOADING_S = 100.0
TOOL_LIFE_S = 60 * 60.0
TOOLS = 3

BASE_KW = 3.0
"""Control, hydraulics, fans and pumps, which nobody switches off."""
SPINDLE_KW, FEED_KW = 15.0, 4.0
"""Drives at their rated load."""


@dataclass(frozen=True, slots=True)
class Program:
    """What an NC program asks of the machine; loads in % of rated, vibration mm/s, envelope m/s².

    Spindle speed in r/min, feed in mm/min, depth of cut in mm.
    """

    speed: float
    feed: float
    depth: float
    spindle_load: float
    feed_load: float
    vibration: float
    envelope: float
    travel_m: float
    lasts_s: float


IDLE = Program(0.0, 0.0, 0.0, 1.0, 3.0, 0.05, 0.3, 0.0, 0.0)
PROGRAMS = (
    IDLE,
    Program(8_000, 3_200, 2.0, 35.0, 22.0, 0.8, 4.0, 60.0, 9 * 60),
    Program(5_000, 2_500, 4.0, 55.0, 30.0, 1.1, 5.0, 45.0, 14 * 60),
    Program(12_000, 3_600, 0.8, 25.0, 18.0, 1.0, 6.0, 90.0, 6 * 60),
)


@dataclass(frozen=True, slots=True)
class Shift:
    """A day's cycles in order; start, end: (c,) seconds of the day; program: (c,) index in `PROGRAMS`."""

    start: Array
    end: Array
    program: Indices


def _of(program: Indices, quantity: str) -> Array:
    return np.array([getattr(p, quantity) for p in PROGRAMS], np.float64)[program]


class MachineTool:
    """One machine with its own spindle, its tool's age, and the program whose tool breaks, if one does.

    Loads are those of whole programs, so such a program is one that a single tool cuts. In the field a tool
    breaks at once, after a short peak. Here it is a cutter that loses one insert after the other, since
    faults grow; what it no longer cuts takes no load.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.spindle = rng.normal(1.0, 0.05)
        self.cut_s = 0.0
        self.tools_cut_s = np.zeros(1 + TOOLS * (len(PROGRAMS) - 1))
        self.parts = float(rng.integers(30_000, 60_000))
        self.travel_km = float(rng.uniform(1_500, 2_500))
        self.energy_kwh = 2.0 * self.parts
        self.heat = LowPass(25 * 60, 22.0)
        self.climate = Wander(DAY_S, 0.6)
        self.test = Fingerprint(rng)
        # from a stream of its own, which leaves the machine's as it is
        self.breaks_in = int(rng.spawn(1)[0].integers(1, len(PROGRAMS)))

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings."""
        shift = self._schedule(rng)
        latest = np.searchsorted(shift.start, block.clock_s, side="right") - 1
        known = np.maximum(latest, 0)
        active = (latest >= 0) & (shift.end[known] > block.clock_s)
        program = np.where(active, shift.program[known], 0)
        readings = self._cutting(block, rng, program) | self._supplies(block, rng, active)
        readings |= self._magazine(block, shift, known, program)
        readings |= self._counters(shift, latest) | {"program": program.astype(float)}
        readings = self.test.run(block, readings, rng)
        return readings | self._energy(block, readings)

    def _schedule(self, rng: np.random.Generator) -> Shift:
        begin, end = SHIFT_H[0] * 3600, SHIFT_H[1] * 3600
        batches = int((end - begin) // BATCH_S)
        kinds = rng.integers(1, len(PROGRAMS), batches)
        cycles = (BATCH_S // (_of(kinds, "lasts_s") + LOADING_S)).astype(int)
        program = np.repeat(kinds, cycles)
        lasts = _of(program, "lasts_s")
        gaps = LOADING_S * rng.uniform(0.8, 1.0, len(program))
        starts = begin + np.cumsum(gaps + lasts) - lasts
        return Shift(starts, starts + lasts, program)

    def _cutting(self, block: Block, rng: np.random.Generator, program: Indices) -> dict[str, Array]:
        n = block.rows
        active = program > 0
        wear, bearing = self._tool(block, active), block.fault("spindle-bearing") * active
        worn, screw = block.fault("tool-wear") * active, block.fault("ball-screw") * active
        broken = block.fault("tool-breakage") * (program == self.breaks_in)
        load = _of(program, "spindle_load") * (1 + 0.05 * wear + 0.6 * worn) * (1 - 0.6 * broken)
        shake = self.spindle * rng.lognormal(0, 0.22, (2, n))
        shop = 21 + 1.5 * np.sin(2 * np.pi * (block.clock_s / DAY_S - 0.375))
        shop += self.climate.walk(rng, n, block.step_s)
        warm = 14 * _of(program, "speed") / 10_000 + 0.1 * load + 8 * bearing
        temperature = self.heat.follow(shop + np.where(active, warm, 0.0), block.step_s)
        # the feed's load is mostly that of the axis itself
        feed = _of(program, "feed_load") * (1 + 0.05 * wear + 0.35 * worn + 0.5 * screw) * (1 - 0.25 * broken)
        return {
            "spindle_speed": _of(program, "speed") * rng.normal(1, 0.001, n) + np.abs(rng.normal(0, 0.5, n)),
            "spindle_load": load * rng.normal(1, 0.06, n) + np.abs(rng.normal(0, 0.2, n)),
            "spindle_temperature": temperature + rng.normal(0, 0.2, n),
            "spindle_vibration": (_of(program, "vibration") + 0.5 * worn + 1.7 * bearing) * shake[0],
            "spindle_envelope": (_of(program, "envelope") + 9 * bearing) * shake[1],
            "feed_rate": _of(program, "feed"),
            "cut_depth": _of(program, "depth"),
            "feed_axis_load": feed * rng.normal(1, 0.06, n),
            "axis_position_error": np.where(active, 4 + 6 * screw, 0.6) * rng.lognormal(0, 0.2, n),
            "shop_temperature": shop + rng.normal(0, 0.15, n),
        }

    def _tool(self, block: Block, active: Flags) -> Array:
        """Age of the cutting edge, 0 new to 1 due for change."""
        cut = self.cut_s + np.cumsum(active) * block.step_s
        self.cut_s = float(cut[-1])
        return np.asarray((cut % TOOL_LIFE_S) / TOOL_LIFE_S)

    def _magazine(self, block: Block, shift: Shift, known: Indices, program: Indices) -> dict[str, Array]:
        """Each program cuts with tools of its own, one after the other, each until its life is used up."""
        done = (block.clock_s - shift.start[known]) / (shift.end[known] - shift.start[known])
        turn = np.minimum((TOOLS * done).astype(np.int64), TOOLS - 1)
        tool = np.where(program > 0, TOOLS * (program - 1) + turn + 1, 0)
        life = np.full(block.rows, np.nan)
        for number in range(1, len(self.tools_cut_s)):
            mine = tool == number
            cut_s = self.tools_cut_s[number] + np.cumsum(mine)[mine] * block.step_s
            life[mine] = 100 * (cut_s % TOOL_LIFE_S) / TOOL_LIFE_S
            self.tools_cut_s[number] += mine.sum() * block.step_s
        return {"tool": tool.astype(float), "tool_life": life}

    def _supplies(self, block: Block, rng: np.random.Generator, active: Flags) -> dict[str, Array]:
        n = block.rows
        coolant = np.where(active, 18 - 8 * block.fault("coolant"), 0.3)
        return {
            "coolant_pressure": np.abs(coolant + rng.normal(0, 0.8, n) * np.where(active, 1.0, 0.1)),
            "lubrication_pressure": 22 - 12 * block.fault("lubrication") + rng.normal(0, 1.2, n),
        }

    def _energy(self, block: Block, readings: Mapping[str, Array]) -> dict[str, Array]:
        drives = SPINDLE_KW * readings["spindle_load"] + FEED_KW * readings["feed_axis_load"]
        counted = self.energy_kwh + np.cumsum(BASE_KW + drives / 100) * block.step_s / 3600
        self.energy_kwh = float(counted[-1])
        return {"energy_used": counted}

    def _counters(self, shift: Shift, latest: Indices) -> dict[str, Array]:
        travelled = np.concatenate([[0.0], np.cumsum(_of(shift.program, "travel_m")) / 1000])
        readings = {
            "parts": self.parts + latest.astype(np.float64) + 1.0,
            "axis_travel": self.travel_km + travelled[latest + 1],
        }
        self.parts += len(shift.start)
        self.travel_km += travelled[-1]
        return readings
