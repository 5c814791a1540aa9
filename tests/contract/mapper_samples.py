"""Sample messages, written after the standards and after answers of public systems; none was recorded.

Each says what it must become: the readings, the fault codes, and the names that must be quarantined.
"""

import json
from dataclasses import dataclass

NOON_US = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z."""
S = 1_000_000

Value = tuple[str, str, float | None, int]
"""Channel, unit, value, microseconds after noon."""


@dataclass(frozen=True)
class Sample:
    """events: code and whether people are in danger. quarantined: problem and name, once each."""

    equipment_type: str
    data: bytes
    machine: str
    readings: tuple[Value, ...]
    quarantined: frozenset[tuple[str, str]]
    events: tuple[tuple[str, bool], ...] = ()


def said(*messages: object) -> bytes:
    return json.dumps(messages[0] if len(messages) == 1 else messages, ensure_ascii=False).encode()


ELEVATOR = {
    "equipmentCode": "Lift-A",
    "time": "2026-03-01 20:00:00",  # Shanghai
    "data": {
        "serviceMode": 1,
        "direction": 1,
        "floor": 7,
        "door": 0,
        "speed": "1.75",
        "runTime": 1234.5,
        "tripCount": 88001,
        "doorCycles": 90210,
        "lampOfTheCar": 1,
        "fault": [7, 0],
    },
}
ELEVATOR_READINGS = (
    ("motion", "1", 1.0, 0),
    ("speed", "m/s", 1.75, 0),
    ("running_time", "h", 1234.5, 0),
    ("trips", "1", 88001.0, 0),
    ("door_cycles", "1", 90210.0, 0),
    ("door", "1", 0.0, 0),
)
ELEVATOR_QUARANTINED = frozenset(
    {
        ("unknown_signal", "lampOfTheCar"),
        ("no_channel", "serviceMode"),
        ("no_channel", "floor"),
    }
)

AEMP = b"""<?xml version="1.0" encoding="utf-8"?>
<Fleet xmlns="http://standards.iso.org/iso/15143/-3" version="1" snapshotTime="2026-03-01T12:00:00Z">
  <Links><rel>self</rel><href>https://api.example.com/Fleet/1</href></Links>
  <Equipment>
    <EquipmentHeader><OEMName>Example</OEMName><Model>X1</Model><EquipmentID>Digger-4</EquipmentID>
      <SerialNumber>SN1</SerialNumber></EquipmentHeader>
    <Location datetime="2026-03-01T11:59:00Z"><Latitude>49.2</Latitude><Longitude>8.1</Longitude></Location>
    <CumulativeOperatingHours datetime="2026-03-01T12:00:00Z"><Hour>233.70</Hour></CumulativeOperatingHours>
    <CumulativeIdleHours><Hour>40.5</Hour><datetime>2026-03-01T12:00:00Z</datetime></CumulativeIdleHours>
    <EngineStatus datetime="2026-03-01T12:00:05Z"><EngineNumber/><Running>true</Running></EngineStatus>
    <FuelUsed datetime="2026-03-01T12:00:00Z"><FuelUnits>gallon</FuelUnits>
      <FuelConsumed>100</FuelConsumed></FuelUsed>
    <FuelRemaining datetime="2026-03-01T12:00:00Z"><Percent>62.40</Percent>
      <FuelTankCapacityUnits>litre</FuelTankCapacityUnits><FuelTankCapacity>0</FuelTankCapacity></FuelRemaining>
    <DEFRemaining datetime="2026-03-01T12:00:00Z"><Percent>64</Percent></DEFRemaining>
    <AverageLoadFactorLast24 datetime="2026-03-01T12:00:00Z"><Percent>48</Percent></AverageLoadFactorLast24>
    <CumulativePayloadTotals datetime="2026-03-01T12:00:00Z"><PayloadUnits>tonne</PayloadUnits>
      <Payload>2.5</Payload></CumulativePayloadTotals>
    <Distance datetime="2026-03-01T12:00:00Z"><OdometerUnits>mile</OdometerUnits>
      <Odometer>10</Odometer></Distance>
    <BucketTemper datetime="2026-03-01T12:00:00Z"><Mood>3</Mood></BucketTemper>
    <FaultCode datetime="2026-03-01T12:00:00Z"><CodeIdentifier>E-17</CodeIdentifier>
      <CodeDescription>Filter clogged</CodeDescription></FaultCode>
  </Equipment>
