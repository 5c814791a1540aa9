"""Hours of a life become what a forecaster wants: the same columns live and from the record."""

import numpy as np
import pytest

from fleet.asset import Channel, EquipmentType
from fleet.life_rows import HOUR_US, LEVEL_ALONE, LifeColumns, LifeRows
from fleet.vertical import Detection, VerticalPack

KIND = EquipmentType(
    "turbine",
    (
        Channel("state", "1", 0, 3, "state"),
        Channel("wind", "m/s", 0, 40, "setpoint"),
        Channel("oil", "°C"),
        Channel("energy", "kWh", kind="counter"),
    ),
)
PACK = VerticalPack(KIND, Detection(bands=(("wind", (7.0, 10.0)),)))
COLUMNS = LifeColumns.all_of(PACK)


def rows() -> LifeRows:
    """Told at ten past each hour."""
    means: list[list[float | None]] = [
        [1.0, 5.0, 50.0, 9.0],
        [1.0, 7.0, 51.0, 9.0],
        [1.0, None, 52.0, 9.0],
        [1.0, 12.0, 53.0, 9.0],
    ]
    told = ((hour * HOUR_US + 600_000_000, hour / 10, mean) for hour, mean in enumerate(means, 3))
    return LifeRows.of(told, 4)


def test_measurements_and_set_points_are_looked_at_and_the_regime_is_where_these_lie() -> None:
    assert LifeColumns(("wind", "oil"), (("wind", (7.0, 10.0)),)) == COLUMNS
    which = COLUMNS.usable(KIND, rows(), None)
    history = COLUMNS.history(KIND, rows(), which, int(rows().ts_us[0]))
    assert history.age_h.tolist() == [0.0, 1.0, 3.0]
    assert history.x == pytest.approx(np.array([[0.3, 5.0, 50.0], [0.4, 7.0, 51.0], [0.6, 12.0, 53.0]]))
    assert history.setting is not None
    assert history.setting.tolist() == [[0.0], [1.0], [2.0]]


def test_an_hour_that_began_before_the_life_is_not_of_it() -> None:
    half_past_three = 3 * HOUR_US + HOUR_US // 2
    assert COLUMNS.usable(KIND, rows(), half_past_three).tolist() == [False, False, False, True]
    assert LEVEL_ALONE.usable(KIND, rows(), half_past_three).tolist() == [False, False, True, True]
    assert LEVEL_ALONE.usable(KIND, rows(), 3 * HOUR_US).tolist() == [False, True, True, True]


def test_a_lineage_says_which_columns_there_were() -> None:
    lineage = {"columns": ["condition", "wind", "oil"], "bands": [["wind", [7.0, 10.0]]]}
    assert LifeColumns.read(lineage) == COLUMNS
    with pytest.raises(KeyError):
        LifeColumns.read({"columns": ["condition"]})


def test_channels_that_were_added_since_are_not_known() -> None:
    early = LifeRows.of([(HOUR_US, 0.0, [1.0, 5.0]), (2 * HOUR_US, 0.0, ())], 3)
    assert np.isnan(early.means).tolist() == [[False, False, True], [True, True, True]]
    many = LifeRows.of([(HOUR_US, 0.0, [1.0, 5.0, 6.0])], 2)
    assert many.means.tolist() == [[1.0, 5.0]]
