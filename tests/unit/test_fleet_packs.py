"""How a vertical pack is put together; what each shipped one promises is in the contract suite."""

import re
from dataclasses import replace
from typing import Any

import pytest

from detectors.vibration_severity import Size, VibrationSeverity
from fleet.asset import Channel, EquipmentType, FleetError
from fleet.catalog import pack_of, packs
from fleet.limit_finding import read_limit
from fleet.modelled_wear import ModelledWear, RatedWear, Reading
from fleet.rating import Rating
from fleet.sign import Sign, Way, down, up
from fleet.standard_limit import StandardLimit, either_way, vibration_limits
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter
from forecasting.wear.operations import Operations


def test_zones_of_vibration_and_a_change_that_matters_become_limits() -> None:
    warning, damage, up, down = vibration_limits(
        "v", VibrationSeverity(Size.LARGE, flexible=True), on_delay_s=1.0, off_delay_s=2.0
    )
    assert [(limit.at, limit.source) for limit in (warning, damage)] == [
        (7.1, "ISO 20816-3, table A.1, B/C"),
        (11.0, "ISO 20816-3, table A.1, C/D"),
    ]
    assert [(limit.at, limit.above, limit.since_new) for limit in (up, down)] == [
        (1.775, True, True),
        (-1.775, False, True),
    ]
    assert (damage.on_delay_s, damage.off_delay_s) == (1.0, 2.0)
    assert damage.deadband == pytest.approx(0.55)


def test_a_finding_says_value_limit_and_clause_of_any_limit() -> None:
    low, high = either_way(limit("level", 2.0))[::-1]
    level, ratio = Channel("level", "m", title_en="Level", title_zh="液位"), Channel("level", "1")
    assert (low.at, low.above, high.above) == (-2.0, False, True)
    said = read_limit(low, level, -2.5)
    assert said.code == "limit-below"
    assert said.evidence[0].sentence_en == "Level at -2.5 m is below the limit of -2 m (ISO 1, 2.3)"
    assert said.evidence[0].sentence_zh == "液位达到 -2.5 m，低于限值 -2 m（ISO 1, 2.3）"
    fast = read_limit(replace(high, per_s=True), level, 3.0).evidence[0]
    assert fast.sentence_en == "Level, rate of change, at 3 m/s is above the limit of 2 m/s (ISO 1, 2.3)"
    assert fast.sentence_zh == "液位变化率达到 3 m/s，高于限值 2 m/s（ISO 1, 2.3）"
    moved = read_limit(replace(low, since_new=True), level, -2.5).evidence[0]
    assert moved.sentence_en == (
        "Level, change since new or repaired, at -2.5 m is below the limit of -2 m (ISO 1, 2.3)"
    )
    assert moved.sentence_zh == "液位自投用或检修以来的变化达到 -2.5 m，低于限值 -2 m（ISO 1, 2.3）"
    assert (
        read_limit(high, ratio, 3.0)
        .evidence[0]
        .sentence_en.startswith("level at 3 is above the limit of 2 (")
    )


def test_equipment_without_a_pack_gets_the_default_detection() -> None:
    pump = EquipmentType("pump", (Channel("flow", "L/min"),))
    assert pack_of(pump) == VerticalPack(pump, Detection())
    assert pack_of(packs()["elevator"].equipment_type) == packs()["elevator"]


def test_a_type_registered_before_its_pack_grew_is_served_as_far_as_it_goes() -> None:
    pack = packs()["elevator"]
    older = pack.equipment_type.first(pack.equipment_type.column("door_cycles"))
    served = pack_of(older)
    assert served.equipment_type == older
    assert [counter.name for counter in served.wear] == ["contactor", "running"]
    assert 0 < len(served.fault_modes) <= len(pack.fault_modes)
    without_room = pack.on(pack.equipment_type.first(11))
    assert {limit.channel for limit in pack.limits} - {limit.channel for limit in without_room.limits} == {
        "machine_room_temperature",
        "brake_stopping_distance",
        "ride_vertical_a95",
        "ride_horizontal_a95",
        "ride_acceleration",
    }


