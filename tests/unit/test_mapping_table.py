"""Mapping tables, aliases, units, instants and the quarantine."""

import re
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.unit_mixup import QUANTITIES
from streams.mappers.aliases import asset_of, load_aliases, parse_aliases
from streams.mappers.canonical import Machine, to_canonical
from streams.mappers.catalog import load_table, read_message, shipped_tables
from streams.mappers.formats.j1939 import pgn_of
from streams.mappers.instants import instant_us
from streams.mappers.quarantine import LONGEST, MOST_NAMES, Problem, Quarantine
from streams.mappers.stand_in import equipment_type_of
from streams.mappers.units import BASES, MORE, UNITS, conversion
from streams.replay.toml_reader import MapError
from tests.contract.mapper_samples import MTCONNECT, NOON_US

OWN = """
title = "Our mills"
extends = "mtconnect"

[signal."Path.ProgramInExecution"]
unit = "1"
codes = { 0 = 0, "O1000.nc" = 1 }

[signal."Path.PalletMood"]
unit = "1"
codes = { calm = 0, wild = 1 }

[signal."Path.Program:ACTIVE"]
unit = "1"
codes = { "O1000.nc" = 0, "O9001.nc" = 1 }

[channel.machine-tool]
feed_axis_load = "Linear[Y].Load"
test_step = "Path.Program:ACTIVE"
"""


def written(folder: Path, text: str, name: str = "mills") -> Path:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_table_of_ones_own_says_only_what_is_different(tmp_path: Path) -> None:
    table = load_table("mills", written(tmp_path, OWN))
    kind = equipment_type_of(table, "machine-tool")
    running = MTCONNECT.replace(b">READY<", b">ACTIVE<").replace(
        b"<PartCount",
        b'<Program timestamp="2026-03-01T12:00:00Z" sequence="104">O1000.nc</Program><PartCount',
    )
    found = to_canonical(read_message(running, table), table, lambda name: Machine(name, kind))
    values = {reading.channel: reading.value for reading in found.readings}
    assert (values["program"], values["feed_axis_load"], values["spindle_load"]) == (1.0, 12.0, 37.5)
    assert "test_step" not in values
    problems = {entry.name: entry.problem for entry in found.quarantine.entries()}
    assert problems["Path[P1].PalletMood"] is Problem.NO_CHANNEL


def test_a_subprogram_tells_the_step_of_a_test_program(tmp_path: Path) -> None:
    table = load_table("mills", written(tmp_path, OWN))
    kind = equipment_type_of(table, "machine-tool")
    step = b'<Program subType="ACTIVE" timestamp="2026-03-01T12:00:00Z" sequence="104">O9001.nc</Program>'
    stepping = MTCONNECT.replace(b"<PartCount", step + b"<PartCount")
    found = to_canonical(read_message(stepping, table), table, lambda name: Machine(name, kind))
    values = {reading.channel: reading.value for reading in found.readings}
    assert (values["test_step"], values["program"]) == (1.0, 0.0)


def test_the_handbook_names_every_format_and_its_table_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "mappers.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)) == shipped_tables()
    aliases, own = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert parse_aliases(aliases)["acme"]["7020027516"] == "digger-4"
    table = load_table("ours", written(tmp_path, own, "ours"))
    assert table.channels_of("machine-tool", "Spindle[S1].Vibration") == ("spindle_vibration",)


def test_a_regulators_fault_codes_stand_in_place_of_the_others() -> None:
    standard, city = load_table("gbt24476"), load_table("gbt24476-chongqing")
    assert (standard.faults["1"].zh, city.faults["1"].zh) == ("冲顶", "安全回路断路")
    assert city.faults["92"].safety
    assert "20" not in city.faults
    assert city.signals == standard.signals


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("title = ", "not valid TOML"),
        ('title = "x"', "mapper is missing"),
        ('mapper = "fax"', "there is no mapper 'fax'; there are aemp"),
        ('mapper = "opcua"\ncolour = 1', "unknown key 'colour'"),
        ('mapper = "opcua"\ntick_s = 0', "tick_s is from"),
        ('mapper = "opcua"\ntimezone = "Mars/Base"', "use an IANA name"),
        ('mapper = "opcua"\n[signal.a]', "unit is missing"),
        (
            'mapper = "opcua"\n[signal.a]\nunit = "A"\nspelled = ["b"]\n[signal.b]\nunit = "A"',
            "is signal a already",
        ),
        ('mapper = "opcua"\n[signal]\na = 1', "a must be a table"),
        ('mapper = "opcua"\nsignal = 1', "must be a table"),
        ('mapper = "opcua"\n[channel.press]\nforce = "F"', "add one with its unit"),
        (
            'mapper = "opcua"\n[signal.F]\nunit = "N"\n[channel.press]\n"Fo rce" = "F"',
            "use 1 to 64 characters",
        ),
        ('mapper = "opcua"\n[fault.1]\nen = "Bad"', "zh is missing"),
        ('mapper = "opcua"\n[units]\nx = 1', "text in quotes"),
        ('extends = "nowhere"', "shipped formats are aemp"),
    ],
)
def test_an_error_in_a_table_names_the_cure(text: str, cure: str, tmp_path: Path) -> None:
    with pytest.raises(MapError, match=cure):
        load_table("bad", written(tmp_path, text, "bad"))


