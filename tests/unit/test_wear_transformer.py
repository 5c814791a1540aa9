"""Hot spot and ageing: golden values of IEC 60076-7's example, and its equations as they are written."""

import numpy as np
import pytest

from forecasting.wear.forward import Duty, outlook
from forecasting.wear.model import Floats
from forecasting.wear.transformer import (
    DISTRIBUTION,
    ONAF,
    ONAN,
    Cooling,
    InsulationAgeing,
    Transformer,
    ageing_rate,
    temperatures,
)

MINUTE_US = 60_000_000

# The transformer, load and ambient (steps of 3 minutes) of the standard's worked example, as found in public
# code. Its table of results was not to be had, so the equations are worked through below.
EXAMPLE = Transformer(ONAF, top_oil_rise=45.0, gradient=35.0, loss_ratio=8.0)
# fmt: off
LOAD = [
    0.81, 0.87, 0.88, 0.86, 0.90, 0.92, 0.95, 0.96, 0.97, 1.00, 1.70, 1.70, 1.73, 1.72, 1.69, 1.68,
    1.71, 1.69, 1.67, 1.68, 1.63, 1.59, 1.53, 1.49, 1.41, 1.38, 1.32, 1.28, 1.21, 1.19, 0.87, 0.88,
    0.87, 0.86, 0.85, 0.87, 0.83, 0.86, 0.85, 0.82, 0.86,
]
AMBIENT = [
    30.3, 29.9, 29.8, 29.5, 29.6, 29.5, 29.5, 28.9, 29.0, 28.6, 28.0, 28.7, 27.8, 28.1, 27.9, 27.1,
    26.9, 26.7, 27.2, 26.7, 26.9, 26.5, 26.2, 26.3, 25.4, 25.6, 25.3, 24.8, 24.5, 24.3, 24.1, 24.3,
    24.1, 23.4, 23.6, 23.8, 23.1, 23.3, 23.1, 22.3, 22.2,
]
# fmt: on


def through(model: InsulationAgeing, minutes: Floats, duty: Floats) -> Floats:
    """(n, 3): top oil, hot spot in °C and loss of life in minutes after each row."""
    found = []
    for at, row in zip(minutes, duty, strict=True):
        used = model.update(np.zeros(1, np.int32), np.array([int(at * MINUTE_US)]), row[None])
        found.append((model.top_oil[0], model.hot_spot[0], used[0] * 60))
    return np.array(found)


def as_written(parts: int) -> Floats:
    """The example by the difference equations as 8.2.3 has them, each step in so many parts."""
    part, c, dt = EXAMPLE, EXAMPLE.cooling, 3.0 / parts
    top_oil, hot = part.steady(LOAD[0], AMBIENT[0])
    h1, h2, lost = (c.k21 * part.gradient * LOAD[0] ** c.y, (c.k21 - 1) * part.gradient * LOAD[0] ** c.y, 0.0)
    found = [(top_oil, hot, lost)]
    for k, ambient in zip(LOAD[1:], AMBIENT[1:], strict=True):
        for _ in range(parts):
            losses = (1 + part.loss_ratio * k**2) / (1 + part.loss_ratio)
            top_oil += dt / (c.k11 * c.oil_min) * (losses**c.x * part.top_oil_rise - (top_oil - ambient))
            h1 += dt / (c.k22 * c.winding_min) * (c.k21 * part.gradient * k**c.y - h1)
            h2 += dt / (c.oil_min / c.k22) * ((c.k21 - 1) * part.gradient * k**c.y - h2)
            lost += dt * ageing_rate(top_oil + h1 - h2, upgraded=True)
        found.append((top_oil, top_oil + h1 - h2, lost))
    return np.array(found)


def test_the_golden_transformer_at_rest() -> None:
    """IEC 60076-7's ONAF example at 20 °C."""
    golden = InsulationAgeing.example().transformer
    assert golden.steady(1.0, 20.0) == pytest.approx((72.0, 98.0), abs=0.05)
    assert golden.steady(1.3, 20.0) == pytest.approx((95.41, 131.98), abs=0.005)
    hot = golden.steady(1.3, 20.0)[1]
    assert ageing_rate(98.0) == 1.0
    assert ageing_rate(hot) == pytest.approx(50.7, abs=0.05)
    assert ageing_rate(110.0, upgraded=True) == 1.0
    assert ageing_rate(hot, upgraded=True) == pytest.approx(8.38, abs=0.005)


@pytest.mark.parametrize(("load", "rate"), [(1.0, 1.0), (1.3, 50.67)])
def test_a_day_at_a_steady_load_takes_that_many_days_of_life(load: float, rate: float) -> None:
    model, rows = InsulationAgeing.example(), 24 * 60 + 1
    duty = np.tile([load, 20.0], (rows, 1))
    used = model.update(np.zeros(rows, np.int32), np.arange(rows) * MINUTE_US, duty)
    assert used[-1] == pytest.approx(24 * rate, rel=1e-4)