def test_power_goes_with_its_channel() -> None:
    pack = packs()["wind-turbine"]
    assert pack_of(pack.equipment_type).power == "active_power"
    assert pack.on(pack.equipment_type.first(2)).power is None


PUMP = EquipmentType("pump", (Channel("flow", "L/min", 0, 90), Channel("starts", "1", kind="counter")))


DRIVE = EquipmentType(
    "drive", (Channel("mode", "1", 0, 2, "state"), Channel("speed", "1/s", kind="setpoint"))
)
MANY = (1.0, 2.0, 3.0, 4.0, 5.0)


def test_codes_and_bands_make_regimes_and_go_with_their_channels() -> None:
    pack = VerticalPack(DRIVE, Detection(bands=(("speed", (10.0, 20.0)),)))
    assert pack.codes == 3
    assert pack.on(DRIVE.first(1)).detection.bands == ()
    assert VerticalPack(PUMP).codes == 1


def limit(channel: str, at: float, source: str = "ISO 1, 2.3", **rules: Any) -> StandardLimit:
    return StandardLimit(channel, at, source, "Too much", "过多", "Look.", "检查。", **rules)


def modelled(channel: str, *names: str) -> VerticalPack:
    """Counters of operations."""
    counters = [ModelledWear(name, Operations(9.0), (Reading(channel),)) for name in names or ("w",)]
    return VerticalPack(PUMP, modelled=tuple(counters))


def test_a_wear_model_goes_with_its_channels() -> None:
    pack = modelled("starts")
    assert pack.counters == pack.modelled
    (one,) = pack.modelled
    assert isinstance(one, ModelledWear)
    assert (one.warning, one.limit, one.unit) == (7.2, 9.0, "1")
    assert pack.on(PUMP).modelled == pack.modelled
    assert pack.on(PUMP.first(1)).modelled == ()


SEAL = RatedWear(
    "seal",
    (
        Rating("seal_b10d", needed=True),
        Rating("duty", choices=("light", "heavy"), default="light"),
        Rating("seal_used", default=0.0),
    ),
    lambda said: (
        Operations(float(said["seal_b10d"])),
        (Reading("starts", 2.0 if said["duty"] == "heavy" else 1),),
    ),
    {"seal_b10d": 9.0},
    "seal_used",
)


def test_a_rated_counter_is_there_for_the_machines_whose_ratings_are_known() -> None:
    pack = VerticalPack(PUMP, modelled=(SEAL,))
    assert pack.lacking({}) == {"seal": ("seal_b10d",)}
    assert SEAL.of({}) is None
    ratings = pack.read_ratings({"seal_b10d": 20, "duty": "heavy", "seal_used": 0})
    assert pack.lacking(ratings) == {}
    seal = SEAL.of(ratings)
    assert seal is not None
    assert (seal.limit, seal.readings, seal.used) == (20.0, (Reading("starts", 2.0),), 0.0)
    assert pack.on(PUMP.first(1)).modelled == ()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"seal_b10": 20}, "pump has no rating 'seal_b10': known are seal_b10d, duty, seal_used"),
        ({"seal_b10d": "20 h"}, "seal_b10d must be a number, not '20 h'"),
        ({"seal_b10d": True}, "must be a number"),
        ({"seal_b10d": float("inf")}, "must be a number"),
        ({"seal_b10d": -1}, "seal_b10d must be above 0, not -1"),
        ({"seal_b10d": 0}, "seal_b10d must be above 0"),
        ({"seal_b10d": 900, "seal_used": -3}, "seal_used must be above 0"),
        ({"duty": "some"}, "duty is one of light, heavy, not 'some'"),
    ],
)
def test_a_rating_that_cannot_be_is_refused(said: dict[str, object], message: str) -> None:
    with pytest.raises(FleetError, match=message):
        VerticalPack(PUMP, modelled=(SEAL,)).read_ratings(said)


