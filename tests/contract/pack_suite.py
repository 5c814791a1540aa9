"""What every vertical pack promises, as checks that take a pack and raise `AssertionError`."""

import re
from collections.abc import Callable
from math import isfinite

from fleet.modelled_wear import RatedWear
from fleet.segment_pack import segment_pack
from fleet.sign import Way
from fleet.vertical import VerticalPack

Check = Callable[[VerticalPack], None]

SOURCE = re.compile(r"(ISO|IEC|EN|GB/T) \d|SAE J\d|maker of ")
"""A standard by its number, or whose data sheet."""


HAN = re.compile(r"[\u4e00-\u9fff]")
"""A Chinese character."""


def check_titles(pack: VerticalPack) -> None:
    """Type, channels, counters and fault modes are named in English and Chinese."""
    for thing in (pack.equipment_type, *pack.equipment_type.channels, *pack.counters, *pack.fault_modes):
        assert thing.title_en, f"{thing} has no English title"
        assert not HAN.search(thing.title_en), f"{thing.title_en} is not English"
        assert thing.title_zh, f"{thing.title_en} has no Chinese title"
        assert HAN.search(thing.title_zh), f"{thing.title_zh} is not Chinese"


def check_channels(pack: VerticalPack) -> None:
    """Each channel has a unit, and a range unless it counts."""
    for channel in pack.equipment_type.channels:
        assert channel.unit, f"{channel.name} has no unit"
        assert isfinite(channel.low), f"{channel.name} has no lower end"
        assert channel.kind == "counter" or isfinite(channel.high), f"{channel.name} has no upper end"


def check_fault_modes(pack: VerticalPack) -> None:
    """Each names measurements that betray it, no two the same ones, and a first check in both languages."""
    kinds = {channel.name: channel.kind for channel in pack.equipment_type.channels}
    codes = [mode.code for mode in pack.fault_modes]
    assert len(set(codes)) == len(codes) >= 3, f"fault modes there twice, or fewer than 3: {codes}"
    signs = [frozenset(mode.channels) for mode in pack.fault_modes]
    assert len(set(signs)) == len(signs), "two fault modes have the same signs"
    for mode in pack.fault_modes:
        assert mode.channels, f"{mode.code} has no signs"
        assert all(kinds[name] == "measurement" for name in mode.channels), f"{mode.code}: not measured"
        _check_advice(mode.code, mode.check_en, mode.check_zh)


def check_what_to_bring(pack: VerticalPack) -> None:
    """Each fault mode has an ISO 14224 code and parts in both languages; not all are as urgent."""
    for mode in pack.fault_modes:
        assert mode.failure_code, f"{mode.code} has no ISO 14224 code"
        assert mode.parts_en, f"{mode.code} names no parts"
        _check_advice(f"parts of {mode.code}", mode.parts_en, mode.parts_zh)
    assert len({mode.urgency for mode in pack.fault_modes}) > 1, "all fault modes are as urgent"


def check_signs(pack: VerticalPack) -> None:
    """Each sign says where its channel goes, but for one that is as much below 0 as above."""
    channels = {channel.name: channel for channel in pack.equipment_type.channels}
    for mode in pack.fault_modes:
        for sign in mode.signs:
            both_ways = channels[sign.channel].low == -channels[sign.channel].high
            assert sign.way is not Way.EITHER or both_ways, f"{mode.code}: {sign.channel} goes where?"


def check_limits(pack: VerticalPack) -> None:
    """Each limit cites its source, says what to do in both languages, and does not chatter."""
    assert pack.limits, "no limits"
    for limit in pack.limits:
        assert SOURCE.match(limit.source), f"{limit.name}: {limit.source!r} is no standard and no maker"
        assert not HAN.search(limit.title_en), f"{limit.name}: {limit.title_en} is not English"
        assert HAN.search(limit.title_zh), f"{limit.name}: {limit.title_zh} is not Chinese"
        _check_advice(limit.name, limit.check_en, limit.check_zh)
        assert min(limit.deadband, limit.off_delay_s) > 0, f"{limit.name} would chatter"


def check_wear(pack: VerticalPack) -> None:
    """Something is counted, and it warns before it ends."""
    assert pack.counters, "no wear counters"
    for counter in (one.of(one.example) if isinstance(one, RatedWear) else one for one in pack.counters):
        assert counter is not None
        assert counter.warning < counter.limit, f"{counter.name} warns at its end"


def check_segments(pack: VerticalPack) -> None:
    """Their features are named in both languages, and a fault mode shows in each kind of segment."""
    for segment in pack.segments:
        for feature in segment.features:
            assert not HAN.search(feature.title_en), f"{feature.title_en} is not English"
            assert HAN.search(feature.title_zh), f"{feature.title_zh} is not Chinese"
        strange = set(segment.modes) - {mode.code for mode in pack.fault_modes}
        assert not strange, f"{segment.name}: no fault modes {strange}"
        assert segment_pack(pack, segment).fault_modes, f"no fault mode shows in {segment.name}"


def check_points(pack: VerticalPack) -> None:
    """Channels of measuring points are in the units that blocks are told in, and their lines are signs."""
    units = {channel.name: channel.unit for channel in pack.equipment_type.channels}
    signs = {sign.channel for mode in pack.fault_modes for sign in mode.signs if sign.way is Way.UP}
    for point in pack.points:
        wanted = [(point.speed, "r/min"), (point.velocity, "mm/s"), (point.envelope, "m/s²")]
        wanted += [(point.kurtosis, "1")] if point.kurtosis else []
        wanted += [(name, "dB") for name in point.lines]
        for name, unit in wanted:
            assert units[name] == unit, f"{point.name}: {name} is in {units[name]}, not in {unit}"
        for name in point.lines:
            assert name in signs, f"{point.name}: {name} is a sign of nothing"


def _check_advice(name: str, check_en: str, check_zh: str) -> None:
    assert not HAN.search(check_en), f"{name}: {check_en} is not English"
    assert check_en.endswith("."), f"{name}: {check_en} is no sentence"
    assert HAN.search(check_zh), f"{name}: {check_zh} is not Chinese"
    assert check_zh.endswith("。"), f"{name}: {check_zh} is no sentence"


CHECKS: tuple[Check, ...] = (
    check_titles,
    check_channels,
    check_fault_modes,
    check_what_to_bring,
    check_signs,
    check_limits,
    check_wear,
    check_segments,
    check_points,
)
