"""Tool life by Taylor, and how conditions that vary use it up."""

import numpy as np
import pytest

from forecasting.wear.tool import CuttingTool, ToolLife

MINUTE_US = 60_000_000


@pytest.mark.parametrize(("n", "factor"), [(0.125, 0.23), (0.25, 0.48), (0.4, 0.63)])
def test_a_fifth_more_speed(n: float, factor: float) -> None:
    tool = CuttingTool(n, constant=300.0)
    assert tool.life_min(120.0) / tool.life_min(100.0) == pytest.approx(factor, abs=0.005)


def test_at_the_constants_speed_a_tool_lasts_a_minute() -> None:
    assert CuttingTool(0.25, constant=300.0).life_min(300.0) == pytest.approx(1.0)


def test_feed_and_depth_as_the_extended_equation_has_them() -> None:
    """V T^n f^a ap^b = C."""
    tool = CuttingTool(0.25, 350.0, feed_exponent=0.3, depth_exponent=0.15)
    life = tool.life_min(180.0, 0.2, 2.0)
    assert 180.0 * life**0.25 * 0.2**0.3 * 2.0**0.15 == pytest.approx(350.0)


def test_each_minute_takes_its_share() -> None:
    """Half a life at one speed, idling, and half a life at another: used up."""
    tool = CuttingTool(0.25, constant=300.0)
    model = ToolLife(tool)
    assert [quantity.name for quantity in model.duty] == ["cutting_speed"]
    slow, fast = tool.life_min(100.0) / 2, tool.life_min(150.0) / 2
    ts_us = np.cumsum([0, slow, 30.0, fast]) * MINUTE_US
    used = model.update(
        np.zeros(4, np.int32), ts_us.astype(np.int64), np.array([[0.0], [100.0], [0.0], [150.0]])
    )
    assert used == pytest.approx([0.0, 0.5, 0.5, 1.0], rel=1e-6)


def test_no_depth_no_cut() -> None:
    model = ToolLife.example()
    duty = np.array([[200.0, 0.2, 0.0]] * 3)
    assert model.update(np.zeros(3, np.int32), np.arange(3) * MINUTE_US, duty).tolist() == [0.0] * 3


def test_what_is_no_tool() -> None:
    with pytest.raises(ValueError, match="n and C above 0"):
        CuttingTool(0.0, 300.0)
