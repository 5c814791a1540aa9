"""FL: the maker's fleet: how much of it reports, what is open, what fails soon, and where."""

from dashboards import scales
from dashboards.board import Audience, Dashboard, Row, Variable
from dashboards.links import to_asset, to_queue
from dashboards.panel import NEAREST_ZOOM, Column, Kind, Panel, Query, Step, markers
from dashboards.text import Text
from dashboards.units import DAYS

_IN = "tenant in (${tenant:sqlstring}) and equipment_type in (${type:sqlstring})"

_MACHINES = f"select l.* from latest as l where {_IN}"

SHOWN = 600, 280
"""Pixels of the map between the outermost sites, on a small screen."""

NEAREST = f"2 * pi() / 256 / 2 ^ {NEAREST_ZOOM}"
"""SQL: the smallest pixel, in radians."""

TENANT = Text("Customer", "客户")
ASSET = Text("Machine", "设备")
SITE = Text("Site", "站点")
TYPE = Text("Type", "类型")


def boards() -> tuple[Dashboard, ...]:
    """The one dashboard."""
    return (
        Dashboard(
            "FL",
            Text("Fleet", "设备总览"),
            (
                Row(4, (_machines(), _reporting(), _open(), _soon(), _unknown())),
                Row(9, (_risk(),)),
                Row(11, (_map(), _modes())),
                Row(8, (_customers(), _over_time())),
            ),
            (
                Variable("tenant", TENANT, "select distinct tenant from asset order by 1", several=True),
                Variable("type", TYPE, "select distinct equipment_type from asset order by 1", several=True),
            ),
            since="now-30d",
            audience=(Audience.MAKER,),
            home_of=Audience.MAKER,
        ),
    )


def _machines() -> Panel:
    return Panel(
        "machines",
        Kind.STAT,
        Text("Machines", "设备数"),
        Text(
            "Machines that are watched. View `latest`, each minute.",
            "受监测的设备数。视图 `latest`，每分钟更新。",
        ),
        (Query(f"select count(*) as machines from latest where {_IN}"),),
        4,
        decimals=0,
    )


def _reporting() -> Panel:
    return Panel(
        "reporting",
        Kind.STAT,
        Text("Reporting", "在线率"),
        Text(
            "Percent of machines with data in the last 15 minutes. View `latest`, each minute.",
            "最近 15 分钟内有数据的设备百分比。视图 `latest`，每分钟更新。",
        ),
        (
            Query(
                f"select 100.0 * count(*) filter (where ts > now() - {scales.OFFLINE}) / nullif(count(*), 0) "
                f"as reporting from latest where {_IN}"
            ),
        ),
        5,
        unit="percent",
        steps=scales.SHARE,
        decimals=1,
    )


def _open() -> Panel:
    return Panel(
        "open",
        Kind.STAT,
        Text("Open findings by kind", "未关闭的发现（按类别）"),
        Text(
            "Findings that are on, by kind. View `episode`, each minute.",
            "当前未关闭的发现，按类别。视图 `episode`，每分钟更新。",
        ),
        (
            Query(
                "select count(*) filter (where e.kind = 'machine') as machine, "
                "count(*) filter (where e.kind = 'limit') as limits, "
                "count(*) filter (where e.kind = 'sensor') as sensor "
                f"from episode as e join ({_MACHINES}) as l using (asset_id) where e.end_ts is null"
            ),
        ),
        7,
        steps=scales.OPEN,
        columns=(
            Column("machine", Text("machine", "设备")),
            Column("limits", Text("limit", "超限")),
            Column("sensor", Text("sensor or data", "传感器或数据")),
        ),
        decimals=0,
        options={"textMode": "value_and_name"},
    )


def _soon() -> Panel:
    return Panel(
        "soon",
        Kind.STAT,
        Text("Life below 30 days", "剩余寿命不足 30 天"),
        Text(
            "Machines whose remaining life has its median (P50) below 30 days. View `remaining_life`.",
            "剩余寿命中位数（P50）不足 30 天的设备数。视图 `remaining_life`。",
        ),
        (
            Query(
                f"select count(*) as soon from ({_MACHINES}) as l join {scales.LEFT} "
                "where f.verdict = 'estimate' and f.p50_h < 720"
            ),
        ),
        4,
        steps=scales.OPEN,
        decimals=0,
    )


