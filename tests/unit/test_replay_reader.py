import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.replay.catalog import fleet_of
from streams.replay.checksum import checksums
from streams.replay.mapping import FileMap, parse_map
from streams.replay.reader import Reading, plan
from streams.replay.toml_reader import MapError
from streams.wire.binary import decode_binary, encode_binary
from streams.wire.frame import Frame

MAP = """
rows_per_frame = 3
ignore = ["label"]
[time]
column = "t"
format = "s"
[asset]
name = "pump-1"
[equipment_type]
name = "pump"
[[channel]]
column = "Flow"
name = "flow"
unit = "L/min"
[[channel]]
column = "Head"
name = "head"
unit = "m"
"""


def make(tmp_path: Path, text: str, changes: str = "", name: str = "a.csv", of: str = MAP) -> Reading:
    path = tmp_path / name
    path.write_text(text)
    (reading,) = plan(parse_map(changes + of, "m"), [path])
    return reading


def rows_of(frames: list[Frame]) -> list[tuple[int, list[float | None]]]:
    return [
        (int(t) // 1_000_000, [None if np.isnan(v) else float(v) for v in values])
        for frame in frames
        for t, values in zip(frame.ts_us, frame.values.T, strict=True)
    ]


def test_a_file_becomes_frames_of_its_rows(tmp_path: Path) -> None:
    reading = make(tmp_path, "t,Flow,Head,label\n1,10,1.5,0\n2,11,,0\n3,12,2.5,1\n5,13,x,1\n")
    frames = list(reading.frames())
    assert [(f.asset, f.seq, len(f.ts_us)) for f in frames] == [("pump-1", 0, 3), ("pump-1", 1, 1)]
    assert {(f.boot_id, f.channels, f.units) for f in frames} == {
        (reading.boot_id, ("flow", "head"), ("L/min", "m"))
    }
    assert rows_of(frames) == [(1, [10, 1.5]), (2, [11, None]), (3, [12, 2.5]), (5, [13, None])]
    tally = reading.tally
    assert (tally.rows, tally.kept, tally.frames, tally.samples) == (4, 4, 2, 6)
    assert tally.unreadable == {"Head": 1}


def test_the_frames_are_what_the_wire_carries(tmp_path: Path) -> None:
    for frame in make(tmp_path, "t,Flow,Head\n1,10,1.5\n2,11,\n").frames():
        back = decode_binary(encode_binary(frame))
        np.testing.assert_array_equal(back.values, frame.values)
        np.testing.assert_array_equal(back.ts_us, frame.ts_us)


def test_a_repeated_instant_keeps_its_first_row_and_is_counted(tmp_path: Path) -> None:
    reading = make(tmp_path, "t,Flow,Head\n1,10,1\n2,11,\n2,11,\n2,12,2\n3,13,3\n")
    assert rows_of(list(reading.frames())) == [(1, [10, 1]), (2, [11, None]), (3, [13, 3])]
    assert (reading.tally.repeated, reading.tally.conflicting, reading.tally.late) == (2, 1, 0)


def test_a_row_that_goes_back_in_time_is_sent_in_a_frame_of_its_own_run(tmp_path: Path) -> None:
    reading = make(tmp_path, "t,Flow,Head\n5,1,1\n6,2,2\n1,3,3\n2,4,4\n7,5,5\n")
    frames = list(reading.frames())
    assert [(f.ts_us // 1_000_000).tolist() for f in frames] == [[5, 6], [1, 2, 7]]
    assert all((np.diff(f.ts_us) > 0).all() for f in frames)
    assert reading.tally.late == 2


def test_the_checksum_counts_the_first_row_of_an_instant_wherever_it_comes_again(tmp_path: Path) -> None:
    reading = make(tmp_path, "t,Flow,Head\n5,1,1\n6,2,\n1,3,3\n5,99,99\n7,5,5\n")
    checksum = checksums(reading.frames())["pump-1"]
    assert (checksum.rows, checksum.samples) == (4, 7)
    assert checksum.sums == {"flow": 11.0, "head": 9.0}


def test_lines_and_instants_that_cannot_be_used_are_left_out_and_counted(tmp_path: Path) -> None:
    reading = make(tmp_path, "t,Flow,Head\n1,10,1\n2,11\nsoon,12,2\n3,13,3,3\n4,14,4\n")
    assert rows_of(list(reading.frames())) == [(1, [10, 1]), (4, [14, 4])]
    assert (reading.tally.malformed, reading.tally.no_instant, reading.tally.rows) == (2, 1, 3)


def test_without_a_time_column_a_malformed_line_stops_the_file(tmp_path: Path) -> None:
    clocked = MAP.replace('column = "t"\nformat = "s"', "start = 2020-01-01T00:00:00Z\nrate_hz = 4")
    reading = make(tmp_path, "Flow,Head\n10,1\n11,2\n12,3\n", of=clocked)
    (frame,) = reading.frames()
    assert np.diff(frame.ts_us).tolist() == [250_000, 250_000]
    with pytest.raises(MapError, match=r"a\.csv: cannot be read with map m"):
        list(make(tmp_path, "Flow,Head\n10,1\n11\n12,3\n", of=clocked).frames())


INTERLEAVED = MAP.replace('name = "pump-1"', 'name = "{file}-{cell}"\ncolumn = "id"')


def test_assets_from_a_column_have_frames_of_their_own(tmp_path: Path) -> None:
    text = "id,t,Flow,Head\nA 1,1,10,1\nB,1,20,2\nA 1,2,11,1\n,2,0,0\nB,2,21,2\n"
    reading = make(tmp_path, text, name="Hall.csv", of=INTERLEAVED)
    frames = {frame.asset: frame for frame in reading.frames()}
    assert sorted(frames) == ["hall-a-1", "hall-b"]
    assert rows_of([frames["hall-a-1"]]) == [(1, [10, 1]), (2, [11, 1])]
    assert (reading.tally.no_asset, frames["hall-b"].seq) == (1, 0)
    fleet = fleet_of([reading], "acme", "plant")
    assert [(a.name, a.equipment_type) for a in fleet.assets] == [("hall-a-1", "pump"), ("hall-b", "pump")]
    assert fleet.equipment_types == (reading.file_map.equipment_type,)


def test_two_assets_that_would_get_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="'a-1' and 'a 1' are both asset a-a-1: rename one"):
        make(tmp_path, "id,t,Flow,Head\na 1,1,1,1\na-1,1,1,1\n", of=INTERLEAVED)


def test_the_asset_may_be_part_of_the_file_name(tmp_path: Path) -> None:
    by_file = MAP.replace('name = "pump-1"', "name = '{folder}-{file}'\nfile = 'run_(\\d+)\\.csv'")
    hall = tmp_path / "Hall 3"
    hall.mkdir()
    reading = make(hall, "t,Flow,Head\n1,1,1\n", name="run_07.csv", of=by_file)
    assert next(reading.frames()).asset == "hall-3-07"
    with pytest.raises(MapError, match=r"other\.csv: the map is for files called"):
        make(tmp_path, "t,Flow,Head\n1,1,1\n", name="other.csv", of=by_file)


def test_blanks_may_separate_and_columns_be_named_by_the_map(tmp_path: Path) -> None:
    spaced = MAP + '[file]\nseparator = "whitespace"\ncolumns = ["t", "Flow", "Head"]'
    reading = make(tmp_path, "1  10\t1.5  \n  2 11 2.5\n", of=spaced)
    assert rows_of(list(reading.frames())) == [(1, [10, 1.5]), (2, [11, 2.5])]


def test_quotes_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    reading = make(
        tmp_path,
        '\ufeff"t";"Flow";"Head"\r\n"1";"10,5";"NA"\r\n',
        of=MAP + '[file]\nseparator = ";"\ndecimal = ","',
    )
    assert rows_of(list(reading.frames())) == [(1, [10.5, None])]
    assert not reading.tally.unreadable


def test_parquet_says_the_same_as_text(tmp_path: Path) -> None:
    table = pa.table({"t": [1, 2], "Flow": [10.0, None], "Head": ["1.5", "x"], "label": [0, 1]})
    pq.write_table(table, tmp_path / "a.parquet")
    (reading,) = plan(parse_map(MAP, "m"), [tmp_path / "a.parquet"])
    assert rows_of(list(reading.frames())) == [(1, [10, 1.5]), (2, [None, None])]
    assert reading.tally.unreadable == {"Head": 1}


JOINED = "join = true\n" + MAP


def test_joined_files_become_one_row_per_instant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,Flow\n1,10\n2,11\n2,99\n4,13\n")
    (tmp_path / "b.csv").write_text("t,Head\n2,2\n3,3\n4,\n9,9\n")
    (reading,) = plan(parse_map(JOINED, "m"), [tmp_path / "b.csv", tmp_path / "a.csv"])
    assert rows_of(list(reading.frames())) == [
        (1, [10, None]),
        (2, [11, 2]),
        (3, [None, 3]),
        (4, [13, None]),
        (9, [None, 9]),
    ]
    assert reading.tally.conflicting == 1


@given(st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300), min_size=1))
@settings(max_examples=25, deadline=None)
def test_a_join_has_every_instant_of_either_file_once(
    tmp_path_factory: pytest.TempPathFactory, first: set[int], second: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("join")
    (folder / "a.csv").write_text("t,Flow\n" + "".join(f"{t},{t}\n" for t in sorted(first)))
    (folder / "b.csv").write_text("t,Head\n" + "".join(f"{t},{-t}\n" for t in sorted(second)))
    (reading,) = plan(parse_map(JOINED, "m"), [folder / "a.csv", folder / "b.csv"])
    expected = [(t, [t if t in first else None, -t if t in second else None]) for t in sorted(first | second)]
    assert rows_of(list(reading.frames())) == expected


def test_joined_files_must_be_all_there_in_order_and_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,Flow\n2,10\n1,11\n")
    (tmp_path / "b.csv").write_text("t,Head\n1,1\n")
    (tmp_path / "c.csv").write_text("t,Flow\n1,1\n")
    file_map = parse_map(JOINED, "m")
    with pytest.raises(MapError, match="none has column 'Head': give all of them"):
        plan(file_map, [tmp_path / "a.csv"])
    with pytest.raises(MapError, match="column 'Flow' is in two of the files"):
        plan(file_map, [tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"])
    (reading,) = plan(file_map, [tmp_path / "a.csv", tmp_path / "b.csv"])
    with pytest.raises(MapError, match="must be in order of time: sort them"):
        list(reading.frames())


def test_files_are_read_in_the_order_of_their_first_instants(tmp_path: Path) -> None:
    for name, first in (("1.csv", 300), ("2.csv", 100), ("10.csv", 200)):
        (tmp_path / name).write_text(f"t,Flow,Head\n{first},1,1\n")
    readings = plan(parse_map(MAP, "m"), sorted(tmp_path.iterdir()))
    assert [reading.paths[0].name for reading in readings] == ["2.csv", "10.csv", "1.csv"]
    assert len({reading.boot_id for reading in readings}) == 3


def test_the_boot_id_is_of_the_content_and_the_map(tmp_path: Path) -> None:
    text = "t,Flow,Head\n1,1,1\n"
    first = make(tmp_path, text).boot_id
    assert make(tmp_path, text, name="copy.csv").boot_id == first
    assert make(tmp_path, text + "2,2,2\n").boot_id != first
    assert make(tmp_path, text, of=MAP.replace("= 3", "= 4")).boot_id != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,Flow\n1,1\n", "column 'Head' of map m is missing: is it the right map"),
        ("t,Flow,Head,Temp\n1,1,1,1\n", "says nothing about column 'Temp': make it a"),
        ("t,Flow,Head,Head\n1,1,1,1\n", "column 'Head' is there twice"),
        ("", "is missing"),
        ("t,Flow,Head\n", "no row with an instant"),
        ("t,Flow,Head\nsoon,1,1\n", "no row with an instant"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_anything_is_sent(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(MapError, match=message) as caught:
        make(tmp_path, text)
    assert str(caught.value).startswith("a.csv: ")


def test_bytes_that_are_no_text_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"t,Flow,Head\n1,\xff\xfe,1\n")
    with pytest.raises(MapError, match=r"a\.csv: cannot be read with map m"):
        plan(parse_map(MAP, "m"), [path])


def test_no_files_is_a_mistake() -> None:
    with pytest.raises(MapError, match="no files"):
        plan(parse_map(MAP, "m"), [])


def by_asset(frames: list[Frame]) -> dict[str, list[tuple[int, list[float | None]]]]:
    ordered = sorted(frames, key=lambda frame: (frame.asset, frame.seq))
    return {name: rows_of(list(some)) for name, some in itertools.groupby(ordered, key=lambda f: f.asset)}


cells = st.none() | st.integers(-1000, 1000)


@given(st.lists(st.tuples(st.sampled_from("ab"), cells, cells), min_size=1, max_size=40), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_frames_of_any_size_carry_exactly_the_files_values(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int | None, int | None]], size: int
) -> None:
    lines = [
        f"{a},{t},{'' if x is None else x},{'' if y is None else y}\n" for t, (a, x, y) in enumerate(rows)
    ]
    path = tmp_path_factory.mktemp("cut") / "p.csv"
    path.write_text("id,t,Flow,Head\n" + "".join(lines))
    file_map: FileMap = parse_map(INTERLEAVED.replace("= 3", f"= {size}"), "m")
    frames = list(plan(file_map, [path])[0].frames())
    assert all(len(frame.ts_us) <= size for frame in frames)
    assert by_asset(frames) == {
        f"p-{name}": [(t, [x, y]) for t, (a, x, y) in enumerate(rows) if a == name]
        for name in sorted({a for a, _, _ in rows})
    }
    for name in {frame.asset for frame in frames}:
        numbers = [frame.seq for frame in frames if frame.asset == name]
        assert numbers == list(range(len(numbers)))
