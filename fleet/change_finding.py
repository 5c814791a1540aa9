"""A change point, read as a finding of its own and as evidence of what is found after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from fleet.asset import Channel
from fleet.diagnosis_reasons import LEAST_SHARE, titles
from fleet.finding import TOP, Evidence, Finding

CHANGED = (
    "changed",
    "Changed at once",
    "发生突变",
    "Find out what happened then: a repair, a setting, another load, a part that gave way.",
    "查明当时发生了什么：维修、参数调整、负载变化或零件失效。",
)


@dataclass(frozen=True, slots=True)
class Levels:
    """Of a change at `since_us`: each channel's share (channels,), means before and after in its unit."""

    since_us: int
    share: NDArray[np.floating]
    before: NDArray[np.floating]
    after: NDArray[np.floating]


def read_change(channels: Sequence[Channel], levels: Levels) -> Finding:
    """The finding for a change; arrays are in the order of `channels`."""
    share = np.clip(np.nan_to_num(levels.share), 0.0, None)
    share = share / max(float(share.sum()), 1e-30)
    first, *others = np.argsort(-share, kind="stable")[:TOP].tolist()
    top = [first, *(k for k in others if share[k] >= LEAST_SHARE)]
    return Finding(*CHANGED, tuple(_evidence(channels[k], levels, k, float(share[k])) for k in top))


def remembered(finding: Finding) -> tuple[Evidence, ...]:
    """What was told of a change, as evidence of a later finding: it has no share of that anomaly.

    It names no channel, "" in its place, as the anomaly's own evidence does that.
    """
    return tuple(replace(each, channel="", share=0.0) for each in finding.evidence)


def _evidence(channel: Channel, levels: Levels, k: int, share: float) -> Evidence:
    unit = "" if channel.unit == "1" else f" {channel.unit}"
    name_en, name_zh = titles(channel)
    when = datetime.fromtimestamp(levels.since_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
    before, after = float(levels.before[k]), float(levels.after[k])
    return Evidence(
        channel.name,
        channel.unit,
        round(share, 4),
        after,
        before,
        f"{name_en} changed at {when}, from {before:.4g} to {after:.4g}{unit}",
        f"{name_zh}于 {when} 发生变化，由 {before:.4g} 变为 {after:.4g}{unit}",
    )
