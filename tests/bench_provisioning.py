"""How long `faultline grafana apply` takes for many tenants, apart from the test suite.

    python -m tests.bench_provisioning [--tenants 100]

A real PostgreSQL with machines of every shipped type for each tenant, and Grafana's API over a socket of this
machine, which answers at once: what is measured is our own work and the number of requests, not Grafana's.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.provisioning import Outcome, Provisioner, Rules, chosen, each
from dashboards.provision.gateway import Server
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from storage.access.grants import Kind, Scope
from storage.access.keeper import Keeper
from storage.bootstrap import OWNER, WRITER
from storage.pool import open_pool
from storage.registry import register
from storage.server.database import Database, prepare_database
from storage.server.launcher import Installation, PostgresServer
from tests.grafana_fake import ADMIN, PASSWORD, FakeGrafana, serving

TYPES = tuple(pack.equipment_type for pack in packs().values())


def main() -> None:
    """Print what two runs, and a plan, took and sent."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tenants", type=int, default=100)
    names = [f"tenant-{k:03}" for k in range(options.parse_args().tenants)]
    grafana = FakeGrafana()
    with _database() as database, serving(grafana) as url:
        keeper = _known(database, names)
        provisioner = Provisioner(Server(url, ADMIN, PASSWORD), keeper, database.dsn(WRITER))
        for what in ("first run", "second run"):
            _measure(what, provisioner, grafana)


@contextmanager
def _database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # for the account that the database runs under
        server = PostgresServer(Installation.embedded(), Path(folder))
        try:
            with server:
                yield prepare_database(server)
        finally:
            server.remove()


def _known(database: Database, names: list[str]) -> Keeper:
    """Tenants with a machine of every type, and their access."""
    fleet = Fleet(
        tuple(Tenant(name) for name in names),
        tuple(Site(name, "hall") for name in names),
        tuple(Asset(0, name, "hall", kind.name, kind.name) for name in names for kind in TYPES),
        TYPES,
    )

    async def register_all() -> None:
        async with open_pool(database.dsn(WRITER)) as pool:
            await register(pool, fleet)

    asyncio.run(register_all())
    keeper = Keeper(database.superuser_dsn, database.dsn(OWNER))
    for name in names:
        keeper.give(name, Kind.CUSTOMER, [Scope(name)])
    return keeper


def _measure(what: str, provisioner: Provisioner, grafana: FakeGrafana) -> None:
    grafana.log.clear()
    began, cpu_began = time.perf_counter(), time.process_time()
    accesses = chosen(provisioner.keeper, ())
    outcomes: list[Outcome] = list(each(accesses, lambda access: provisioner.apply(access, Rules())))
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    failed = [outcome.error for outcome in outcomes if outcome.error is not None]
    print(
        f"{what}: {len(outcomes)} tenants in {took_s:.1f} s ({cpu_s:.1f} s of CPU time, this Grafana's "
        f"included), {len(grafana.log)} requests, "
        f"{len(grafana.writes)} that change something, {len(failed)} failed {failed[:1] or ''}"
    )


if __name__ == "__main__":
    main()
