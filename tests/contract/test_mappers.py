"""Every mapping table keeps the contract's promises with its mapper, whatever bytes come.

A table without a sample in `mapper_samples` fails: write one after the standard.
"""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.catalog import packs
from streams.mappers.aliases import asset_of
from streams.mappers.canonical import Canonical, Machine, Reading, to_canonical
from streams.mappers.catalog import catalog, load_table, read_message, shipped_tables
from streams.mappers.frames import frames
from streams.mappers.quarantine import MOST_NAMES
from streams.mappers.stand_in import equipment_type_of
from streams.mappers.units import conversion
from streams.replay.toml_reader import MapError
from streams.wire.binary import decode_binary, encode_binary
from streams.wire.frame import check
from tests.contract.mapper_samples import NOON_US, SAMPLES

TABLES = {name: load_table(name) for name in shipped_tables()}
XML = {"aemp", "mtconnect"}

Anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def mapped(name: str, data: bytes) -> Canonical:
    table = TABLES[name]
    kind = equipment_type_of(table, SAMPLES[name].equipment_type)

    def machine(name: str) -> Machine | None:
        asset = asset_of(name, {})
        return Machine(asset, kind) if asset else None

    return to_canonical(read_message(data, table), table, machine)


every = pytest.mark.parametrize("name", shipped_tables())


def test_every_mapper_has_a_table_and_every_table_a_sample() -> None:
    assert {table.mapper for table in TABLES.values()} == catalog().keys()
    assert SAMPLES.keys() == TABLES.keys()
    assert all(mapper.title for mapper in catalog().values())


@every
def test_the_sample_becomes_what_it_says(name: str) -> None:
    sample = SAMPLES[name]
    kind = equipment_type_of(TABLES[name], sample.equipment_type)
    found = sorted(mapped(name, sample.data).readings, key=lambda one: (one.ts_us, one.channel))
    expected = sorted(sample.readings, key=lambda one: (one[3], one[0]))
    assert [(one.channel, one.ts_us - NOON_US) for one in found] == [(one[0], one[3]) for one in expected]
    for one, (channel, unit, value, _) in zip(found, expected, strict=True):
        assert one.asset == sample.machine.lower()
        canonical = kind.channels[kind.column(channel)].unit
        assert one.unit == canonical, channel
        factors = conversion(unit, canonical)
        assert factors is not None, channel
        wanted = None if value is None else pytest.approx(value * factors[0] + factors[1])
        assert one.value == wanted, channel


@every
def test_unknown_names_are_counted_with_an_example_and_known_ones_are_not(name: str) -> None:
    quarantine = mapped(name, SAMPLES[name].data).quarantine
    found = {(str(entry.problem), entry.name) for entry in quarantine.entries()}
    assert found == SAMPLES[name].quarantined
    strange = [entry for entry in quarantine.entries() if entry.problem == "unknown_signal"]
    assert all(entry.example and entry.first_us and entry.last_us and entry.detail for entry in strange)
    twice = mapped(name, SAMPLES[name].data).quarantine
    twice.merge(quarantine)
    assert twice.total == 2 * quarantine.total


@every
def test_fault_codes_are_events_and_some_endanger_people(name: str) -> None:
    found = mapped(name, SAMPLES[name].data).events
    assert [(one.code, one.safety) for one in found] == list(SAMPLES[name].events)


@every
def test_the_same_bytes_say_the_same(name: str) -> None:
    once, again = (mapped(name, SAMPLES[name].data) for _ in range(2))
    assert (once.readings, once.events) == (again.readings, again.events)
    how = TABLES[name].tick_s, TABLES[name].hold
    sent = [encode_binary(frame) for frame in frames(once.readings, *how)]
    assert sent == [encode_binary(frame) for frame in frames(again.readings, *how)]


@every
def test_the_readings_come_back_from_the_frames(name: str) -> None:
    readings = mapped(name, SAMPLES[name].data).readings
    back = {}
    for frame in frames(readings, 1e-6):
        decoded = decode_binary(encode_binary(frame))
        for channel, unit, values in zip(decoded.channels, decoded.units, decoded.values, strict=True):
            back[decoded.asset, channel, unit, int(decoded.ts_us[0])] = values[0]
    sent = {
        (r.asset, r.channel, r.unit, r.ts_us): np.float32(r.value) for r in readings if r.value is not None
    }
    assert back == sent


@every
def test_an_unknown_machine_is_quarantined_whole(name: str) -> None:
    table = TABLES[name]
    found = to_canonical(read_message(SAMPLES[name].data, table), table, lambda _: None)
    assert (found.readings, found.events) == ((), ())
    assert {(entry.problem, entry.name) for entry in found.quarantine.entries()} == {
        ("unknown_machine", SAMPLES[name].machine)
    }


@every
def test_a_table_names_channels_that_its_packs_have_in_units_that_convert(name: str) -> None:
    table = TABLES[name]
    for kind in table.channels.keys() & packs().keys():
        known = {channel.name: channel.unit for channel in packs()[kind].equipment_type.channels}
        for channel, signal in table.channels[kind].items():
            row = table.signal(signal)
            assert channel in known, f"{kind} has no channel {channel}"
            assert row is not None
            assert conversion(row.unit, known[channel]), f"{kind}: {channel}"


@every
def test_every_unit_that_a_table_spells_is_known(name: str) -> None:
    for spelling, unit in TABLES[name].units.items():
        assert conversion(unit, unit), spelling


