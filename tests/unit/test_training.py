"""What lives are learned from: their hours, without channels that know the end or were seldom heard of."""

from dataclasses import replace

import numpy as np
import pytest

from console.model_trial import on_record
from console.models_in_use import columns_of, revived
from console.training import HourlyLife, Record, fit
from fleet.asset import Channel, EquipmentType, FleetError
from fleet.clock import from_microseconds
from fleet.life_rows import HOUR_US, LEVEL_ALONE, LifeRows
from fleet.vertical import Detection, VerticalPack
from forecasting.contract import ModelError
from storage.models import Model

PACK = VerticalPack(
    EquipmentType(
        "pump",
        (
            Channel("load", "%", kind="setpoint"),
            Channel("oil", "°C"),
            Channel("rest", "h"),
            Channel("rare", "mm/s"),
            Channel("hours", "h", kind="counter"),
        ),
    ),
    Detection(bands=(("load", (50.0,)),)),
)


def hours(seed: int) -> HourlyLife:
    """The oil warms as the pump wears, whatever the load; `rest` counts down to the failure."""
    rng = np.random.default_rng([13, seed])
    healthy, failing = rng.integers(40, 90, 2)
    n = int(healthy + failing)
    wear = np.clip((np.arange(n) - healthy) / failing, 0.0, 1.0) ** 1.5
    load = rng.choice([30.0, 70.0], n)
    oil = 40.0 + load / 2.0 + 12.0 * wear + rng.normal(0.0, 0.5, n)
    rare = np.where(np.arange(n) % 3 == 0, 1.0, np.nan)
    means = np.column_stack([load, oil, np.arange(n)[::-1], rare, 1000.0 + np.arange(n)]).astype(np.float32)
    level = np.clip(0.5 * wear + rng.normal(0.0, 0.02, n), 0.0, 0.99)
    return HourlyLife(LifeRows(np.arange(1, n + 1) * HOUR_US, level, means), None, failed=True)


def record(machines: int = 16) -> Record:
    lives = [hours(seed) for seed in range(machines)]
    ts_us, level = (
        np.concatenate([getattr(life.rows, name) for life in lives]) for name in ("ts_us", "level")
    )
    ends = [int(life.rows.ts_us[-1]) for life in lives]
    found = Record([], list(range(machines)), ends, ts_us, level, lives, PACK)
    found.runs.extend(found.hourly(LEVEL_ALONE))
    return found


RECORD = record()
LEARNED, LINEAGE = fit(RECORD, "learned_life")


def model(forecaster: str, lineage: dict[str, object]) -> Model:
    return Model("pump", None, forecaster, 1, lineage, from_microseconds(0))


def test_a_channel_that_knows_the_end_and_one_seldom_heard_of_are_left_out() -> None:
    assert LINEAGE["columns"] == ["condition", "load", "oil"]
    assert list(LINEAGE["left_out"]) == ["rest"]
    assert "countdown" in LINEAGE["left_out"]["rest"]
    assert fit(RECORD, "conformal_life")[1]["columns"] == ["condition"]


def test_a_level_that_knows_the_end_is_refused() -> None:
    def counting_down(life: HourlyLife) -> HourlyLife:
        n = len(life.rows.ts_us)
        return replace(life, rows=replace(life.rows, level=np.arange(n)[::-1] / 1000.0))

    leaking = replace(RECORD, by_hour=[counting_down(life) for life in RECORD.by_hour], runs=[])
    leaking.runs.extend(leaking.hourly(LEVEL_ALONE))
    with pytest.raises(FleetError, match="condition must not be learned from: its first value says"):
        fit(leaking, "learned_life")


def test_scores_are_of_machines_left_out() -> None:
    scores = LINEAGE["scores"]
    assert (scores["failures"], scores["answered"]) == (16, 1.0)
    assert scores["mae_h"] < 0.9 * scores["dummy_mae_h"]
    assert scores["mae_h"] < scores["rmse_h"] < 2 * scores["mae_h"]
    assert 0.6 <= scores["coverage"] <= 1.0
    assert scores["alpha_lambda"] > 0.3


def test_a_stored_model_knows_its_columns_again() -> None:
    again = revived("learned_life", LEARNED.state())
    columns = columns_of(again, LINEAGE)
    assert columns is not None
    histories = [run.history for run in RECORD.hourly(columns)]
    assert again.predict(histories) == LEARNED.predict(histories)
    with pytest.raises(ModelError, match="does not say 'bands'"):
        columns_of(again, {"columns": ["condition"]})
    with pytest.raises(ModelError, match="other columns"):
        columns_of(again, LINEAGE | {"columns": ["condition", "oil"]})


@pytest.mark.parametrize("new", ["learned_life", "conformal_life"])
def test_a_model_of_hours_and_one_of_health_are_asked_at_the_same_hours(new: str) -> None:
    both = {"learned_life": LINEAGE, "conformal_life": {"columns": ["condition"], "to": LINEAGE["to"]}}
    (champion,) = both.keys() - {new}
    answers, _ = fit(RECORD, champion)
    compared = on_record(RECORD, model(new, both[new]), model(champion, both[champion]), answers)
    ((where, found),) = compared.items()
    assert where == "left out of both fits"
    assert found.lives == 16
    assert 0 < found.mae_h != found.champion_mae_h > 0
