"""CU: what a customer wants to know, in plain words: are my machines fine, what comes next, what to do."""

from dashboards import scales
from dashboards.board import Audience, Dashboard, Row
from dashboards.links import to_asset
from dashboards.panel import Column, Kind, Panel, Query, Step
from dashboards.text import Text

ASSET = Text("Machine", "设备")
SITE = Text("Site", "站点")

_STATES = f"select l.*, {scales.NOW_STATE} as state from latest as l"


def boards() -> tuple[Dashboard, ...]:
    """The one dashboard."""
    return (
        Dashboard(
            "CU",
            Text("My machines", "我的设备"),
            (
                Row(4, (_now(), _next(), _reached())),
                Row(9, (_list(), _health())),
                Row(9, (_to_do(),)),
            ),
            since="now-30d",
            audience=(Audience.CUSTOMER,),
            home_of=Audience.CUSTOMER,
        ),
    )


def _now() -> Panel:
    return Panel(
        "now",
        Kind.STAT,
        Text("Your machines now", "设备现状"),
        Text(
            "How many show nothing odd, how many need you, and how many have not reported for 15 minutes. "
            "Each minute.",
            "未见异常、需要关注及超过 15 分钟无数据的设备数。每分钟更新。",
        ),
        (
            Query(
                "select count(*) filter (where state in (0, 1)) as fine, "
                "count(*) filter (where state in (2, 3)) as odd, "
                f"count(*) filter (where state = 4) as offline from ({_STATES}) as m"
            ),
        ),
        8,
        columns=(
            Column("fine", Text("fine", "正常"), steps=(Step(None, "semi-dark-green"),)),
            Column("odd", Text("need you", "需关注"), steps=scales.OPEN),
            Column("offline", Text("offline", "离线")),
        ),
        decimals=0,
        options={"textMode": "value_and_name"},
    )


_NEXT = f"""select coalesce((
    select l.asset || ': ' || case when likely <= current_date then word_{{lang}}
        when early = likely then likely::text else early || ' – ' || likely end
    from latest as l join {scales.LEFT}, lateral (select
        (f.ts + f.p10_h * interval '1 hour')::date as early,
        (f.ts + f.p50_h * interval '1 hour')::date as likely) as due,
        (values ('now', '现在')) as said (word_en, word_zh)
    where f.verdict = 'estimate' and f.ts >= $__timeFrom()
    order by likely, l.asset limit 1), '–') as next_service"""


def _next() -> Panel:
    return Panel(
        "next",
        Kind.STAT,
        Text("Next service recommended", "建议的下次维护"),
        Text(
            "The time in which the first of your machines should be serviced, from what its condition says: "
            "early date to likely date. Only machines that were heard of in this time count. Twice a day.",
            "根据设备状态建议的最早维护时间窗：从较早日期到可能日期。不含该时段内无预测的设备。每日两次更新。",
        ),
        (Query(_NEXT),),
        10,
        unit="string",
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
            "text": {"valueSize": 26},  # a name and two dates in one line
        },
    )


def _reached() -> Panel:
    return Panel(
        "reached",
        Kind.STAT,
        Text("Reporting", "在线率"),
        Text(
            "Percent of the hours of this time in which your machines reported. Hourly.",
            "该时段内设备有数据的小时百分比。每小时更新。",
        ),
        (
            Query(
                "select least(100, 100.0 * count(*) / nullif((select count(*) from asset) * extract(epoch "
                "from $__timeTo()::timestamptz - $__timeFrom()::timestamptz) / 3600, 0)) as reached "
                "from seen_hour where $__timeFilter(ts)"
            ),
        ),
        6,
        unit="percent",
        steps=scales.SHARE,
        decimals=1,
    )


def _list() -> Panel:
    return Panel(
        "machines",
        Kind.TABLE,
        Text("Your machines, those that need you first", "设备一览（需关注者在前）"),
        Text(
            "How each machine is now, and its health in percent. Each minute.",
            "每台设备的当前状态及健康度（%）。每分钟更新。",
        ),
        (
            Query(
                "select state, asset, site, round(health) as health, ts as seen, equipment_type, asset_id "
                f"from ({_STATES}) as m order by {scales.URGENCY}, health nulls last, asset limit 500"
            ),
        ),
        12,
        columns=(
            Column("state", Text("state", "状态"), said=scales.STATES, width=120),
            Column("asset", ASSET, link=to_asset()),
            Column("site", SITE),
            Column("health", Text("health", "健康度"), unit="percent", steps=scales.HEALTH, width=80),
            Column("seen", Text("last data", "最近数据"), unit="dateTimeFromNow", width=130),
            Column("equipment_type", Text("type", "类型"), hidden=True),
            Column("asset_id", Text("number", "编号"), hidden=True),
        ),
    )


def _to_do() -> Panel:
    return Panel(
        "to-do",
        Kind.TABLE,
        Text("What to do", "建议措施"),
        Text(
            "What was found on your machines and what should be checked, newest first. Each minute.",
            "设备的发现及建议检查项，最新在前。每分钟更新。",
        ),
        (
            Query(
                "select asset, title_{lang} as what, onset_ts as since, check_{lang} as check from episode "
                "where end_ts is null and kind in ('machine', 'limit', 'event') "
                "order by onset_ts desc limit 100"
            ),
        ),
        24,
        columns=(
            Column("asset", ASSET, width=140),
            Column("what", Text("found", "发现"), width=300),
            Column("since", Text("since", "开始于"), unit="dateTimeFromNow", width=130),
            Column("check", Text("what to do", "措施")),
        ),
        empty=Text("nothing to do", "暂无需要处理的事项"),
    )


def _health() -> Panel:
    return Panel(
        "health",
        Kind.LINES,
        Text("Health of the ten machines that are worst", "健康度最低的 10 台设备"),
        Text("Health in percent, by the hour.", "健康度（%），按小时。"),
        (
            Query(
                "select $__timeGroupAlias(h.ts,$__interval), h.asset as metric, avg(h.health) as health "
                "from health as h join (select asset_id from latest order by health nulls last, asset_id "
                "limit 10) as worst using (asset_id) where $__timeFilter(h.ts) group by 1, 2 order by 1",
                over_time=True,
            ),
        ),
        12,
        unit="percent",
        steps=scales.HEALTH,
        low=0,
        high=100,
        line={"lineWidth": 2, "spanNulls": 3 * 3_600_000, "thresholdsStyle": {"mode": "area"}},
    )
