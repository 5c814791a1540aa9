"""Rows that carry waveforms become rows of numbers, and blocks that show nothing say why."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.bearing import Bearing
from fleet.asset import FleetError
from fleet.catalog import packs
from fleet.dead_letter import Reason
from fleet.rating import Ratings
from streams.simulator.vibration import Housing, State, block
from streams.waveforms import Reduced, read_waveforms, reduce
from streams.wire.frame import FrameError
from streams.wire.text import decode_json

PACK = packs()["machine-tool"]
POINT = PACK.points[0]
BEARING = Bearing(19, 9.525, 92.5, 15.0)
RATINGS: Ratings = {
    "spindle_bearing_rollers": 19.0,
    "spindle_bearing_roller_diameter": 9.525,
    "spindle_bearing_pitch_diameter": 92.5,
    "spindle_bearing_contact_angle": 15.0,
}
RATE_HZ, SPEED = 12_800.0, 8_000.0


def samples(impacts: float = 0.0, damage: str = "outer", n: int = 8192) -> NDArray[np.float64]:
    """m/s² of a spindle at 8000 r/min: 0.8 mm/s, noise of 4 m/s²."""
    state = State(SPEED / 60, 0.8, 4.0, impacts)
    housing = Housing(RATE_HZ, n, POINT.band)
    return block(housing, BEARING.orders(), damage, state, np.random.default_rng(6)).samples


def message(of: NDArray[np.float64] | list[Any], values: Any = None, **more: Any) -> bytes:
    waveform = {"rate_hz": RATE_HZ, "unit": "m/s²", "samples": list(of)} | more
    values = {"program": 1, "spindle_speed": SPEED} if values is None else values
    row = {"asset": "mill-1", "ts": "2026-03-01T12:00:00Z", "values": values}
    return json.dumps(row | {"waveforms": {"spindle": waveform}}).encode()


def taken(data: bytes, ratings: Ratings = RATINGS) -> Reduced:
    return reduce(read_waveforms(data), PACK, ratings)


def cure(data: bytes, ratings: Ratings = RATINGS) -> str:
    """What is said of the one block that is bad."""
    found = taken(data, ratings)
    assert not found.shown
    (bad,) = found.bad
    return bad.detail


def test_a_block_becomes_values_of_its_row_and_no_sample_is_left() -> None:
    found = taken(message(samples()))
    frame = decode_json(found.message)
    values = dict(zip(frame.channels, frame.values[:, 0].tolist(), strict=True))
    assert values.keys() == {"program", "spindle_speed", *POINT.channels}
    assert values["spindle_vibration"] == pytest.approx(0.8, rel=0.02)
    assert values["spindle_envelope"] == pytest.approx(4.0, rel=0.1)
    assert values["spindle_kurtosis"] == pytest.approx(3.0, rel=0.1)
    assert all(6 < values[name] < 14 for name in POINT.lines)
    assert (frame.asset, frame.seq, len(frame.ts_us)) == ("mill-1", int(frame.ts_us[0]), 1)
    assert not found.bad


def test_the_same_message_is_the_same_row_again() -> None:
    assert taken(message(samples())).message == taken(message(samples())).message


@pytest.mark.parametrize(
    ("damage", "channel"), [("outer", "spindle_bpfo"), ("inner", "spindle_bpfi"), ("element", "spindle_bsf")]
)
def test_damage_shows_in_its_own_line_while_the_level_hardly_moves(damage: str, channel: str) -> None:
    sound, damaged = taken(message(samples())).shown, taken(message(samples(2.5, damage))).shown
    others = set(POINT.lines) - {channel}
    assert damaged[channel] > sound[channel] + 6
    assert damaged[channel] > max(damaged[name] for name in others) + 4
    assert damaged["spindle_envelope"] < 1.25 * sound["spindle_envelope"]
    assert damaged["spindle_vibration"] == pytest.approx(sound["spindle_vibration"], rel=0.02)


def test_units_and_the_blocks_own_speed_count() -> None:
    in_g = taken(message(samples() / 9.80665, {"program": 1}, unit="g", speed=SPEED)).shown
    assert in_g == pytest.approx(taken(message(samples())).shown, rel=1e-9)


def test_factors_of_the_maker_say_the_same_as_the_geometry() -> None:
    orders = BEARING.orders()
    factors = {f"spindle_bearing_{name}": getattr(orders, name) for name in ("bpfo", "bpfi", "bsf")}
    assert taken(message(samples(9.0)), factors).shown == pytest.approx(taken(message(samples(9.0))).shown)


def test_a_bearing_of_which_nothing_is_known_has_levels_alone() -> None:
    found = taken(message(samples(9.0), {"program": 1}), {})
    assert found.shown.keys() == {"spindle_vibration", "spindle_envelope", "spindle_kurtosis"}


def test_a_value_that_the_sender_gives_stays_and_null_is_none() -> None:
    values = {"spindle_speed": SPEED, "spindle_vibration": 7.0, "spindle_envelope": None}
    kept = json.loads(taken(message(samples(), values)).message)["values"]
    assert kept["spindle_vibration"] == 7.0
    assert kept["spindle_envelope"] == pytest.approx(4.0, rel=0.1)


def test_a_line_beyond_the_width_of_the_band_has_no_value() -> None:
    found = taken(message(samples(), speed=24_000.0)).shown
    assert "spindle_bpfi" not in found  # 10.4 rollers pass in a turn, 400 turns a second: more than 3 kHz
    assert "spindle_vibration" in found


STILL = {"spindle_speed": 0.0}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (message(samples(n=1024)), "too_short: send 2048 samples or more, while 8 rollers pass"),
        (message(samples(n=2048), speed=200.0), "too_short"),
        (message(np.zeros(4096)), "constant: check sensor and cable"),
        (message(np.clip(samples(), -6, 6)), "clipped: set a wider range"),
        (message(samples(), rate_hz=10_000), "low_rate: spindle is sampled at 12800 Hz or more"),
        (
            message([*samples(), 1e308 * 10]).replace(b"Infinity", b"1e400"),
            "not_measured: check scale and unit",
        ),
        (message([*samples(), 1e308]), "not_measured"),
        (message(samples(), rate_hz=100_000), "too_short"),
        (
            message(samples(), {"program": 1}),
            "no_speed: say r/min above 0, as speed of the block or spindle_",
        ),
        (message(samples(), STILL), "no_speed"),
        (message(samples(), speed="8000"), "no_speed"),
        (message(samples(), unit="V"), "unit is one of m/s², m/s2, g, not 'V'"),
        (message(samples(), rate_hz=0), "rate_hz is a number above 0"),
        (message(["1"] * 4096), "samples is an array of numbers"),
        (message([None] * 4096), "samples is an array of numbers"),
        (message([10**400] * 4096), "check scale and unit"),
        (message(samples(), colour="red"), "a block has rate_hz, samples, unit, and may have speed"),
        (
            message(samples()).replace(b'"spindle":', b'"gearbox":'),
            "no such measuring point: known is spindle",
        ),
    ],
)
def test_a_block_that_shows_nothing_says_what_to_do(data: bytes, says: str) -> None:
    assert says in cure(data)


def ride(seconds: float = 12.0, **more: Any) -> bytes:
    """A lift's trip at 256 Hz, which starts with 1 m/s² for two seconds, and stops so, with gravity in it."""
    at_s = np.arange(0, seconds, 1 / 256)
    start, stop = (at_s > 0.5) & (at_s < 2.5), (at_s > seconds - 2.5) & (at_s < seconds - 0.5)
    x = 9.81 + 1.0 * start - 1.0 * stop + 0.03 * np.sin(2 * np.pi * 8 * at_s)
    block = {"rate_hz": 256, "unit": "m/s²", "samples": x.tolist()} | more
    row = {"asset": "lift-a", "ts": "2026-03-01T12:00:00Z", "values": {"motion": 1}}
    return json.dumps(row | {"waveforms": {"car-vertical": block}}).encode()


