"""The database's disk runs full."""

import asyncio
from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario
from console.chaos.small_disk import fill, make_room

FULL_S = 20.0


async def full(rig: Rig, _: Random) -> None:
    """Fill the disk, and make room again; a server that ended over it is started again."""
    disk = rig.servers.disk
    assert disk is not None, "not run: mounting a small disk needs root and a loop device"
    await rig.until_share_stored(0.2)
    fill(disk)
    await asyncio.sleep(FULL_S)
    make_room(disk)
    await rig.servers.start_postgres()
    rig.to_postgres.target_port = rig.servers.postgres.port


SCENARIOS = [Scenario("disk_full", "the database's disk is full for twenty seconds", full, records=40_000)]
