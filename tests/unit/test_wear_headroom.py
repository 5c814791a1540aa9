"""Overloads of a transformer: the closed form beside the wear model, minute by minute."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.wear.headroom import LIMITS, SETTLED_H, hours_until
from forecasting.wear.transformer import DISTRIBUTION, ONAF, ONAN, InsulationAgeing, Transformer

UNIT = Transformer(ONAF, top_oil_rise=52.0, gradient=26.0, loss_ratio=6.0)
MINUTES = SETTLED_H * 60
AMBIENT = 20.0


def started(unit: Transformer, load: float) -> InsulationAgeing:
    """A unit that has carried a load for long."""
    model = InsulationAgeing(unit)
    model.update(np.zeros(1, np.int32), np.array([60_000_000]), np.array([[load, AMBIENT]]))
    return model


@settings(max_examples=20, deadline=None)
@given(
    cooling=st.sampled_from([ONAN, ONAF, DISTRIBUTION]),
    before=st.floats(0.0, 1.0),
    load=st.floats(0.9, 1.6),
)
def test_a_limit_is_reached_when_the_model_reaches_it(cooling: object, before: float, load: float) -> None:
    unit = Transformer(cooling, 60.0, 22.1, 6.0)  # type: ignore[arg-type]  # one of three
    model = started(unit, before)
    told = hours_until(unit, model.thermal[0], load, AMBIENT)
    hot_spot = [float(model.hot_spot[0])]
    for minute in range(1, 12 * 60 + 1):
        model.update(
            np.zeros(1, np.int32), np.array([(1 + minute) * 60_000_000]), np.array([[load, AMBIENT]])
        )
        hot_spot.append(float(model.hot_spot[0]))
    for limit, hours in told.items():
        if hours is None:
            assert max(hot_spot) < limit
        elif hours <= 12:
            at = round(hours * 60)
            assert hot_spot[at] == pytest.approx(max(limit, hot_spot[at]), abs=1e-6)
            assert at == 0 or hot_spot[at - 1] < limit + 1e-6


def test_the_examples_of_the_standard() -> None:
    """At 1.3 the hot spot ends at 131.98 °C (IEC 60076-7): over 120 it gets, to 140 it does not."""
    told = hours_until(UNIT, started(UNIT, 0.6).thermal[0], 1.3, AMBIENT)
    assert told[140.0] is None
    reached = [told[limit] for limit in (98.0, 110.0, 120.0)]
    assert all(hours is not None for hours in reached)
    assert reached == sorted(reached, key=lambda hours: hours or 0)
    assert hours_until(UNIT, started(UNIT, 1.3).thermal[0], 1.3, AMBIENT)[120.0] == 0.0
    assert set(hours_until(UNIT, started(UNIT, 0.5).thermal[0], 0.5, AMBIENT).values()) == {None}


def test_a_hot_spot_that_overshoots_reaches_what_it_does_not_keep() -> None:
    """The winding heats sooner than the oil is moved to cool it (IEC 60076-7, 8.2.2)."""
    end = UNIT.steady(1.06, AMBIENT)[1]
    assert end < 110 - 5
    hot = np.array([UNIT.steady(1.06, AMBIENT)[0], 0.0, 0.0])  # warm oil, a winding that has just rested
    assert hours_until(UNIT, hot, 1.06, AMBIENT)[110.0] is not None


def test_the_limits_are_those_of_the_standard() -> None:
    assert list(LIMITS) == [98.0, 110.0, 120.0, 140.0]
