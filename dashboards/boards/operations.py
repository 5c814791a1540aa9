"""OP: how the platform itself is, for those who run it: what comes in, how far behind, what stands still."""

from typing import Any

from dashboards import scales
from dashboards.board import Audience, Dashboard, Row
from dashboards.panel import NO_DATA, Column, Kind, Panel, Query, Step
from dashboards.text import Text

CONSUMER = Text("agent", "处理程序")
TENANT = Text("Customer", "客户")
SITE = Text("Site", "站点")

_NOW = "select * from platform_minute where ts > now() - interval '5 minutes'"

_TOLD = "seen_at > now() - interval '1 hour'"
"""SQL: a partition that a worker still reads."""

_AGE = (Step(None, "semi-dark-green"), Step(60, "semi-dark-orange"), Step(300, "semi-dark-red"))
"""Seconds."""

_SOME = (Step(None, "semi-dark-green"), Step(1, "semi-dark-red"))


def boards() -> tuple[Dashboard, ...]:
    """The one dashboard."""
    return (
        Dashboard(
            "OP",
            Text("Platform", "平台运行"),
            (
                Row(4, (_rate_now(), _lag_now(), _delay_now(), _still(), _dead_now(), _size_now())),
                Row(8, (_rate(), _lag())),
                Row(8, (_delay(), _dead())),
                Row(9, (_positions(), _freshness())),
                Row(8, (_queries(), _tables())),
                Row(8, (_models(), _provisioned())),
            ),
            since="now-24h",
            audience=(Audience.OPERATIONS,),
            home_of=Audience.OPERATIONS,
        ),
    )


def _rate_now() -> Panel:
    return _stat(
        "rate-now",
        Text("Records a second", "每秒入库记录数"),
        Text(
            "Records of telemetry stored a second, over the last minutes. View `platform_minute`.",
            "最近几分钟每秒入库的遥测记录数。视图 `platform_minute`。",
        ),
        (
            "select greatest(max(records) - min(records), 0) / nullif(extract(epoch from max(ts) - "
            f"min(ts)), 0) as rate from ({_NOW}) as m where consumer = 'score'"
        ),
        unit="cps",
        decimals=0,
    )


def _lag_now() -> Panel:
    return _stat(
        "lag-now",
        Text("Records that wait", "待处理记录数"),
        Text(
            "Records in the log that are not dealt with, all partitions together. View `worker_position`.",
            "日志中尚未处理的记录数，全部分区合计。视图 `worker_position`。",
        ),
        f"select sum(lag) as lag from worker_position where {_TOLD}",
        decimals=0,
    )


def _delay_now() -> Panel:
    return _stat(
        "delay-now",
        Text("From log to database", "入库延迟"),
        Text(
            "Seconds from a record's coming into the log until it was stored, of the slowest partition. "
            "View `worker_position`.",
            "记录进入日志到入库的秒数（最慢分区）。视图 `worker_position`。",
        ),
        "select max(delay_s) as delay from worker_position where consumer = 'score'",
        unit="s",
        steps=_AGE,
        decimals=1,
    )


def _still() -> Panel:
    return _stat(
        "still",
        Text("Partitions that stand still", "停滞的分区"),
        Text(
            "Partitions that were stopped, or where records wait and nothing was stored for two minutes. "
            "View `worker_position`.",
            "已停止，或有待处理记录但两分钟内无入库的分区数。视图 `worker_position`。",
        ),
        (
            "select count(*) as still from worker_position "
            f"where {_TOLD} and (halted is not null "
            "or now() - moved_at > interval '2 minutes' and lag > 0)"
        ),
        steps=_SOME,
        decimals=0,
    )


def _dead_now() -> Panel:
    return _stat(
        "dead-now",
        Text("Dead letters in a day", "24 小时死信"),
        Text(
            "Records of the last 24 hours that could not be used. View `dead_letter`.",
            "最近 24 小时无法使用的记录数。视图 `dead_letter`。",
        ),
        "select count(*) as dead from dead_letter where ts > now() - interval '24 hours'",
        steps=scales.OPEN,
        decimals=0,
    )


def _size_now() -> Panel:
    return _stat(
        "size-now",
        Text("Database", "数据库大小"),
        Text(
            "Bytes of the database on its disk, in the last minute. View `platform_minute`.",
            "数据库占用的磁盘字节数（最近一分钟）。视图 `platform_minute`。",
        ),
        "select database_bytes as bytes from platform_minute order by ts desc limit 1",
        unit="decbytes",
    )


