"""Turbofan engines (C-MAPSS FD001) foretold by three that failed: the case of a type with few failures.

Nothing was chosen on them: the forecaster has its defaults and all sensors that vary. Each draw has other
engines to learn from; the rest are asked once, at a random cycle. Hours stand for flight cycles.
"""

from pathlib import Path

import numpy as np
import pytest

from forecasting.contract import History, Run, Verdict
from forecasting.scaled_life import ScaledLife

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cmapss" / "train_FD001.txt"
FIRST_SENSOR = 5
FAILURES, DRAWS, ASKED = 3, 8, 20


def engines() -> list[Run]:
    """The sensors that vary, after a level that is not known."""
    if not DATA.exists():
        pytest.skip(f"the C-MAPSS engines are not at {DATA}")
    rows = np.loadtxt(DATA)
    varying = FIRST_SENSOR + np.flatnonzero(rows[:, FIRST_SENSOR:].std(axis=0) > 1e-6)
    rows[:, 2] = 0.0
    lives = [rows[rows[:, 0] == unit] for unit in np.unique(rows[:, 0])]
    return [Run(History(life[:, 1], life[:, [2, *varying]])) for life in lives]


def test_three_failures_say_more_than_the_median_life() -> None:
    rng, lives = np.random.default_rng(13381), engines()
    off, dummy_off, held = [], [], []
    for _ in range(DRAWS):
        order = rng.permutation(len(lives))
        known = [lives[n] for n in order[:FAILURES]]
        model = ScaledLife()
        model.fit(known)
        usual = float(np.median([run.history.age_h[-1] for run in known]))
        for n in order[FAILURES : FAILURES + ASKED]:
            whole = lives[n].history
            last = int(rng.integers(20, len(whole.age_h)))
            (said,) = model.predict([History(whole.age_h[:last], whole.x[:last])])
            if said.verdict is not Verdict.ESTIMATE:
                continue
            assert said.p10_h is not None
            assert said.p50_h is not None
            assert said.p90_h is not None
            left = float(whole.age_h[-1] - whole.age_h[last - 1])
            off.append(abs(said.p50_h - left))
            dummy_off.append(abs(max(usual - float(whole.age_h[last - 1]), 0.0) - left))
            held.append(said.p10_h <= left <= said.p90_h)
    assert len(off) > 0.9 * DRAWS * ASKED
    assert np.mean(off) < 0.85 * np.mean(dummy_off)
    assert 0.7 <= np.mean(held) <= 0.95
    print(
        f"mean error {np.mean(off):.1f}, the median life's {np.mean(dummy_off):.1f}; held {np.mean(held):.2f}"
    )
