"""The same input, cut into chunks of 1, 7 and 1000 records."""

import asyncio
from random import Random

from console.chaos.observe import observe_findings
from console.chaos.reference import run_undisturbed
from console.chaos.rig import Rig
from console.chaos.scenario import Scenario
from storage.server.database import prepare_database

SIZES = (1, 7, 1000)


async def cut(rig: Rig, _: Random) -> None:
    """What each size makes of the log must be equal to the bit."""
    await rig.until_share_stored(1.0)
    await rig.until_settled(120.0)
    ends, found = await rig.ends(), {}
    for size in SIZES:
        name = f"{rig.database.name}_{size}"
        database = await asyncio.to_thread(prepare_database, rig.servers.postgres, name)
        await run_undisturbed(rig.bootstrap, ends, rig.load, database, size)
        found[size] = await asyncio.to_thread(observe_findings, database.superuser_dsn, rig.load)
    assert found[1].episodes, "there is nothing to compare"
    for size in SIZES[1:]:
        assert found[size] == found[1], f"chunks of {size} records make something else than single ones"


SCENARIOS = [
    Scenario(
        "chunk_sizes",
        "the same log in chunks of 1, 7 and 1000 records",
        cut,
        workers=1,
        assets=2,
        records=2600,
    )
]
