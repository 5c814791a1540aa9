"""Every shipped vertical pack, found by its file; a new pack is tested without a new test."""

import pytest

from fleet.asset import Channel, EquipmentType, FleetError
from fleet.catalog import pack_of, packs
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter


def test_the_three_verticals_are_found() -> None:
    assert set(packs()) == {"elevator", "transformer", "machine-tool"}


@pytest.mark.parametrize("name", sorted(packs()))
def test_people_can_read_it_in_english_and_chinese(name: str) -> None:
    pack = packs()[name]
    titled = (pack.equipment_type, *pack.equipment_type.channels), pack.wear, pack.fault_modes
    titles = [(thing.title_en, thing.title_zh) for things in titled for thing in things]  # type: ignore[attr-defined]
    assert all(en.isascii() and en and not zh.isascii() for en, zh in titles)
    assert all(mode.check_en.endswith(".") and mode.check_zh.endswith("。") for mode in pack.fault_modes)


@pytest.mark.parametrize("name", sorted(packs()))
def test_every_measurement_has_a_range_and_every_mode_speaks_of_measurements(name: str) -> None:
    pack = packs()[name]
    kinds = {channel.name: channel.kind for channel in pack.equipment_type.channels}
    for channel in pack.equipment_type.channels:
        assert channel.kind == "counter" or float("-inf") < channel.low < channel.high < float("inf")
    assert all(kinds[channel] == "measurement" for mode in pack.fault_modes for channel in mode.channels)
    assert len({mode.code for mode in pack.fault_modes}) == len(pack.fault_modes) >= 3
    assert pack.wear


def test_equipment_without_a_pack_gets_the_default_detection() -> None:
    pump = EquipmentType("pump", (Channel("flow", "L/min"),))
    assert pack_of(pump) == VerticalPack(pump, Detection())
    assert pack_of(packs()["elevator"].equipment_type) == packs()["elevator"]


def test_a_type_registered_before_its_pack_grew_is_served_as_far_as_it_goes() -> None:
    pack = packs()["elevator"]
    older = pack.equipment_type.first(len(pack.equipment_type.channels) - 1)  # without the door cycles
    served = pack_of(older)
    assert served.equipment_type == older
    assert [counter.name for counter in served.wear] == ["contactor", "running"]
    assert 0 < len(served.fault_modes) <= len(pack.fault_modes)


PUMP = EquipmentType("pump", (Channel("flow", "L/min"), Channel("starts", "1", kind="counter")))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VerticalPack(PUMP, wear=(WearCounter("w", "head", 1, 2, "1"),)), "no channel 'head'"),
        (lambda: VerticalPack(PUMP, wear=(WearCounter("w", "flow", 1, 2, "1"),)), "flow is no counter"),
        (lambda: WearCounter("w", "starts", 3, 2, "1"), "0 < warning <= limit"),
        (lambda: WearCounter("w", "flow", 1, 2, "km", above=0.0), "its unit is h"),
        (lambda: VerticalPack(PUMP, fault_modes=(FaultMode("f", "", "", ("x",), "", ""),)), "no channel 'x'"),
        (lambda: FaultMode("Not A Name", "", "", (), "", ""), "fault mode"),
        (lambda: Detection(persistence=0), "above 0"),
        (lambda: VerticalPack(PUMP, Detection(idle=(0,))), "idle codes need a channel of kind state"),
    ],
)
def test_a_pack_that_contradicts_itself_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(FleetError, match=message):
        make()
