"""Every forecaster in the catalog keeps the contract's promises, and the suite notices one that does not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasting.catalog import catalog
from forecasting.conformal import ConformalLife
from forecasting.contract import Forecast, Forecaster, History, ModelError, Run, Verdict
from forecasting.robust_trend import RobustTrend

Make = Callable[[], Forecaster]
Check = Callable[[Make], None]
Floats = NDArray[np.float64]

NOISE = 0.02
STEP_H = 4.0
ALLOWED_RATE = 0.07
"""False trends in 240 histories of noise: 5 % are stated, 2 % are one and a half standard errors."""


def life(seed: int) -> Run:
    """A machine's whole life: healthy for long, then growing as a power of time up to the limit."""
    rng = np.random.default_rng([1, seed])
    healthy, failing = rng.gamma(11.0, 300.0 / 11.0, 2).tolist()
    age = np.append(np.arange(0.0, healthy + failing, STEP_H), healthy + failing)
    level = np.clip((age - healthy) / failing, 0.0, 1.0) ** rng.uniform(1.0, 1.7)
    level[:-1] += rng.normal(0.0, NOISE, len(age) - 1)
    level[-1] = 1.0
    return Run(History(age, np.minimum(level, 1.0)[:, None]))


def cut(run: Run, part: float) -> tuple[History, float]:
    """A copy of the life's first part, and the hours that remained."""
    age, n = run.history.age_h, max(int(part * len(run.history.age_h)), 1)
    return History(age[:n].copy(), run.history.x[:n].copy()), float(age[-1] - age[n - 1])


@cache
def record() -> tuple[Run, ...]:
    return tuple(life(seed) for seed in range(24))


def histories() -> list[History]:
    """Machines at all ages, and a use counter."""
    age = np.arange(0.0, 300.0)
    counter = History(age, age[:, None] / 1000.0)
    return [counter, *(cut(life(100 + k), (k + 1) / 13)[0] for k in range(12))]


def noise(n: int, seed: int) -> History:
    age = np.arange(float(n)) * STEP_H
    return History(age, np.random.default_rng([2, n, seed]).normal(0.0, NOISE, (n, 1)))


def bad_histories() -> dict[str, History]:
    age, growing = np.arange(60.0), np.linspace(0.0, 0.5, 60)[:, None]
    holes = growing.copy()
    holes[::3] = np.nan
    spikes = growing.copy()
    spikes[5], spikes[40] = 1e300, -1e300
    return {
        "empty": History(np.empty(0), np.empty((0, 1))),
        "one point": History(np.zeros(1), np.zeros((1, 1))),
        "two points": History(np.array([0.0, 1.0]), np.array([[0.0], [0.9]])),
        "all missing": History(age, np.full((60, 1), np.nan)),
        "holes": History(age, holes),
        "constant": History(age, np.full((60, 1), 0.3)),
        "all zero": History(age, np.zeros((60, 1))),
        "huge": History(age, np.full((60, 1), 1e300)),
        "hugely negative": History(age, np.full((60, 1), -1e300)),
        "infinite": History(age, np.full((60, 1), np.inf)),
        "spikes": History(age, spikes),
        "same age": History(np.zeros(60), growing),
        "falling age": History(age[::-1].copy(), growing),
        "shuffled age": History(np.random.default_rng(0).permutation(age), growing),
        "missing age": History(np.full(60, np.nan), growing),
        "huge age": History(age * 1e300, growing),
        "tiny steps": History(age * 1e-300, growing),
        "falling": History(age, growing[::-1].copy()),
    }


def fitted(make: Make) -> Forecaster:
    forecaster = make()
    forecaster.fit(record())
    return forecaster


def numbers(forecast: Forecast) -> tuple[float | None, float | None, float | None]:
    return forecast.p10_h, forecast.p50_h, forecast.p90_h


def check_fields_match_the_verdict(make: Make) -> None:
    """An estimate has three quantiles, "more than" the first alone, all else none; each says why."""
    given = {Verdict.ESTIMATE: (True, True, True), Verdict.MORE_THAN: (True, False, False)}
    for forecast in fitted(make).predict([*histories(), *bad_histories().values()]):
        has = tuple(number is not None for number in numbers(forecast))
        assert has == given.get(forecast.verdict, (False, False, False)), forecast
        assert forecast.basis, f"{forecast} does not say what it rests on"


def check_quantiles_ordered(make: Make) -> None:
    """0 <= p10 <= p50 <= p90."""
    for forecast in fitted(make).predict([*histories(), *bad_histories().values()]):
        given = [0.0, *(number for number in numbers(forecast) if number is not None)]
        assert given == sorted(given), forecast


def check_finite(make: Make) -> None:
    """Bad input gives a forecast like any other, without infinity, NaN or a warning."""
    forecaster = fitted(make)
    for name, history in bad_histories().items():
        (forecast,) = forecaster.predict([history])
        assert all(number is None or np.isfinite(number) for number in numbers(forecast)), name


