"""US: hours, trips, cycles and energy by machine and site, as their own counters went on."""

from dashboards.board import Dashboard, Row, Variable
from dashboards.panel import Column, Kind, Panel, Query, Step
from dashboards.text import Text

_CHOSEN = "channel = ${counter:sqlstring} and $__timeFilter(ts)"

ASSET = Text("Machine", "设备")
SITE = Text("Site", "站点")
USED = Text("used", "用量")


def boards() -> tuple[Dashboard, ...]:
    """The one dashboard."""
    return (
        Dashboard(
            "US",
            Text("Usage", "使用量"),
            (Row(9, (_by_day(), _by_site())), Row(12, (_by_machine(),))),
            (
                Variable(
                    "counter",
                    Text("Counter", "计数"),
                    "select coalesce(nullif(title_{lang}, ''), channel) || ' (' || unit || ')' as __text, "
                    "channel as __value from channel where kind = 'counter' group by 1, 2 order by 1",
                ),
            ),
            since="now-7d",
        ),
    )


def _by_day() -> Panel:
    return Panel(
        "by-day",
        Kind.LINES,
        Text("Used each day", "每日用量"),
        Text(
            "What the counter went on by, all machines together, in its unit. View `usage_hour`.",
            "全部设备该计数的每日增量，单位同计数。视图 `usage_hour`。",
        ),
        (
            Query(
                f"select $__timeGroupAlias(ts,'1d'), sum(used) as used from usage_hour where {_CHOSEN} "
                "group by 1 order by 1",
                over_time=True,
            ),
        ),
        14,
        columns=(Column("used", USED, color="blue"),),
        line={"drawStyle": "bars", "fillOpacity": 70},
        low=0,
    )


def _by_site() -> Panel:
    return Panel(
        "by-site",
        Kind.BARS,
        Text("Used by site", "各站点用量"),
        Text(
            "What the counter went on by in this time, by site. View `usage_hour`.",
            "该时段内各站点的计数增量。视图 `usage_hour`。",
        ),
        (
            Query(
                f"select site, sum(used) as used from usage_hour where {_CHOSEN} "
                "group by 1 order by 2 desc limit 20"
            ),
        ),
        10,
        steps=(Step(None, "semi-dark-blue"),),
        low=0,
    )


def _by_machine() -> Panel:
    return Panel(
        "by-machine",
        Kind.TABLE,
        Text("Used by machine", "各设备用量"),
        Text(
            "What the counter went on by in this time, and in how many hours it was read. View `usage_hour`.",
            "该时段内各设备的计数增量及有读数的小时数。视图 `usage_hour`。",
        ),
        (
            Query(
                "select site, asset, sum(used) as used, nullif(unit, '1') as unit, count(*) as hours "
                "from usage_hour "
                f"where {_CHOSEN} group by site, asset, asset_id, unit order by 3 desc limit 1000"
            ),
        ),
        24,
        columns=(
            Column("site", SITE),
            Column("asset", ASSET),
            Column("used", USED),
            Column("unit", Text("unit", "单位")),
            Column("hours", Text("hours read", "有读数的小时")),
        ),
    )
