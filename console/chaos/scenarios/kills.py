"""Workers are killed at random moments."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario


def random_kills(count: int, pause_s: float) -> Callable[[Rig, Random], Awaitable[None]]:
    """Kill a worker that runs, `count` times, each time after a pause of up to twice `pause_s`."""

    async def faults(rig: Rig, random: Random) -> None:
        await rig.until_share_stored(0.02)
        killed = 0
        while killed < count:
            await asyncio.sleep(random.uniform(0.0, 2 * pause_s))
            killed += random.choice(rig.workers).kill()
        rig.notes["kills"] = killed

    return faults


SCENARIOS = [
    Scenario(
        "few_kills",
        "three workers, eight kills at random",
        random_kills(8, 1.5),
        workers=3,
        records=24_000,
        short=True,
    ),
    Scenario(
        "random_kills",
        "three workers, twelve partitions, two million records, two hundred kills at random",
        random_kills(200, 7.5),  # faster, and two cores do little but start workers: 5 CPU-s each time
        workers=3,
        partitions=12,
        assets=60,  # so that the records of each lie within the days that the platform accepts
        records=2_000_000,
        rate=1400.0,
        poison=0.001,
        named=True,
    ),
]