def test_ratings_that_contradict_each_other_are_refused() -> None:
    elevator = packs()["elevator"]
    (rope,) = [one for one in elevator.modelled if one.name == "rope-bends"]
    assert isinstance(rope, RatedWear)
    units = {rating.name: "" if rating.unit == "1" else rating.unit for rating in rope.ratings}
    said = {name: f"{value} {units[name]}" if units[name] else value for name, value in rope.example.items()}
    assert elevator.read_ratings(said) == rope.example
    with pytest.raises(FleetError, match="wear counter rope-bends: a rope is thinner than its sheave"):
        elevator.read_ratings({**said, "rope_diameter": "500 mm"})


@pytest.mark.parametrize("said", [800, "800", "800 kA", "about 800 A", "nan A", ""])
def test_a_rating_with_a_unit_is_told_in_it(said: object) -> None:
    rating = Rating("rated_current", "A")
    assert rating.read("800 A") == rating.read(" 8e2  A") == 800.0
    with pytest.raises(FleetError, match='in A, as "12 A"'):
        rating.read(said)


def mode(code: str, **words: Any) -> FaultMode:
    return FaultMode(code, "Mode", "模式", ("flow",), "Look.", "检查。", **words)


MILL = packs()["machine-tool"]


def test_a_type_registered_without_the_channels_of_waveforms_has_no_measuring_point() -> None:
    older = MILL.equipment_type.first(MILL.equipment_type.column("spindle_bsf"))
    pack = pack_of(older)
    assert MILL.points
    assert pack.points == ()
    assert "spindle_bearing_rollers" not in pack.ratings
    assert "spindle-bearing" in {mode.code for mode in pack.fault_modes}


def test_a_channel_without_a_sign_may_go_either_way() -> None:
    two = FaultMode("f", "", "", ("flow", "starts"), "", "", (down("starts", 2.0),))
    assert two.signs == (Sign("flow"), Sign("starts", Way.DOWN, 2.0))


@pytest.mark.parametrize("name", ["elevator", "machine-tool", "transformer"])
def test_every_mode_names_its_failure_code_and_parts(name: str) -> None:
    for each in packs()[name].fault_modes:
        assert re.fullmatch(r"[A-Z]{3}", each.failure_code)
        assert each.parts_en.isascii()
        assert each.parts_en.endswith(".")
        assert not each.parts_zh.isascii()
        assert each.parts_zh.endswith("。")


