"""Units that are mixed up: what a right value becomes in each."""

import numpy as np
import pytest

from fleet.catalog import packs
from fleet.unit_mixup import QUANTITIES, mix_up_table, mix_ups


@pytest.mark.parametrize(
    ("unit", "right", "other", "comes"),
    [
        ("°C", 20.0, "°F", 68.0),
        ("°C", 20.0, "K", 293.15),
        ("°F", 68.0, "°C", 20.0),
        ("A", 2.5, "mA", 2500.0),
        ("kW", 3.0, "W", 3000.0),
        ("W", 3000.0, "kW", 3.0),
        ("bar", 2.0, "kPa", 200.0),
        ("bar", 1.0, "psi", 14.5038),
        ("m/s", 10.0, "km/h", 36.0),
        ("mm", 25.4, "in", 1.0),
        ("m/s²", 9.80665, "g", 1.0),
        ("r/min", 3000.0, "Hz", 50.0),
    ],
)
def test_a_value_in_another_unit(unit: str, right: float, other: str, comes: float) -> None:
    (found,) = [one for one in mix_ups(unit) if one.unit == other]
    assert right * found.scale + found.offset == pytest.approx(comes, rel=1e-5)


def test_no_unit_is_mixed_up_with_itself_under_another_name() -> None:
    units = [unit for quantity in QUANTITIES for unit in quantity]
    assert len(units) == len(set(units))
    for unit in units:
        assert all((one.scale, one.offset) != (1.0, 0.0) for one in mix_ups(unit))
        assert mix_ups(unit)
    assert mix_ups("furlong") == ()


def test_the_table_has_a_place_for_each_channel_and_nothing_where_a_unit_is_not_known() -> None:
    table = mix_up_table(("dB", "°C", "A"))
    assert table.shape == (3, 2, 2)
    assert np.isnan(table[0]).all()
    assert np.isfinite(table[1:]).all()
    assert mix_up_table(("dB",)).shape == (1, 0, 2)


def test_most_measurements_of_the_shipped_packs_have_units_that_are_known() -> None:
    units = [
        channel.unit
        for pack in packs().values()
        for channel in pack.equipment_type.channels
        if channel.kind == "measurement"
    ]
    assert sum(bool(mix_ups(unit)) for unit in units) > 0.7 * len(units)
