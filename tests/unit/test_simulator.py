import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from fleet.asset import Fleet
from fleet.catalog import packs
from fleet.clock import microseconds
from streams.simulator.demo import demo_faults, demo_fleet
from streams.simulator.dynamics import Wander
from streams.simulator.fault import OUT_OF_RANGE, STUCK, Fault, truth
from streams.simulator.histories import LIVES, run_to_failure
from streams.simulator.simulate import begin, simulate
from streams.simulator.thermal import ONAF_EXAMPLE, ONAN, ThermalModel, ageing_rate
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame

START = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)

Values = NDArray[np.float64]


def only(*names: str) -> Fleet:
    fleet = demo_fleet()
    return replace(fleet, assets=tuple(asset for asset in fleet.assets if asset.name in names))


def gathered(frames: list[Frame]) -> dict[str, tuple[NDArray[np.int64], dict[str, Values]]]:
    """By asset: instants, and values by channel."""
    parts = defaultdict(list)
    for frame in frames:
        parts[frame.asset].append(frame)
    return {
        name: (
            np.concatenate([frame.ts_us for frame in mine]),
            dict(
                zip(
                    mine[0].channels,
                    np.concatenate([frame.values for frame in mine], axis=1).astype(float),
                    strict=True,
                )
            ),
        )
        for name, mine in parts.items()
    }


def life(name: str, *faults: Fault, days: int = 7, seed: int = 1) -> dict[str, Values]:
    return gathered(list(simulate(only(name), START, timedelta(days=days), seed, faults)))[name][1]


def test_what_ends_now_ends_with_the_minute_before_now_on_whole_minutes() -> None:
    now = datetime(2026, 1, 5, 10, 34, 27, tzinfo=UTC)
    hours = timedelta(hours=3)
    frames = list(simulate(only("lift-a", "mill-1"), begin(now, hours), hours, 7))
    ends = {frame.asset: int(frame.ts_us[-1]) for frame in frames}
    assert set(ends.values()) == {microseconds(datetime(2026, 1, 5, 10, 33, tzinfo=UTC))}


def test_the_standards_transformer_has_its_temperatures() -> None:
    n = np.full(2000, 1.0)
    for load, oil, hot_spot, ageing in ((1.0, 72.0, 98.0, 1.0), (1.3, 95.41, 131.98, 50.7)):
        found = ThermalModel(ONAF_EXAMPLE, 5.0, 0.3).run(20 * n, load * n, 60.0)
        assert (found[0][-1], found[1][-1]) == pytest.approx((oil, hot_spot), abs=0.01)
        assert ageing_rate(found[1])[-1] == pytest.approx(ageing, rel=1e-3)


def test_a_load_step_makes_the_hot_spot_overshoot_the_oil() -> None:
    n = np.ones(1000)
    oil, hot_spot = ThermalModel(ONAF_EXAMPLE, 20.0, 0.5).run(20 * n, n, 60.0)
    assert (np.diff(oil) > 0).all()
    assert (hot_spot - oil).max() > (hot_spot - oil)[-1] + 2  # IEC 60076-7: k21 above 1


def test_a_model_goes_on_where_it_stopped() -> None:
    rng = np.random.default_rng(3)
    ambient, load = rng.uniform(0, 30, 100), rng.uniform(0, 1.2, 100)
    whole = ThermalModel(ONAN, 15.0, 0.4).run(ambient, load, 300.0)
    parts = ThermalModel(ONAN, 15.0, 0.4)
    first, second = (parts.run(ambient[cut], load[cut], 300.0) for cut in (slice(0, 37), slice(37, None)))
    np.testing.assert_allclose(np.concatenate([first[1], second[1]]), whole[1], rtol=1e-12)


def test_weather_goes_on_where_it_stopped() -> None:
    whole = Wander(3600.0, 2.0).walk(np.random.default_rng(3), 500, 60.0)
    parts, rng = Wander(3600.0, 2.0), np.random.default_rng(3)
    np.testing.assert_allclose(np.concatenate([parts.walk(rng, 99, 60.0), parts.walk(rng, 401, 60.0)]), whole)


def test_the_demo_fleet_has_ratings_for_its_hot_spot_its_brakes_and_its_spindle() -> None:
    counted = {
        one.name: limit.limit
        for asset in demo_fleet().assets
        for one in packs()[asset.equipment_type].modelled
        if (limit := one.of(asset.ratings))
    }
    assert counted == {"brake": 4e6, "insulation-by-load": 180_000.0, "spindle-bearing": 1.0}


