"""An episode read as a fault mode with evidence (ISO 13379-1)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from fleet.asset import Channel
from fleet.diagnosis import Symptoms, beliefs
from fleet.diagnosis_reasons import LEAST_SHARE, Reason, reasons, titles
from fleet.dissolved_gas import GasVerdict
from fleet.vertical import Counted, FaultMode, VerticalPack

EPISODES = UUID("5d6e6cb5-2a51-5c44-93a0-0f5a8f6a7b11")
"""Namespace of episode ids; changing it gives every episode another id."""

LEAST_BELIEF = 0.01
"""Probability from which a fault mode is worth naming whatever shows."""

TOP = 3
"""Channels named as evidence, and fault modes named with little belief."""

UNKNOWN = FaultMode(
    "unknown",
    "Unknown pattern",
    "未知模式",
    (),
    "Compare the named channels with the machine's last service and with its sister machines.",
    "将所列通道与上次保养记录及同型设备进行比较。",
    failure_code="UNK",
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

    shown: rows or segments of its own that it has shown, of the `needed` ones that teach its own normal; both
    None once it has that.
    """

    normal: Normal
    shown: int | None
    needed: int | None
    sentence_en: str
    sentence_zh: str


ROWS, SEGMENTS = ("rows", "行"), ("segments", "段")

OWN = Basis(
    Normal.OWN,
    None,
    None,
    "Judged by its own normal, as it has shown it itself",
    "依据本机自身的正常水平判定",
)

NOVEL = Basis(
    Normal.OWN,
    None,
    None,
    "Judged by all values that its channels have shown so far, each for itself",
    "依据各通道迄今出现过的全部数值逐一判定",
)


def basis_of(shown: int, needed: int, what: tuple[str, str] = ROWS) -> Basis:
    """The basis of a verdict; `shown` are the rows as in `Scores`, -1 if the machine's own normal judged.

    what: what rows are, in English and the Chinese word that counts them.
    """
    if shown < 0:
        return OWN
    en, zh = what
    return Basis(
        Normal.FLEET,
        shown,
        needed,
        "Judged by what the machines of its type have in common: it has shown "
        f"{shown} of the {needed} {en} that teach its own normal",
        f"依据同型设备的共同正常水平判定：本机已有 {shown} {zh}数据，满 {needed} {zh}后以自身正常水平判定",
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fault mode that an anomaly may come from: `belief` is its probability, 0 to 1.

    `failure_code` is that of ISO 14224 or empty, `urgency` one of :class:`fleet.sign.Urgency`.
    """

    code: str
    title_en: str
    title_zh: str
    belief: float
    failure_code: str
    urgency: str
    check_en: str
    check_zh: str
    parts_en: str
    parts_zh: str
    speaks_for: tuple[Reason, ...]
    speaks_against: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """The most likely fault mode, why, and what to look at first; `modes` are all, likeliest first.

    Their beliefs sum to 1, but for those left out: below `LEAST_BELIEF`, and not among the first with a sign.
    basis: by what a machine was judged, None for what is judged by no normal: sensors, limits, clocks.
    """

    code: str
    title_en: str
    title_zh: str
    check_en: str
    check_zh: str
    evidence: tuple[Evidence, ...]
    basis: Basis | None = None
    modes: tuple[Candidate, ...] = ()


def read_finding(
    pack: VerticalPack,
    contributions: NDArray[np.floating],
    expected: NDArray[np.floating],
    actual: NDArray[np.floating],
    basis: Basis = OWN,
    worn: Sequence[Counted] = (),
    code: int | None = None,
) -> Finding:
    """Read the peak of an episode; all arrays are (channels,) in column order, NaN where unknown.

    `basis`: by what the machine was judged, `worn`: its wear counters that are known, `code`: that of the
    state channel, None if unknown.
    """
    shares, gas = _shares(contributions), gas_verdict(pack, actual)
    symptoms = Symptoms(shares, _plain(expected), _plain(actual), worn, code, gas)
    channels = pack.equipment_type.channels
    top = [int(k) for k in np.argsort(-shares, kind="stable")[:TOP] if shares[k] >= LEAST_SHARE]
    modes = _ranked(pack, symptoms) if top else ()
    first = modes[0] if modes else UNKNOWN
    evidence = tuple(_evidence(channels[k], shares[k], actual[k], expected[k]) for k in top)
    evidence += gas_evidence(gas)
    words = first.title_en, first.title_zh, first.check_en, first.check_zh
    return Finding(first.code, *words, evidence, basis, modes)


def gas_verdict(pack: VerticalPack, values: NDArray[np.floating]) -> GasVerdict | None:
    """What gases say at values (channels,), NaN where unknown; None as :meth:`GasMonitor.read` has it."""
    if pack.gases is None:
        return None
    names = (channel.name for channel in pack.equipment_type.channels)
    return pack.gases.read(dict(zip(names, values.tolist(), strict=True)))


def gas_evidence(gas: GasVerdict | None) -> tuple[Evidence, ...]:
    """The verdict as evidence that names no channel, "" in its place."""
    return (Evidence("", "ppm", 0.0, None, None, *gas.sentence()),) if gas else ()


def _ranked(pack: VerticalPack, symptoms: Symptoms) -> tuple[Candidate, ...]:
    """The fault modes that are worth naming, likeliest first, an unknown one among them.

    Beliefs are of one fault at a time; of the first ones some with a sign that shows are named however small
    theirs is, since a second fault may hide beside the first.
    """
    modes = (*pack.fault_modes, UNKNOWN)
    believed = beliefs(pack, symptoms)
    order = np.argsort(-believed, kind="stable").tolist()
    ranked = [_candidate(pack, modes[k], float(believed[k]), symptoms) for k in order]
    return tuple(
        one
        for rank, one in enumerate(ranked)
        if one.belief >= LEAST_BELIEF or (rank < TOP and one.speaks_for)
    )


def _candidate(pack: VerticalPack, mode: FaultMode, belief: float, symptoms: Symptoms) -> Candidate:
    return Candidate(
        mode.code,
        mode.title_en,
        mode.title_zh,
        round(belief, 3),
        mode.failure_code,
        mode.urgency.value,
        mode.check_en,
        mode.check_zh,
        mode.parts_en,
        mode.parts_zh,
        *(((), ()) if mode is UNKNOWN else reasons(pack, mode, symptoms)),
    )


def _plain(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(values, np.float64)


def _shares(contributions: NDArray[np.floating]) -> NDArray[np.float64]:
    odd = np.clip(np.nan_to_num(np.asarray(contributions, np.float64), posinf=0.0), 0.0, None)
    total = odd.sum()
    return odd / total if total > 0 else odd


def _evidence(channel: Channel, share: float, actual: float, expected: float) -> Evidence:
    unit = "" if channel.unit == "1" else f" {channel.unit}"
    percent = f"{share * 100:.0f} %"
    en, zh = titles(channel)
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