def test_a_lifts_trip_becomes_its_ride() -> None:
    found = reduce(read_waveforms(ride()), packs()["elevator"], {})
    assert found.bad == []
    assert json.loads(found.message)["values"] == {"motion": 1, **found.shown}
    assert found.shown["ride_acceleration"] == pytest.approx(1.0, rel=0.15)
    assert found.shown["ride_vertical_a95"] == pytest.approx(0.06, rel=0.3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (ride(2.0), "too_short: send the whole trip, 3 s or more"),
        (
            ride(samples=(9.81 + 0.01 * np.sin(np.arange(2000.0))).tolist()),
            "no_trip: send the trip from standstill to standstill",
        ),
        (ride(rate_hz=100), "low_rate: car-vertical is sampled at 256 Hz or more"),
        (ride().replace(b"car-vertical", b"cabin"), "known is car-vertical, car-horizontal"),
    ],
)
def test_what_is_no_ride_says_what_to_send(data: bytes, says: str) -> None:
    (bad,) = reduce(read_waveforms(data), packs()["elevator"], {}).bad
    assert says in bad.detail


def test_too_many_samples_are_refused() -> None:
    assert "too_long: send at most 131072" in cure(message(samples(n=(1 << 17) + 1)))


def test_the_crest_of_a_slow_vibration_is_not_taken_for_clipping() -> None:
    """In steps of a converter it stays at its highest value for dozens of samples."""
    slow = np.round(1000 * np.sin(2 * np.pi * 15 * np.arange(8192) / RATE_HZ))
    assert not taken(message(slow)).bad