def _unknown() -> Panel:
    return Panel(
        "offline",
        Kind.STAT,
        Text("Offline", "离线"),
        Text(
            "Machines without data for 15 minutes: nobody knows how they are. View `latest`.",
            "超过 15 分钟无数据的设备数：状态未知。视图 `latest`。",
        ),
        (
            Query(
                f"select count(*) as offline from latest where {_IN} "
                f"and coalesce(now() - ts > {scales.OFFLINE}, true)"
            ),
        ),
        4,
        decimals=0,
    )


def _risk() -> Panel:
    return Panel(
        "risk",
        Kind.TABLE,
        Text("What needs attention first", "优先处理"),
        Text(
            "Machines by state, then by remaining life in days (P10, P50, P90). "
            "Views `latest`, `episode`, `remaining_life`.",
            "按状态及剩余寿命（天，P10、P50、P90）排序的设备。视图 `latest`、`episode`、`remaining_life`。",
        ),
        (
            Query(
                f"select * from (select {scales.NOW_STATE} as state, "
                "l.tenant, l.site, l.asset, l.equipment_type, l.health, round(f.p10_h / 24) as p10, "
                "round(f.p50_h / 24) as p50, round(f.p90_h / 24) as p90, l.ts as seen, l.asset_id "
                f"from ({_MACHINES}) as l left join {scales.LEFT}) as m "
                f"order by {scales.URGENCY}, p50 nulls last, health nulls last limit 200"
            ),
        ),
        24,
        columns=(
            Column("state", Text("state", "状态"), said=scales.STATES, width=120),
            Column("tenant", TENANT),
            Column("site", SITE),
            Column("asset", ASSET, link=to_asset()),
            Column("equipment_type", TYPE),
            Column("health", Text("health", "健康度"), unit="percent", steps=scales.HEALTH, width=90),
            Column("p10", Text("P10", "P10"), unit=DAYS, width=90),
            Column("p50", Text("left, P50", "剩余寿命 P50"), unit=DAYS, steps=scales.DAYS_LEFT, width=120),
            Column("p90", Text("P90", "P90"), unit=DAYS, width=90),
            Column("seen", Text("last data", "最近数据"), unit="dateTimeFromNow", width=140),
            Column("asset_id", Text("number", "编号"), hidden=True),
        ),
    )


def _modes() -> Panel:
    return Panel(
        "modes",
        Kind.BARS,
        Text("What was found, most often first", "发现的故障模式（按次数）"),
        Text(
            "Findings about machines that began in this time, by fault mode. View `episode`.",
            "该时段内开始的设备类发现，按故障模式统计。视图 `episode`。",
        ),
        (
            Query(
                "select e.title_{lang} as mode, count(*) as findings "
                f"from episode as e join ({_MACHINES}) as l using (asset_id) "
                "where e.kind in ('machine', 'limit', 'event') and $__timeFilter(e.onset_ts) "
                "group by 1 order by 2 desc, 1 limit 15"
            ),
        ),
        10,
        steps=(Step(None, "semi-dark-blue"),),
        low=0,
    )


def _map() -> Panel:
    return Panel(
        "map",
        Kind.MAP,
        Text("Sites by the worst machine", "站点地图（按最差设备状态）"),
        Text(
            "Sites with coordinates in the fleet file, each with the worst state of its machines in colour "
            "and words, and how many of them are in it. Of near sites the worst has its words: choose a "
            "customer to see its sites apart. Views `site`, `latest`, `episode`.",
            "设备清单文件中带坐标的站点：以颜色和文字显示其设备的最差状态及处于该状态的设备数。"
            "站点相邻时仅标注最差者；选择客户可分别查看其站点。"
            "视图 `site`、`latest`、`episode`。",
        ),
        (Query(_SITES),),
        14,
        columns=(
            Column("tenant", TENANT),
            Column("site", SITE),
            Column("state", Text("state", "状态"), said=scales.STATES),
            Column("machines", Text("machines", "设备数")),
            Column("label", Text("label", "标注"), unit="string", line={"hideFrom": {"tooltip": True}}),
        ),
        link=to_queue(),
        options={"layers": [markers("state", "label")]},
    )