def _rate() -> Panel:
    return _lines(
        "rate",
        Text("Records a second", "每秒处理记录数"),
        Text(
            "Records stored a second, by agent. View `platform_minute`.",
            "各处理程序每秒入库的记录数。视图 `platform_minute`。",
        ),
        (
            "select $__timeGroupAlias(ts,$__interval), consumer as metric, avg(rate) as rate from ("
            "select ts, consumer, greatest(records - lag(records) over w, 0) / extract(epoch from ts - "
            "lag(ts) over w) as rate from platform_minute where $__timeFilter(ts) "
            "window w as (partition by consumer order by ts)) as m where rate is not null "
            "group by 1, 2 order by 1"
        ),
        unit="cps",
    )


def _lag() -> Panel:
    return _lines(
        "lag",
        Text("Records that wait", "待处理记录数"),
        Text(
            "Records that are not dealt with, by agent: if it grows, add workers. View `platform_minute`.",
            "各处理程序待处理的记录数：持续增长时请增加工作进程。视图 `platform_minute`。",
        ),
        (
            "select $__timeGroupAlias(ts,$__interval), consumer as metric, max(lag) as lag "
            "from platform_minute where $__timeFilter(ts) group by 1, 2 order by 1"
        ),
    )


def _delay() -> Panel:
    return _lines(
        "delay",
        Text("From log to database", "入库延迟"),
        Text(
            "Seconds from the log to the database, of the slowest partition, by agent. "
            "View `platform_minute`.",
            "各处理程序最慢分区从日志到数据库的秒数。视图 `platform_minute`。",
        ),
        (
            "select $__timeGroupAlias(ts,$__interval), consumer as metric, max(delay_s) as delay "
            "from platform_minute where $__timeFilter(ts) and delay_s is not null "
            "group by 1, 2 order by 1"
        ),
        unit="s",
    )


def _dead() -> Panel:
    return _lines(
        "dead",
        Text("Dead letters by reason", "死信（按原因）"),
        Text(
            "Records each hour that could not be used, by reason. View `dead_letter`.",
            "每小时无法使用的记录数，按原因。视图 `dead_letter`。",
        ),
        (
            "select $__timeGroupAlias(ts,'1h'), reason as metric, count(*) as letters from dead_letter "
            "where $__timeFilter(ts) group by 1, 2 order by 1"
        ),
        line={"drawStyle": "bars", "fillOpacity": 70, "stacking": {"mode": "normal", "group": "A"}},
        empty=Text("none in this time", "该时段没有"),
    )


def _positions() -> Panel:
    return _table(
        "positions",
        Text("Where the workers are, the most behind first", "各分区进度（最落后者在前）"),
        Text(
            "Each partition: records that wait, when it last moved, when a worker last told of it, and why "
            "it was stopped. View `worker_position`, each half minute.",
            "各分区待处理的记录数、最近推进时间、工作进程最近报告时间及停止原因。"
            "视图 `worker_position`，每半分钟更新。",
        ),
        (
            "select consumer, topic, partition, lag, delay_s, moved_at, seen_at, halted "
            "from worker_position order by halted is null, lag desc, moved_at limit 200"
        ),
        14,
        Column("consumer", CONSUMER, width=80),
        Column("topic", Text("topic", "主题"), width=130),
        Column("partition", Text("partition", "分区"), width=75),
        Column("lag", Text("wait", "待处理"), width=70),
        Column("delay_s", Text("delay", "延迟"), unit="s", steps=_AGE, width=75),
        Column("moved_at", Text("moved", "推进"), unit="dateTimeFromNow", width=145),
        Column("seen_at", Text("told of", "报告"), unit="dateTimeFromNow", width=145),
        Column("halted", Text("stopped for", "停止原因"), width=95),
    )


def _freshness() -> Panel:
    return _table(
        "freshness",
        Text("Sites by their newest data, the oldest first", "各站点最新数据（最旧者在前）"),
        Text(
            "Each site: its newest data, its machines, and how many reported in the last 15 minutes. "
            "View `freshness`.",
            "各站点的最新数据时间、设备数及最近 15 分钟在线的设备数。视图 `freshness`。",
        ),
        (
            "select tenant, site, newest, reporting, machines from freshness "
            "order by newest nulls first, tenant, site limit 500"
        ),
        10,
        Column("tenant", TENANT, width=110),
        Column("site", SITE, width=130),
        Column("newest", Text("newest", "最新数据"), unit="dateTimeFromNow", width=150),
        Column("reporting", Text("reporting", "在线"), width=80),
        Column("machines", Text("machines", "设备数"), width=80),
    )


