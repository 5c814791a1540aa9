"""A worker freezes for longer than its session lasts, and wakes up when its partitions are another's."""

import asyncio
import signal
from random import Random

from console.chaos.rig import SESSION_TIMEOUT_S, Rig
from console.chaos.scenario import Scenario


async def freeze(rig: Rig, random: Random) -> None:
    """Freeze the first worker until its peer has taken over, then let it go on."""
    await rig.until_share_stored(0.2)
    await asyncio.sleep(random.uniform(0.0, 1.0))
    assert rig.workers[0].signal(signal.SIGSTOP), "there is no worker to freeze"
    await asyncio.sleep(SESSION_TIMEOUT_S + 5)
    rig.workers[0].signal(signal.SIGCONT)
    await asyncio.sleep(2)


SCENARIOS = [
    Scenario("zombie", "frozen while a peer takes over, then awake", freeze, records=20_000, short=True),
]