def test_the_demo_fleet_reports_every_minute_within_its_ranges() -> None:
    fleet = demo_fleet()
    found = gathered(list(simulate(fleet, START, timedelta(days=2), 1)))
    assert set(found) == {asset.name for asset in fleet.assets}
    for asset in fleet.assets:
        ts_us, values = found[asset.name]
        assert len(ts_us) == 2 * 1440
        assert set(np.diff(ts_us)) == {60_000_000}
        pack = packs()[asset.equipment_type]
        of_waveforms = {name for point in pack.points for name in (point.kurtosis, *point.lines)}
        of_waveforms |= {name for name in pack.of_waveforms if name.startswith("ride_")}
        for channel in pack.equipment_type.channels:
            readings = values[channel.name]
            there = readings[~np.isnan(readings)]
            if channel.name in of_waveforms:
                assert not len(there), "they come with blocks alone"
                continue
            assert len(there) > 500
            assert channel.low <= there.min()
            assert there.max() <= channel.high
            if channel.kind == "counter":
                assert (np.diff(there) >= 0).all()
                assert there[-1] > there[0]


def test_what_belongs_to_a_trip_is_missing_while_the_car_stands() -> None:
    values = life("lift-a", days=2)
    standing = values["motion"] == 0
    assert 0.2 < standing.mean() < 0.9
    assert np.isnan(values["door_close_time"][standing]).all()
    assert not np.isnan(values["door_close_time"][~standing]).any()
    assert values["motor_current"][~standing].mean() > 10 * values["motor_current"][standing].mean()


def test_a_blocked_door_opens_again_and_its_counter_and_its_states_say_so() -> None:
    blocked = Fault("lift-a", "door-obstruction", 0.0, 1.0)
    for faults, least, most in (((), 0.02, 0.12), ((blocked,), 0.8, 1.2)):
        (values,) = (each for _, each in gathered(list(by_seconds(*faults))).values())
        trips, cycles = np.ptp(values["trips"]), np.ptp(values["door_cycles"])
        assert least < cycles / trips - 1 < most
        opens = np.count_nonzero((values["door"][1:] == 3) & (values["door"][:-1] != 3))
        assert opens == pytest.approx(cycles, abs=2)


def by_seconds(*faults: Fault) -> Iterator[Frame]:
    """A day of a lift, a row a second."""
    return simulate(only("lift-a"), START, timedelta(days=1), 1, faults, 1)


def test_a_worn_brake_takes_longer_to_stop_the_car_but_within_the_limit() -> None:
    sound, worn = (life("lift-a", *faults) for faults in ((), (Fault("lift-a", "brake-wear", 0.0, 1.0),)))
    ways = [np.nanmedian(values["brake_stopping_distance"]) for values in (sound, worn)]
    assert ways[1] == pytest.approx(2.2 * ways[0], rel=0.05)
    assert np.nanmax(worn["brake_stopping_distance"]) < 1200


def test_the_machine_tool_cuts_on_shift_and_rests_at_night() -> None:
    values = life("mill-1")
    by_hour = (values["program"] > 0).reshape(7, 24, 60).mean(axis=(0, 2))
    assert (by_hour[6:20] > 0.7).all()
    assert (by_hour[:6] == 0).all()
    assert set(values["program"]) == {0, 1, 2, 3}
    hourly = np.diff(values["energy_used"][59::60].astype(np.float64))
    by_night = np.array([hour % 24 < 5 for hour in range(len(hourly))])
    assert 3.0 < hourly[by_night].max() < 3.5 < 5 < hourly[~by_night].max() < 15, "kWh: it stays on"


def test_a_broken_tool_takes_less_load_in_its_program_and_nothing_else_does() -> None:
    sound, broken = life("mill-1"), life("mill-1", Fault("mill-1", "tool-breakage", 0.0, 1.0))
    lighter = sound["spindle_load"] != broken["spindle_load"]
    (number,) = set(sound["program"][lighter])
    assert number > 0
    assert (lighter == (sound["program"] == number)).all()
    for channel, left in (("spindle_load", 0.4), ("feed_axis_load", 0.75)):
        assert (broken[channel] / sound[channel])[lighter] == pytest.approx(left, abs=0.02)
        np.testing.assert_array_equal(broken[channel][~lighter], sound[channel][~lighter])
    np.testing.assert_array_equal(broken["spindle_vibration"], sound["spindle_vibration"])


def test_the_same_seed_gives_the_same_values_however_they_are_cut() -> None:
    day = timedelta(days=3)
    hourly = gathered(list(simulate(demo_fleet(), START, day, 5, demo_faults())))
    odd = gathered(list(simulate(demo_fleet(), START, day, 5, demo_faults(), rows_per_frame=97)))
    for name in hourly:
        np.testing.assert_array_equal(hourly[name][0], odd[name][0])
        for channel in hourly[name][1]:
            np.testing.assert_array_equal(hourly[name][1][channel], odd[name][1][channel])


def test_a_longer_run_begins_like_a_shorter_one_and_another_seed_does_not() -> None:
    short, longer, other = life("t1", days=2), life("t1", days=3), life("t1", days=2, seed=2)
    for channel, values in short.items():
        np.testing.assert_array_equal(values, longer[channel][: len(values)])
    assert (short["hydrogen"] != other["hydrogen"]).any()
    assert (short["hydrogen"][:1440] != short["hydrogen"][1440:]).any()


