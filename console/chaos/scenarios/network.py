"""The network between the workers and PostgreSQL is bad."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from console.chaos.proxy import Proxy
from console.chaos.rig import Rig
from console.chaos.scenario import Scenario


async def cut_in_commit(rig: Rig, random: Random) -> None:
    """Cut the connection after COMMIT has gone out and before its answer is back, again and again."""
    await rig.until_share_stored(0.1)
    for _ in range(20):
        cuts = rig.to_postgres.cuts
        rig.to_postgres.cut_on = b"COMMIT"
        async with asyncio.timeout(30):
            while rig.to_postgres.cuts == cuts:  # noqa: ASYNC110 - only looking tells
                await asyncio.sleep(0.01)
        rig.to_postgres.heal()
        await asyncio.sleep(random.uniform(0.0, 0.5))
    rig.notes["commits with an unknown outcome"] = rig.to_postgres.cuts


def bad_for(seconds: float, harm: Callable[[Proxy], None]) -> Callable[[Rig, Random], Awaitable[None]]:
    """The harm, for that long."""

    async def faults(rig: Rig, random: Random) -> None:
        await rig.until_share_stored(0.2)
        harm(rig.to_postgres)
        await asyncio.sleep(seconds)
        rig.to_postgres.heal()

    return faults


def _slow(proxy: Proxy) -> None:
    proxy.delay_s = 0.2


def _narrow(proxy: Proxy) -> None:
    proxy.bytes_per_s = 200_000.0


def _silent(proxy: Proxy) -> None:
    proxy.stalled = True


def _deaf(proxy: Proxy) -> None:
    proxy.one_way = True


def _shut(proxy: Proxy) -> None:
    proxy.refused = True
    proxy.reset()


def _short_lived(proxy: Proxy) -> None:
    proxy.cut_after = 300_000


SCENARIOS = [
    Scenario("commit_cut", "the connection is cut during COMMIT, twenty times", cut_in_commit, short=True),
    Scenario("network_slow", "every answer takes 0.4 s longer, for 20 s", bad_for(20, _slow)),
    Scenario("network_narrow", "200 kB/s, for 20 s", bad_for(20, _narrow)),
    Scenario("network_stalled", "nothing comes through for 45 s, and nobody is told", bad_for(45, _silent)),
    Scenario("network_one_way", "the server's answers get lost for 45 s", bad_for(45, _deaf)),
    Scenario("network_reset", "connections are reset and refused for 20 s", bad_for(20, _shut)),
    Scenario("network_short_lived", "a connection lasts 300 kB, for 20 s", bad_for(20, _short_lived)),
]
