"""AD: one machine, a dashboard for each equipment type: how it is, what shows it, how long it lasts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dashboards import scales
from dashboards.board import WIDTH, Annotation, Dashboard, Row, Variable
from dashboards.panel import Column, Kind, Panel, Query
from dashboards.source import MACHINE, lines, spells
from dashboards.text import Text
from dashboards.units import DAYS, grafana_unit
from fleet.asset import Channel, EquipmentType
from fleet.catalog import pack_of, packs
from fleet.sql_names import column
from fleet.vertical import VerticalPack

ABREAST = 4
"""Most channels of a panel: more lines than that nobody tells apart."""

SIZE = 4
"""Ranges of which one is more than so many times the other are not of one size."""

LONGEST = 75
"""Characters of a title that a panel of half the width has room for."""

COLORS = ("blue", "yellow", "purple", "text")
"""Of channels: none that says how a machine is."""

LATEST_RUNS = 5
"""Segments that count together as what they show by now."""

NO_RUNS = Text("no test program was run in this time", "该时段未运行测试程序")

NOTHING_FOUND = Text("nothing has been found", "暂无发现")

NOT_KNOWN = Text("not known yet", "尚未得出")

STILL_ON = Text("still on", "持续中")


def boards() -> tuple[Dashboard, ...]:
    """One for each vertical pack."""
    return tuple(_of(pack) for pack in packs().values())


def board_of(kind: EquipmentType) -> Dashboard:
    """The dashboard of a type as it is registered, which need not have a pack, or all of its pack's channels.

    What has no title goes by its name.
    """
    known = packs()[kind.name].equipment_type if kind.name in packs() else kind
    channels = tuple(
        replace(each, title_en=each.title_en or each.name, title_zh=each.title_zh or each.name)
        for each in kind.channels
    )
    titles = {"title_en": known.title_en or kind.name, "title_zh": known.title_zh or kind.name}
    return _of(replace(pack_of(kind), equipment_type=replace(kind, channels=channels, **titles)))


def _of(pack: VerticalPack) -> Dashboard:
    kind = pack.equipment_type
    machines = f"from asset where equipment_type = '{kind.name}'"
    return Dashboard(
        f"AD-{kind.name.upper()}",
        Text(kind.title_en, kind.title_zh),
        (
            Row(4, (_health_now(), _score_now(), _left_now(), _open(), _seen())),
            Row(8, (_health(), _score())),
            Row(8, (_left(), _findings())),
            Row(7, (_shown_by(), _wear(pack))),
            Row(7, (_history(),)),
            *_segments(pack),
            *_channels(kind),
        ),
        (
            Variable("site", Text("Site", "站点"), f"select distinct site {machines} order by 1"),
            Variable(
                "asset",
                Text("Machine", "设备"),
                f"select asset as __text, asset_id::text as __value {machines} "
                "and site = ${site:sqlstring} order by 1",
            ),
        ),
        (
            Annotation(
                Text("Findings", "发现"),
                "select onset_ts as time, end_ts as timeend, title_{lang} as text, kind as tags from episode "
                f"where {MACHINE} and kind in ('machine', 'limit', 'event') and onset_ts <= $__timeTo() "
                "and coalesce(end_ts, now()) >= $__timeFrom() order by 1",
                "semi-dark-orange",
            ),
            Annotation(
                Text("Service", "维护"),
                "select ts as time, note as text, kind as tags from maintenance "
                f"where {MACHINE} and $__timeFilter(ts) order by 1",
                "semi-dark-blue",
            ),
        ),
        equipment_type=kind.name,
    )


def _health_now() -> Panel:
    return Panel(
        "health-now",
        Kind.STAT,
        Text("Health", "健康度"),
        Text(
            "Health in percent, as of its last hour. View `latest`.",
            "最近一小时的健康度（%）。视图 `latest`。",
        ),
        (Query(f"select health from latest where {MACHINE}"),),
        4,
        unit="percent",
        steps=scales.HEALTH,
        decimals=0,
        empty=NOT_KNOWN,
    )


def _score_now() -> Panel:
    return Panel(
        "score-now",
        Kind.STAT,
        Text("How odd", "异常程度"),
        Text(
            "Score: -log10 of the probability that a healthy machine looks this odd. "
            "A machine at rest is not judged. View `latest`.",
            "得分：健康设备出现此状态的概率的 -log10。静止的设备不评判。视图 `latest`。",
        ),
        (Query(f"select score from latest where {MACHINE}"),),
        4,
        unit="none",
        steps=scales.SCORE,
        decimals=1,
        empty=Text("not judged now", "当前未评判"),
    )


def _left_now() -> Panel:
    return Panel(
        "left-now",
        Kind.STAT,
        Text("Remaining life", "剩余寿命"),
        Text(
            "Days left: P10, P50 and P90; or why nothing can be said. View `remaining_life`, twice a day.",
            "剩余天数：P10、P50、P90；若无法预测则给出原因。视图 `remaining_life`，每日两次。",
        ),
        (Query(f"select {scales.LEFT_IN_WORDS} as left_life from remaining_life where {MACHINE}"),),
        6,
        unit="string",
        empty=NOT_KNOWN,
        options={"reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False}},
    )


def _open() -> Panel:
    return Panel(
        "open",
        Kind.STAT,
        Text("Open findings", "未关闭的发现"),
        Text("Findings that are on. View `episode`.", "当前未关闭的发现数。视图 `episode`。"),
        (Query(f"select count(*) as open from episode where {MACHINE} and end_ts is null"),),
        4,
        steps=scales.OPEN,
        decimals=0,
    )


def _seen() -> Panel:
    return Panel(
        "seen",
        Kind.STAT,
        Text("Last data", "最近数据"),
        Text("When its newest row was measured. View `latest`.", "最新数据的测量时间。视图 `latest`。"),
        (Query(f"select extract(epoch from ts) * 1000 as seen from latest where {MACHINE}"),),
        6,
        unit="dateTimeFromNow",
    )


def _health() -> Panel:
    return Panel(
        "health",
        Kind.LINES,
        Text("Health", "健康度"),
        Text("Health in percent, hourly. View `health`.", "健康度（%），每小时。视图 `health`。"),
        (
            Query(
                f"select $__timeGroupAlias(ts,$__interval), avg(health) as health from health "
                f"where $__timeFilter(ts) and {MACHINE} group by 1 order by 1",
                over_time=True,
            ),
        ),
        12,
        unit="percent",
        steps=scales.HEALTH,
        columns=(Column("health", Text("health", "健康度"), color="blue"),),
        low=0,
        high=100,
        line={"lineWidth": 2, "spanNulls": 3 * 3_600_000, "thresholdsStyle": {"mode": "area"}},
    )


def _score() -> Panel:
    return Panel(
        "score",
        Kind.LINES,
        Text("How odd", "异常程度"),
        Text(
            "Highest score of each interval: from 3 on a finding can begin. Views `score` and `hour_…`.",
            "各时间段的最高得分：达到 3 可能触发发现。视图 `score`、`hour_…`。",
        ),
        (Query(_SCORES, over_time=True),),
        12,
        unit="none",
        steps=scales.SCORE,
        columns=(Column("score", Text("score", "得分"), color="blue"),),
        low=0,
        line={"axisSoftMax": 4, "thresholdsStyle": {"mode": "area"}},
    )


_SCORES = f"""select $__timeGroupAlias(ts,$__interval,NULL), max(score) as score
from (
  select ts, score from score where $__timeFilter(ts) and {MACHINE} and $__interval_ms < 3600000
  union all
  select ts, score_max from score_hour where $__timeFilter(ts) and {MACHINE} and $__interval_ms >= 3600000
) as rows
group by 1 order by 1"""


_EDGE: Mapping[str, Any] = {"lineWidth": 0, "showPoints": "never"}
"""Of the band."""


def _left() -> Panel:
    return Panel(
        "left",
        Kind.LINES,
        Text("Remaining life as it was forecast", "剩余寿命预测"),
        Text(
            "Days left as each forecast said: P50, and the band from P10 to P90. View `forecast`.",
            "各次预测的剩余天数：P50 及 P10～P90 区间。视图 `forecast`。",
        ),
        (
            Query(
                "select ts as time, p90_h / 24 as p90, p50_h / 24 as p50, p10_h / 24 as p10 from forecast "
                f"where $__timeFilter(ts) and {MACHINE} and target = 'condition' and verdict = 'estimate' "
                "order by 1",
                over_time=True,
            ),
        ),
        12,
        unit=DAYS,
        columns=(
            Column(
                "p90",
                Text("P90", "P90"),
                color="blue",
                line={**_EDGE, "fillOpacity": 25, "fillBelowTo": "P10"},
            ),
            Column("p50", Text("P50", "P50"), color="blue", line={"lineWidth": 2, "showPoints": "always"}),
            Column("p10", Text("P10", "P10"), color="blue", line=_EDGE),
        ),
        low=0,
        empty=Text("no days were forecast in this time", "该时段未给出剩余天数"),
        line={"spanNulls": False},
    )


def _findings() -> Panel:
    return Panel(
        "findings",
        Kind.STATES,
        Text("When something was on", "发现时段"),
        Text(
            "Findings by kind over time; grey once there is no data. Views `episode`, `latest`.",
            "按类别显示的发现时段；灰色为无数据。视图 `episode`、`latest`。",
        ),
        (Query(_SPELLS, over_time=True),),
        12,
        said=scales.STATES,
        unit="none",
    )


_SPELLS = spells(f"""with told as (
    select kind, onset_ts, end_ts, {scales.SEVERITY} as severity from episode
    where {MACHINE} and onset_ts <= $__timeTo() and coalesce(end_ts, now()) >= $__timeFrom()
), lanes as (
    select kind, {scales.KIND_IN_WORDS} as lane
    from asset, (values ('machine'), ('limit'), ('event'), ('sensor')) as kinds (kind) where {MACHINE}
), times as (
    select kind, lane, $__timeFrom()::timestamptz as at from lanes
    union select kind, lane, greatest(onset_ts, $__timeFrom()::timestamptz) from lanes join told using (kind)
    union select kind, lane, end_ts from lanes join told using (kind) where $__timeFilter(end_ts)
)
select at, lane, coalesce((select max(severity) from told where told.kind = times.kind
    and onset_ts <= at and coalesce(end_ts, 'infinity') > at), 0) as state from times