def survives(name: str, data: bytes) -> None:
    """Either the one error that names a cure, or readings that may be stored."""
    try:
        found = mapped(name, data)
        rows = frames(found.readings, TABLES[name].tick_s, TABLES[name].hold)
    except MapError:
        return
    for reading in found.readings:
        assert reading.value is None or math.isfinite(reading.value)
    for frame in rows:
        check(frame)
    assert len(found.quarantine.entries()) <= MOST_NAMES


@every
@given(data=st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes(name: str, data: bytes) -> None:
    survives(name, data)


@every
@given(document=Anything)
@settings(max_examples=60, deadline=None)
def test_any_json(name: str, document: object) -> None:
    survives(name, json.dumps(document).encode())


@every
@given(draw=st.data())
@settings(max_examples=100, deadline=None)
def test_a_sample_that_is_damaged(name: str, draw: st.DataObject) -> None:
    data = bytearray(SAMPLES[name].data)
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at : at + draw.draw(st.integers(0, 40))] = draw.draw(
            st.binary(max_size=6)
            | st.sampled_from([b'"', b"<", b">", b"1e999", b"null", b"{}", b"[1]", b"\0"])
        )
    survives(name, bytes(data))


def replaced(value: object, path: list[int], by: object) -> object:
    """The JSON value with one of its parts put in place of another, found by turns."""
    if not path or not isinstance(value, dict | list) or not value:
        return by
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = replaced(value[key], path[1:], by)
    return copy


@pytest.mark.parametrize("name", sorted(TABLES.keys() - XML))
@given(path=st.lists(st.integers(0, 12), min_size=1, max_size=6), by=Anything)
@settings(max_examples=150, deadline=None)
def test_a_sample_with_a_part_that_is_something_else(name: str, path: list[int], by: object) -> None:
    survives(name, json.dumps(replaced(json.loads(SAMPLES[name].data), path, by)).encode())


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{("&" + a + ";") * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><Fleet>&i;</Fleet>"
)
THEFT = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Fleet>&e;</Fleet>'
REMOTE = '<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://example.com/x.dtd"><Fleet/>'


@pytest.mark.parametrize("name", sorted(XML))
@pytest.mark.parametrize(
    ("document", "cure"),
    [
        (BOMB, "without one"),
        (THEFT, "without one"),
        (REMOTE, "without one"),
        ("<Fleet>&e;</Fleet>", "not well-formed"),
        ("<a>" * 100 + "</a>" * 100, "nested deeper"),
        ("<a>" + "<b/>" * 200_001 + "</a>", "send less"),
        ("<a" + " x='1' x='2'" + "/>", "not well-formed"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "not well-formed"),
        ('<?xml version="1.0" encoding="big5"?><a/>', "not well-formed"),
    ],
)
def test_xml_that_means_harm(name: str, document: str, cure: str) -> None:
    with pytest.raises(MapError, match=cure):
        read_message(document.encode(), TABLES[name])


@pytest.mark.parametrize("name", sorted(TABLES.keys() - XML))
def test_json_with_too_many_values(name: str) -> None:
    with pytest.raises(MapError, match="send less at a time"):
        read_message(b"[" + b"1," * 400_001 + b"1]", TABLES[name])


def test_a_message_with_too_many_values() -> None:
    said = {"EquipmentHeader": {"PIN": "x"}, "A": [{"B": 1}] * 100_001}
    with pytest.raises(MapError, match="at most 100000 values"):
        read_message(json.dumps(said).encode(), TABLES["aemp"])


@every
def test_a_message_that_is_too_large(name: str) -> None:
    with pytest.raises(MapError, match="send less at a time"):
        read_message(b" " * ((8 << 20) + 1), TABLES[name])


def test_rows_of_a_tick_have_the_last_reading_of_each_channel() -> None:
    at = [Reading("m", name, "A", NOON_US + us, value) for name, us, value in TICK]
    first, second = frames(at, 1.0)
    assert first.ts_us.tolist() == [NOON_US + 700_000]
    assert (first.channels, first.values.ravel().tolist()) == (("a", "b"), [2.0, 5.0])
    assert (second.channels, second.values.ravel().tolist()) == (("a",), [3.0])
    assert second.seq > first.seq
    assert first.boot_id == second.boot_id


TICK = [("a", 1, 1.0), ("a", 600_000, 2.0), ("b", 700_000, 5.0), ("c", 100, None), ("a", 1_000_000, 3.0)]


def test_too_many_rows() -> None:
    with pytest.raises(MapError, match="send less at a time"):
        frames((Reading("m", "a", "A", NOON_US + us, 1.0) for us in range(10_001)), 1e-6)


def test_what_holds_is_in_every_row_until_something_else_is_said() -> None:
    said = [("a", 0, 1.0), ("b", 1, 5.0), ("b", 2, None), ("a", 4, 2.0)]
    rows = frames((Reading("m", name, "A", NOON_US + s * 10**6, value) for name, s, value in said), 1.0, True)
    assert [dict(zip(row.channels, row.values[:, 0].tolist(), strict=True)) for row in rows] == [
        {"a": 1.0},
        {"a": 1.0, "b": 5.0},
        {"a": 1.0},
        {"a": 2.0},
    ]
    assert [int(row.ts_us[0] - NOON_US) // 10**6 for row in rows] == [0, 1, 2, 4]


def test_rows_of_one_instant_that_differ_are_different_frames() -> None:
    (one,) = frames([Reading("m", "a", "A", NOON_US, 1.0)], 1.0)
    (other,) = frames([Reading("m", "a", "A", NOON_US, 2.0)], 1.0)
    (same,) = frames([Reading("m", "a", "A", NOON_US, 1.0)], 1.0)
    assert (one.seq == same.seq, one.seq == other.seq) == (True, False)
