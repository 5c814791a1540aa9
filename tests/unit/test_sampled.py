"""A simulated machine whose bearing the fleet file knows comes with what its blocks show."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from console.bench.verticals.waveforms import RATINGS
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.rating import Ratings
from streams.simulator.dynamics import Array
from streams.simulator.fault import Fault
from streams.simulator.simulate import simulate
from streams.simulator.source import Source

START = datetime(2026, 3, 2, tzinfo=UTC)
POINTS = [(kind, point.name) for kind in RATINGS for point in packs()[kind].points]
MODES = {"spindle": "spindle-bearing", "main-bearing": "main-bearing", "generator": "generator-bearing"}


def day(kind: str, ratings: Ratings, *faults: Fault) -> dict[str, Array]:
    """A row in ten minutes."""
    asset = Asset(0, "t", "s", "m", kind, ratings=ratings)
    fleet = Fleet((Tenant("t"),), (Site("t", "s"),), (asset,), (packs()[kind].equipment_type,))
    frames = list(simulate(fleet, START, timedelta(days=1), 5, faults, 600))
    values = np.concatenate([frame.values for frame in frames], axis=1).astype(np.float64)
    return dict(zip(frames[0].channels, values, strict=True))


@pytest.mark.parametrize(("kind", "name"), POINTS)
def test_the_lines_of_a_damaged_part_stand_out_and_those_of_a_sound_bearing_do_not(
    kind: str, name: str
) -> None:
    point = packs()[kind].point(name)
    assert point is not None
    sound = day(kind, RATINGS[kind])
    damaged = day(kind, RATINGS[kind], Fault("m", MODES[name], 0.0, 1.0))
    turning = ~np.isnan(sound[point.lines[0]])
    assert turning.sum() > 20
    medians = {line: (np.nanmedian(sound[line]), np.nanmedian(damaged[line])) for line in point.lines}
    assert all(0 < before < 14 for before, _ in medians.values())
    assert max(after - before for before, after in medians.values()) > 6


@pytest.mark.parametrize("kind", RATINGS)
def test_what_the_machine_measures_itself_is_as_it_was_without_blocks(kind: str) -> None:
    sampled, plain = day(kind, RATINGS[kind]), day(kind, {})
    shown = {
        name for point in packs()[kind].points for name in (point.envelope, point.kurtosis, *point.lines)
    }
    new = {name for name, values in plain.items() if np.isnan(values).all()}
    assert new <= shown
    for name in plain.keys() - new:
        np.testing.assert_array_equal(sampled[name], plain[name])
    for channel in packs()[kind].equipment_type.channels:
        there = sampled[channel.name][~np.isnan(sampled[channel.name])]
        assert channel.low <= there.min() <= there.max() <= channel.high


def test_a_standing_spindle_is_not_sampled() -> None:
    found = day("machine-tool", RATINGS["machine-tool"])
    np.testing.assert_array_equal(np.isnan(found["spindle_bpfo"]), found["spindle_speed"] < 100)


def test_with_blocks_it_is_another_recording() -> None:
    """Or the ledger would take a machine's frames for those that it had without."""

    def boot(ratings: Ratings) -> int:
        kind = packs()["machine-tool"].equipment_type
        asset = Asset(0, "t", "s", "m", kind.name, ratings=ratings)
        return next(Source(asset, kind, (0, 3_600_000_000), 1, ()).frames(600, 6)).boot_id

    assert boot({}) == boot({"spindle_bearing_used": 0.1}) != boot(RATINGS["machine-tool"])
