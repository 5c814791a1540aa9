"""What speaks for a fault mode and what against it, in words."""

from dataclasses import dataclass

from fleet.asset import Channel
from fleet.diagnosis import Symptoms
from fleet.sign import Sign, Way
from fleet.standard_limit import StandardLimit
from fleet.vertical import FaultMode, VerticalPack

LEAST_SHARE = 0.05
"""Part of the anomaly from which a channel is worth naming."""

GOES = {Way.UP: ("up", "上升"), Way.DOWN: ("down", "下降"), Way.EITHER: ("off", "偏离")}


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence in both languages."""

    en: str
    zh: str


def reasons(
    pack: VerticalPack, mode: FaultMode, symptoms: Symptoms
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What speaks for the mode and what against: signs seen and missed, limits passed, counters, the rest."""
    speaks_for, against = list[Reason](), list[Reason]()
    for sign in symptoms.signs(pack, mode):
        seen = _seen(pack, sign, symptoms)
        (speaks_for if seen is True else against).append(_of_sign(pack, sign, symptoms, seen))
        speaks_for += _of_limits(pack, sign, symptoms)
    speaks_for += _of_counters(mode, symptoms)
    if symptoms.gas and mode.gases:
        fits = symptoms.gas.faults.intersection(mode.gases)
        (speaks_for if fits else against).append(Reason(*symptoms.gas.sentence()))
    against += _unexplained(pack, mode, symptoms)
    return tuple(speaks_for), tuple(against)


def _seen(pack: VerticalPack, sign: Sign, symptoms: Symptoms) -> bool | None:
    """True: the channel goes as the sign says; False: the other way; None: it shows nothing."""
    column = pack.equipment_type.column(sign.channel)
    if symptoms.shares[column] < LEAST_SHARE:
        return None
    return Way.EITHER in {sign.way, symptoms.way(column)} or sign.way == symptoms.way(column)


def _of_sign(pack: VerticalPack, sign: Sign, symptoms: Symptoms, seen: bool | None) -> Reason:
    column = pack.equipment_type.column(sign.channel)
    en, zh = titles(pack.equipment_type.channels[column])
    share = f"{symptoms.shares[column] * 100:.0f} %"
    if seen is None:
        return Reason(f"{en} shows little ({share} of the anomaly)", f"{zh}无明显变化（占异常的 {share}）")
    goes_en, goes_zh = GOES[symptoms.way(column)]
    if seen:
        return Reason(f"{en} is {goes_en} ({share} of the anomaly)", f"{zh}{goes_zh}（占异常的 {share}）")
    wanted_en, wanted_zh = GOES[sign.way]
    return Reason(
        f"{en} is {goes_en}, not {wanted_en} ({share} of the anomaly)",
        f"{zh}{goes_zh}，而非{wanted_zh}（占异常的 {share}）",
    )


def _of_limits(pack: VerticalPack, sign: Sign, symptoms: Symptoms) -> list[Reason]:
    """The farthest limits of the sign's channel that its value is beyond."""
    column = pack.equipment_type.column(sign.channel)
    channel, value = pack.equipment_type.channels[column], float(symptoms.actual[column])
    passed = [one for one in pack.limits if one.channel == sign.channel and _beyond(one, value)]
    return [_of_limit(channel, max(passed, key=lambda one: abs(one.at)), value)] if passed else []


def _beyond(limit: StandardLimit, value: float) -> bool:
    by_value = not limit.per_s and not limit.since_new
    return by_value and (value > limit.at if limit.above else value < limit.at)


def _of_limit(channel: Channel, limit: StandardLimit, value: float) -> Reason:
    unit = "" if channel.unit == "1" else f" {channel.unit}"
    (en, zh), (side_en, side_zh) = titles(channel), ("above", "高于") if limit.above else ("below", "低于")
    return Reason(
        f"{en} at {value:.4g}{unit} is {side_en} {limit.at:g}{unit} ({limit.source})",
        f"{zh}为 {value:.4g}{unit}，{side_zh} {limit.at:g}{unit}（{limit.source}）",
    )


def _of_counters(mode: FaultMode, symptoms: Symptoms) -> list[Reason]:
    """Counters of the mode that are past their warning."""
    found = []
    for counter, use in symptoms.worn:
        if counter.name in mode.wear and use >= counter.warning:
            share = f"{100 * use / counter.limit:.0f} %"
            found.append(
                Reason(
                    f"{counter.title_en or counter.name}: {share} of the limit is used up",
                    f"{counter.title_zh or counter.name}：已用至限值的 {share}",
                )
            )
    return found


def _unexplained(pack: VerticalPack, mode: FaultMode, symptoms: Symptoms) -> list[Reason]:
    """The part of the anomaly on channels without a sign of the mode."""
    channels = pack.equipment_type.channels
    rest = [
        k
        for k, channel in enumerate(channels)
        if channel.name not in mode.channels and symptoms.shares[k] >= LEAST_SHARE
    ]
    if not rest:
        return []
    share = f"{sum(symptoms.shares[k] for k in rest) * 100:.0f} %"
    names_en = ", ".join(titles(channels[k])[0] for k in rest)
    names_zh = "、".join(titles(channels[k])[1] for k in rest)
    return [
        Reason(
            f"{share} of the anomaly is not explained: {names_en}", f"异常的 {share} 无法由此解释：{names_zh}"
        )
    ]


def titles(channel: Channel) -> tuple[str, str]:
    """What people call a channel, in English and Chinese."""
    return channel.title_en or channel.name, channel.title_zh or channel.name
