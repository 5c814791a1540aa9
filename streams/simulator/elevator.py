"""A traction elevator: trips after the hour of the day, a motor and a brake that warm, a door that wears.

Rows of a few seconds tell the trip from the door cycle after it. In longer ones both lie within a row or two,
which are told as a running car's.
"""

from dataclasses import dataclass

import numpy as np

from streams.simulator.door_motor import DoorMotor
from streams.simulator.dynamics import Array, Flags, Indices, LowPass, Wander
from streams.simulator.machine import DAY_S, Block

# Share of a day's trips in each hour: an office with a morning, noon and evening peak.
HOURS = np.array(
    [1, 1, 1, 1, 2, 8, 25, 60, 90, 70, 50, 55, 85, 70, 50, 50, 55, 80, 85, 50, 30, 18, 8, 3], float
)

RATED_SPEED = 1.75
FLOOR_M = 3.2
START_S, DOOR_S = 1.4, 9.6
DOOR_AND_START_S = START_S + DOOR_S
OPENING_S, CLOSING_S = 2.4, 3.1
TURNS_S, OPENS_AGAIN_S, REOPENED_S = 1.5, 1.4, 5.4
"""Of a door that opens again: how long it closed, then opens, and all that takes, with the wait after it."""
REOPENS = 0.06
"""Times a sound door opens again in a cycle, on average: somebody comes late."""
FINE_S = 3.0
"""Longest rows in which a door is seen to move."""
CLOSED, OPEN, CLOSING, OPENING = range(4)
BALANCE = 0.48
"""Share of the rated load that the counterweight balances; 45 to 50 % is usual."""


@dataclass(frozen=True, slots=True)
class Trips:
    """A day's trips in order. start, stop, end: (t,) seconds of the day at which the car starts and stands,
    and at which its door is closed again; up: (t,) bool; load: (t,) % of rated; reopened: (t,) times that the
    door opened again.
    """

    start: Array
    stop: Array
    end: Array
    up: Flags
    load: Array
    reopened: Indices


