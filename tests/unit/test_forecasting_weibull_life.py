"""The survival prior as a forecaster: who counts as what, and where it ends."""

import numpy as np
import pytest

from forecasting.contract import Forecast, History, ModelError, Run, Verdict
from forecasting.model_bytes import pack, unpack
from forecasting.weibull_life import SHAPES, WeibullLife


def seen(hours: float, level: float = 0.1, duty: float | None = None, since: float = 0.0) -> History:
    columns = [level] if duty is None else [level, duty]
    return History(np.array([since, hours]), np.array([columns, columns]))


def record(failures: int, running: int = 0) -> list[Run]:
    life = 1000.0 * np.random.default_rng(1).weibull(3.0, failures + running)
    return [Run(seen(float(hours)), failed=k < failures) for k, hours in enumerate(life)]


def fitted(runs: list[Run]) -> WeibullLife:
    forecaster = WeibullLife()
    forecaster.fit(runs)
    return forecaster


def ask(runs: list[Run], history: History) -> Forecast:
    return fitted(runs).predict([history])[0]


def test_the_level_does_not_matter_only_the_age_and_who_still_runs() -> None:
    runs = record(30)
    assert ask(runs, seen(400.0, 0.0)) == ask(runs, seen(400.0, 0.9))
    young, old = ask(runs, seen(100.0)), ask(runs, seen(700.0))
    assert (young.p50_h or 0.0) > 2 * (old.p50_h or 0.0) > 0.0
    half_run = [Run(run.history, failed=k % 2 == 0) for k, run in enumerate(runs)]
    assert (ask(half_run, seen(100.0)).p10_h or 0.0) > (young.p10_h or 0.0)


def test_beyond_the_longest_run_it_says_more_than_and_beyond_all_of_them_nothing() -> None:
    runs = [*record(4), Run(seen(300.0), failed=False)]
    longest = max(float(run.history.age_h[-1]) for run in runs)
    said = ask(runs, seen(100.0))
    assert (said.verdict, said.basis) == (Verdict.MORE_THAN, "4 failures in 5 runs")
    assert 0.0 < (said.p10_h or 0.0) < longest - 100.0
    assert ask(runs, seen(longest)).basis == "older than all 5 runs on record"


def test_where_hardly_any_has_failed_it_lasts_at_least_as_long_as_any_has_been_seen() -> None:
    runs = [Run(seen(hours), failed=True) for hours in (90.0, 95.0, 100.0)]
    runs += [Run(seen(100.0), failed=False)] * 200
    assert ask(runs, seen(40.0)) == Forecast(Verdict.MORE_THAN, 60.0, basis="3 failures in 203 runs")


def test_too_few_failures_say_why_after_a_restart_too() -> None:
    loaded = WeibullLife()
    loaded.load(fitted(record(2, running=9)).state())
    said = loaded.predict([seen(100.0)])[0]
    assert said == Forecast(Verdict.TOO_LITTLE_DATA, basis="2 of 3 failures on record")


def test_a_machine_that_was_not_seen_young_counts_from_when_it_was() -> None:
    runs = record(30)
    second_hand = [Run(seen(1100.0 + k, since=1000.0), failed=False) for k in range(30)]
    as_new = [Run(seen(1100.0 + k), failed=False) for k in range(30)]
    plain, late, new = (ask(each, seen(100.0)).p10_h for each in (runs, runs + second_hand, runs + as_new))
    assert (new or 0.0) - (plain or 0.0) > 3 * ((late or 0.0) - (plain or 0.0))


def test_a_duty_far_from_all_on_record_gets_no_number() -> None:
    duties = np.linspace(0.5, 1.0, 20)
    runs = [Run(seen(1000.0 - 600.0 * duty + 20.0 * (k % 3), duty=duty)) for k, duty in enumerate(duties)]
    easy, hard = ask(runs, seen(100.0, duty=0.5)), ask(runs, seen(100.0, duty=1.0))
    assert (easy.p10_h or 0.0) > (hard.p90_h or np.inf)
    assert ask(runs, seen(100.0, duty=2.0)).basis == "another duty than all on record"
    assert ask(runs, seen(100.0)).basis == "1 columns, fitted on 2"
    with pytest.raises(ValueError, match="numbers of columns"):
        fitted([*runs, *record(1)])


@pytest.mark.parametrize("name", SHAPES)
def test_arrays_that_do_not_belong_together_are_refused(name: str) -> None:
    forecaster = fitted(record(5))
    kind = f"{WeibullLife.NAME}-{WeibullLife.VERSION}"
    arrays = unpack(kind, forecaster.state(), SHAPES)
    with pytest.raises(ModelError, match="belong together"):
        WeibullLife().load(
            pack(kind, arrays | {name: arrays[name][..., :-1] if name == "span" else arrays[name][:-1]})
        )
    with pytest.raises(ModelError, match="belong together"):
        WeibullLife().load(pack(kind, arrays | {"span": arrays["span"][::-1].copy()}))
