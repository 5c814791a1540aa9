"""What a pack says of its segments: refused if it cannot be used, and read by the fault modes' own signs."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from detectors.segments import Part, Take, Window
from fleet.asset import Channel, EquipmentType, FleetError
from fleet.catalog import packs
from fleet.segment import Feature, Segment
from fleet.segment_pack import channels_of, segment_pack
from fleet.sign import Way, down, up
from fleet.vertical import Detection, FaultMode, VerticalPack

KIND = EquipmentType(
    "gate",
    (
        Channel("position", "1", 0, 3, "state"),
        Channel("current", "A", 0, 50),
        Channel("wind", "m/s", 0, 50, "setpoint"),
        Channel("noise", "dB", 0, 150),
    ),
)
STIFF = FaultMode("stiff", "Stiff", "卡滞", ("current",), "Look.", "检查。", (up("current", 2.0),))
LOUD = FaultMode("loud", "Loud", "噪声", ("noise",), "Look.", "检查。", (down("noise"),))
CYCLE = Segment(
    "cycle",
    "position",
    (1, 2),
    (
        Feature("took", Take.SECONDS, "current", "Time", "用时", (1,)),
        Feature("charge", Take.TOTAL, "current", "Charge", "累计电流"),
        Feature("against", Take.MEAN, "wind", "Wind", "风速"),
    ),
    50,
)
PACK = VerticalPack(KIND, Detection(given=("wind",)), fault_modes=(STIFF, LOUD), segments=(CYCLE,))


def test_features_are_channels_with_units_and_the_signs_of_what_they_speak_of() -> None:
    view = segment_pack(PACK, CYCLE)
    told = [(one.name, one.unit, one.kind, one.title_zh) for one in view.equipment_type.channels]
    assert told == [
        ("took", "s", "measurement", "用时"),
        ("charge", "A·s", "measurement", "累计电流"),
        ("against", "m/s", "setpoint", "风速"),
    ]
    (stiff,) = view.fault_modes
    assert [(sign.channel, sign.way, sign.weight) for sign in stiff.signs] == [
        ("took", Way.UP, 2.0),
        ("charge", Way.UP, 2.0),
    ]
    assert (view.detection.given, view.detection.baseline_rows) == (("against",), 50)


def test_a_segment_may_be_one_in_which_few_fault_modes_show() -> None:
    loud = replace(CYCLE, features=(*CYCLE.features, Feature("din", Take.PEAK, "noise", "Noise", "噪声")))
    assert [mode.code for mode in segment_pack(PACK, loud).fault_modes] == ["stiff", "loud"]
    assert [mode.code for mode in segment_pack(PACK, replace(loud, modes=("loud",))).fault_modes] == ["loud"]


def test_rare_segments_count_by_themselves_and_frequent_ones_together() -> None:
    daily = replace(CYCLE, span=3)
    assert (CYCLE.weight, daily.weight) == (0.05, 0.5)
    found = [segment_pack(PACK, one).detection.persistence for one in (CYCLE, daily)]
    assert found == [PACK.detection.persistence, 1]


def test_features_look_at_the_types_columns() -> None:
    assert CYCLE.parts(KIND) == (
        Part(Take.SECONDS, 1, (1,)),
        Part(Take.TOTAL, 1),
        Part(Take.MEAN, 2),
    )


def test_features_may_be_of_a_time_after_their_code_came_on() -> None:
    start = Feature("start", Take.PEAK, "current", "Start", "启动", (1,), Window(0, 0.0, 1.0))
    assert replace(CYCLE, features=(start,)).parts(KIND) == (Part(Take.PEAK, 1, (1,), Window(0, 0.0, 1.0)),)


def test_a_type_without_its_channels_has_no_segments() -> None:
    assert PACK.on(KIND.first(3)).segments == (CYCLE,)
    assert PACK.on(KIND.first(2)).segments == ()


def test_evidence_of_a_feature_is_about_its_channel() -> None:
    assert channels_of(PACK, ["charge", "noise", "current", "", "unheard-of"]) == ["current", "noise"]


def with_channel(index: int, name: str) -> Segment:
    features = list(CYCLE.features)
    features[index] = replace(features[index], channel=name)
    return replace(CYCLE, features=tuple(features))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda: replace(CYCLE, features=()), "needs features"),
        (lambda: replace(CYCLE, features=CYCLE.features[:1] * 2), "a name of its own"),
        (lambda: replace(CYCLE, codes=()), "needs codes of position"),
        (lambda: replace(CYCLE, codes=(2,)), "took counts codes it has not"),
        (lambda: replace(CYCLE.features[0], window=Window(0, 0.0, 1.0)), "of a channel, not seconds"),
        (lambda: replace(CYCLE.features[1], window=Window(-1, 0.0, 1.0)), "a code from 0 up"),
        (lambda: replace(CYCLE.features[1], window=Window(0, 1.0, 1.0)), "from_s < until_s"),
        (lambda: replace(CYCLE, apart_s=0.0), "times above 0"),
        (lambda: replace(CYCLE, span=0), "a span of 1 or more"),
        (lambda: replace(CYCLE, baseline=19), "20 segments or more"),
        (lambda: replace(PACK, segments=(CYCLE, CYCLE)), "segments there twice: cycle"),
        (lambda: replace(PACK, segments=(with_channel(0, "torque"),)), "no channel 'torque'"),
        (lambda: replace(PACK, segments=(replace(CYCLE, channel="noise"),)), "noise is a measurement"),
        (lambda: replace(PACK, detection=Detection()), "wind is a set-point"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_change(broken: Callable[[], object], says: str) -> None:
    with pytest.raises(FleetError, match=says):
        broken()


def test_a_door_that_closes_slowly_speaks_for_its_drive_and_one_that_opens_again_for_what_is_in_it() -> None:
    elevator = packs()["elevator"]
    (doors,) = (one for one in elevator.segments if one.name == "door-cycle")
    drive, obstruction = segment_pack(elevator, doors).fault_modes
    assert (drive.code, obstruction.code) == ("door-drive", "door-obstruction")
    assert {"door_closing_time", "door_effort"} <= set(drive.channels)
    assert obstruction.channels == ("door_openings",)
