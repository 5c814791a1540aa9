"""The data source that every dashboard reads, and SQL for lines over time.

All customers have the same dashboards. The data source logs in as the customer's own role, whose search path
shows views of the customer's machines alone (`docs/storage.md`), so no dashboard filters by customer.
"""

from collections.abc import Sequence
from typing import Any

from fleet.sql_names import column, stem

UID = "faultline"
"""Of the data source in every organisation; (organisation, uid) is Grafana's key."""

TYPE = "postgres"
"""Of the plug-in in Grafana 9.4; later versions still answer to it."""

TYPE_SINCE = "grafana-postgresql-datasource"
"""What later versions call it once they have it (12.2)."""

NAME = "Faultline"

MINUTE_MS, HOUR_MS = 60_000, 3_600_000

SOURCES = (
    ("telemetry", f"$__interval_ms < {MINUTE_MS}"),
    ("minute", f"$__interval_ms >= {MINUTE_MS} and $__interval_ms < {HOUR_MS}"),
    ("hour", f"$__interval_ms >= {HOUR_MS}"),
)
"""Which views are asked at which distance of points: PostgreSQL leaves the other two out of its plan."""

MACHINE = "asset_id = ${asset:sqlstring}"
"""The machine that is chosen. `sqlstring`: Grafana quotes a plain variable only now and then."""


def connection(host: str, port: int, database: str, role: str) -> dict[str, Any]:
    """The data source as Grafana keeps it, without uid and password."""
    loopback = host in {"127.0.0.1", "::1", "localhost"} or host.startswith("/")
    return {
        "name": NAME,
        "type": TYPE,
        "access": "proxy",
        "url": f"{host}:{port}",
        "user": role,
        "database": database,
        "isDefault": True,
        "jsonData": {
            "database": database,  # where versions after 9 look for it
            "sslmode": "disable" if loopback else "verify-full",
            "postgresVersion": 1500,
            "timescaledb": True,  # `time_bucket` is there on every edition
            "maxOpenConns": 5,
            "maxIdleConns": 2,
            "connMaxLifetime": 14400,
            "timeInterval": "1m",
        },
    }


def lines(equipment_type: str, channels: Sequence[str]) -> str:
    """SQL for the chosen machine's channels, raw, by minute or by hour, as fits the distance of points.

    Buckets without data are null, so that a gap is a gap; where there is none at all, the panel says so.
    """
    named = ", ".join(_quoted(name) for name in channels)
    means = ", ".join(f"avg({_quoted(name)}) as {_quoted(name)}" for name in channels)
    parts = (
        f"select ts, {named} from {view}_{stem(equipment_type)} "
        f"where $__timeFilter(ts) and {MACHINE} and {when}"
        for view, when in SOURCES
    )
    return (
        f"select $__timeGroupAlias(ts,$__interval,NULL), {means}\nfrom (\n  "
        + "\n  union all\n  ".join(parts)
        + f"\n) as rows\nwhere num_nonnulls({named}) > 0\ngroup by 1 order by 1"
    )


def spells(edges: str) -> str:
    """SQL for a state timeline, from changes (at, lane, state); of changes at one time the worst counts.

    Every lane is said at every change and at the end of the time: Grafana ends a state where its lane has no
    value.
    """
    return f"""with changes as (select at, lane, max(state) as state from ({edges}) as edges group by 1, 2)
select at as time, lane as metric, (select state from changes as before
    where before.lane = lanes.lane and before.at <= times.at order by before.at desc limit 1) as state
from (select at from changes union select least(now(), $__timeTo()::timestamptz)) as times
cross join (select distinct lane from changes) as lanes order by 1"""


def _quoted(channel: str) -> str:
    return f'"{column(channel)}"'
