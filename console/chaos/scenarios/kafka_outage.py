"""Kafka goes away."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario


def killed(down_s: float) -> Callable[[Rig, Random], Awaitable[None]]:
    """Kill the broker and start it again after that time."""

    async def faults(rig: Rig, random: Random) -> None:
        await rig.until_share_stored(0.2)
        await asyncio.sleep(random.uniform(0.0, 1.0))
        pid = rig.servers.kafka.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(down_s)
        await rig.servers.start_kafka()

    return faults


SCENARIOS = [
    Scenario("kafka_killed", "the broker is killed and started again", killed(1.0), short=True),
    Scenario("kafka_down", "the broker is killed and stays away for three minutes", killed(180.0)),
]
