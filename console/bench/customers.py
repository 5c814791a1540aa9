"""Customers with machines of every shipped type, a month of them, and who looks at the dashboards."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from console.bench.month import ROWS_A_CHUNK, SPAN, Month, filled_month
from console.bench.trial import Trial
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from storage.access.grants import Kind, Scope
from storage.access.keeper import Keeper
from storage.bootstrap import OWNER, WRITER
from storage.pool import open_pool
from storage.server.database import Database, prepare_database
from storage.server.launcher import Progress

DATABASE = "bench_customers"
SITES = 2
"""Of each customer."""

LOOKING = 10
"""Customers that look."""

Connection = psycopg.Connection[TupleRow]

# What a month of telemetry leaves out: machines that tell something now, with all that is said about them.
_SAID = (
    """insert into health
    select ts, asset_id, 60 + (asset_id * 7 + extract(epoch from ts) / 3600)::int %% 40, '{"speed": 1}'
    from asset, generate_series(%(end)s - %(span)s, %(end)s, interval '1 hour') as ts
    on conflict do nothing""",
    """insert into forecast
    select asset_id, 'condition', ts, 'robust_trend', 'estimate', 240 + asset_id, 480 + asset_id,
        960 + asset_id, 'bench'
    from asset, generate_series(%(end)s - %(span)s, %(end)s, interval '12 hours') as ts
    on conflict do nothing""",
    """insert into episode
    select md5(asset_id || kind)::uuid, asset_id, kind, 'bench',
        %(end)s - interval '1 day' * (asset_id %% 20), null, %(end)s, 5,
        (select evidence from episode limit 1)
    from asset, unnest(array['machine', 'limit', 'sensor']) with ordinality as k (kind, n)
    where (asset_id + n) %% 10 = 0 on conflict do nothing""",
    """insert into wear_counter
    select asset_id, counter, %(end)s, asset_id %% 100, 80, 100, '1'
    from asset, unnest(array['rope', 'brake']) as counter on conflict do nothing""",
    """insert into wear_day
    select asset_id, counter, day, value - extract(day from %(end)s - day), "limit"
    from wear_counter, generate_series(%(end)s - %(span)s, %(end)s, interval '1 day') as day
    on conflict do nothing""",
    """insert into contract (tenant, name, meter, unit, allowance, every, begin_ts, asset)
    select t.name, n, meter, unit, 1000, every, %(end)s - 2 * %(span)s, case n when '3' then a.name end
    from tenant as t join asset as a on a.tenant = t.name and a.name = 'm00',
    (values ('1', 'trips', '1', 'month'), ('2', 'active_power', 'kWh', 'year'),
            ('3', 'wear:rope', '%%', 'year')) as what (n, meter, unit, every)
    on conflict do nothing""",
    """insert into maintenance (asset_id, ts, kind)
    select asset_id, %(end)s - interval '20 days', 'restored' from asset where asset_id %% 10 = 0
    on conflict do nothing""",
    # not offline for as long as it is measured: an offline machine's findings are not looked for
    """update asset_latest
    set ts = now() + interval '1 day', health = 60 + asset_id %% 40, health_ts = %(end)s""",
)


@dataclass(frozen=True, slots=True)
class Viewers:
    """The month, and how customers and the maker look at it: a connection of each one's own login."""

    month: Month
    customers: Sequence[Connection]
    maker: Connection


def fleet_of_customers(tenants: int, machines: int) -> Fleet:
    """So many machines of each tenant, of all shipped types in turn."""
    names = [f"customer-{number:03}" for number in range(tenants)]
    types = [pack.equipment_type for pack in packs().values()]
    kinds = cycle(types)
    assets = (
        Asset(0, tenant, f"site-{number % SITES}", f"m{number:02}", next(kinds).name)
        for tenant in names
        for number in range(machines)
    )
    sites = (Site(tenant, f"site-{number}") for tenant in names for number in range(SITES))
    return Fleet(tuple(map(Tenant, names)), tuple(sites), tuple(assets), tuple(types))


@contextmanager
def viewers(trial: Trial) -> Iterator[Viewers]:
    """The filled database; every customer has an access, `LOOKING` of them a connection."""
    tenants, machines, samples = trial.size((100, 10, 100_000_000), (3, 6, 20_000))
    fleet = fleet_of_customers(tenants, machines)
    database = prepare_database(trial.servers.postgres, DATABASE)
    month = asyncio.run(_filled(database, fleet, samples, trial.tell))
    keeper = Keeper(database.superuser_dsn, database.dsn(OWNER))
    with ExitStack() as stack:

        def looks(name: str, kind: Kind, scope: Scope) -> Connection:
            """A connection that prepares no statement of its own accord, as Grafana's do not."""
            keeper.give(name, kind, [scope])
            login = keeper.rotate(name)  # of an earlier run nobody knows the password
            conninfo = make_conninfo(database.superuser_dsn, user=login.role, password=login.password)
            return stack.enter_context(psycopg.connect(conninfo, autocommit=True, prepare_threshold=None))

        trial.tell("giving access")
        for tenant in fleet.tenants[LOOKING:]:
            keeper.give(tenant.name, Kind.CUSTOMER, [Scope(tenant.name)])
        customers = [
            looks(tenant.name, Kind.CUSTOMER, Scope(tenant.name)) for tenant in fleet.tenants[:LOOKING]
        ]
        yield Viewers(month, customers, looks("maker", Kind.MAKER, Scope()))


async def _filled(database: Database, fleet: Fleet, samples: int, tell: Progress) -> Month:
    channels = {kind.name: len(kind.channels) for kind in fleet.equipment_types}
    a_chunk = ROWS_A_CHUNK * sum(channels[asset.equipment_type] for asset in fleet.assets)
    async with open_pool(database.dsn(WRITER)) as pool:
        month = await filled_month(pool, fleet, max(samples // a_chunk, 10), tell)
        async with pool.connection() as conn:
            for statement in _SAID:
                await conn.execute(statement.encode(), {"end": month.end, "span": SPAN})
    with psycopg.connect(database.superuser_dsn, autocommit=True) as conn:
        conn.execute("vacuum analyze")  # what autovacuum has done long before in operation
    return month
