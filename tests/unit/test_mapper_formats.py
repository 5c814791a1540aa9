"""What is particular to a format, beside the contract of all."""

import json
from typing import Any

import pytest

from streams.mappers.catalog import load_table, read_message
from streams.mappers.message import Message, Signal
from streams.replay.toml_reader import MapError
from tests.contract.mapper_samples import MTCONNECT, NOON_US, OPCUA, TOOL

NOON = "2026-03-01T12:00:00Z"


def read(name: str, said: Any) -> Message:
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    return read_message(data, load_table(name))


def values(message: Message) -> dict[str, float | str | None]:
    return {signal.name: signal.value for signal in message.signals}


SERIES = f"""<FuelUsedMessages><Links/><EquipmentHeader><PIN>P1</PIN></EquipmentHeader>
<FuelUsed datetime="{NOON}"><FuelUnits>litre</FuelUnits><FuelConsumed>1</FuelConsumed></FuelUsed>
<FuelUsed datetime="2026-03-01T13:00:00Z"><FuelUnits>litre</FuelUnits>
  <FuelConsumed>9</FuelConsumed></FuelUsed>
</FuelUsedMessages>""".encode()


def test_a_time_series_of_aemp_in_xml_and_in_json() -> None:
    element = {"fuelUnits": "litre", "fuelConsumed": 1, "dateTime": NOON}
    later = element | {"fuelConsumed": 9, "dateTime": "2026-03-01T13:00:00Z"}
    said = {"equipmentHeader": {"pin": "missing", "PIN": "P1"}, "fuelUsed": [element, later]}
    for message in (read("aemp", SERIES), read("aemp", said)):
        found = [(s.machine, s.name, s.ts_us, float(s.value or 0), s.unit) for s in message.signals]
        assert found == [
            ("P1", "FuelUsed.FuelConsumed", NOON_US, 1.0, "litre"),
            ("P1", "FuelUsed.FuelConsumed", NOON_US + 3600 * 10**6, 9.0, "litre"),
        ]


@pytest.mark.parametrize(
    ("element", "unit"),
    [
        ({"Payload": 5, "WeightUnit": "pound"}, "pound"),
        ({"Percent": 5, "FuelTankCapacityUnits": "litre"}, ""),
        ({"Percent": 5, "Other": 6, "OtherUnits": "m"}, ""),
    ],
)
def test_which_unit_of_an_aemp_element_is_of_its_value(element: dict[str, Any], unit: str) -> None:
    machine = {"EquipmentHeader": {"PIN": "P1"}, "E": element | {"datetime": NOON}}
    assert read("aemp", machine).signals[0].unit == unit


@pytest.mark.parametrize(
    ("execution", "program", "expected"),
    [
        ("ACTIVE", "O1000.nc", "O1000.nc"),
        ("READY", "O1000.nc", "0"),
        ("ACTIVE", "UNAVAILABLE", None),
        ("UNAVAILABLE", "O1000.nc", None),
    ],
)
def test_the_program_in_execution(execution: str, program: str, expected: str | None) -> None:
    seen = f"""<Program timestamp="{NOON}" sequence="2">{program}</Program>
        <Execution timestamp="{NOON}" sequence="1">{execution}</Execution>"""
    document = f"""<MTConnectStreams><Streams><DeviceStream name="m"><ComponentStream component="Path">
        <Events>{seen}</Events></ComponentStream></DeviceStream></Streams></MTConnectStreams>"""
    assert values(read("mtconnect", document.encode()))["Path.ProgramInExecution"] == expected


@pytest.mark.parametrize(
    ("document", "cure"),
    [
        (
            '<MTConnectError><Errors><Error errorCode="OUT_OF_RANGE">gone</Error></Errors></MTConnectError>',
            "/current",
        ),
        ('<MTConnectError><Error errorCode="NO_DEVICE">x</Error></MTConnectError>', "NO_DEVICE x: send what"),
        ("<MTConnectDevices/>", "no MTConnectStreams"),
        ("", "not well-formed"),
    ],
)
def test_what_an_agent_answers_in_place_of_streams(document: str, cure: str) -> None:
    with pytest.raises(MapError, match=cure):
        read("mtconnect", document.encode())


def test_observations_come_in_the_order_of_their_sequence() -> None:
    names = [signal.name for signal in read("mtconnect", MTCONNECT).signals[:-1]]
    assert names[0] == "Rotary[S1].Temperature"
    assert names[-1] == "Linear[Y].Load"


def test_a_tools_life_counts_down_or_up() -> None:
    def used(**tool: Any) -> dict[str, float | str | None]:
        message = {"PublisherId": "m", "Timestamp": NOON, "Payload": {"T5": TOOL | tool}}
        return values(read("opcua-40501", message))

    assert used()["ToolLife[T5].Used"] == 80.0
    assert used(StartValue=None, LimitValue=48.0, IsCountingUp=True)["ToolLife[T5].Used"] == 25.0
    assert "ToolLife[T5].Used" not in used(StartValue=0.0)
    assert used(StatusCode=0x80000000)["ToolLife[T5].Value"] is None
    assert [s.unit for s in read("opcua-40501", OPCUA).signals if s.name.endswith("].Limit")] == ["min"]


