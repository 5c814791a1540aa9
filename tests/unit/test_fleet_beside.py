"""What a pack has beside the detectors: what cannot be is refused, what a type lacks is left out."""

import pytest

from fleet.asset import Channel, EquipmentType, FleetError
from fleet.beside import ChangePoints, NovelValues
from fleet.catalog import packs
from fleet.segment_pack import segment_pack
from fleet.vertical import Detection, VerticalPack

KIND = EquipmentType(
    "pump",
    (
        Channel("pressure", "bar", 0, 100),
        Channel("speed", "1/min", 0, 99, "setpoint"),
        Channel("oil", "°C", 0, 99),
    ),
)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: NovelValues(()), "needs channels"),
        (lambda: NovelValues(("a", "a")), "each once"),
        (lambda: NovelValues(("a",), every_s=0), "spans above 0"),
        (lambda: NovelValues(("a",), baseline=47), "48 means or more"),
        (lambda: NovelValues(("a",), on_score=100), "on_score is from"),
        (lambda: ChangePoints(("a",), windows=()), "windows of 2"),
        (lambda: ChangePoints(("a",), baseline=191), "4 of the longest"),
        (lambda: ChangePoints(("a",), score=0), "score above 0"),
    ],
)
def test_parameters_that_cannot_be_are_refused(wrong: object, why: str) -> None:
    assert callable(wrong)
    with pytest.raises(FleetError, match=why):
        wrong()


def pack(*beside: NovelValues | ChangePoints) -> VerticalPack:
    return VerticalPack(KIND, Detection(beside=beside))


def test_only_measured_channels_are_watched_and_each_once_in_one_way() -> None:
    assert len(pack(NovelValues(("oil",)), ChangePoints(("pressure", "oil"))).detection.beside) == 2
    for name in ("speed", "nothing"):
        with pytest.raises(FleetError, match=f"{name} is watched beside the detectors but not measured"):
            pack(NovelValues((name,)))
    with pytest.raises(FleetError, match="oil is watched twice in the same way"):
        pack(NovelValues(("oil",)), NovelValues(("pressure", "oil")))


def test_a_watch_waits_for_the_channels_that_a_type_has_not_yet() -> None:
    early, late = NovelValues(("pressure",)), ChangePoints(("pressure", "oil"))
    assert pack(early, late).on(KIND.first(2)).detection.beside == (early,)
    assert pack(early, late).on(KIND).detection.beside == (early, late)


def test_a_segment_has_nothing_beside_it() -> None:
    elevator = packs()["elevator"]
    assert elevator.detection.beside
    assert segment_pack(elevator, elevator.segments[0]).detection.beside == ()