def test_a_counter_that_an_older_type_cannot_keep_is_no_reason() -> None:
    pack = packs()["elevator"]
    served = pack.on(pack.equipment_type.first(pack.equipment_type.column("door_cycles")))
    assert [each.wear for each in pack.fault_modes if each.code == "door-drive"] == [("door-belt",)]
    assert [each.wear for each in served.fault_modes if each.code == "door-drive"] == [()]
    assert [rule.name for rule in served.advice] == ["standby"]  # none by door cycles
    assert "door_reopenings" in pack.impulsive
    assert served.impulsive == pack.impulsive[:5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: VerticalPack(PUMP.first(1), modelled=(SEAL,)),
            "wear counter seal names no channel 'starts'",
        ),
        (lambda: replace(SEAL, example={}), "wear counter seal: its example needs seal_b10d"),
        (lambda: VerticalPack(PUMP, wear=(WearCounter("w", "head", 1, 2, "1"),)), "no channel 'head'"),
        (lambda: VerticalPack(PUMP, wear=(WearCounter("w", "flow", 1, 2, "1"),)), "flow is no counter"),
        (lambda: VerticalPack(PUMP, power="head"), "no channel 'head'"),
        (lambda: VerticalPack(PUMP, power="flow"), "flow is no power in kW"),
        (lambda: WearCounter("w", "starts", 3, 2, "1"), "0 < warning <= limit"),
        (lambda: WearCounter("w", "flow", 1, 2, "km", above=0.0), "its unit is h"),
        (lambda: VerticalPack(PUMP, fault_modes=(FaultMode("f", "", "", ("x",), "", ""),)), "no channel 'x'"),
        (lambda: ModelledWear("w", Operations(9.0), ()), "a channel for each of operations"),
        (lambda: modelled("head"), "no channel 'head'"),
        (lambda: modelled("flow"), "operations is a counter, flow is not"),
        (lambda: modelled("starts", "w", "w"), "there twice: w"),
        (lambda: FaultMode("Not A Name", "", "", (), "", ""), "fault mode"),
        (lambda: mode("f", signs=(up("x"),)), "signs of channels it does not name: x"),
        (lambda: mode("f", failure_code="Vib"), "three capital letters"),
        (lambda: VerticalPack(PUMP, fault_modes=(mode("f", wear=("w",)),)), "no wear counter w"),
        (
            lambda: VerticalPack(PUMP, fault_modes=(mode("f", signs=(up("flow", codes=(1,)),)),)),
            "signs with codes need a channel of kind state",
        ),
        (lambda: up("flow", 0.0), "weight is above 0"),
        (lambda: Detection(persistence=0), "above 0"),
        (lambda: VerticalPack(PUMP, Detection(idle=(0,))), "idle codes need a channel of kind state"),
        (lambda: Detection(on_score=25.0), "on_score is from 0.25 to 24.0, not 25"),
        (lambda: Detection(settle_s=-1.0), "settle_s cannot be below 0"),
        (lambda: Detection(bands=(("speed", (2.0, 1.0)),)), "bands of speed need values that ascend"),
        (lambda: VerticalPack(PUMP, Detection(bands=(("head", (1.0,)),))), "no channel 'head'"),
        (lambda: VerticalPack(PUMP, Detection(bands=(("flow", (1.0,)),))), "flow has bands but is a"),
        (lambda: VerticalPack(PUMP, Detection(given=("flow",))), "flow is given but is a"),
        (lambda: VerticalPack(PUMP, Detection(given=("head",))), "no channel 'head'"),
        (lambda: VerticalPack(DRIVE, Detection(bands=(("speed", MANY),))), "make 18 regimes, 16 fit"),
        (lambda: VerticalPack(PUMP, limits=(limit("head", 1),)), "no channel 'head'"),
        (lambda: VerticalPack(PUMP, limits=(limit("flow", 9), limit("flow", 9))), "limit-flow-above-9"),
        (lambda: VerticalPack(PUMP, limits=(limit("flow", 90),)), "never passed, since flow reports 0 to 90"),
        (lambda: VerticalPack(PUMP, limits=(limit("flow", 0, above=False),)), "never passed"),
        (lambda: limit("flow", 9, ""), "limit-flow-above-9: say which standard"),
        (lambda: limit("flow", 9, per_s=True, since_new=True), "not of both"),
        (lambda: VerticalPack(PUMP, limits=(limit("flow", 90, since_new=True),)), "never passed"),
        (lambda: limit("flow", 9, on_delay_s=-1.0), "limit-flow-above-9: .* cannot be negative"),
        (lambda: limit("flow", float("inf")), "finite"),
        (
            lambda: VerticalPack(PUMP, points=(MILL.points[0],)),
            "point spindle names no channel 'spindle_speed'",
        ),
        (lambda: replace(MILL.points[0], band=(5000.0, 2000.0)), "spindle: its band ascends from above 0 Hz"),
        (lambda: VerticalPack(PUMP, impulsive=("head",)), "no channel 'head'"),
        (lambda: VerticalPack(PUMP, impulsive=("starts",)), "so starts cannot be impulsive"),
    ],
)
def test_a_pack_that_contradicts_itself_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(FleetError, match=message):
        make()