def check_one_each(make: Make) -> None:
    """As many forecasts as histories, none for none."""
    forecaster = fitted(make)
    assert len(forecaster.predict(histories())) == len(histories())
    assert not forecaster.predict([])


def check_causal(make: Make) -> None:
    """What came after the history's last row, even in the same memory, does not matter."""
    forecaster = fitted(make)
    for seed in range(100, 104):
        whole = life(seed).history
        n = int(0.8 * len(whole.age_h))
        alone = forecaster.predict([History(whole.age_h[:n].copy(), whole.x[:n].copy())])
        forecaster.predict([whole])
        view = History(whole.age_h[:n], whole.x[:n])
        whole.x[n:] = 0.0
        assert forecaster.predict([view]) == alone, "later rows changed the forecast"


def check_leaves_arrays_alone(make: Make) -> None:
    """The caller's arrays are neither changed nor kept."""
    runs, asked = [life(seed) for seed in range(24)], [*histories(), bad_histories()["holes"]]
    before = [a.copy() for h in [*(run.history for run in runs), *asked] for a in (h.age_h, h.x)]
    forecaster = make()
    forecaster.fit(runs)
    said = forecaster.predict(asked)
    after = [a for h in [*(run.history for run in runs), *asked] for a in (h.age_h, h.x)]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)), "changed"
    for run in runs:
        run.history.x[:] = 0.5
    assert forecaster.predict(asked) == said, "the caller's arrays were kept"


def check_deterministic(make: Make) -> None:
    """Two forecasters say the same, in one batch, one by one and in any order."""
    one, two, asked = fitted(make), fitted(make), histories()
    said = one.predict(asked)
    assert two.predict(asked) == said, "two forecasters differ"
    assert [two.predict([history])[0] for history in asked] == said, "the batch matters"
    assert two.predict(asked[::-1]) == said[::-1], "the order matters"


def check_state(make: Make) -> None:
    """Equal fits are equal bytes; a loaded forecaster says the same and saves the same, fitted or not."""
    for saved, twin in ((fitted(make), fitted(make)), (make(), make())):
        assert saved.state() == twin.state(), "equal fits are saved as different bytes"
        loaded = make()
        loaded.load(saved.state())
        assert loaded.predict(histories()) == saved.predict(histories()), "the loaded one differs"
        assert loaded.state() == saved.state()


def check_rejects_damage(make: Make) -> None:
    """Bytes that are not such a model are a `ModelError`."""
    state = fitted(make).state()
    for damaged in (
        b"",
        b"not a model",
        state[: len(state) // 2],
        state.replace(make().NAME[:1].encode(), b"!"),
    ):
        with pytest.raises(ModelError):
            make().load(damaged)


def check_limit_reached(make: Make) -> None:
    """A level at the limit has no life left."""
    assert all(numbers(f) == (0.0, 0.0, 0.0) for f in fitted(make).predict([run.history for run in record()]))


def check_no_trend_in_noise(make: Make) -> None:
    """Without failures on record, white noise gets a number no more often than stated."""
    said = make().predict([noise(n, seed) for n in (15, 40, 120, 300) for seed in range(60)])
    share = np.mean([forecast.p10_h is not None for forecast in said])
    assert share <= ALLOWED_RATE, f"{share:.1%} false trends"


def check_honest_when_unfitted(make: Make) -> None:
    """Two failures on record and a healthy or new machine: no number."""
    age = np.arange(200.0)
    healthy = [History(age, np.zeros((200, 1))), History(age[:3], np.array([[0.0], [0.1], [0.2]]))]
    few = make()
    few.fit(record()[:2])
    for forecast in [*make().predict(healthy), *few.predict(healthy)]:
        assert numbers(forecast) == (None, None, None), forecast


def check_coverage(make: Make) -> None:
    """P10 to P90 holds the true remaining life in about 80 % of cases, and there are such cases."""
    parts = np.random.default_rng(3).uniform(0.3, 0.95, 150)
    cases = [cut(life(1000 + k), float(part)) for k, part in enumerate(parts)]
    said = fitted(make).predict([history for history, _ in cases])
    judged = [(f, true) for f, (_, true) in zip(said, cases, strict=True) if f.verdict is Verdict.ESTIMATE]
    assert len(judged) >= 50, f"only {len(judged)} estimates"
    held = np.mean([(f.p10_h or 0.0) <= true <= (f.p90_h or 0.0) for f, true in judged])
    assert 0.65 <= held <= 0.95, f"{held:.1%} of the intervals hold the truth"


CHECKS: list[Check] = [check for name, check in sorted(globals().items()) if name.startswith("check_")]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", catalog())
def test_every_forecaster_keeps_the_contract(name: str, check: Check) -> None:
    check(catalog()[name])


def test_the_catalog_knows_forecasters_by_their_names() -> None:
    assert {"robust_trend", "conformal_life"} <= catalog().keys()
    assert all(name == forecaster.NAME for name, forecaster in catalog().items())


class Rewriter(RobustTrend):
    """Changes each estimate; what the ones below do differently."""

    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return forecast

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        said = zip(super().predict(histories), histories, strict=True)
        return [self.rewrite(f, h) if f.verdict is Verdict.ESTIMATE else f for f, h in said]


class HalvesTheEstimate(Rewriter):
    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p90_h=None)