def test_another_machine_in_the_fleet_changes_nothing() -> None:
    alone = life("lift-b", days=2)
    among = gathered(list(simulate(demo_fleet(), START, timedelta(days=2), 1)))["lift-b"][1]
    np.testing.assert_array_equal(alone["motor_current"], among["motor_current"])


def test_a_start_within_the_day_cuts_the_day() -> None:
    at_ten = START + timedelta(hours=10, minutes=7)
    ts_us, values = gathered(list(simulate(only("lift-a"), at_ten, timedelta(hours=30), 1)))["lift-a"]
    whole = life("lift-a", days=2)
    assert len(ts_us) == 30 * 60
    np.testing.assert_array_equal(values["motor_current"], whole["motor_current"][607 : 607 + 1800])


def test_frames_come_in_the_order_of_time_and_can_be_sent() -> None:
    frames = list(simulate(demo_fleet(), START, timedelta(hours=30), 1))
    ends = [int(frame.ts_us[-1]) for frame in frames]
    assert ends == sorted(ends)
    for name, some in itertools.groupby(sorted(frames, key=lambda f: f.asset), key=lambda f: f.asset):
        mine = list(some)
        assert [frame.seq for frame in mine] == list(range(len(mine))), name
        assert len({frame.boot_id for frame in mine}) == 1
    assert {frame.tenant for frame in frames} == {"harbour", "northgrid", "precision"}
    assert all(encode_binary(frame) for frame in frames)


def test_one_hertz_shows_the_same_trips() -> None:
    (frames,) = [
        list(simulate(only("lift-a"), START, timedelta(days=1), 1, interval_s=1, rows_per_frame=3600))
    ]
    _, fine = gathered(frames)["lift-a"]
    coarse = life("lift-a", days=1)
    assert fine["trips"][-1] == coarse["trips"][-1]
    assert 0 < (fine["motion"] > 0).mean() < (coarse["motion"] > 0).mean()


def test_a_fault_grows_from_nothing_at_onset_to_one_at_failure() -> None:
    fault = Fault("x", "door-drive", 10.0, 20.0, shape=2.0)
    np.testing.assert_allclose(fault.shows(np.array([0.0, 10, 15, 20, 30])), [0, 0, 0.25, 1, 1])
    milder = replace(fault, severity=0.6)
    np.testing.assert_allclose(milder.shows(np.array([0.0, 15, 30])), [0, 0.15, 0.6])


def test_a_stuck_sensor_says_one_thing_and_a_broken_one_more_than_it_can() -> None:
    faults = (
        Fault("lift-a", STUCK, 20.0, 60.0, "motor_temperature"),
        Fault("lift-a", OUT_OF_RANGE, 20.0, 60.0, "brake_temperature"),
    )
    values, healthy = life("lift-a", *faults, days=3), life("lift-a", days=3)
    broken = slice(20 * 60, 60 * 60)
    assert set(values["motor_temperature"][broken]) == {values["motor_temperature"][20 * 60]}
    assert (values["brake_temperature"][broken] > 250).all()
    for channel in healthy:
        np.testing.assert_array_equal(values[channel][60 * 60 :], healthy[channel][60 * 60 :])
        if not channel.endswith("r_temperature") and channel != "brake_temperature":
            np.testing.assert_array_equal(values[channel], healthy[channel])


def test_the_truth_is_json_with_instants() -> None:
    entries = json.loads(json.dumps(truth(demo_faults(), START)))
    first = entries[0]
    assert (first["asset"], first["mode"], first["kind"]) == ("lift-b", "door-drive", "machine")
    assert datetime.fromisoformat(first["onset"]) == START + timedelta(days=14)
    assert {entry["kind"] for entry in entries} == {"machine", "sensor"}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("lift-z", "door-drive", 1, 2), "the fleet has no asset 'lift-z'"),
        (Fault("lift-a", "oil-leak", 1, 2), "elevator knows .* not 'oil-leak'"),
        (Fault("lift-a", STUCK, 1, 2, "oil_level"), "not 'oil_level'"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(fault: Fault, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(demo_fleet(), START, WEEK, 1, [fault])


def test_an_interval_that_does_not_divide_the_day_is_refused() -> None:
    with pytest.raises(ValueError, match="must divide a day"):
        simulate(demo_fleet(), START, WEEK, 1, interval_s=7)
    with pytest.raises(ValueError, match="onset_h < failure_h"):
        Fault("x", "door-drive", 5, 5)


@pytest.mark.parametrize("kind", sorted(LIVES))
def test_a_life_goes_from_health_to_the_limit(kind: str) -> None:
    runs = run_to_failure(kind, 12, seed=4)
    for run in runs:
        level = run.history.x[:, 0]
        assert run.failed
        assert (np.diff(run.history.age_h) > 0).all()
        assert level[0] < 0.15
        assert level[-1] == 1.0
        assert ((level >= 0) & (level <= 1)).all()
    assert len({run.history.age_h[-1] for run in runs}) == 12
    again = run_to_failure(kind, 12, seed=4)
    np.testing.assert_array_equal(again[7].history.x, runs[7].history.x)
    assert kind in packs()
