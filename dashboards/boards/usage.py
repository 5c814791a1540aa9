"""US: hours, trips, cycles, energy and wear by machine and site, against what contracts allow."""

from dashboards import scales
from dashboards.board import Dashboard, Row, Variable
from dashboards.panel import Column, Kind, Panel, Query, Step
from dashboards.text import Text
from fleet.catalog import packs

_FIRST = "date_trunc('day', $__timeFrom()::timestamptz + interval '24 hours', 'UTC')"
_LAST = f"greatest({_FIRST}, date_trunc('day', least($__timeTo(), now()), 'UTC'))"

# Hours of a month of a whole fleet are too many to add up while somebody waits.
_USED = f"""(
    select timezone('UTC', day::timestamp) as ts, asset_id, site, asset, channel, unit, used, readings
    from usage_day where day >= ({_FIRST} at time zone 'UTC')::date
    and day < ({_LAST} at time zone 'UTC')::date
    union all select ts, asset_id, site, asset, channel, unit, used, 1
    from usage_hour where $__timeFilter(ts) and ts < {_FIRST}
    union all select ts, asset_id, site, asset, channel, unit, used, 1
    from usage_hour where $__timeFilter(ts) and ts >= {_LAST}) as part"""
"""SQL: the days in between as such, by the hour what is left at both ends of the time range."""

_CHOSEN = "channel = ${counter:sqlstring}"

_COUNTERS = """select coalesce(nullif(title_{lang}, ''), channel) || ' (' || meter_unit || ')' as __text,
    channel as __value from channel where meter_unit is not null
    group by 1, 2 order by bool_and(nullif(title_{lang}, '') is null), 1"""
"""SQL: what nobody gave a title comes last."""

_CONTRACTS = """select coalesce(nullif(title_{lang}, ''), contract) as __text, contract as __value
    from contract order by now() between begin_ts and coalesce(end_ts, 'infinity') desc, 1"""
"""SQL: what is in force comes first."""

_ON = "start_ts <= $__timeTo() and end_ts > least(now(), $__timeTo()::timestamptz)"
"""SQL: the period of a contract that the end of the time range lies in."""

_OF_CHOSEN = f"contract = ${{contract:sqlstring}} and {_ON}"

ASSET = Text("Machine", "设备")
SITE = Text("Site", "站点")
NO_CONTRACT = Text("no contract in force then", "届时无生效合同")
SHARE = Column("share", Text("% used", "已用 %"), unit="percent", steps=scales.USED_UP, width=75)
HOURS = Column("hours", Text("hours read", "有读数的小时"), unit="locale", width=110)
USED = Text("used", "用量")
UNIT = Text("unit", "单位")
NOT_MEASURED = Text("not measured", "未测量")

_WEAR_WORDS = ", ".join(
    f"('{name}', '{each.name}', '{each.title_en}', '{each.title_zh}')"
    for name, pack in packs().items()
    for each in pack.counters
)


def boards() -> tuple[Dashboard, ...]:
    """The one dashboard."""
    return (
        Dashboard(
            "US",
            Text("Usage", "使用量"),
            (
                Row(8, (_contracts(), _contract_sites())),
                Row(8, (_by_day(), _by_site())),
                Row(12, (_by_machine(), _energy())),
                Row(12, (_contract_machines(), _wear())),
            ),
            (
                Variable("contract", Text("Contract", "合同"), _CONTRACTS),
                Variable("counter", Text("Counter", "计数"), _COUNTERS),
            ),
            since="now-7d",
            refresh="15m",
        ),
    )