def test_a_table_that_extends_itself(tmp_path: Path) -> None:
    path = tmp_path / "round.toml"
    path.write_text(f'extends = "{path}"')
    with pytest.raises(MapError, match="leave `extends` out"):
        load_table(path)


def test_a_machine_is_an_alias_or_its_own_name(tmp_path: Path) -> None:
    assert load_aliases(None) == load_aliases(tmp_path) == {}
    (tmp_path / "aliases.toml").write_text('[acme]\n"7020027516" = "digger-4"')
    mine = load_aliases(tmp_path)["acme"]
    assert (asset_of("7020027516", mine), asset_of("MILL-3", mine)) == ("digger-4", "mill-3")
    assert (asset_of("Mill 3", mine), asset_of("", mine)) == (None, None)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ('"7020027516" = "digger-4"', "write a table for each tenant"),
        ('[acme]\n"1" = "Digger 4"', "use 1 to 64 characters"),
        ('[acme]\n"1" = 4', "text in quotes"),
        ("[acme", "not valid TOML"),
    ],
)
def test_an_error_in_the_aliases_names_the_cure(text: str, cure: str) -> None:
    with pytest.raises(MapError, match=cure):
        parse_aliases(text)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (212.0, "°F", "°C", 100.0),
        (1.0, "gal", "L", 3.785411784),
        (1.0, "mi", "km", 1.609344),
        (3600.0, "s", "h", 1.0),
        (450_000.0, "Pa", "bar", 4.5),
        (6000.0, "mm/min", "m/s", 0.1),
        (1.0, "short ton", "kg", 907.18474),
        (1.0, "kWh", "J", 3.6e6),
        (25.0, "Hz", "r/min", 1500.0),
        (120.0, "kvar", "kvar", 120.0),
    ],
)
def test_a_value_in_another_unit(value: float, unit: str, to: str, expected: float) -> None:
    factors = conversion(unit, to)
    assert factors is not None
    assert value * factors[0] + factors[1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("unit", "to"), [("bar", "°C"), ("parsec", "m"), ("m", "parsec"), ("%", "°"), ("L", "m")]
)
def test_units_that_are_not_of_one_quantity_are_not_converted(unit: str, to: str) -> None:
    assert conversion(unit, to) is None


@given(
    value=st.floats(-1e6, 1e6),
    pair=st.sampled_from([(a, b) for a in UNITS for b in UNITS if conversion(a, b)]),
)
def test_a_conversion_comes_back(value: float, pair: tuple[str, str]) -> None:
    there, back = conversion(*pair), conversion(*reversed(pair))
    assert there is not None
    assert back is not None
    again = (value * there[0] + there[1]) * back[0] + back[1]
    assert again == pytest.approx(value, rel=1e-9, abs=1e-6 * max(1.0, abs(back[0]), abs(there[1] * back[0])))


def test_no_unit_is_listed_twice() -> None:
    names = [unit for quantity in QUANTITIES for unit in quantity] + [*BASES, *MORE]
    assert len(names) == len(set(names)) == len(UNITS)


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00+01:00",
        "2026-03-01T12:00:00.0000000Z",
        "2026-03-01 20:00:00",
        "2026-03-01T20:00:00.000",
        NOON_US // 10**6,
        NOON_US // 10**3,
        NOON_US,
        float(NOON_US // 10**6),
        str(NOON_US // 10**3),
    ],
)
def test_an_instant_in_any_of_its_forms(said: object) -> None:
    assert instant_us(said, ZoneInfo("Asia/Shanghai")) == NOON_US


@pytest.mark.parametrize(
    "said",
    [
        "",
        "yesterday",
        "2026-02-30 10:00:00",
        None,
        True,
        [],
        0,
        12,
        -5,
        10**12 * 99,
        float("nan"),
        1e300,
        "9" * 40,
        {},
    ],
)
def test_what_is_no_instant(said: object) -> None:
    assert instant_us(said, UTC) is None


def test_a_quarantine_is_bounded_and_still_counts_all() -> None:
    quarantine, copy = Quarantine(), Quarantine()
    for n in range(MOST_NAMES + 10):
        quarantine.add(Problem.UNKNOWN_SIGNAL, f"made up {n}", NOON_US + n, "x" * 1000)
    quarantine.add(Problem.UNKNOWN_SIGNAL, "made up 0", NOON_US - 5, "\ud800\0")
    copy.merge(quarantine)
    for one in (quarantine, copy):
        assert (len(one.entries()), one.others, one.total) == (MOST_NAMES, 10, MOST_NAMES + 11)
        first = one.entries()[0]
        assert (first.count, first.first_us, first.last_us, first.example) == (2, NOON_US - 5, NOON_US, "??")
        assert max(len(entry.example) for entry in one.entries()) == LONGEST
    copy.add(Problem.UNKNOWN_SIGNAL, "made up 0", None, "y")
    assert (copy.entries()[0].count, quarantine.entries()[0].count) == (3, 2)


@pytest.mark.parametrize(
    ("identifier", "pgn"),
    [(0x0CF00400, 61444), (0x18FEEE00, 65262), (0x18FECA17, 65226), (0x1CECFF00, 60416), (0x18EA17F9, 59904)],
)
def test_the_parameter_group_of_an_identifier(identifier: int, pgn: int) -> None:
    """EEC1, ET1, DM1; TP.CM and a request, whose destination is no part of it (J1939-21, 5.1.2)."""
    assert pgn_of(identifier) == pgn
