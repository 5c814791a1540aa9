"""Every wear model in the catalog keeps the contract's promises, and the suite notices one that does not."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecasting.contract import ModelError, Verdict
from forecasting.wear.bearing import BearingLife
from forecasting.wear.catalog import catalog
from forecasting.wear.contract import Lifetime
from forecasting.wear.forward import Duty, outlook, worn_by_day
from forecasting.wear.model import Floats, Slots, WearModel

Kind = type[WearModel]
Check = Callable[[Kind], None]

T0 = 1_700_000_000_000_000
HALF_HOUR_US, DAY_US = 1_800_000_000, 86_400_000_000
A_DAY = 48
PART = 0.6
"""Part of a quantity's range that the duty of the tests goes through; 110 % of it is still in range."""


def readings(model: WearModel, n: int, seed: int = 0) -> Floats:
    """(n, k): any duty that the model takes; counters only rise."""
    rng = np.random.default_rng([seed, n])
    columns = [rng.uniform(PART * q.low, PART * q.high, n) for q in model.duty]
    for k, quantity in enumerate(model.duty):
        if quantity.counter:
            columns[k] = np.cumsum(rng.integers(0, 50, n)).astype(float)
    return np.stack(columns, axis=1)


def instants(n: int) -> NDArray[np.int64]:
    return T0 + np.arange(n) * HALF_HOUR_US


def run(model: WearModel, ts_us: NDArray[np.int64], x: Floats) -> Floats:
    return model.update(np.zeros(len(x), np.int32), ts_us, x)


