"""Workers come and go."""

import asyncio
from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario


async def storm(rig: Rig, random: Random) -> None:
    """A third worker comes and goes, in order or not, every few seconds."""
    await rig.until_share_stored(0.05)
    for number in range(12):
        guest = rig.add_worker()
        await asyncio.sleep(random.uniform(3.0, 6.0))
        if number % 2:
            guest.kill()
        await guest.stop()


SCENARIOS = [
    Scenario("rebalance_storm", "a worker comes and goes every five seconds", storm, records=60_000),
]
