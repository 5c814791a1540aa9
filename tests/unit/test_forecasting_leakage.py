"""Columns that know the end are refused with the reason; what wears is not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasting.contract import History, Run
from forecasting.leakage import FEWEST, label_leaks, leaks

LIVES = (300, 420, 510, 640, 700, 880, 350, 590)
Column = NDArray[np.float64]


def runs(which: str, lives: tuple[int, ...] = LIVES) -> list[Run]:
    made = []
    for n, life in enumerate(lives):
        age, rng = np.arange(life + 1.0), np.random.default_rng(n)
        columns: dict[str, Column] = {
            "wear": (age / life) ** 1.5 + 0.01 * rng.normal(size=len(age)),
            "hours used": age,
            "remaining": life - age,
            "remaining, days": (life - age) / 24 + 3,
            "life": np.full(len(age), float(life)),
            "fails within 30": (life - age <= 30).astype(float),
            "batch": np.full(len(age), float(n % 2)),
            "alarm": (age > life * rng.uniform(0.5, 0.9)).astype(float),
            "nothing": np.full(len(age), np.nan),
            "constant": np.ones(len(age)),
            "duty": rng.integers(0, 3, len(age)).astype(float),
        }
        made.append(Run(History(age, np.stack([columns["wear"], columns[which]], 1))))
    return made


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("remaining", "countdown"),
        ("remaining, days", "countdown"),
        ("life", "the same all life long"),
        ("fails within 30", "30 h before each end"),
    ],
)
def test_what_knows_the_end_is_found(which: str, said: str) -> None:
    (leak,) = leaks(runs(which), ["wear", which])
    assert leak.column == which
    assert said in leak.reason


@pytest.mark.parametrize("which", ["wear", "hours used", "batch", "alarm", "nothing", "constant", "duty"])
def test_what_wears_or_tells_nothing_is_not(which: str) -> None:
    assert leaks(runs(which), ["wear", which]) == []


def test_a_label_is_no_leak_where_all_lives_are_alike() -> None:
    """Whatever happens at an age then happens at the same time before the end, too."""
    assert leaks(runs("fails within 30", (500, 501, 502, 503, 504, 505, 506, 507)), ["wear", "x"]) == []


def test_noise_that_happens_to_begin_as_lives_end_is_no_clock() -> None:
    made = runs("wear")
    for run, life in zip(made, LIVES, strict=True):
        run.history.x[0, 0] = life / 1e4
    assert leaks(made, ["wear", "again"]) == []


def test_too_few_lives_accuse_nothing() -> None:
    assert leaks(runs("remaining")[: FEWEST - 1], ["wear", "remaining"]) == []
    censored = [Run(run.history, failed=False) for run in runs("remaining")]
    assert leaks(censored, ["wear", "remaining"]) == []


# Tables of single instants


def instants() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(5)
    failed = rng.random(400) < 0.1
    columns = {
        "number": np.arange(400.0),
        "shuffled number": rng.permutation(400).astype(float),
        "mode": (failed & (rng.random(400) < 0.5)).astype(float),
        "shift": (rng.random(400) < 0.3).astype(float),
        "load": rng.normal(failed * 4.0),
        "count": rng.integers(0, 50, 400).astype(float),
        "nothing": np.full(400, np.nan),
    }
    return np.column_stack(list(columns.values())), failed


def test_parts_of_the_label_and_numbers_of_rows_are_found() -> None:
    x, failed = instants()
    names = ("number", "shuffled number", "mode", "shift", "load", "count", "nothing")
    assert [leak.column for leak in label_leaks(x, names, failed)] == ["number", "shuffled number", "mode"]
    assert label_leaks(x[:40], names, failed[:40]) == []