def daily(model: WearModel, days: int, strength: Callable[[int], float] = lambda day: 1.0) -> Duty:
    """A duty that goes through the same hours each day, more or less strongly; a counter follows it."""
    n = days * A_DAY + 1
    rng = np.random.default_rng(7)
    hours, steps = rng.uniform(0.1, PART, (A_DAY, len(model.duty))), rng.integers(0, 9, A_DAY)
    at, factor = np.arange(n) % A_DAY, np.array([strength((k - 1) // A_DAY) for k in range(n)])
    columns = []
    for k, quantity in enumerate(model.duty):
        often = np.cumsum(np.where(np.arange(n) > 0, steps[at], 0)).astype(float)
        reading = quantity.low + hours[at, k] * factor * (quantity.high - quantity.low)
        columns.append(often if quantity.counter else reading)
    return Duty(instants(n), np.stack(columns, axis=1))


def check_starts_at_the_start(kind: Kind) -> None:
    """A machine of which one row is known has used nothing; the lifetime has a unit, the duty names."""
    model = kind.example()
    assert run(model, instants(1), readings(model, 1)).tolist() == [model.lifetime.start]
    assert model.lifetime.unit
    assert all(quantity.name and quantity.unit for quantity in model.duty)
    assert len({quantity.name for quantity in model.duty}) == len(model.duty)


def check_never_decreases(kind: Kind) -> None:
    """Whatever comes in, in or out of range, the counter goes up or stays, and goes up under load."""
    model = kind.example()
    x = readings(model, 400)
    assert (np.diff(run(model, instants(400), x)) >= 0).all()
    assert model.value[0] > model.lifetime.start, "no wear under load"
    wild = np.random.default_rng(1).choice([-1e300, -5.0, 0.0, 1e-300, 3.0, 1e300], x.shape)
    assert (np.diff(run(kind.example(), instants(400), wild)) >= 0).all(), "wild readings"
    falling = run(kind.example(), instants(400), x[::-1])
    assert (np.diff(falling) >= 0).all(), "a counter that falls"


def check_pieces_change_nothing(kind: Kind) -> None:
    """Any cut into updates gives the same counters and the same state, to the bit."""
    model, n = kind.example(), 120
    x, ts_us = readings(model, n), instants(n)
    x[::17] = np.nan
    ts_us[60:] += 4 * 3600 * 1_000_000
    slot = (np.arange(n) % 3).astype(np.int32)
    at_once = model.update(slot, ts_us, x)

    @given(st.lists(st.integers(0, n), max_size=8))
    def cut(cuts: list[int]) -> None:
        other, after = kind.example(), []
        for start, end in pairwise([0, *sorted(cuts), n]):
            after.append(other.update(slot[start:end], ts_us[start:end], x[start:end]))
        other.grow(3)
        assert np.concatenate(after).tobytes() == at_once.tobytes(), "the counters differ"
        assert other.state() == model.state(), "the state differs"

    cut()


def check_machines_are_apart(kind: Kind) -> None:
    """A machine's counter is what it is alone, whoever else is in the update."""
    alone, both = kind.example(), kind.example()
    x, other = readings(alone, 50), readings(alone, 50, seed=5)
    expected = run(alone, instants(50), x)
    mixed = np.stack([x, other], axis=1).reshape(100, -1)
    after = both.update(np.tile([2, 0], 50).astype(np.int32), np.repeat(instants(50), 2), mixed)
    assert after[::2].tobytes() == expected.tobytes()
    assert both.value[1] == both.lifetime.start


def check_load_counts(kind: Kind) -> None:
    """A tenth more load wears more."""
    model = kind.example()
    x = readings(model, 200)
    assert any(quantity.load for quantity in model.duty), "no quantity grows with the load"
    more = x * np.array([1.1 if quantity.load else 1.0 for quantity in model.duty])
    assert run(kind.example(), instants(200), more)[-1] > run(model, instants(200), x)[-1]


def check_missing_is_not_sent(kind: Kind) -> None:
    """Rows with a reading missing or out of range, or again from the past, are as if they had not come."""
    model, other = kind.example(), kind.example()
    x, ts_us = readings(model, 90), instants(90)
    clean = run(model, ts_us[::3], x[::3])
    x[1::3, 0] = np.random.default_rng(3).choice([np.nan, np.inf, -np.inf, 1e300, -1e300], 30)
    ts_us[2::3] = ts_us[::3]
    after = run(other, ts_us, x)
    assert np.isfinite(after).all()
    assert after[2::3].tobytes() == clean.tobytes()
    assert other.state() == model.state()


def check_a_gap_is_no_wear(kind: Kind) -> None:
    """What is longer than the longest step is not counted, and said, unless a counter went on meanwhile."""
    model = kind.example()
    x, ts_us = readings(model, 60), instants(60)
    gap_h = 500.0
    ts_us[30:] += int(gap_h * 3.6e9) - HALF_HOUR_US
    after = run(model, ts_us, x)
    if any(quantity.counter for quantity in model.duty):
        assert after.tobytes() == run(kind.example(), instants(60), x).tobytes(), "the counter knew"
        assert model.unknown_h.tolist() == [0.0]
        return
    closed = run(kind.example(), instants(60), x)
    assert after[30] - after[29] <= max(closed[30] - closed[29], 0.0), "more than without a gap"
    assert model.unknown_h.tolist() == [gap_h]
    constant = run(kind.example(), ts_us, np.repeat(x[:1], 60, axis=0))
    assert constant[30] == constant[29], "wear in the gap"


def check_saved_and_loaded(kind: Kind) -> None:
    """A loaded model goes on as the saved one does, and saves the same."""
    model, loaded = kind.example(), kind.example()
    x = readings(model, 80)
    run(model, instants(80)[:40], x[:40])
    loaded.load(model.state())
    assert loaded.state() == model.state()
    ahead = [run(each, instants(80)[40:], x[40:]).tobytes() for each in (model, loaded)]
    assert ahead[0] == ahead[1]
    assert model.fresh().state() == kind.example().state()


def check_rejects_damage(kind: Kind) -> None:
    """Bytes that are no such state are a `ModelError`."""
    model = kind.example()
    run(model, instants(20), readings(model, 20))
    state, name = model.state(), f"{kind.NAME}-{kind.VERSION}"
    renamed = state.replace(name[:2].encode("utf-32-le"), "??".encode("utf-32-le"))
    for damaged in (b"", b"no state", state[: len(state) // 2], renamed):
        with pytest.raises(ModelError):
            kind.example().load(damaged)


def check_rejects_other_shapes(kind: Kind) -> None:
    """Arrays that do not fit are a `ValueError` that names the quantities."""
    model = kind.example()
    with pytest.raises(ValueError, match=model.duty[0].name):
        run(model, instants(3), np.zeros((3, len(model.duty) + 1)))
    with pytest.raises(ValueError, match="count from 0"):
        model.update(np.array([-1], np.int32), instants(1), readings(model, 1))


def check_leaves_arrays_alone(kind: Kind) -> None:
    """The caller's arrays are neither changed nor kept."""
    model, other = kind.example(), kind.example()
    x, ts_us = readings(model, 40), instants(40)
    before = x.copy(), ts_us.copy()
    run(model, ts_us, x)
    assert np.array_equal(x, before[0])
    assert np.array_equal(ts_us, before[1])
    run(other, *before[::-1])
    x[:], ts_us[:] = 0.0, 0
    assert model.state() == other.state()


def check_forward_goes_on_as_the_past_did(kind: Kind) -> None:
    """Days that are all alike: warning and limit are reached when the counter itself reaches them."""
    model = kind.example()
    whole = daily(model, 40)
    counted = run(model, whole.ts_us, whole.x)
    now, soon, later = 20 * A_DAY, 25 * A_DAY, 33 * A_DAY
    model.lifetime = Lifetime(model.lifetime.unit, counted[soon], counted[later], model.lifetime.start)
    state = model.state()
    past = Duty(whole.ts_us[: now + 1], whole.x[: now + 1])
    found = outlook(model, past, counted[now])
    for forecast, at in ((found.warning, soon), (found.limit, later)):
        assert forecast.verdict is Verdict.ESTIMATE
        hours = (at - now) / 2
        assert [forecast.p10_h, forecast.p50_h, forecast.p90_h] == pytest.approx([hours] * 3, rel=1e-6)
    assert model.state() == state, "the outlook changed the model"


def check_forward_holds_what_varies(kind: Kind) -> None:
    """Days that differ: together they are what the counter counted, and their usual pace is in the band."""
    model = kind.example()
    past = daily(model, 28, lambda day: 0.7 + 0.3 * ((day * 5) % 7) / 7)
    twice = Duty(
        np.concatenate([past.ts_us, past.ts_us[1:] + 28 * DAY_US]),
        np.concatenate(
            [past.x, past.x[1:] + [(past.x[-1, k] if q.counter else 0.0) for k, q in enumerate(model.duty)]]
        ),
    )
    counted = run(model, twice.ts_us, twice.x)
    round_two = counted[-1] - counted[len(past.ts_us) - 1]
    assert worn_by_day(model, past).sum() == pytest.approx(round_two, rel=1e-6)
    model.lifetime = Lifetime("1", 2 * round_two, 3 * round_two)
    found = outlook(model, past, 0.0).limit
    assert found.p10_h is not None
    assert found.p90_h is not None
    assert found.p10_h * 0.999 <= 3 * 28 * 24 <= found.p90_h * 1.001, found


def check_forward_minds_the_load(kind: Kind) -> None:
    """At 110 % the limit comes sooner, and with no load at all it does not come."""
    model = kind.example()
    past = daily(model, 20)
    pace = worn_by_day(model, past).mean()
    model.lifetime = Lifetime("1", 50 * pace, 100 * pace)
    usual, more = (outlook(model, past, 0.0, load).limit for load in (1.0, 1.1))
    assert usual.p50_h == pytest.approx(2400, rel=1e-6)
    assert more.p90_h is not None
    assert more.p90_h < 2400
    assert "110%" in more.basis
    for load, message in ((1e20, "ask for less"), (-1.0, "0 or more"), (float("nan"), "0 or more")):
        with pytest.raises(ValueError, match=message):
            outlook(model, past, 0.0, load)


def check_forward_is_honest(kind: Kind) -> None:
    """A few days are too little, what is beyond the horizon is said so, and what is over is over."""
    model = kind.example()
    past = daily(model, 20)
    pace = worn_by_day(model, past).mean()
    model.lifetime = Lifetime("1", 10 * pace, 1e6 * pace)
    found = outlook(model, past, 11 * pace)
    assert found.warning.p90_h == 0.0
    assert (found.limit.verdict, found.limit.p10_h) == (Verdict.MORE_THAN, 20 * 365 * 24)
    for few in (daily(model, 5), Duty(past.ts_us[:0], past.x[:0]), Duty(past.ts_us, past.x * np.nan)):
        assert outlook(model, few, 0.0).limit.verdict is Verdict.TOO_LITTLE_DATA


CHECKS: list[Check] = [check for name, check in sorted(globals().items()) if name.startswith("check_")]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", catalog())
def test_every_wear_model_keeps_the_contract(name: str, check: Check) -> None:
    check(catalog()[name])


def test_the_catalog_knows_wear_models_by_their_names() -> None:
    assert {
        "insulation_ageing",
        "bearing_life",
        "tool_life",
        "fatigue",
        "rope_bends",
        "operations",
    } <= catalog().keys()
    assert all(name == model.NAME for name, model in catalog().items())


class CountsTheFirstRow(BearingLife):
    def update(self, slot: Slots, ts_us: NDArray[np.int64], x: NDArray[np.floating]) -> Floats:
        return super().update(slot, ts_us, x) + 1.0


class Recovers(BearingLife):
    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return super()._use(slot, what, step_h, x) - 1e-3


class MindsThePieces(BearingLife):
    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return super()._use(slot, what, step_h, x) + 1e-9 * len(slot)


class MixesMachines(BearingLife):
    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return np.full(len(slot), super()._use(slot, what, step_h, x).mean())


class IgnoresTheLoad(BearingLife):
    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return step_h


class TakesAnything(BearingLife):
    def knows(self, x: Floats) -> NDArray[np.bool_]:
        return np.ones(len(x), np.bool_)


class CountsGaps(BearingLife):
    LONGEST_STEP_US = 10**18


class Forgets(BearingLife):
    def load(self, state: bytes) -> None:
        super().load(BearingLife.example().state())


class LoadsAnything(BearingLife):
    def load(self, state: bytes) -> None:
        pass


class TakesAnyShape(BearingLife):
    def update(self, slot: Slots, ts_us: NDArray[np.int64], x: NDArray[np.floating]) -> Floats:
        return super().update(slot, ts_us, x[:, :2])


class CleansTheInput(BearingLife):
    def update(self, slot: Slots, ts_us: NDArray[np.int64], x: NDArray[np.floating]) -> Floats:
        x *= 0.999
        return super().update(slot, ts_us, x)


class TiresOfIt(BearingLife):
    """Wears faster the older it is: no past day says what a day to come adds."""

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        now = self._by_slot["value"][slot]
        return np.asarray(super()._use(slot, what, step_h, x) * (1 + now))


class LoadsNothing(BearingLife):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.duty = tuple(replace(quantity, load=False) for quantity in self.duty)


BROKEN: list[tuple[Kind, Check]] = [
    (CountsTheFirstRow, check_starts_at_the_start),
    (Recovers, check_never_decreases),
    (MindsThePieces, check_pieces_change_nothing),
    (MixesMachines, check_machines_are_apart),
    (IgnoresTheLoad, check_load_counts),
    (TakesAnything, check_missing_is_not_sent),
    (CountsGaps, check_a_gap_is_no_wear),
    (Forgets, check_saved_and_loaded),
    (LoadsAnything, check_rejects_damage),
    (TakesAnyShape, check_rejects_other_shapes),
    (CleansTheInput, check_leaves_arrays_alone),
    (TiresOfIt, check_forward_goes_on_as_the_past_did),
    (TiresOfIt, check_forward_holds_what_varies),
    (LoadsNothing, check_forward_minds_the_load),
    (TakesAnything, check_forward_is_honest),
]


@pytest.mark.parametrize(("broken", "check"), BROKEN, ids=lambda part: part.__name__)
def test_the_suite_notices_a_broken_wear_model(broken: Kind, check: Check) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(broken)


def test_every_check_can_fail() -> None:
    assert {check.__name__ for _, check in BROKEN} == {check.__name__ for check in CHECKS}
