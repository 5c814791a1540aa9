"""Colours and words that mean the same on every dashboard; colour is never the only carrier."""

from dashboards.panel import Said, Step
from dashboards.text import Text

UNKNOWN = Step(None, "text")
"""Below all: what is not known is neither good nor bad."""

HEALTH = (UNKNOWN, Step(0, "semi-dark-red"), Step(60, "semi-dark-orange"), Step(80, "semi-dark-green"))
"""Health in percent: below 60 act, below 80 watch (engineering defaults)."""

SCORE = (UNKNOWN, Step(0, "semi-dark-green"), Step(3, "semi-dark-yellow"), Step(10, "semi-dark-red"))
"""-log10 p: from 3 on an episode can begin."""

DAYS_LEFT = (
    UNKNOWN,
    Step(0, "semi-dark-red"),
    Step(14, "semi-dark-orange"),
    Step(30, "semi-dark-green"),
)

USED_UP = (Step(None, "semi-dark-green"), Step(80, "semi-dark-orange"), Step(100, "semi-dark-red"))
"""Percent of what a limit or a contract allows."""

OPEN = (Step(None, "semi-dark-green"), Step(1, "semi-dark-orange"))
"""How many findings are open."""

SHARE = (Step(None, "semi-dark-red"), Step(90, "semi-dark-orange"), Step(98, "semi-dark-green"))
"""Percent of machines that report."""

KINDS = (
    Said("machine", Text("machine", "设备"), "semi-dark-orange"),
    Said("limit", Text("limit passed", "超限"), "semi-dark-red"),
    Said("event", Text("told by the machine", "设备自报"), "semi-dark-red"),
    Said("sensor", Text("sensor or data", "传感器或数据"), "semi-dark-blue"),
    Said("shift", Text("normal has moved", "正常水平改变"), "semi-dark-purple"),
)
"""Of a finding."""

KIND_IN_WORDS = """case '{{lang}}' when 'zh' then case kind {zh} else kind end
    else case kind {en} else kind end end""".format(
    en=" ".join(f"when '{said.value}' then '{said.text.en}'" for said in KINDS),
    zh=" ".join(f"when '{said.value}' then '{said.text.zh}'" for said in KINDS),
)
"""SQL: a finding's kind as a legend names it, where a panel cannot say it itself."""

STATES = (
    Said("0", Text("fine", "正常"), "semi-dark-green"),
    Said("1", Text("sensor or data", "传感器或数据"), "semi-dark-blue"),
    Said("2", Text("odd", "异常"), "semi-dark-orange"),
    Said("3", Text("act", "需处理"), "semi-dark-red"),
    Said("4", Text("offline", "离线"), "text"),
)
"""Of a machine; offline is grey: nobody knows that it is fine."""

STATE_WORDS = "(values {}) as said (state, word_en, word_zh)".format(
    ", ".join(f"({said.value}, '{said.text.en}', '{said.text.zh}')" for said in STATES)
)
"""SQL: the states in words, to join with where a panel cannot show them itself."""

SEVERITY = """case when kind in ('limit', 'event') or peak_score >= 10 then 3
    when kind = 'machine' then 2 when kind = 'sensor' then 1 else 0 end"""
"""SQL: the state that a finding puts a machine in."""

OFFLINE = "interval '15 minutes'"
"""SQL: without data for so long a machine is offline."""

NOW_STATE = f"""case when coalesce(now() - l.ts > {OFFLINE}, true) then 4
    else coalesce((select max({SEVERITY}) from episode as on_now
        where on_now.asset_id = l.asset_id and on_now.end_ts is null), 0) end"""
"""SQL: the state of a machine of the view `latest as l`."""

URGENCY = "case state when 4 then 1.5 else state end desc"
"""SQL: what to look at first; offline comes after what is odd and before what only has a bad sensor."""

LEFT = "remaining_life as f using (asset_id)"
"""SQL: to join with `latest as l`."""

LEFT_IN_WORDS = """case when p90_h <= 0
    then case '{lang}' when 'zh' then '已达限值，0 小时' else 'at its limit, 0 h' end
    else case verdict
    when 'estimate' then case when p90_h < 24 then '< 1'
        else round(p10_h / 24) || ' – ' || round(p50_h / 24) || ' – ' || round(p90_h / 24) end
        || case '{lang}' when 'zh' then ' 天' else ' days' end
    when 'more_than' then '> ' || round(p10_h / 24) || case '{lang}' when 'zh' then ' 天' else ' days' end
    when 'no_trend' then case '{lang}' when 'zh' then '未见劣化' else 'no wear seen' end
    when 'too_little_data' then case '{lang}' when 'zh' then '数据不足' else 'too little data' end
    end end"""
"""SQL: what the row of `remaining_life` says: P10, P50 and P90, or why there are none."""