</Fleet>
"""

MTCONNECT = b"""<?xml version="1.0" encoding="UTF-8"?>
<MTConnectStreams xmlns:m="urn:mtconnect.org:MTConnectStreams:1.7"
  xmlns="urn:mtconnect.org:MTConnectStreams:1.7">
  <Header creationTime="2026-03-01T12:00:05Z" sender="agent" instanceId="1700000000" version="1.7.0.3"
    bufferSize="131072" nextSequence="118" firstSequence="1" lastSequence="117"/>
  <Streams><DeviceStream name="MILL-3" uuid="5fd88408">
    <ComponentStream component="Rotary" name="S1" componentId="c1"><Samples>
      <RotaryVelocity dataItemId="s1v" timestamp="2026-03-01T12:00:01Z" sequence="113"
        subType="ACTUAL">1200</RotaryVelocity>
      <RotaryVelocity dataItemId="s1c" timestamp="2026-03-01T12:00:01Z" sequence="112"
        subType="COMMANDED">1250</RotaryVelocity>
      <Load dataItemId="s1l" timestamp="2026-03-01T12:00:01.5Z" sequence="114">37.5</Load>
      <Temperature dataItemId="s1t" timestamp="2026-03-01T12:00:00Z" sequence="101">UNAVAILABLE</Temperature>
    </Samples></ComponentStream>
    <ComponentStream component="Linear" name="X" componentId="x1"><Samples>
      <Load dataItemId="xl" timestamp="2026-03-01T12:00:02Z" sequence="116">11</Load></Samples>
    </ComponentStream>
    <ComponentStream component="Linear" name="Y" componentId="y1"><Samples>
      <Load dataItemId="yl" timestamp="2026-03-01T12:00:02Z" sequence="117">12</Load></Samples>
    </ComponentStream>
    <ComponentStream component="Coolant" componentId="cool"><Samples>
      <Pressure dataItemId="cp" timestamp="2026-03-01T12:00:02Z" sequence="115">450000</Pressure></Samples>
      <Condition><Warning dataItemId="cc" timestamp="2026-03-01T12:00:02Z" sequence="111" type="LEVEL"
        nativeCode="313">coolant low</Warning></Condition></ComponentStream>
    <ComponentStream component="Path" name="P1" componentId="p1"><Events>
      <Execution dataItemId="ex" timestamp="2026-03-01T12:00:00Z" sequence="105">READY</Execution>
      <PartCount dataItemId="pc" timestamp="2026-03-01T12:00:00Z" sequence="106">41</PartCount>
      <PalletMood dataItemId="pm" timestamp="2026-03-01T12:00:00Z" sequence="107">calm</PalletMood>
    </Events><Condition><Normal dataItemId="n" timestamp="2026-03-01T12:00:00Z" sequence="108" type="SYSTEM"/>
    </Condition></ComponentStream>
  </DeviceStream></Streams>
