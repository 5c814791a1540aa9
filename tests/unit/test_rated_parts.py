"""Parts of one kind with ratings of their own: each counts as it would alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fleet.asset import Channel, EquipmentType
from fleet.modelled_wear import RatedWear, Reading
from fleet.rating import Rating, Ratings
from forecasting.wear.bearing import BearingLife, RollingBearing
from streams.rated_parts import RatedParts

KIND = EquipmentType("fan", (Channel("speed", "r/min"), Channel("load", "kN")))
WEAR = RatedWear(
    "bearing",
    (
        Rating("dynamic", "kN", needed=True),
        Rating("preload", "kN", default=0.0),
        Rating("used", default=0.0),
    ),
    lambda said: (
        BearingLife(RollingBearing(float(said["dynamic"]))),
        (Reading("load", 1.0, float(said["preload"])), Reading("speed")),
    ),
    {"dynamic": 14.0},
    "used",
)
MACHINES: tuple[Ratings, ...] = (
    {"dynamic": 14.0},
    {},
    {"dynamic": 20.0},
    {"dynamic": 14.0},
    {"dynamic": 14.0, "preload": 0.5, "used": 0.9},
)
ROWS = 40


def rows(seed: int) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """Rows of all machines in turn, some without a load."""
    rng = np.random.default_rng(seed)
    slot = rng.integers(len(MACHINES), size=ROWS * len(MACHINES)).astype(np.int32)
    x = np.stack([rng.uniform(500, 3000, len(slot)), rng.uniform(0, 4, len(slot))], axis=1)
    x[rng.random(len(slot)) < 0.1, 1] = np.nan
    return slot, 60_000_000 * (1 + np.arange(len(slot))), x.astype(np.float32)


def parts(ratings: tuple[Ratings, ...] = MACHINES) -> RatedParts:
    made = RatedParts(WEAR, KIND)
    rate(made, ratings)
    return made


def rate(parts: RatedParts, ratings: tuple[Ratings, ...]) -> None:
    parts.grow(len(ratings))
    for slot, said in enumerate(ratings):
        parts.rate(slot, said)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, ROWS * len(MACHINES)))
def test_each_machine_counts_as_it_would_alone_also_over_a_restart(seed: int, cut: int) -> None:
    slot, ts_us, x = rows(seed)
    first, second = parts(), parts(())
    before = first.update(slot[:cut], ts_us[:cut], x[:cut])
    second.load(first.state(), len(MACHINES))
    rate(second, MACHINES)
    together = np.concatenate([before, second.update(slot[cut:], ts_us[cut:], x[cut:])])
    for machine, ratings in enumerate(MACHINES):
        mine = slot == machine
        alone = parts((ratings,)).update(np.zeros(mine.sum(), np.int32), ts_us[mine], x[mine])
        assert together[mine].tobytes() == alone.tobytes()
        assert np.isnan(alone).all() == (not ratings)


def test_a_preload_is_carried_at_any_load() -> None:
    slot, ts_us = np.zeros(2, np.int32), np.array([0, 3_600_000_000])
    idle = np.array([[1000.0, 0.0]] * 2, np.float32)
    alone, loaded = parts(MACHINES[:1]), parts(MACHINES[4:])
    assert alone.update(slot, ts_us, idle)[-1] == 0
    after = loaded.update(slot, ts_us, idle)
    assert after[0] == 0.9  # what it had behind it
    assert after[1] - after[0] == pytest.approx(1 / RollingBearing(14.0).life_h(0.5, 1000.0))


def test_other_ratings_are_another_part_that_begins_anew_and_no_other_machine_notices() -> None:
    slot, ts_us, x = rows(1)
    changed, kept = parts(), parts()
    for each in (changed, kept):
        each.update(slot[:100], ts_us[:100], x[:100])
    exchanged = ({"dynamic": 20.0}, *MACHINES[1:])
    rate(changed, exchanged)
    again = parts(())
    again.load(kept.state(), len(MACHINES))  # exchanged while the worker was down
    rate(again, exchanged)
    after, usual = (
        changed.update(slot[100:], ts_us[100:], x[100:]),
        kept.update(slot[100:], ts_us[100:], x[100:]),
    )
    mine = slot[100:] == 0
    new = parts(exchanged[:1]).update(slot[100:][mine], ts_us[100:][mine], x[100:][mine])
    assert after[mine].tobytes() == new.tobytes() != usual[mine].tobytes()
    assert after[~mine].tobytes() == usual[~mine].tobytes()
    assert again.update(slot[100:], ts_us[100:], x[100:]).tobytes() == after.tobytes()
    one = changed.of(0)
    assert one is not None
    assert one.model.lifetime.limit == 1.0
    assert changed.of(1) is None