def _queries() -> Panel:
    return _table(
        "queries",
        Text("Slow statements that run now", "正在执行的慢语句"),
        Text(
            "Statements that have run for a second or longer, and what they wait for. View `running_query`.",
            "已执行一秒以上的语句及其等待事件。视图 `running_query`。",
        ),
        (
            "select extract(epoch from now() - since) as runs, role, program, waits_for, query "
            "from running_query where now() - since > interval '1 second' order by 1 desc limit 50"
        ),
        14,
        Column("runs", Text("runs", "已执行"), unit="s", steps=_AGE, width=80),
        Column("role", Text("role", "角色"), width=150),
        Column("program", Text("program", "程序"), width=130),
        Column("waits_for", Text("waits for", "等待"), width=90),
        Column("query", Text("statement", "语句")),
        empty=Text("none", "无"),
    )


def _tables() -> Panel:
    return Panel(
        "tables",
        Kind.BARS,
        Text("Largest tables", "最大的表"),
        Text(
            "Bytes of the largest tables with their indexes. View `table_size`.",
            "最大的表（含索引）的字节数。视图 `table_size`。",
        ),
        (Query("select name, bytes from table_size order by 2 desc limit 10"),),
        10,
        unit="decbytes",
        steps=(Step(None, "semi-dark-blue"),),
        low=0,
    )


def _models() -> Panel:
    return _table(
        "models",
        Text("Models in use, the oldest first", "使用中的模型（最旧者在前）"),
        Text(
            "Models by equipment type and customer, their role, and when they were fitted. "
            "View `model_in_use`.",
            "各设备类型及客户使用中的模型、角色和拟合时间。视图 `model_in_use`。",
        ),
        (
            "select equipment_type, tenant, role, forecaster || ':' || version as model, fitted_at, "
            "since from model_in_use order by fitted_at limit 200"
        ),
        14,
        Column("equipment_type", Text("type", "类型"), width=120),
        Column("tenant", TENANT, width=110),
        Column("role", Text("role", "角色"), width=100),
        Column("model", Text("model", "模型")),
        Column("fitted_at", Text("fitted", "拟合时间"), unit="dateTimeFromNow", width=150),
        Column("since", Text("in use since", "启用时间"), unit="dateTimeFromNow", width=150),
    )


def _provisioned() -> Panel:
    return _table(
        "provisioned",
        Text("Organisations in Grafana", "Grafana 组织"),
        Text(
            "What is ours in each organisation, when it was last pushed, and how much of it never said that "
            "it arrived. `faultline grafana plan` finds drift. View `provisioned`.",
            "各组织中由本平台管理的对象数、最近推送时间及未确认送达的对象数。"
            "偏差由 `faultline grafana plan` 检查。视图 `provisioned`。",
        ),
        (
            "select name, kind, things, unsure, pushed_at from provisioned "
            "order by unsure desc, name limit 500"
        ),
        10,
        Column("name", Text("for", "对象"), width=150),
        Column("kind", Text("as", "身份"), width=100),
        Column("things", Text("ours", "对象数"), width=75),
        Column("unsure", Text("unsure", "未确认"), steps=scales.OPEN, width=75),
        Column("pushed_at", Text("pushed", "推送时间"), unit="dateTimeFromNow", width=150),
    )


def _stat(key: str, title: Text, about: Text, sql: str, **how: Any) -> Panel:
    """A number of now."""
    return Panel(key, Kind.STAT, title, about, (Query(sql),), 4, **how)


def _lines(key: str, title: Text, about: Text, sql: str, **how: Any) -> Panel:
    """Lines of what cannot be less than none."""
    return Panel(key, Kind.LINES, title, about, (Query(sql, over_time=True),), 12, low=0, **how)


def _table(
    key: str, title: Text, about: Text, sql: str, width: int, *columns: Column, empty: Text = NO_DATA
) -> Panel:
    """What to look at, the worst first."""
    return Panel(key, Kind.TABLE, title, about, (Query(sql),), width, columns=columns, empty=empty)
