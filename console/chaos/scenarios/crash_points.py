"""The worker dies at every place where it could lose or double something."""

import asyncio
from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario
from storage.crash_point import POINTS

HERE = tuple(point for point in POINTS if point != "during_migration")
LONGEST_LIFE_S = 90.0


async def until_all_died(rig: Rig, _: Random) -> None:
    """Wait until every crash point has been reached."""
    worker = rig.workers[0]
    wanted = len(worker.crash_points) + len(worker.endings) + (worker.pid is not None)
    async with asyncio.timeout(LONGEST_LIFE_S * wanted):
        while len(worker.endings) < wanted:  # noqa: ASYNC110 - only looking tells
            await asyncio.sleep(0.1)
    assert set(worker.endings) == {-9}, f"a worker ended by itself: {worker.endings}"


SCENARIOS = [
    Scenario(
        "crash_sweep",
        "killed at every crash point, one after the other",
        until_all_died,
        workers=1,
        records=12_000,
        rate=120.0,  # a killed member holds up its group for its session: the load must last
        crash_points=tuple(f"{point}:{1 + number % 2}" for number, point in enumerate(HERE)),
        short=True,
    ),
    *(
        Scenario(
            f"crash_{point}_{times}",
            f"killed at {point}, time {times}",
            until_all_died,
            rate=200.0,  # a minute: the load must last until the seventh time, and snapshots are rare
            crash_points=(f"{point}:{times}",),
        )
        for point in HERE
        for times in (1, 2, 7)
    ),
]