@pytest.mark.parametrize(("state", "expected"), [("Running", 3.0), (1, 3.0), (3, 0.0), ("Ended", 0.0)])
def test_the_active_program_of_a_machine_tool(state: object, expected: float) -> None:
    program = {"ActiveProgram": {"State": state, "NumberInList": 3}}
    message = {"PublisherId": "m", "Timestamp": NOON, "Payload": {"Production": program}}
    assert values(read("opcua-40501", message))["Production.ProgramInExecution"] == expected


def test_the_tool_in_use_of_a_machine_tool() -> None:
    state = b'<Execution dataItemId="ex" timestamp="2026-03-01T12:00:00Z" sequence="105">READY</Execution>'
    tool = b'<ToolNumber dataItemId="tn" timestamp="2026-03-01T12:00:00Z" sequence="106">12</ToolNumber>'
    message = read("mtconnect", MTCONNECT.replace(state, state + tool))
    assert float(values(message)["Path[P1].ToolNumber"] or 0) == 12.0
    assert load_table("mtconnect").channels_of("machine-tool", "Path[P1].ToolNumber") == ("tool",)


def frame(pgn: int, data: str) -> dict[str, Any]:
    return {"machine": "EX-7", "frames": [{"ts": NOON_US, "pgn": pgn, "data": data}]}


@pytest.mark.parametrize(
    ("data", "value", "problem"),
    [
        ("00000000", 0.0, ""),
        ("FFFFFFFA", 4211081215 * 0.05, ""),
        ("000000FB", float(0xFB000000), "a reserved value"),
        ("000000FE", float(0xFE000000), "the sender says error"),
        ("000000FF", None, ""),
        ("FFFFFFFF", None, ""),
        ("0000", None, "the frame is too short for it"),
    ],
)
def test_the_ranges_of_a_parameter(data: str, value: float | None, problem: str) -> None:
    """J1939-71, table 1, for four bytes: valid to 0xFAFFFFFF."""
    (hours,) = read("j1939", frame(65253, data)).signals
    assert hours == Signal("EX-7", "247", NOON_US, value, "", problem)


def test_several_fault_codes_in_one_message() -> None:
    """Red stop lamp; SPN 110 FMI 0 seen 5 times, SPN 520192 (of three bits more) FMI 31 of unknown count."""
    content = "10FF" + "6E000005" + "00F0FF7F" + "00000000"
    events = read("j1939", frame(65226, content)).events
    assert [(one.code, one.key, one.text) for one in events] == [
        ("SPN 110 FMI 0", "fmi-0", "5 times, lamp: red stop"),
        ("SPN 520192 FMI 31", "fmi-31", "count unknown, lamp: red stop"),
    ]


@pytest.mark.parametrize("data", ["00FF00000000FFFF", "00FFFFFFFFFFFFFF", "00FF"])
def test_no_fault_code_is_no_event(data: str) -> None:
    assert read("j1939", frame(65226, data)).events == ()


def test_a_part_of_a_long_message_is_not_read() -> None:
    (part,) = read("j1939", frame(60160, "01FF6E0000056F00")).signals
    assert (part.name, part.problem) == ("PGN 60160", "TP.DT fragment: send the whole message")


@pytest.mark.parametrize(
    ("name", "said", "cure"),
    [
        ("gbt24476", {"time": NOON, "speed": 1}, "does not say which elevator it is of"),
        ("gbt24476", [[]], "send an object or an array of objects"),
        ("aemp", {"Fleet": []}, "no EquipmentHeader"),
        ("aemp", {"EquipmentHeader": {"PIN": "missing"}}, "give it one of EquipmentID"),
        ("opcua-40501", {"PublisherId": "m"}, "no Payload"),
        ("opcua-40501", {"Payload": {}}, "set the DataSetWriterName"),
        ("j1939", {"machine": "m"}, "needs `machine`"),
        ("j1939", {"machine": "m", "frames": 1}, "an array of objects"),
        ("j1939", {"machine": "m", "frames": [{"id": "xyz", "data": ""}]}, "in hexadecimal"),
        ("j1939", {"machine": "m", "frames": [{"pgn": 65253, "data": ""}]}, "1 to 1785 bytes"),
        ("j1939", {"machine": "m", "values": [{"value": 1}]}, "`ts`, `spn` and `value`"),
        ("j1939", b'{"machine": NaN}', "not a JSON message"),
    ],
)
def test_what_is_no_message_names_the_cure(name: str, said: Any, cure: str) -> None:
    with pytest.raises(MapError, match=cure):
        read(name, said)


def test_a_body_of_an_elevator_message_that_is_none_is_a_signal() -> None:
    said = {"eid": "1", "time": NOON, "status": 3, "data": {"speed": 1}}
    assert values(read("gbt24476", said)) == {"status": 3.0, "speed": 1.0}


@pytest.mark.parametrize("said", [0, "0", [], None, [0], ""])
def test_an_elevator_without_fault_has_no_event(said: object) -> None:
    assert read("gbt24476", {"eid": "1", "time": NOON, "fault": said}).events == ()
