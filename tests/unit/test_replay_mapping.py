from pathlib import Path

import pytest

from streams.replay.mapping import load_map, parse_map, shipped_maps
from streams.replay.toml_reader import MapError

SMALL = """
[time]
column = "t"
format = "iso"

[asset]
name = "pump-1"

[equipment_type]
name = "pump"

[[channel]]
column = "Flow"
name = "flow"
unit = "L/min"
"""


@pytest.mark.parametrize("name", shipped_maps())
def test_a_shipped_map_is_complete(name: str) -> None:
    file_map = load_map(name)
    kind = file_map.equipment_type
    assert file_map.title != file_map.name
    assert (kind.title_en, kind.title_zh) != ("", "")
    assert file_map.channels == tuple(channel.name for channel in kind.channels)
    assert all(file_map.units)


def test_a_map_is_read_from_any_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL)
    file_map = load_map(path)
    assert (file_map.name, file_map.channels, file_map.units) == ("mine", ("flow",), ("L/min",))
    assert (file_map.layout.separator, file_map.rows_per_frame, file_map.join) == (",", 60, False)


def test_a_shipped_equipment_type_brings_its_channels() -> None:
    text = SMALL.replace('"pump"', '"elevator"').replace("L/min", "A").replace('"flow"', '"motor_current"')
    file_map = parse_map(text, "m")
    assert len(file_map.equipment_type.channels) > 1
    assert file_map.channels == ("motor_current",)
    assert file_map.sources[0].channel.high == 150


def test_the_digest_changes_with_the_map_and_not_with_its_comments() -> None:
    first = parse_map(SMALL, "m").digest
    assert parse_map("# a comment\n" + SMALL, "m").digest == first
    assert parse_map(SMALL.replace("Flow", "flow"), "m").digest != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[time", "not valid TOML"),
        (SMALL.replace("[time]", "[times]"), r"unknown key|say where the instant"),
        ("speed = 3\n" + SMALL, "unknown key 'speed': known keys are"),
        ("title = 3\n" + SMALL, "title must be text in quotes, not 3"),
        ("rows_per_frame = 0\n" + SMALL, "rows_per_frame must be 1 or more"),
        ("rows_per_frame = true\n" + SMALL, "must be a whole number"),
        ("join = 1\n" + SMALL, "join must be true or false"),
        ("ignore = 'x'\n" + SMALL, "ignore must be a list of texts"),
        ("file = 3\n" + SMALL, r"file must be a table \[file\]"),
        (SMALL + "[file]\nseparator = '::'", r"\[file\]: separator '::': one character or"),
        (SMALL + "[file]\ndecimal = ','", "not the separator"),
        (SMALL.replace('format = "iso"', ""), "say where the instant comes from"),
        (SMALL.replace('format = "iso"', "start = 2020-01-01T00:00:00Z"), "give `rate_hz` or `step_s`"),
        (SMALL.replace('format = "iso"', "start = 2020-01-01T00:00:00"), "an instant with its zone"),
        (SMALL.replace('"iso"', '"iso"\ntimezone = "Mars/Base"'), "unknown timezone 'Mars/Base'"),
        (SMALL.replace('"pump-1"', '"{cell}"'), "belong together"),
        (SMALL.replace('"pump-1"', '"pump-1"\nfile = "("'), "not a regular expression"),
        ("join = true\n" + SMALL.replace("pump-1", "{file}"), r"give \[asset\] a fixed name"),
        (SMALL.split("[[channel]]", maxsplit=1)[0], r"no \[\[channel\]\]: add one"),
        (SMALL.replace('unit = "L/min"', ""), r"\[\[channel\]\] number 1: unit is missing: add `unit = "),
        (SMALL + "high = 'x'", "high must be a number"),
        (SMALL + "low = 3\nhigh = 2", "must be below"),
        (SMALL + "codes = { a = 'b' }", "codes must be numbers"),
        (SMALL + SMALL[SMALL.index("[[channel]]") :], "channels named twice: flow"),
        (SMALL + SMALL[SMALL.index("[[channel]]") :].replace('"flow"', '"f"'), "source of two channels"),
        (SMALL.replace('"pump"', '"elevator"'), "the equipment type has no channel 'flow'; it has motion, "),
        (
            SMALL.replace('"pump"', '"elevator"').replace('"flow"', '"speed"'),
            "speed is in m/s: convert with scale and offset",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_cure(text: str, message: str) -> None:
    with pytest.raises(MapError, match=message) as caught:
        parse_map(text, "mine")
    assert str(caught.value).startswith("map mine: ")


def test_a_map_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(MapError, match=r"map nothing: cannot be read .* shipped maps are cmapss, cnc-mill, "):
        load_map("nothing")
