"""TR: the technician's board: what is open, worst and oldest first, with what it is and what to do."""

from dashboards import scales
from dashboards.board import Audience, Dashboard, Row, Variable
from dashboards.links import to_asset
from dashboards.panel import NOTHING, Column, Kind, Panel, Query, Step
from dashboards.source import spells
from dashboards.text import Text
from dashboards.units import DAYS

_SITES = "(l.tenant || '/' || l.site) in (${place:sqlstring})"

_OPEN = f"""from episode as e join latest as l using (asset_id) where {_SITES} and e.end_ts is null"""

_SHOWN_BY = """(select string_agg(coalesce(nullif(h.title_{lang}, ''), c.channel), ', ' order by c.share desc)
    from (select channel, share from contribution as top
        where top.asset_id = e.asset_id and top.episode_id = e.episode_id and top.channel <> ''
        order by top.share desc limit 2) as c
    left join channel as h on h.equipment_type = l.equipment_type and h.channel = c.channel)"""

ASSET = Text("Machine", "设备")
SITE = Text("Site", "站点")
AGE = Text("since", "开始于")


def boards() -> tuple[Dashboard, ...]:
    """The one dashboard."""
    return (
        Dashboard(
            "TR",
            Text("Triage", "处理队列"),
            (
                Row(4, (_count(), _oldest(), _offline(), _bad_sensors())),
                Row(11, (_queue(),)),
                Row(9, (_states(), _sensors())),
            ),
            (
                Variable(
                    "place",
                    SITE,
                    "select distinct tenant || '/' || site from asset order by 1",
                    several=True,
                ),
            ),
            since="now-48h",
            audience=(Audience.TECHNICIAN, Audience.MAKER),
            home_of=Audience.TECHNICIAN,
        ),
    )


def _count() -> Panel:
    return Panel(
        "count",
        Kind.STAT,
        Text("Open findings about machines", "未关闭的设备发现"),
        Text(
            "Findings about machines and limits that are on. View `episode`.",
            "当前未关闭的设备及超限发现数。视图 `episode`。",
        ),
        (Query(f"select count(*) as open {_OPEN} and e.kind in ('machine', 'limit', 'event')"),),
        6,
        steps=scales.OPEN,
        decimals=0,
    )


def _oldest() -> Panel:
    return Panel(
        "oldest",
        Kind.STAT,
        Text("Oldest of them", "最早的发现"),
        Text(
            "Days that the oldest of them has been on. View `episode`.",
            "最早的未关闭发现已持续的天数。视图 `episode`。",
        ),
        (
            Query(
                "select extract(epoch from now() - min(e.onset_ts)) / 86400 as oldest "
                f"{_OPEN} and e.kind in ('machine', 'limit', 'event')"
            ),
        ),
        6,
        unit=DAYS,
        steps=(Step(None, "semi-dark-green"), Step(2, "semi-dark-orange"), Step(7, "semi-dark-red")),
        decimals=0,
        empty=NOTHING,
    )


def _offline() -> Panel:
    return Panel(
        "offline",
        Kind.STAT,
        Text("Offline machines", "离线设备"),
        Text(
            "Machines without data for 15 minutes. View `latest`.",
            "超过 15 分钟无数据的设备数。视图 `latest`。",
        ),
        (
            Query(
                f"select count(*) as offline from latest as l where {_SITES} "
                f"and coalesce(now() - l.ts > {scales.OFFLINE}, true)"
            ),
        ),
        6,
        decimals=0,
    )


def _bad_sensors() -> Panel:
    return Panel(
        "sensors",
        Kind.STAT,
        Text("Bad sensors", "异常传感器"),
        Text(
            "Findings about sensors and clocks that are on. View `episode`.",
            "当前未关闭的传感器及时钟发现数。视图 `episode`。",
        ),
        (Query(f"select count(*) as sensors {_OPEN} and e.kind = 'sensor'"),),
        6,
        steps=(Step(None, "semi-dark-green"), Step(1, "semi-dark-blue")),
        decimals=0,
    )


