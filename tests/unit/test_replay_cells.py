from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.asset import Channel
from fleet.clock import microseconds
from streams.replay.cells import channel_values, instants
from streams.replay.mapping import Source, Time

CHANNEL = Channel("temperature", "°C")


def values(
    cells: list[str | None], source: Source | None = None, decimal: str = "."
) -> tuple[list[float], int]:
    found, unreadable = channel_values(pa.array(cells, pa.string()), source or Source("t", CHANNEL), decimal)
    return found.tolist(), unreadable


def us(*cells: str, time: Time) -> list[int | None]:
    ts_us, certain = instants(pa.array(cells, pa.string()), time)
    return [int(t) if ok else None for t, ok in zip(ts_us, certain, strict=True)]


@pytest.mark.parametrize(
    "cell", ["18. Jan", "nan", "inf", "-Infinity", "1e400", "1e39", "0x10", "1_000", "1,5", "."]
)
def test_a_cell_that_is_no_number_is_missing_and_counted(cell: str) -> None:
    found, unreadable = values(["1.5", cell, None, "2"])
    assert np.isnan(found).tolist() == [False, True, True, False]
    assert unreadable == 1


def test_blanks_signs_and_exponents_are_read() -> None:
    found, unreadable = values([" 1.5 ", "+2", "-3.0E+01", ".5", "5.", "18. Jan"])
    assert found[:5] == [1.5, 2, -30, 0.5, 5]
    assert unreadable == 1


def test_a_decimal_comma_is_read() -> None:
    assert values(["1,5", "-0,25", "x"], decimal=",") == ([1.5, -0.25, pytest.approx(np.nan, nan_ok=True)], 1)


def test_units_are_converted_by_scale_and_offset() -> None:
    fahrenheit = Source("t", CHANNEL, scale=5 / 9, offset=-160 / 9)
    assert values(["32", "212"], fahrenheit)[0] == pytest.approx([0, 100], abs=1e-5)


def test_texts_become_codes_and_strange_ones_missing() -> None:
    source = Source("d", CHANNEL, codes={"UP": 1.0, "DOWN": 2.0})
    found, unreadable = values(["UP", " DOWN", None, "SIDEWAYS"], source)
    assert found[:2] == [1, 2]
    assert np.isnan(found[2:]).all()
    assert unreadable == 1


@given(st.lists(st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
def test_any_number_written_out_comes_back(numbers: list[float | None]) -> None:
    found, unreadable = values([None if x is None else repr(x) for x in numbers])
    assert unreadable == 0
    assert [None if np.isnan(x) else x for x in found] == numbers


NOON = microseconds(datetime(2020, 3, 9, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("cell", "form", "timezone"),
    [
        ("2020-03-09 12:00:00", "iso", "UTC"),
        ("2020-03-09T12:00", "iso", "UTC"),
        ("2020-03-09T12:00:00.000Z", "iso", "Asia/Shanghai"),
        ("2020-03-09 20:00:00", "iso", "Asia/Shanghai"),
        ("2020-03-09T13:00:00+01:00", "iso", "UTC"),
        ("09.03.2020 13:00", "%d.%m.%Y %H:%M", "Europe/Berlin"),
        ("03/09/20 12:00:00 PM", "%m/%d/%y %I:%M:%S %p", "UTC"),
        ("2020-03-09 07:00:00-0500", "%Y-%m-%d %H:%M:%S%z", "UTC"),
        ("1583755200", "s", "UTC"),
        ("1583755200.0", "s", "UTC"),
        ("1583755200000", "ms", "UTC"),
        ("1583755200000000", "us", "UTC"),
    ],
)
def test_an_instant_is_read_in_its_format_and_zone(cell: str, form: str, timezone: str) -> None:
    time = Time("t", form, timezone)
    assert us(cell, time=time) == [NOON]
    assert us(cell, "soon", "", time=time) == [NOON, None, None]


def test_fractions_of_a_second_are_kept() -> None:
    assert us("1583755200.25", time=Time("t", "s")) == [NOON + 250_000]
    assert us("2020-03-09 12:00:00.000001", time=Time("t", "iso")) == [NOON + 1]


@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M:%S"])
def test_a_local_time_that_a_clock_change_repeats_or_skips_is_not_guessed(form: str) -> None:
    time = Time("t", form, "Europe/Berlin")
    ambiguous, skipped = us("2025-10-26 02:30:00", "2025-03-30 02:30:00", time=time)
    assert (ambiguous, skipped) == (None, None)
    assert None not in us("2025-10-26 01:59:59", "2025-10-26 03:00:00", time=time)


def test_instants_no_frame_can_hold_are_uncertain() -> None:
    assert us("1583755200000", "-1", "1e300", time=Time("t", "s")) == [None, None, None]


def test_cycles_are_steps_from_the_start() -> None:
    time = Time("c", start=datetime(2020, 3, 9, 11, tzinfo=UTC), step_s=3600)
    assert us("1", "x", "3", time=time) == [NOON, None, NOON + 2 * 3600 * 1_000_000]


@pytest.mark.parametrize("timezone", ["UTC", None])
def test_typed_timestamps_need_no_format(timezone: str | None) -> None:
    stamps = pa.array([datetime(2020, 3, 9, 12), None], pa.timestamp("ns", timezone))
    ts_us, certain = instants(stamps, Time("t", "iso"))
    assert certain.tolist() == [True, False]
    assert ts_us[0] == NOON
