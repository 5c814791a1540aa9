"""The database is restored from a copy that is older than what Kafka has committed."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario


async def older_copy(rig: Rig, _: Random) -> None:
    """Copy the cluster early, put the copy back late: the workers must read again what is missing."""
    data, copy = rig.servers.postgres.home / "data", rig.folder / "data.copy"  # not on the small disk
    await rig.until_share_stored(0.2)
    await _while_stopped(rig, lambda: _copy(data, copy))
    await rig.until_share_stored(0.6)

    def put_back() -> None:
        shutil.rmtree(data)
        _copy(copy, data)
        shutil.rmtree(copy)

    await _while_stopped(rig, put_back)


def _copy(source: Path, target: Path) -> None:
    """With the owner, who is the server's account."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # noqa: S603, S607 - our own list


async def _while_stopped(rig: Rig, work: Callable[[], object]) -> None:
    postgres = rig.servers.postgres
    assert await asyncio.to_thread(postgres.stop), "somebody else uses the server"
    await asyncio.to_thread(work)
    await rig.servers.start_postgres()
    rig.to_postgres.target_port = postgres.port


SCENARIOS = [
    Scenario("older_copy", "the database is restored from an older copy", older_copy, records=20_000)
]