def test_a_bad_block_leaves_the_rest_of_the_row() -> None:
    found = taken(message(samples(), rate_hz=1000))
    assert json.loads(found.message)["values"] == {"program": 1, "spindle_speed": SPEED}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", Reason.BAD_JSON),
        (b"[]", Reason.SCHEMA_INVALID),
        (b'{"asset": "mill-1", "values": {}}', Reason.SCHEMA_INVALID),
        (b'{"waveforms": []}', Reason.SCHEMA_INVALID),
        (b'{"waveforms": {}, "values": [1, 2]}', Reason.SCHEMA_INVALID),
        (b'{"waveforms": {"a": {"samples": [NaN]}}}', Reason.NAN_OR_INF),
    ],
)
def test_what_is_no_such_message_is_refused(data: bytes, reason: Reason) -> None:
    with pytest.raises(FrameError) as error:
        read_waveforms(data)
    assert error.value.reason is reason


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(ANYTHING, ANYTHING, st.sampled_from(["rate_hz", "unit", "samples", "speed"]))
def test_whatever_a_block_holds_it_becomes_values_or_says_why(values: Any, odd: Any, key: str) -> None:
    try:
        found = taken(message(samples(), values, **{key: odd}))
    except FrameError:
        return
    assert bool(found.shown) != bool(found.bad)


# Ratings in the fleet file


def test_half_a_bearing_is_refused_with_the_rest_of_it() -> None:
    with pytest.raises(
        FleetError, match="spindle_bearing_roller_diameter, spindle_bearing_pitch_diameter is"
    ):
        PACK.read_ratings({"spindle_bearing_rollers": 19})
    with pytest.raises(FleetError, match="spindle_bearing: needs 3 rollers, smaller than their circle"):
        PACK.read_ratings(
            {
                "spindle_bearing_rollers": 19,
                "spindle_bearing_roller_diameter": "92.5 mm",
                "spindle_bearing_pitch_diameter": "9.525 mm",
            }
        )


def test_a_geared_shaft_turns_faster_than_the_channel_says() -> None:
    pack = packs()["wind-turbine"]
    generator = pack.point("generator")
    assert generator is not None
    bearing = {"generator_bearing_bpfo": 3.6, "generator_bearing_bpfi": 5.4, "generator_bearing_bsf": 2.4}
    assert generator.orders(bearing) is None, "its gear is not known"
    orders = generator.orders(bearing | {"gear_ratio": 100.0})
    assert orders is not None
    assert (orders.bpfo, orders.ftf) == pytest.approx((360.0, 40.0))
