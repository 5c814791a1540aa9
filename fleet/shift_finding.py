"""A normal that moved, read as a finding: from where to where, and that somebody should know why."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleet.asset import Channel
from fleet.diagnosis_reasons import LEAST_SHARE
from fleet.finding import TOP, Evidence, Finding

SETTLED = (
    "normal-settled",
    "Settled at a new level",
    "已稳定在新的水平",
    "Find out what changed when it began; if nothing did on purpose, it is a fault that no longer grows.",
    "查明异常开始时发生了什么变化；若非有意改变所致，应视为不再发展的故障。",
)

MOVED = (
    "normal-moved",
    "Normal has moved slowly",
    "正常水平缓慢变化",
    "Compare with season and duty; if they do not explain it, look for wear.",
    "对照季节与工况；若无法解释，应检查磨损。",
)


def read_shift(
    channels: Sequence[Channel],
    jumped: bool,
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    scale: NDArray[np.floating],
) -> Finding:
    """The finding for a normal that moved, at once if it `jumped`, else slowly.

    before, after, scale: (channels,) levels and standard deviation in the channels' units, NaN where not
    judged. A channel's share is its part of the sum of squared standardised changes.
    """
    way = np.divide(after - before, scale, out=np.zeros(len(channels)), where=scale > 0)
    share = way**2 / max(float(np.sum(way**2)), 1e-30)
    top = [int(k) for k in np.argsort(-share, kind="stable")[:TOP] if share[k] >= LEAST_SHARE]
    evidence = tuple(_evidence(channels[k], share[k], float(before[k]), float(after[k])) for k in top)
    return Finding(*(SETTLED if jumped else MOVED), evidence)


def _evidence(channel: Channel, share: float, before: float, after: float) -> Evidence:
    unit = "" if channel.unit == "1" else f" {channel.unit}"
    name_en, name_zh = channel.title_en or channel.name, channel.title_zh or channel.name
    return Evidence(
        channel.name,
        channel.unit,
        round(float(share), 4),
        after,
        before,
        f"{name_en} is normal at {after:.4g}{unit} from now on, where it was at {before:.4g}{unit}",
        f"{name_zh}的正常水平自此为 {after:.4g}{unit}，此前为 {before:.4g}{unit}",
    )
