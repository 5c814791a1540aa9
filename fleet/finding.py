"""An episode read as a fault mode with evidence (ISO 13379-1)."""

import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from fleet.asset import Channel
from fleet.vertical import FaultMode, VerticalPack

EPISODES = UUID("5d6e6cb5-2a51-5c44-93a0-0f5a8f6a7b11")
"""Namespace of episode ids; changing it gives every episode another id."""

LEAST_LIKENESS = 0.5
"""Cosine between contributions and a fault mode's channels below which the pattern is unknown."""

LEAST_SHARE = 0.05
"""Part of the anomaly from which a channel is worth naming."""

TOP = 3
"""Channels named as evidence."""

UNKNOWN = FaultMode(
    "unknown",
    "Unknown pattern",
    "未知模式",
    (),
    "Compare the named channels with the machine's last service and with its sister machines.",
    "将所列通道与上次保养记录及同型设备进行比较。",
)


def episode_id(tenant: str, asset: str, detector: str, version: int, onset_us: int) -> UUID:
    """The id of an episode: the same onset found again, by a replay, is the same episode."""
    return uuid5(EPISODES, json.dumps([tenant, asset, detector, version, onset_us]))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one channel says. `share` is its part of the anomaly, 0 to 1; `expected` None is unknown."""

    channel: str
    unit: str
    share: float
    actual: float | None
    expected: float | None
    sentence_en: str
    sentence_zh: str


class Normal(StrEnum):
    """Whose normal a machine is judged by."""

    OWN = "own"
    """What it has shown itself, from its first rows on or since its last repair."""
    FLEET = "fleet"
    """What the machines of its type have in common."""


@dataclass(frozen=True, slots=True)
class Basis:
    """By what a machine was judged.

    shown: rows of its own that it has shown, of the `needed` ones that teach its own normal; both None once
    it has that.
    """

    normal: Normal
    shown: int | None
    needed: int | None
    sentence_en: str
    sentence_zh: str


OWN = Basis(
    Normal.OWN,
    None,
    None,
    "Judged by its own normal, as it has shown it itself",
    "依据本机自身的正常水平判定",
)


def basis_of(shown: int, needed: int) -> Basis:
    """The basis of a verdict; `shown` are the rows as in `Scores`, -1 if the machine's own normal judged."""
    if shown < 0:
        return OWN
    return Basis(
        Normal.FLEET,
        shown,
        needed,
        "Judged by what the machines of its type have in common: it has shown "
        f"{shown} of the {needed} rows that teach its own normal",
        f"依据同型设备的共同正常水平判定：本机已有 {shown} 行数据，满 {needed} 行后以自身正常水平判定",
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """The most likely fault mode, why, and what to look at first.

    basis: by what a machine was judged, None for what is judged by no normal: sensors, limits, clocks.
    """

    code: str
    title_en: str
    title_zh: str
    check_en: str
    check_zh: str
    evidence: tuple[Evidence, ...]
    basis: Basis | None = None


def read_finding(
    pack: VerticalPack,
    contributions: NDArray[np.floating],
    expected: NDArray[np.floating],
    actual: NDArray[np.floating],
    basis: Basis = OWN,
) -> Finding:
    """Read the peak of an episode; all arrays are (channels,) in column order, NaN where unknown."""
    shares = _shares(contributions)
    channels = pack.equipment_type.channels
    top = [int(k) for k in np.argsort(-shares, kind="stable")[:TOP] if shares[k] >= LEAST_SHARE]
    mode = _likeliest(pack, shares, top[0]) if top else UNKNOWN
    evidence = tuple(_evidence(channels[k], shares[k], actual[k], expected[k]) for k in top)
    return Finding(mode.code, mode.title_en, mode.title_zh, mode.check_en, mode.check_zh, evidence, basis)


def _shares(contributions: NDArray[np.floating]) -> NDArray[np.float64]:
    odd = np.clip(np.nan_to_num(np.asarray(contributions, np.float64), posinf=0.0), 0.0, None)
    total = odd.sum()
    return odd / total if total > 0 else odd


def _likeliest(pack: VerticalPack, shares: NDArray[np.float64], top: int) -> FaultMode:
    """The mode whose channels look most like the shares, among those that name the top channel."""
    best, best_likeness = UNKNOWN, LEAST_LIKENESS
    for mode in pack.fault_modes:
        columns = [pack.equipment_type.column(name) for name in mode.channels]
        if top in columns:
            likeness = shares[columns].sum() / (np.linalg.norm(shares) * np.sqrt(len(columns)))
            if likeness > best_likeness:
                best, best_likeness = mode, likeness
    return best


def _evidence(channel: Channel, share: float, actual: float, expected: float) -> Evidence:
    unit = "" if channel.unit == "1" else f" {channel.unit}"
    percent = f"{share * 100:.0f} %"
    en = channel.title_en or channel.name
    zh = channel.title_zh or channel.name
    is_en, is_zh = ("is missing", "缺失") if np.isnan(actual) else (_number(actual) + unit,) * 2
    normal_en = normal_zh = ""
    if np.isfinite(expected):
        normal_en = f" where {_number(expected)}{unit} is expected"
        normal_zh = f"，正常应为 {_number(expected)}{unit}"
    return Evidence(
        channel.name,
        channel.unit,
        round(float(share), 4),
        _or_none(actual),
        _or_none(expected),
        f"{en} {is_en}{normal_en} ({percent} of the anomaly)",
        f"{zh} {is_zh}{normal_zh}（占异常的 {percent}）",
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