_SITES = f"""with worst as (
    select distinct on (m.tenant, m.site) m.tenant, m.site, state, count(*) as machines
    from (select l.tenant, l.site, {scales.NOW_STATE} as state from ({_MACHINES}) as l) as m
    group by m.tenant, m.site, state order by m.tenant, m.site, {scales.URGENCY}
), placed as (
    select s.tenant, s.site, s.latitude, s.longitude, state, machines,
        s.site || ': ' || machines || ' ' || word_{{lang}} as words,
        radians(s.longitude) as x, asinh(tan(radians(s.latitude))) as y,
        row_number() over (order by {scales.URGENCY}, s.tenant, s.site) as place
    from worst join site as s using (tenant, site) join {scales.STATE_WORDS} using (state)
    where s.latitude is not null order by place limit 1000
), fitted as (
    select greatest((max(x) - min(x)) / {SHOWN[0]}, (max(y) - min(y)) / {SHOWN[1]}, {NEAREST}) as pixel
    from placed
)
select latitude, longitude, tenant, site, state, machines, case when exists (
    select from placed as worse where worse.place < one.place and abs(worse.y - one.y) < 16 * pixel
        and abs(worse.x - one.x) < 3.5 * octet_length(worse.words || one.words) * pixel
) then ' ' else words end as label
from placed as one cross join fitted order by place desc"""
"""Of sites whose words would lie upon each other the worst has them, the others have their marker alone; the
worst is drawn last. x, y: on the map (Web Mercator), in radians. A letter takes 7 pixels, a line 16."""


def _customers() -> Panel:
    return Panel(
        "customers",
        Kind.TABLE,
        Text("Customers", "客户"),
        Text(
            "For each customer: machines, worst health, findings that are open, percent reporting. "
            "Views `latest`, `episode`.",
            "各客户的设备数、最低健康度、未关闭的发现数及在线率。视图 `latest`、`episode`。",
        ),
        (
            Query(
                "select l.tenant, count(*) as machines, min(l.health) as worst, "
                "sum((select count(*) from episode as e "
                "where e.asset_id = l.asset_id and e.end_ts is null))::int as open, "
                f"100.0 * count(*) filter (where l.ts > now() - {scales.OFFLINE}) / count(*) as reporting "
                f"from ({_MACHINES}) as l group by 1 order by 4 desc, 3 nulls last limit 200"
            ),
        ),
        12,
        columns=(
            Column("tenant", TENANT),
            Column("machines", Text("machines", "设备数"), width=90),
            Column(
                "worst", Text("worst health", "最低健康度"), unit="percent", steps=scales.HEALTH, width=110
            ),
            Column("open", Text("open findings", "未关闭的发现"), steps=scales.OPEN, width=115),
            Column("reporting", Text("reporting", "在线率"), unit="percent", steps=scales.SHARE, width=90),
        ),
    )


def _over_time() -> Panel:
    return Panel(
        "began",
        Kind.LINES,
        Text("Findings that began each day", "每日新发现"),
        Text(
            "Findings that began, by day and kind. View `episode`.",
            "每日开始的发现数，按类别。视图 `episode`。",
        ),
        (
            Query(
                "select $__timeGroupAlias(e.onset_ts,'1d',0), "
                "count(*) filter (where e.kind = 'machine') as machine, "
                "count(*) filter (where e.kind = 'limit') as limits, "
                "count(*) filter (where e.kind = 'event') as event, "
                "count(*) filter (where e.kind = 'sensor') as sensor "
                f"from episode as e join ({_MACHINES}) as l using (asset_id) "
                "where $__timeFilter(e.onset_ts) group by 1 order by 1",
                over_time=True,
            ),
        ),
        12,
        columns=tuple(
            Column(name, said.text, color=said.color)
            for name, said in zip(("machine", "limits", "event", "sensor"), scales.KINDS, strict=False)
        ),
        line={
            "axisSoftMax": 4,
            "drawStyle": "bars",
            "fillOpacity": 70,
            "stacking": {"mode": "normal", "group": "A"},
        },
        low=0,
    )