def _queue() -> Panel:
    return Panel(
        "queue",
        Kind.TABLE,
        Text("What to do, most urgent first", "待办（按紧急程度）"),
        Text(
            "Findings that are on: what it probably is, since when, remaining life in days (P10 to P90), the "
            "channels that show it and what to check first. "
            "Views `episode`, `contribution`, `remaining_life`.",
            "未关闭的发现：可能的故障模式、开始时间、剩余寿命（天，P10～P90）、表现异常的通道及首先检查项。"
            "视图 `episode`、`contribution`、`remaining_life`。",
        ),
        (
            Query(
                f"select {scales.SEVERITY} as state, e.site, e.asset, l.equipment_type, asset_id, "
                "e.title_{lang} as mode, e.onset_ts as since, "
                f"round(f.p10_h / 24) || ' – ' || round(f.p90_h / 24) as left_days, {_SHOWN_BY} as shows, "
                "e.check_{lang} as check "
                f"from episode as e join latest as l using (asset_id) left join {scales.LEFT} "
                f"where {_SITES} and e.end_ts is null and kind in ('machine', 'limit', 'event') "
                "order by state desc, since limit 200"
            ),
        ),
        24,
        columns=(
            Column("state", Text("state", "状态"), said=scales.STATES, width=70),
            Column("site", SITE, width=110),
            Column("asset", ASSET, link=to_asset(), width=110),
            Column("equipment_type", Text("type", "类型"), hidden=True),
            Column("asset_id", Text("number", "编号"), hidden=True),
            Column("mode", Text("probably", "可能原因"), width=220),
            Column("since", AGE, unit="dateTimeFromNow", width=110),
            Column("left_days", Text("days left", "剩余天数"), width=90),
            Column("shows", Text("shown by", "表现通道"), width=240),
            Column("check", Text("check first", "首先检查")),
        ),
        empty=Text("nothing to do", "暂无待办"),
    )


_SPELLS = spells(f"""with told as (
    select asset_id, e.onset_ts, e.end_ts, {scales.SEVERITY} as severity
    from episode as e join latest as l using (asset_id)
    where {_SITES} and e.kind in ('machine', 'limit', 'event') and e.onset_ts <= $__timeTo()
        and coalesce(e.end_ts, now()) >= $__timeFrom()
), lanes as (
    select asset_id, l.asset as lane, l.ts from latest as l left join told using (asset_id) where {_SITES}
    group by 1, 2, 3 order by max(severity) desc nulls last, 2 limit 12
), times as (
    select asset_id, lane, $__timeFrom()::timestamptz as at from lanes
    union select asset_id, lane, greatest(onset_ts, $__timeFrom()::timestamptz)
        from lanes join told using (asset_id)
    union select asset_id, lane, end_ts from lanes join told using (asset_id) where $__timeFilter(end_ts)
)
select at, lane, coalesce((select max(severity) from told where told.asset_id = times.asset_id
    and onset_ts <= at and coalesce(end_ts, 'infinity') > at), 0) as state from times
union all
select greatest(ts + {scales.OFFLINE}, $__timeFrom()::timestamptz), lane, 4 from lanes
    where ts + {scales.OFFLINE} < least(now(), $__timeTo()::timestamptz)""")


def _states() -> Panel:
    return Panel(
        "states",
        Kind.STATES,
        Text("When machines were odd", "设备异常时段"),
        Text(
            "The twelve machines that were oddest in this time, and when; grey once there is no data. "
            "Views `episode`, `latest`.",
            "该时段内最异常的 12 台设备及其异常时段；灰色为无数据。视图 `episode`、`latest`。",
        ),
        (Query(_SPELLS, over_time=True),),
        14,
        said=scales.STATES,
        unit="none",
    )


def _sensors() -> Panel:
    return Panel(
        "quality",
        Kind.TABLE,
        Text("Sensors and data, apart from machines", "传感器与数据质量"),
        Text(
            "Findings about sensors and clocks that are on; they say nothing of the machine. View `episode`.",
            "未关闭的传感器与时钟发现，与设备状态无关。视图 `episode`。",
        ),
        (
            Query(
                "select e.asset, e.title_{lang} as what, e.onset_ts as since, "
                "e.check_{lang} as check "
                f"{_OPEN} and e.kind = 'sensor' order by e.onset_ts limit 200"
            ),
        ),
        10,
        columns=(
            Column("asset", ASSET, width=100),
            Column("what", Text("what", "问题")),
            Column("since", AGE, unit="dateTimeFromNow", width=110),
            Column("check", Text("check", "检查")),
        ),
        empty=Text("all sensors can be trusted", "传感器均正常"),
    )