class SwapsQuantiles(Rewriter):
    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p10_h=forecast.p90_h, p90_h=forecast.p10_h)


class IsNegative(Rewriter):
    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p10_h=-1.0)


class IsTooSure(Rewriter):
    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p10_h=forecast.p50_h, p90_h=forecast.p50_h)


class SaysNothing(Rewriter):
    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p10_h=0.0, p90_h=1e6)


class RollsDice(Rewriter):
    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p90_h=(forecast.p90_h or 0.0) + np.random.default_rng().random())


class IgnoresTheLimit(Rewriter):
    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p90_h=(forecast.p90_h or 0.0) + 1.0)


class PeeksAhead(RobustTrend):
    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        return super().predict([History(_whole(h.age_h), _whole(h.x)) for h in histories])


def _whole(a: Floats) -> Floats:
    return a if a.base is None else a.base.reshape(-1, *a.shape[1:])


class FillsGaps(RobustTrend):
    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        for history in histories:
            np.nan_to_num(history.x, copy=False)
        return super().predict(histories)


class KeepsTheRuns(Rewriter):
    runs: Sequence[Run] = ()

    def fit(self, runs: Sequence[Run]) -> None:
        self.runs = runs

    def rewrite(self, forecast: Forecast, history: History) -> Forecast:
        return replace(forecast, p90_h=(forecast.p90_h or 0.0) + float(self.runs[0].history.x.sum()))


class MindsTheBatch(Rewriter):
    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        said, n = super().predict(histories), len(histories)
        return [replace(f, p10_h=f.p10_h / n) if f.p10_h else f for f in said]


class DropsTheLast(RobustTrend):
    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        return super().predict(histories[:-1])


class ForgetsOnLoad(ConformalLife):
    def load(self, state: bytes) -> None:
        super().load(ConformalLife().state())


class LoadsAnything(RobustTrend):
    def load(self, state: bytes) -> None:
        pass


class SavesTheMoment(RobustTrend):
    def state(self) -> bytes:
        return super().state() + np.random.default_rng().bytes(8)


class Extrapolates:
    """A straight line through anything, as it is often done."""

    NAME: ClassVar[str] = "extrapolates"
    VERSION: ClassVar[int] = 1

    def fit(self, runs: Sequence[Run]) -> None: ...

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        with np.errstate(all="ignore"):
            return [self._line(h) for h in histories]

    def _line(self, history: History) -> Forecast:
        age, level = history.age_h - history.age_h.mean(), history.x[:, 0]
        slope = float(age @ level) / float(age @ age)
        hours = float((1.0 - level[-1]) / slope)
        if slope <= 0:
            return Forecast(Verdict.NO_TREND, basis="line")
        return Forecast(Verdict.ESTIMATE, 0.7 * hours, hours, 1.5 * hours, "line")

    def state(self) -> bytes:
        return b""

    def load(self, state: bytes) -> None: ...


class GoesToInfinity(Extrapolates):
    def _line(self, history: History) -> Forecast:
        hours = float(np.nan_to_num(np.abs(history.x), posinf=np.inf).sum() * 1e10)
        return Forecast(Verdict.ESTIMATE, hours, hours, hours, "sum")


class KnowsWithoutLearning(Extrapolates):
    def _line(self, history: History) -> Forecast:
        return Forecast(Verdict.ESTIMATE, 100.0, 200.0, 300.0, "experience")


BROKEN: list[tuple[type[Any], Check]] = [
    (HalvesTheEstimate, check_fields_match_the_verdict),
    (SwapsQuantiles, check_quantiles_ordered),
    (IsNegative, check_quantiles_ordered),
    (GoesToInfinity, check_finite),
    (DropsTheLast, check_one_each),
    (PeeksAhead, check_causal),
    (FillsGaps, check_leaves_arrays_alone),
    (KeepsTheRuns, check_leaves_arrays_alone),
    (RollsDice, check_deterministic),
    (MindsTheBatch, check_deterministic),
    (ForgetsOnLoad, check_state),
    (SavesTheMoment, check_state),
    (LoadsAnything, check_rejects_damage),
    (IgnoresTheLimit, check_limit_reached),
    (Extrapolates, check_no_trend_in_noise),
    (KnowsWithoutLearning, check_honest_when_unfitted),
    (IsTooSure, check_coverage),
    (SaysNothing, check_coverage),
]


@pytest.mark.parametrize(("broken", "check"), BROKEN, ids=lambda part: part.__name__)
def test_the_suite_notices_a_broken_forecaster(broken: Make, check: Check) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(broken)


def test_every_check_can_fail() -> None:
    assert {check.__name__ for _, check in BROKEN} == {check.__name__ for check in CHECKS}
