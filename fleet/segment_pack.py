"""A pack as its segments are read by: features are its channels, with the signs of what they speak of."""

from collections.abc import Iterable
from dataclasses import replace

from fleet.segment import Segment
from fleet.vertical import FaultMode, VerticalPack


def segment_pack(pack: VerticalPack, segment: Segment) -> VerticalPack:
    """The pack of one of its segments, without rests, bands, limits and counters: its regimes are codes."""
    kind, rules = pack.equipment_type, pack.detection
    channels = tuple(one.of(kind.channels[kind.column(one.channel)]) for one in segment.features)
    given = tuple(feature.name for feature in segment.features if feature.channel in rules.given)
    modes = (
        _mode(mode, segment) for mode in pack.fault_modes if not segment.modes or mode.code in segment.modes
    )
    return VerticalPack(
        replace(kind, channels=channels),
        replace(
            rules,
            persistence=min(rules.persistence, segment.persistence),
            baseline_rows=segment.baseline,
            idle=(),
            bands=(),
            settle_s=0.0,
            given=given,
            ambient=(),
            beside=(),
        ),
        fault_modes=tuple(mode for mode in modes if mode.channels),
    )


def channels_of(pack: VerticalPack, names: Iterable[str]) -> list[str]:
    """The channels that evidence names, each once: a feature stands for its channel, others for none."""
    of = {feature.name: feature.channel for segment in pack.segments for feature in segment.features}
    of |= {channel.name: channel.name for channel in pack.equipment_type.channels}
    return list(dict.fromkeys(of[name] for name in names if name in of))


def _mode(mode: FaultMode, segment: Segment) -> FaultMode:
    """The mode as it shows in the features: each has the sign of its channel."""
    of = {sign.channel: sign for sign in mode.signs}
    signs = tuple(
        replace(of[feature.channel], channel=feature.name, codes=())
        for feature in segment.features
        if feature.channel in of
    )
    return replace(mode, channels=tuple(sign.channel for sign in signs), signs=signs, wear=())
