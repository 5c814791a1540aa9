"""A simulated lift whose car has an accelerometer sends its rides, and worn guide shoes show in them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.rating import Ratings
from fleet.ride_point import RATE
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.dynamics import Array
from streams.simulator.fault import Fault
from streams.simulator.simulate import simulate

START = datetime(2026, 3, 2, tzinfo=UTC)
SAMPLED: Ratings = {RATE.name: 256.0}
PACK = packs()["elevator"]
RIDES = tuple(name for name in PACK.of_waveforms if name.startswith("ride_"))


def lift(
    ratings: Ratings, *faults: Fault, days: int = 1, interval_s: int = 600
) -> tuple[Rows, dict[str, Array]]:
    asset = Asset(0, "t", "s", "m", "elevator", ratings=ratings)
    fleet = Fleet((Tenant("t"),), (Site("t", "s"),), (asset,), (PACK.equipment_type,))
    frames = list(simulate(fleet, START, timedelta(days=days), 5, faults, interval_s))
    values = np.concatenate([frame.values.T for frame in frames])
    rows = Rows(np.zeros(len(values), np.int32), np.concatenate([f.ts_us for f in frames]), values)
    return rows, dict(zip(frames[0].channels, values.T.astype(np.float64), strict=True))


def test_worn_guide_shoes_shake_the_car_and_leave_the_drive_alone() -> None:
    _, sound = lift(SAMPLED)
    _, worn = lift(SAMPLED, Fault("m", "guide-wear", 0.0, 1.0))
    grown = {name: np.nanmedian(worn[name]) / np.nanmedian(sound[name]) for name in RIDES}
    assert grown["ride_vertical_a95"] > 2
    assert grown["ride_horizontal_a95"] > 2
    for name in ("ride_acceleration", "ride_acceleration_a95", "ride_jerk"):
        assert grown[name] == pytest.approx(1.0, abs=0.1)
    for limit in PACK.limits:
        if limit.channel in RIDES:
            assert np.nanmax(sound[limit.channel]) < limit.at


def test_rides_come_with_a_car_that_runs_and_has_an_accelerometer() -> None:
    _, sampled = lift(SAMPLED)
    np.testing.assert_array_equal(np.isnan(sampled["ride_jerk"]), sampled["motion"] == 0)
    _, plain = lift({})
    for name, values in plain.items():
        if name in RIDES:
            assert np.isnan(values).all()
        else:
            np.testing.assert_array_equal(values, sampled[name])


def test_the_live_code_names_worn_guide_shoes_by_rides_alone() -> None:
    rows, _ = lift(SAMPLED, Fault("m", "guide-wear", 72.0, 120.0), days=5, interval_s=300)
    others = [PACK.equipment_type.column(name) for name in ("vibration_vertical", "vibration_horizontal")]
    rows.values[:, others] = np.nan
    pack = replace(PACK, detection=replace(PACK.detection, baseline_rows=200, off_delay_s=86_400.0))
    told = Scorer(pack).score(rows, lambda _: ("t", "m")).episodes
    found = {row.episode_id: row for row in told if row.kind == "machine"}
    (episode,) = found.values()
    assert episode.evidence["code"] == "guide-wear"
    named = {one["channel"] for one in episode.evidence["evidence"]}
    assert {"ride_vertical_a95", "ride_horizontal_a95"} & named
    assert episode.onset_us > rows.ts_us[0] + 72 * 3_600_000_000