union all
select greatest(ts + {scales.OFFLINE}, $__timeFrom()::timestamptz), lane, 4 from latest, lanes
    where {MACHINE} and ts + {scales.OFFLINE} < least(now(), $__timeTo()::timestamptz)""")


def _shown_by() -> Panel:
    return Panel(
        "shown-by",
        Kind.TABLE,
        Text("What shows it", "证据"),
        Text(
            "Channels of the newest findings, what they read and what was expected. View `contribution`.",
            "最新发现所涉及的通道：实测值与期望值。视图 `contribution`。",
        ),
        (
            Query(
                f"select onset_ts as since, sentence_{{lang}} as evidence from contribution where {MACHINE} "
                "and onset_ts <= $__timeTo() order by onset_ts desc, share desc limit 12"
            ),
        ),
        14,
        columns=(
            Column("since", Text("since", "开始于"), unit="dateTimeAsLocal", width=190),
            Column("evidence", Text("evidence", "证据")),
        ),
        empty=NOTHING_FOUND,
    )


def _wear(pack: VerticalPack) -> Panel:
    counters = (*pack.wear, *pack.modelled, *([pack.parts.wear] if pack.parts else []))
    said = (f", ('{each.name}', '{each.title_en}', '{each.title_zh}')" for each in counters)
    words = f"(null, null, null){''.join(said)}"  # a type without counters has no words
    return Panel(
        "wear",
        Kind.BARS,
        Text("Used up", "损耗"),
        Text(
            "Wear counters in percent of their limit. View `wear`, hourly.",
            "各损耗计数占其限值的百分比。视图 `wear`，每小时。",
        ),
        (
            Query(
                "select coalesce(nullif(word_{lang}, ''), counter) || number as counter, "
                '100 * value / "limit" as used from (select counter, value, "limit", number from wear, '
                "lateral (select coalesce(' ' || substring(counter from '_([0-9]+)$'), '') as number) as its "
                f"where {MACHINE}) as worn left join "
                f"(values {words}) as said (name, word_en, word_zh) "
                "on said.name = regexp_replace(counter, '_[0-9]+$', '') order by 2 desc limit 12"
            ),
        ),
        10,
        unit="percent",
        steps=scales.USED_UP,
        low=0,
        high=100,
        decimals=0,
        empty=Text("no wear is counted", "未统计损耗"),
    )


def _history() -> Panel:
    return Panel(
        "history",
        Kind.TABLE,
        Text("History", "历史"),
        Text(
            "Findings and services, newest first. Views `episode`, `maintenance`.",
            "发现与维护记录，最新在前。视图 `episode`、`maintenance`。",
        ),
        (
            Query(
                "select * from (select onset_ts as at, end_ts as until, kind, title_{lang} as what "
                f"from episode where {MACHINE} union all "
                f"select ts, ts, kind, note from maintenance where {MACHINE}) as told "
                "order by at desc limit 100"
            ),
        ),
        24,
        columns=(
            Column("at", Text("from", "开始"), unit="dateTimeAsLocal", width=190),
            Column("until", Text("until", "结束"), unit="dateTimeAsLocal", width=190, empty=STILL_ON),
            Column("kind", Text("kind", "类别"), said=scales.KINDS, width=150),
            Column("what", Text("what", "内容")),
        ),
        empty=NOTHING_FOUND,
    )


def _segments(pack: VerticalPack) -> Iterator[Row]:
    """What segments that are kept showed: what moved most, and how."""
    kept = [segment for segment in pack.segments if segment.kept]
    if kept:
        names = ", ".join(f"'{segment.name}'" for segment in kept)
        yield Row(9, (_moved_features(pack, names), _moves(pack, names)))


def _features_in(pack: VerticalPack, names: str) -> str:
    """SQL of the features of segments with these names, each with what is normal for the machine by now."""
    said = ", ".join(
        f"('{feature.name}', '{feature.title_en}', '{feature.title_zh}')"
        for segment in pack.segments
        if segment.kept
        for feature in segment.features
    )
    return (
        "told as (select feature, word_{lang} as word, ts, value, expected, unit, "
        "row_number() over (partition by feature order by ts desc) as back from segment_feature "
        f"join (values {said}) as words (feature, word_en, word_zh) using (feature) "
        f"where {MACHINE} and $__timeFilter(ts) and segment in ({names})), "
        "known as (select feature, word, unit, "
        "(array_agg(expected order by ts desc) filter (where expected is not null))[1] as normal, "
        f"avg(value) filter (where back <= {LATEST_RUNS}) as latest, "
        "regr_slope(value, extract(epoch from ts) / 86400) as a_day from told group by 1, 2, 3)"
    )


def _moved_features(pack: VerticalPack, names: str) -> Panel:
    return Panel(
        "segment-features",
        Kind.TABLE,
        Text("Test runs: what moved most", "测试运行：变化最大的特征"),
        Text(
            "Features of the test program: what its first runs made normal, the mean of the last five runs, "
            "and what 30 days add by the straight line through the runs shown. View `segment_feature`.",
            "测试程序的特征：由最初各次得出的正常值、最近五次的均值，以及按所示各次的直线趋势每 30 天的变化。"
            "视图 `segment_feature`。",
        ),
        (
            Query(
                f"with {_features_in(pack, names)} select word, unit, normal, latest, "
                "100 * (latest / nullif(normal, 0) - 1) as moved, 3000 * a_day / nullif(normal, 0) as month "
                "from known order by abs(latest / nullif(normal, 0) - 1) desc nulls last limit 30"
            ),
        ),
        12,
        unit="none",
        decimals=1,
        columns=(
            Column("word", Text("feature", "特征"), width=290),
            Column("unit", Text("unit", "单位"), width=60),
            Column("normal", Text("normal", "正常值"), width=80),
            Column("latest", Text("last five", "最近五次"), width=80),
            Column("moved", Text("moved by", "变化"), unit="percent", width=90),
            Column("month", Text("in 30 days", "每 30 天"), unit="percent", width=90),
        ),
        empty=NO_RUNS,
    )


def _moves(pack: VerticalPack, names: str) -> Panel:
    return Panel(
        "segment-moves",
        Kind.LINES,
        Text("Test runs against what is normal", "测试运行与正常值对比"),
        Text(
            "The four features that moved most, run by run, in percent of what its first runs made normal. "
            "View `segment_feature`.",
            "变化最大的四个特征，逐次显示，相对正常值的百分比。视图 `segment_feature`。",
        ),
        (
            Query(
                f"with {_features_in(pack, names)}, most as (select feature, normal from known "
                f"where normal > 0 order by abs(latest / normal - 1) desc limit {ABREAST}) "
                "select ts as time, word as metric, 100 * (value / normal - 1) as value "
                "from told join most using (feature) order by 1",
                over_time=True,
            ),
        ),
        12,
        unit="percent",
        empty=NO_RUNS,
        line={"spanNulls": True, "showPoints": "always"},
    )


def _channels(kind: EquipmentType) -> Iterator[Row]:
    """What is measured, then what is asked of the machine, two panels to a row."""
    panels = [
        _lines(kind, channels)
        for what in ("measurement", "setpoint")
        for channels in _together([channel for channel in kind.channels if channel.kind == what])
    ]
    for first in range(0, len(panels), 2):
        beside = panels[first : first + 2]
        yield Row(8, tuple(replace(panel, width=WIDTH // len(beside)) for panel in beside))


def _together(channels: Sequence[Channel]) -> list[list[Channel]]:
    """Those of one unit with ranges of one size, a few at a time, in the order in which the type has them."""
    groups: list[list[Channel]] = []
    for channel in channels:
        room = (each for each in groups if len(each) < ABREAST and _alike(each[0], channel))
        if (group := next(room, None)) is None:
            groups.append([channel])
        else:
            group.append(channel)
    return groups


def _alike(one: Channel, other: Channel) -> bool:
    """On the scale of a far larger one nobody sees a small one move."""
    small, large = sorted(each.high - each.low for each in (one, other))
    return one.unit == other.unit and (small == large or large <= SIZE * small)


def _lines(kind: EquipmentType, channels: list[Channel]) -> Panel:
    unit = channels[0].unit
    return Panel(
        f"channels-{channels[0].name}",
        Kind.LINES,
        _title(channels, "" if unit == "1" else f" ({unit})"),
        Text(
            "Mean of each interval without what is not to be trusted. "
            "Views `telemetry_…`, `minute_…`, `hour_…`.",
            "各时间段的平均值；不可信的数据已剔除。视图 `telemetry_…`、`minute_…`、`hour_…`。",
        ),
        (Query(lines(kind.name, [channel.name for channel in channels]), over_time=True),),
        12,
        unit=grafana_unit(unit),
        columns=tuple(
            Column(column(c.name), Text(c.title_en, c.title_zh), color=color)
            for c, color in zip(channels, COLORS, strict=False)
        ),
    )


def _title(channels: list[Channel], of: str) -> Text:
    """All of them, or the first two where that is too long: the legend has the others."""
    en, zh = [c.title_en for c in channels], [c.title_zh for c in channels]
    if len(", ".join(en)) <= LONGEST or len(channels) <= 2:
        return Text(f"{', '.join(en)}{of}", f"{'、'.join(zh)}{of}")
    more, all_of = len(channels) - 2, len(channels)
    return Text(f"{', '.join(en[:2])} and {more} more{of}", f"{'、'.join(zh[:2])}等 {all_of} 项{of}")
