"""What a person wants to know: what came in, which machines are odd and why, what needs service when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fleet.advice import Advice
from fleet.sign import Urgency
from forecasting.contract import Verdict


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in the two languages of technicians and customers."""

    en: str
    zh: str


class State(StrEnum):
    """How a machine is, in the order in which it should be looked at."""

    REPORTED = "reported"
    """It said itself that people are in danger, and nobody has recorded what was done."""
    LIMIT = "limit"
    """It is beyond a limit of a standard now, odd for this machine or not."""
    ODD = "odd"
    """An episode is open now."""
    SENSOR = "sensor"
    """A sensor cannot be trusted; the machine itself looks normal."""
    WAS_ODD = "was_odd"
    """It had episodes that have ended."""
    FINE = "fine"
    SILENT = "silent"
    """Nothing was ever received."""


STATE_TEXT = {
    State.REPORTED: Text("reports danger", "上报安全事件"),
    State.LIMIT: Text("beyond a limit", "超出限值"),
    State.ODD: Text("odd now", "当前异常"),
    State.WAS_ODD: Text("was odd", "曾有异常"),
    State.SENSOR: Text("sensor fault", "传感器故障"),
    State.FINE: Text("fine", "正常"),
    State.SILENT: Text("no data", "无数据"),
}


TELLING = ("shift", "sensor", "limit", "machine", "event")
"""Kinds of episodes, the one that says most about the machine last."""


STATE_OF_OPEN = {
    "event": State.REPORTED,
    "limit": State.LIMIT,
    "machine": State.ODD,
    "sensor": State.SENSOR,
}
"""What an open episode makes of a machine, the worst kind first."""


URGENCY_TEXT = {
    Urgency.NOW: Text("look at it now", "立即检查"),
    Urgency.DAYS: Text("within days", "数日内检查"),
    Urgency.NEXT_SERVICE: Text("at the next service", "下次保养时检查"),
}


@dataclass(frozen=True, slots=True)
class Likely:
    """A fault mode that an episode may come from; `belief` 0 to 1, `failure_code` of ISO 14224 or empty."""

    title: Text
    belief: float
    failure_code: str
    urgency: Text
    check: Text
    parts: Text
    speaks_for: tuple[Text, ...]
    speaks_against: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode as the report shows it; `modes` are what it may come from, likeliest first."""

    kind: str
    onset: datetime
    end: datetime | None
    peak: datetime
    peak_score: float
    title: Text
    check: Text
    evidence: tuple[Text, ...]
    channels: tuple[str, ...]
    basis: Text | None = None
    """By what the machine was judged, if by what is normal."""
    modes: tuple[Likely, ...] = ()


def state_of(episodes: Sequence[Episode]) -> State:
    """How a machine that was heard of is, by its episodes."""
    on = {episode.kind for episode in episodes if episode.end is None}
    for kind, state in STATE_OF_OPEN.items():
        if kind in on:
            return state
    return State.WAS_ODD if any(episode.kind != "shift" for episode in episodes) else State.FINE


@dataclass(frozen=True, slots=True)
class Outlook:
    """The newest forecast of what runs out on a machine; hours from `made`.

    Of one `before_repair`, which says nothing of the machine as it is now, there are no hours.
    """

    target: str
    title: Text
    made: datetime
    verdict: str
    p10_h: float | None
    p50_h: float | None
    p90_h: float | None
    basis: str
    forecaster: str
    before_repair: bool

    def window(self) -> Text:
        """When service is due, in words."""
        if self.before_repair:
            return Text("repaired since; the next forecast follows", "已维修，等待新预测")
        if self.verdict == Verdict.ESTIMATE and self.p10_h is not None and self.p90_h is not None:
            if self.p90_h <= 0:
                return Text("now: at its limit, 0 h left", "立即：已达限值，剩余 0 小时")
            early, late = self._date(self.p10_h), self._date(self.p90_h)
            if early == late:
                return Text(f"on {early}", f"{early}")
            return Text(f"between {early} and {late}", f"{early} 至 {late}")
        if self.verdict == Verdict.MORE_THAN and self.p10_h is not None:
            return Text(f"not before {self._date(self.p10_h)}", f"不早于 {self._date(self.p10_h)}")
        if self.verdict == Verdict.NO_TREND:
            return Text("no wear trend visible", "未见劣化趋势")
        return Text("too little data for a forecast", "数据不足，无法预测")

    def _date(self, hours: float) -> str:
        try:
            return f"{self.made + timedelta(hours=hours):%Y-%m-%d}"
        except OverflowError:
            return "9999-12-31"


@dataclass(frozen=True, slots=True)
class Series:
    """A line: (n,) instants as datetime64[us] UTC and (n,) values, NaN where unknown."""

    ts: NDArray[np.datetime64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine's row and page."""

    tenant: str
    site: str
    name: str
    title: str
    equipment_type: Text
    state: State
    last_seen: datetime | None
    health: float | None
    episodes: tuple[Episode, ...]
    outlooks: tuple[Outlook, ...]
    score_line: Series | None = None
    health_line: Series | None = None
    advice: tuple[Advice, ...] = ()
    channel_lines: dict[str, Series] = field(default_factory=dict)
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Wear counters that it has not, each with the ratings that are missing."""
    assumed: tuple[Text, ...] = ()
    """What its wear counters go by that it does not report."""

    @property
    def condition(self) -> Outlook | None:
        """The forecast for the machine's condition, if there is one."""
        return next((o for o in self.outlooks if o.target == "condition"), None)

    @property
    def soonest(self) -> Outlook | None:
        """The estimate that falls due first, whatever runs out."""
        estimates = [o for o in self.outlooks if o.verdict == Verdict.ESTIMATE and o.p50_h is not None]
        return min(estimates, key=lambda o: o.made + timedelta(hours=min(o.p50_h or 0.0, 8e6)), default=None)

    @property
    def worst(self) -> Episode | None:
        """The episode to talk about: an open one first, then what names a fault, then the highest peak."""
        return max(
            self.episodes,
            key=lambda e: (e.end is None, TELLING.index(e.kind), e.peak_score),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in: records by fate, rows and values stored, dead letters by reason."""

    stored: int
    duplicate: int
    dead: int
    rows: int
    samples: int
    dead_by_reason: dict[str, int]
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole picture at one moment, machines in the order in which they should be looked at."""

    made: datetime
    intake: Intake
    machines: tuple[Machine, ...]