class Elevator:
    """One elevator with its own friction, traffic and history."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.trips_a_day = rng.uniform(900, 1200)
        self.friction = rng.normal(1.0, 0.04)
        self.vibration = rng.normal(1.0, 0.08)
        self.trips = float(rng.integers(200_000, 900_000))
        self.door_cycles = np.floor(self.trips * (1 + REOPENS))
        self.running_h = self.trips * 22 / 3600
        self.motor = LowPass(45 * 60, 24.0)
        self.brake = LowPass(30 * 60, 24.0)
        self.weather = Wander(2 * DAY_S, 0.8)
        self.door_motor = DoorMotor(rng)

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings: those of the latest trip while the car runs, of a standing car otherwise."""
        trips = self._traffic(block, rng)
        latest = np.searchsorted(trips.start, block.clock_s, side="left") - 1
        known = np.maximum(latest, 0)
        stop = trips.stop if block.step_s <= FINE_S else trips.end
        running = (latest >= 0) & (stop[known] > block.clock_s - block.step_s)
        made = self.trips + latest + 1.0
        cycles = self.door_cycles + np.append(0, np.cumsum(1 + trips.reopened))[latest + 1]
        ran_h = self.running_h + np.append(0.0, np.cumsum(trips.end - trips.start))[latest + 1] / 3600
        self.trips += len(trips.start)
        self.door_cycles += len(trips.start) + int(trips.reopened.sum())
        self.running_h += float((trips.end - trips.start).sum()) / 3600
        readings = self._drive(block, rng, trips, known, running)
        readings |= self._ride(block, rng, trips, known, running)
        door = self._door_state(block, trips, known, latest >= 0)
        readings |= self._door(block, rng, trips, known, running, door)
        readings["door_reopenings"] = np.where(running, trips.reopened[known], np.nan)
        readings |= self._stop(block, rng, trips, known, running)
        counted = {"running_time": ran_h, "trips": made, "door_cycles": cycles}
        return readings | counted | {"door": door.astype(float)}

    def _traffic(self, block: Block, rng: np.random.Generator) -> Trips:
        weight = HOURS if block.weekday < 5 else 0.35 * HOURS
        per_hour = rng.poisson(self.trips_a_day * weight / HOURS.sum())
        wanted = np.sort(np.repeat(np.arange(24), per_hour) + rng.random(per_hour.sum())) * 3600
        floors = rng.integers(1, 12, len(wanted))
        obstructed = np.interp(wanted, block.clock_s, block.fault("door-obstruction"))
        reopened = rng.poisson(REOPENS + 0.9 * obstructed)
        lasts = DOOR_AND_START_S + floors * FLOOR_M / RATED_SPEED + reopened * REOPENED_S
        done = np.cumsum(lasts)
        # a call waits until the car has ended the trip before (Lindley's recursion, unrolled)
        end = done + np.maximum.accumulate(wanted - (done - lasts)) if len(wanted) else done
        load = np.clip(rng.gamma(1.6, 14.0, len(wanted)), 0, 100)
        up = rng.random(len(wanted)) < 0.5
        start, stop, now = end - lasts, end - DOOR_S - reopened * REOPENED_S, end < DAY_S
        return Trips(start[now], stop[now], end[now], up[now], load[now], reopened[now])

    def _drive(
        self, block: Block, rng: np.random.Generator, trips: Trips, known: Indices, running: Flags
    ) -> dict[str, Array]:
        n = block.rows
        up, load = trips.up[known], trips.load[known]
        torque = np.where(up, 1.0, -1.0) * (load / 100 - BALANCE)
        drag = block.fault("brake-drag")
        current = self.friction * (14 + 15 * torque) + 5 * drag
        room = self._room(block, rng)
        heat = np.where(running, (current / 14) ** 2, 0.0)
        # without its fan the motor comes near the temperature at which its protection trips
        motor = self.motor.follow(room + 24 * heat * (1 + 3.0 * block.fault("motor-cooling")), block.step_s)
        brake = self.brake.follow(room + np.where(running, 10 + 60 * drag, 0.0), block.step_s)
        return {
            "motion": np.where(running, np.where(up, 1.0, 2.0), 0.0),
            "car_load": np.where(running, load, 0.0) + np.abs(rng.normal(0, 0.6, n)),
            "speed": np.where(running, self._speed(block, trips, known), 0.0)
            + np.abs(rng.normal(0, 0.01, n)),
            "motor_current": np.where(running, current, 0.4) + rng.normal(0, 0.15, n).clip(-0.3),
            "motor_temperature": motor + rng.normal(0, 0.3, n),
            "brake_temperature": brake + rng.normal(0, 0.3, n),
            "machine_room_temperature": room + rng.normal(0, 0.15, n),
        }

    def _speed(self, block: Block, trips: Trips, known: Indices) -> Array:
        """Of a car that runs: its start takes `START_S` longer than the way would at rated speed."""
        if block.step_s > FINE_S:
            return np.full(block.rows, RATED_SPEED)
        run_s = block.clock_s - trips.start[known]
        left_s = trips.stop[known] - block.clock_s
        return np.asarray(np.clip(RATED_SPEED / START_S * np.minimum(run_s, left_s), 0.0, RATED_SPEED))

    def _room(self, block: Block, rng: np.random.Generator) -> Array:
        daily = 1.5 * np.sin(2 * np.pi * (block.clock_s / DAY_S - 0.375))
        return 23 + daily + self.weather.walk(rng, block.rows, block.step_s)

    def _ride(
        self, block: Block, rng: np.random.Generator, trips: Trips, known: Indices, running: Flags
    ) -> dict[str, Array]:
        n = block.rows
        worn = block.fault("guide-wear")
        # ropes stretch under load, and for good as they wear; 20 mm is the holding accuracy of EN 81-20
        levelling = (
            0.04 * (25 - trips.load[known]) - 18 * block.fault("levelling-drift") + rng.normal(0, 2.4, n)
        )
        shake = self.vibration * rng.lognormal(0, 0.25, (2, n))
        return {
            "vibration_vertical": np.where(running, (0.13 + 0.18 * worn) * shake[0], 0.012 * shake[0]),
            "vibration_horizontal": np.where(running, (0.09 + 0.15 * worn) * shake[1], 0.010 * shake[1]),
            "levelling_error": np.where(running, levelling, np.nan),
        }

    def _stop(
        self, block: Block, rng: np.random.Generator, trips: Trips, known: Indices, running: Flags
    ) -> dict[str, Array]:
        """The brake closes at levelling speed; a heavy side that moves down takes longer to stop."""
        pulls = np.where(trips.up[known], 1.0, -1.0) * (BALANCE - trips.load[known] / 100)
        way = 35 * (1 + 0.3 * pulls) * (1 + 1.2 * block.fault("brake-wear"))
        way *= rng.lognormal(0, 0.08, block.rows)
        return {"brake_stopping_distance": np.where(running, way, np.nan)}

    def _door_state(self, block: Block, trips: Trips, known: Indices, any_trip: Flags) -> Indices:
        """At each row's instant; a door that closes slowly begins sooner, as the next call waits."""
        after_s = block.clock_s - trips.stop[known]
        closes_s = DOOR_S - self._closing_s(block)
        begun = [after_s < 0, after_s < OPENING_S, after_s < closes_s]
        state = np.select(begun, [CLOSED, OPENING, OPEN], CLOSING)
        turned = (state == CLOSING) & (after_s < closes_s + trips.reopened[known] * REOPENED_S)
        since_s = (after_s - closes_s) % REOPENED_S
        again = np.select([since_s < TURNS_S, since_s < TURNS_S + OPENS_AGAIN_S], [CLOSING, OPENING], OPEN)
        state = np.where(turned, again, state)
        return np.where(any_trip & (block.clock_s < trips.end[known]), state, CLOSED)

    def _closing_s(self, block: Block) -> Array:
        return CLOSING_S * (1 + 0.5 * block.fault("door-drive"))

    def _door_gone(self, block: Block, trips: Trips, known: Indices, door: Indices) -> Array:
        """Share of the time of the movement that is on, at each row; of no meaning while the door stands."""
        after_s, lasts_s = block.clock_s - trips.stop[known], self._closing_s(block)
        closed_s = after_s - (DOOR_S - lasts_s)
        # the last closing may take longer than the ones that are turned round, with the wait after them
        turn = np.clip(closed_s // REOPENED_S, 0, trips.reopened[known])
        since_s = closed_s - turn * REOPENED_S
        opens = np.where(closed_s < 0, after_s / OPENING_S, (since_s - TURNS_S) / OPENS_AGAIN_S)
        return np.asarray(np.where(door == CLOSING, since_s / lasts_s, opens).clip(0.0, 1.0))

    def _door(
        self,
        block: Block,
        rng: np.random.Generator,
        trips: Trips,
        known: Indices,
        running: Flags,
        door: Indices,
    ) -> dict[str, Array]:
        n = block.rows
        stiff = block.fault("door-drive")
        moves = (door >= CLOSING) if block.step_s <= FINE_S else running
        gone = self._door_gone(block, trips, known, door)
        shape, resists = self.door_motor.shape(gone, door == CLOSING, block.step_s)
        current = 2.3 * self.friction * shape * (1 + 0.65 * stiff * resists) + rng.normal(0, 0.25, n)
        close = CLOSING_S * (1 + 0.5 * stiff) + rng.normal(0, 0.25, n)
        return {
            "door_motor_current": np.where(moves, current, np.abs(rng.normal(0.06, 0.01, n))),
            "door_close_time": np.where(running, close, np.nan),
        }