@pytest.mark.parametrize("cooling", [DISTRIBUTION, ONAN, ONAF])
def test_a_step_of_load_leads_to_the_steady_state(cooling: Cooling) -> None:
    """Past an overshoot of the gradient, which k21 above 1 gives."""
    model = InsulationAgeing(Transformer(cooling, 55.0, 23.0, 5.0))
    duty = np.array([[0.4, 10.0], *[[1.2, 10.0]] * 2000])
    found = through(model, np.arange(2001.0), duty)
    assert found[-1, :2] == pytest.approx(model.transformer.steady(1.2, 10.0), abs=0.01)
    gradient = found[:, 1] - found[:, 0]
    overshoot = gradient.max() - gradient[-1]
    assert (overshoot > 1.0) == (model.transformer.cooling.k21 > 1)


def test_the_worked_example() -> None:
    """Begins at 63.9 and 90.5 °C, and is what the equations as written lead to with ever smaller steps."""
    minutes: Floats = 3.0 * np.arange(41.0)
    duty: Floats = np.array([LOAD, AMBIENT]).T
    found = through(InsulationAgeing(EXAMPLE, upgraded=True), minutes, duty)
    assert found[0] == pytest.approx((63.9, 90.5, 0.0), abs=0.05)
    fine, coarse = as_written(400), as_written(1)
    assert np.abs(found - fine)[:, :2].max() < 0.01
    assert found[-1, 2] == pytest.approx(fine[-1, 2], rel=0.01)
    assert np.abs(found - coarse)[:, 0].max() < 0.4
    assert np.abs(found - coarse)[:, 1].max() < 3.7


def test_rows_a_quarter_of_an_hour_apart_age_as_rows_of_a_minute() -> None:
    """Of a load that is the same within each quarter of an hour."""
    quarters = np.random.default_rng(60076).uniform(0.3, 1.3, 96)
    coarse, fine = InsulationAgeing.example(), InsulationAgeing.example()
    duty = np.stack([quarters, np.full(96, 25.0)], axis=1)
    used = coarse.update(np.zeros(96, np.int32), np.arange(96) * 15 * MINUTE_US, duty)
    rows = np.arange(95 * 15 + 1)
    minutely = duty[(rows + 14) // 15]
    exact = fine.update(np.zeros(len(rows), np.int32), rows * MINUTE_US, minutely)
    assert coarse.hot_spot == pytest.approx(fine.hot_spot, abs=1e-6)
    assert used[-1] == pytest.approx(exact[-1], rel=0.02)


def test_after_a_gap_it_is_as_warm_as_its_load_makes_it() -> None:
    model = InsulationAgeing.example()
    duty: Floats = np.array([[0.2, 0.0], [0.2, 0.0], [1.3, 20.0]])
    found = through(model, np.array([0.0, 1.0, 600.0]), duty)
    assert found[2, 1] == pytest.approx(131.98, abs=0.005)
    assert found[2, 2] == found[1, 2]
    assert model.unknown_h == pytest.approx([599 / 60])


def test_upgraded_paper_ages_slower_when_hot() -> None:
    duty = np.tile([1.3, 20.0], (60, 1))
    plain, upgraded = (
        InsulationAgeing(InsulationAgeing.example().transformer, upgraded=each) for each in (False, True)
    )
    used = [m.update(np.zeros(60, np.int32), np.arange(60) * MINUTE_US, duty)[-1] for m in (plain, upgraded)]
    assert used[0] / used[1] == pytest.approx(50.67 / 8.377, rel=1e-3)


def test_a_month_at_rated_load_leaves_what_is_left_of_180_000_hours() -> None:
    """And 110 % of it much less: the hot spot is 8 to 9 K hotter."""
    model, rows = InsulationAgeing.example(), 30 * 96 + 1
    past = Duty(np.arange(rows) * 15 * MINUTE_US, np.tile([1.0, 20.0], (rows, 1)))
    usual, more = (outlook(model, past, 60_000.0, load) for load in (1.0, 1.1))
    assert usual.limit.p50_h == pytest.approx(120_000.0)
    assert usual.warning.p50_h == pytest.approx(84_000.0)
    rate = ageing_rate(model.transformer.steady(1.1, 20.0)[1])
    assert more.limit.p50_h == pytest.approx(120_000.0 / rate)
    assert more.limit.basis == "30 days of past duty at 110% of their load"


def test_what_is_no_transformer() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Transformer(ONAF, 52.0, 26.0, loss_ratio=0.0)


def test_temperatures_along_a_record_are_those_of_the_counter() -> None:
    minutes: Floats = 3.0 * np.arange(len(LOAD), dtype=np.float64)
    duty = np.column_stack([LOAD, AMBIENT])
    counted = through(InsulationAgeing(EXAMPLE), minutes, duty)[:, :2]
    step = np.concatenate([[np.inf], np.diff(minutes)])
    assert temperatures(EXAMPLE, step, duty[:, 0], duty[:, 1]) == pytest.approx(counted)


def test_after_a_gap_temperatures_are_those_of_the_load_in_the_end() -> None:
    step = np.array([7.0, 15.0, np.inf])  # of what was before the first row nothing is known anyway
    said = temperatures(EXAMPLE, step, np.array([0.5, 1.0, 1.0]), np.full(3, 20.0))
    assert said[[0, 2]] == pytest.approx(np.array([EXAMPLE.steady(0.5, 20.0), EXAMPLE.steady(1.0, 20.0)]))
    assert said[0, 0] < said[1, 0] < said[2, 0]
    assert temperatures(EXAMPLE, np.zeros(0), np.zeros(0), np.zeros(0)).shape == (0, 2)