def _contracts() -> Panel:
    return Panel(
        "contracts",
        Kind.TABLE,
        Text("Used of what contracts allow", "合同用量"),
        Text(
            "What was used of each contract's month or year so far, in percent of what it allows, and what "
            "it will be at its end if it goes on like this. Months and years are those of UTC, at all sites. "
            "View `contract_use`, hourly.",
            "各合同当前周期（月或年）的已用量、占允许量的百分比，以及按当前速度推算的期末值。"
            "各站点的月和年均按 UTC 划分。视图 `contract_use`，每小时更新。",
        ),
        (
            Query(
                "select coalesce(nullif(title_{lang}, ''), contract) as title, tenant, covers, "
                "sum(used) as used, allowed, nullif(unit, '1') as unit, 100 * sum(used) / allowed as share, "
                f"100 * sum(projected) / allowed as projected, end_ts as until from contract_use where {_ON} "
                "group by contract, title_{lang}, tenant, covers, allowed, unit, end_ts "
                "order by share desc nulls last, contract limit 500"
            ),
        ),
        16,
        columns=(
            Column("title", Text("contract", "合同")),
            Column("tenant", Text("customer", "客户"), width=90),
            Column("covers", Text("covers", "范围"), width=90, empty=Text("all machines", "全部设备")),
            Column("used", USED, unit="locale", width=110, empty=NOT_MEASURED),
            Column("allowed", Text("allowed", "允许量"), unit="locale", width=90),
            Column("unit", UNIT, width=50),
            SHARE,
            Column("projected", Text("% at end", "期末 %"), unit="percent", steps=scales.USED_UP, width=80),
            Column("until", Text("until", "截止"), unit="dateTimeAsLocal", width=190),
        ),
        decimals=1,
        empty=NO_CONTRACT,
    )


def _contract_sites() -> Panel:
    return Panel(
        "contract-sites",
        Kind.BARS,
        Text("The contract's use by site", "所选合同：各站点占比"),
        Text(
            "Percent of what the chosen contract allows that its machines at each site used so far. "
            "View `contract_use`.",
            "各站点设备已用量占所选合同允许量的百分比。视图 `contract_use`。",
        ),
        (
            Query(
                f"select site, 100 * sum(used) / allowed as share from contract_use where {_OF_CHOSEN} "
                "group by site, allowed having sum(used) is not null order by 2 desc limit 20"
            ),
        ),
        8,
        unit="percent",
        steps=scales.USED_UP,
        low=0,
        high=100,
        decimals=0,
        empty=Text("not in force then, or not measured", "届时未生效，或未测量"),
    )


def _contract_machines() -> Panel:
    return Panel(
        "contract-machines",
        Kind.TABLE,
        Text("The contract's use by machine", "所选合同：各设备用量"),
        Text(
            "What each machine used of the chosen contract's month or year so far, and in percent of what it "
            "allows all its machines together. View `contract_use`.",
            "各设备在所选合同当前周期内的已用量，及其占允许总量的百分比。视图 `contract_use`。",
        ),
        (
            Query(
                "select site, asset, used, nullif(unit, '1') as unit, 100 * used / allowed as share "
                f"from contract_use where {_OF_CHOSEN} order by share desc nulls last, asset limit 1000"
            ),
        ),
        14,
        columns=(
            Column("site", SITE),
            Column("asset", ASSET),
            Column("used", USED, unit="locale", empty=NOT_MEASURED),
            Column("unit", UNIT, width=60),
            SHARE,
        ),
        decimals=1,
        empty=NO_CONTRACT,
    )


