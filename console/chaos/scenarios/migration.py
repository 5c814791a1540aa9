"""A migration is killed half-way, and two run at once."""

import asyncio
import sys
from pathlib import Path
from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario
from storage import crash_point
from storage.bootstrap import OWNER, WRITER, bootstrap
from storage.migrate import status
from storage.server.database import Database, find_database, kept_passwords

TIMES = 3


async def killed(rig: Rig, random: Random) -> None:
    """Kill it in its first, second and third file, then let two finish at once."""
    postgres = rig.servers.postgres
    database = find_database(postgres, f"{rig.database.name}_new")
    await asyncio.to_thread(bootstrap, postgres.admin_dsn, database.name, kept_passwords(database.passfile))
    for _ in range(TIMES):
        code = await _migrate(rig, database, {crash_point.VARIABLE: "during_migration:2"})
        assert code == -9, f"the migration did not die: it ended with {code}"
    codes = await asyncio.gather(*(_migrate(rig, database, {}) for _ in range(2)))
    assert codes == [0, 0], f"two migrations at once ended with {codes}"
    files = await asyncio.to_thread(status, database.dsn(OWNER))
    assert all(file.applied_at for file in files), f"not applied: {files}"


async def _migrate(rig: Rig, database: Database, extra: dict[str, str]) -> int:
    dsns = {"FAULTLINE_DATABASE": database.dsn(WRITER), "FAULTLINE_DATABASE_OWNER": database.dsn(OWNER)}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("faultline")),
        *("db", "migrate"),
        cwd=rig.folder,
        env=rig.environment | dsns | extra,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


SCENARIOS = [
    Scenario("migration_killed", "a migration is killed three times, then two at once", killed, records=1000)
]