</MTConnectStreams>
"""

TOOL = {
    "Value": 12.0,
    "EngineeringUnits": {"DisplayName": {"Text": "min"}},
    "StartValue": 60.0,
    "LimitValue": 0.0,
    "WarningValue": 10.0,
    "IsCountingUp": False,
}
LIFE = ("Value", "Start", "Warning", "Limit", "Used")
OPCUA = said(
    {
        "MessageId": "1",
        "MessageType": "ua-data",
        "PublisherId": "cell-7",
        "Messages": [
            {
                "DataSetWriterName": "Mill-3",
                "Timestamp": "2026-03-01T12:00:00Z",
                "Payload": {
                    "4:Production/4:ActiveProgram/4:State": {"Value": {"Type": 6, "Body": 1}},
                    "4:Production/4:ActiveProgram/4:NumberInList": {
                        "Value": {"Type": 5, "Body": 3},
                        "SourceTimestamp": "2026-03-01T11:00:00Z",
                    },
                    "Monitoring": {"Spindle": {"Override": 95.0, "Song": 3}},
                    "Equipment": {"Tools": {"T5": {"ToolLife": TOOL}}},
                },
            }
        ],
    }
)
TURBINE = said(
    {
        "PublisherId": "WT-12",
        "Timestamp": "2026-03-01T12:00:00Z",
        "Payload": {
            "WTUR1.W.mag.f": {"Value": 1500.0, "EngineeringUnits": {"DisplayName": "kW"}},
            "WROT1.RotSpd.mag.f": 14.5,
            "WGEN1.Spd": {"Value": 25.0, "EngineeringUnits": "Hz"},
            "WNAC1.WdSpd.instMag.f": {"Value": 36.0, "EngineeringUnits": "km/h"},
            "WTRM1.TrmTmpGbxOil": {"Value": 63.0, "StatusCode": {"Code": 0x80340000, "Symbol": "Bad"}},
            "WNAC1.ExTmp": {"Value": 50.0, "EngineeringUnits": "°F"},
            "WMOO1.Moo": 1.0,
            "WGEN1.VAr": 120.0,
        },
    }
)
J1939 = said(
    {
        "machine": "EX-7",
        "frames": [
            # EEC1: torque 0x7D = 0 %, speed 0x2580 * 0.125 = 1200 r/min
            {"ts": NOON_US, "id": "0CF00400", "data": "FFFF7D8025FFFFFF"},
            # ET1: coolant 0x7D - 40 = 85 °C, oil not available
            {"ts": NOON_US, "id": "18FEEE00", "data": "7DFFFFFFFFFFFFFF"},
            # EFL/P1: fuel pressure error, oil pressure 0x64 * 4 = 400 kPa, coolant level error
            {"ts": NOON_US, "pgn": 65263, "data": "FFFFFF64FFFFFFFE"},
            # HOURS: 0x0001E240 * 0.05 = 6172.8 h... lowest byte first
            {"ts": NOON_US, "pgn": 65253, "data": "40E20100FFFFFFFF"},
            # DM1: amber lamp on, SPN 110 FMI 0 five times
            {"ts": NOON_US, "pgn": 65226, "data": "04FF6E000005FFFF"},
            {"ts": NOON_US, "pgn": 65000, "data": "0102030405060708"},
        ],
        "values": [
            {"ts": NOON_US + S, "spn": 96, "value": 62.4},
            {"ts": NOON_US + S, "spn": 1638, "value": 149.0, "unit": "°F"},
            {"ts": NOON_US + S, "spn": 4242, "value": 1},
        ],
    }
)

SAMPLES = {
    "gbt24476": Sample(
        "elevator",
        said(ELEVATOR),
        "Lift-A",
        ELEVATOR_READINGS,
        ELEVATOR_QUARANTINED,
        (("7", True),),
    ),
    "gbt24476-chongqing": Sample(
        "elevator",
        said([ELEVATOR | {"faultCode": "5"}, {"eid": "Lift-A", "time": NOON_US // 1000, "fault": [99]}]),
        "Lift-A",
        ELEVATOR_READINGS,
        ELEVATOR_QUARANTINED | {("unknown_fault", "fault 99")},
        (("7", False), ("5", True), ("99", False)),
    ),
    "aemp": Sample(
        "excavator",
        AEMP,
        "Digger-4",
        (
            ("engine_time", "h", 233.7, 0),
            ("idle_time", "h", 40.5, 0),
            ("fuel_used", "L", 378.5411784, 0),
        ),
        frozenset(
            {
                ("unknown_signal", "BucketTemper.Mood"),
                ("no_channel", "Location.Latitude"),
                ("no_channel", "Location.Longitude"),
                ("no_channel", "FuelRemaining.FuelTankCapacity"),
                ("no_channel", "FuelRemaining.Percent"),
                ("no_channel", "DEFRemaining.Percent"),
                ("no_channel", "AverageLoadFactorLast24.Percent"),
                ("no_channel", "CumulativePayloadTotals.Payload"),
                ("no_channel", "Distance.Odometer"),
                ("no_channel", "EngineStatus.Running"),
            }
        ),
        (("E-17", False),),
    ),
    "mtconnect": Sample(
        "machine-tool",
        MTCONNECT,
        "MILL-3",
        (
            ("spindle_temperature", "°C", None, 0),
            ("parts", "1", 41.0, 0),
            ("program", "1", 0.0, 0),
            ("spindle_speed", "r/min", 1200.0, 1 * S),
            ("spindle_load", "%", 37.5, 3 * S // 2),
            ("coolant_pressure", "bar", 4.5, 2 * S),
            ("feed_axis_load", "%", 11.0, 2 * S),
        ),
        frozenset(
            {
                ("unknown_signal", "Path[P1].PalletMood"),
                ("unknown_signal", "Rotary[S1].RotaryVelocity:COMMANDED"),
                ("no_channel", "Path[P1].Execution"),
                ("no_channel", "Linear[Y].Load"),
            }
        ),
        (("313", False),),
    ),
    "opcua-40501": Sample(
        "machine-tool",
        OPCUA,
        "Mill-3",
        (("program", "1", 3.0, 0),),
        frozenset(
            {
                ("unknown_signal", "Monitoring.Spindle.Song"),
                *(("no_channel", f"ToolLife[Equipment.Tools.T5.ToolLife].{part}") for part in LIFE),
                ("no_channel", "Monitoring.Spindle.Override"),
                ("no_channel", "Production.ActiveProgram.State"),
                ("no_channel", "Production.ActiveProgram.NumberInList"),
            }
        ),
    ),
    "iec61400-25": Sample(
        "wind-turbine",
        TURBINE,
        "WT-12",
        (
            ("active_power", "kW", 1500.0, 0),
            ("rotor_speed", "r/min", 14.5, 0),
            ("wind_speed", "m/s", 10.0, 0),
            ("gearbox_oil_temperature", "°C", None, 0),
            ("ambient_temperature", "°C", 10.0, 0),
        ),
        frozenset(
            {("unknown_signal", "WMOO[1].Moo"), ("no_channel", "WGEN[1].VAr"), ("no_channel", "WGEN[1].Spd")}
        ),
    ),
    "j1939": Sample(
        "excavator",
        J1939,
        "EX-7",
        (
            ("engine_speed", "r/min", 1200.0, 0),
            ("coolant_temperature", "°C", 85.0, 0),
            ("engine_oil_pressure", "kPa", 400.0, 0),
            ("engine_time", "h", 6172.8, 0),
            ("hydraulic_oil_temperature", "°C", 65.0, S),
        ),
        frozenset(
            {
                ("no_channel", "513"),
                ("no_channel", "175"),
                ("no_channel", "96"),
                ("no_channel", "94"),
                ("no_channel", "111"),
                ("unknown_signal", "PGN 65000"),
                ("unknown_signal", "4242"),
            }
        ),
        (("SPN 110 FMI 0", False),),
    ),
}