def _by_day() -> Panel:
    return Panel(
        "by-day",
        Kind.LINES,
        Text("Used each day", "每日用量"),
        Text(
            "What the counter went on by, all machines together, in its unit. Days are those of UTC, at all "
            "sites. Views `usage_day`, `usage_hour`.",
            "全部设备该计数的每日增量，单位同计数。各站点均按 UTC 日统计。视图 `usage_day`、`usage_hour`。",
        ),
        (
            Query(
                f"select $__timeGroupAlias(ts,'1d'), sum(used) as used from {_USED} where {_CHOSEN} "
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
            "What the counter went on by in this time, by site. Views `usage_day`, `usage_hour`.",
            "该时段内各站点的计数增量。视图 `usage_day`、`usage_hour`。",
        ),
        (
            Query(
                f"select site, sum(used) as used from {_USED} where {_CHOSEN} "
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
            "What the counter went on by in this time, and in how many hours it was read. "
            "Views `usage_day`, `usage_hour`.",
            "该时段内各设备的计数增量及有读数的小时数。视图 `usage_day`、`usage_hour`。",
        ),
        (
            Query(
                "select site, asset, sum(used) as used, nullif(unit, '1') as unit, sum(readings) as hours "
                f"from {_USED} where {_CHOSEN} group by site, asset, asset_id, unit "
                "order by 3 desc limit 1000"
            ),
        ),
        12,
        columns=(
            Column("site", SITE),
            Column("asset", ASSET),
            Column("used", USED, unit="locale"),
            Column("unit", UNIT, width=60),
            HOURS,
        ),
        decimals=1,
    )


def _energy() -> Panel:
    return Panel(
        "energy",
        Kind.TABLE,
        Text("Energy by machine", "各设备电能"),
        Text(
            "kWh in this time: what an energy counter went on by, or the mean electrical power of each hour "
            "read. A machine that has neither is not measured. Views `usage_day`, `usage_hour`.",
            "该时段电能（kWh）：电能计数的增量，或有读数各小时的平均电功率之和。"
            "两者皆无的设备为未测量。视图 `usage_day`、`usage_hour`。",
        ),
        (
            Query(
                "with told as materialized (select asset_id, site, asset, channel, sum(readings) as hours, "
                f"sum(used * case unit when 'MWh' then 1000 else 1 end) as energy from {_USED} "
                "where unit in ('kWh', 'MWh') group by 1, 2, 3, 4) "
                "select site, asset, coalesce(nullif(title, ''), channel) as meter, energy, hours from told "
                "left join (select channel, min(title_{lang}) as title from channel group by 1) as c "
                "using (channel) union all select site, asset, null, null, 0 from asset "
                "where asset_id not in (select asset_id from told) "
                "order by energy desc nulls last, asset limit 1000"
            ),
        ),
        12,
        columns=(
            Column("site", SITE),
            Column("asset", ASSET),
            Column("meter", Text("meter", "计量")),
            Column("energy", Text("energy", "电能"), unit="kwatth", empty=NOT_MEASURED),
            HOURS,
        ),
    )


def _wear() -> Panel:
    return Panel(
        "wear",
        Kind.TABLE,
        Text("Wear by machine", "各设备损耗"),
        Text(
            "Where each wear counter stands in percent of its limit, and how much of that was used up in "
            "this time, by days of UTC. Views `wear`, `wear_day`.",
            "各损耗计数占其限值的百分比，及该时段内（按 UTC 日）的消耗。视图 `wear`、`wear_day`。",
        ),
        (
            Query(
                "select site, asset, coalesce(word_{lang}, counter) as part, used, share from ("
                "select site, asset, counter, sum(used) as used, max(share) as share, max(kind) as kind "
                'from (select asset_id, site, asset, counter, null as used, 100 * value / "limit" as share, '
                "equipment_type as kind from wear union all "
                "select asset_id, site, asset, counter, used, null, null from wear_day "
                "where $__timeFilter(day)) as told group by asset_id, site, asset, counter) as w "
                f"left join (values {_WEAR_WORDS}) as said (kind, counter, word_en, word_zh) "
                "using (kind, counter) order by share desc nulls last, asset limit 1000"
            ),
        ),
        10,
        columns=(
            Column("site", SITE, width=90),
            Column("asset", ASSET, width=90),
            Column("part", Text("part", "部件")),
            Column("used", Text("% in this time", "本时段 %"), unit="percent", empty=NOT_MEASURED, width=110),
            Column("share", Text("% of limit", "占限值 %"), unit="percent", steps=scales.USED_UP, width=100),
        ),
        decimals=1,
    )
