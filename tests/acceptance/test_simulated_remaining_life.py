"""Simulated machines that fail: learned from the hours that a worker tells, judged on machines left out.

Rows go through the worker's own scoring until each machine fails by one of its pack's fault modes. Nothing
was chosen on the machines left out: they are of another seed.
"""

from collections import defaultdict

import numpy as np
import pytest

from console.bench.detection.simulated import START, blocks_of
from console.training import HourlyLife, Record, fit
from fleet.catalog import packs
from fleet.clock import microseconds
from fleet.life_rows import LEVEL_ALONE, LifeColumns, LifeRows
from forecasting.contract import Forecaster
from forecasting.evaluation import Evaluation, ask, evaluation, rmse
from forecasting.robust_trend import RobustTrend
from streams.health_message import HealthMessage
from streams.scorer import Scorer
from streams.simulator.histories import fatal_faults

LEARNED_SEED, LEFT_OUT_SEED = 101, 202


def lives(kind: str, machines: int, seed: int) -> Record:
    """The lives of so many machines, by the hour."""
    pack, told = packs()[kind], defaultdict[int, list[HealthMessage]](list)
    faults = fatal_faults(kind, [f"m-{n}" for n in range(machines)], seed)
    ends_us = microseconds(START) + np.array([int(fault.failure_h * 3.6e9) for fault in faults])
    scorer, days = Scorer(pack), int(max(fault.failure_h for fault in faults) / 24) + 1
    for block in blocks_of(kind, machines, days, seed, faults):
        rows = block.take(block.ts_us <= ends_us[block.asset_id])
        for message in scorer.score(rows, lambda number: ("t", f"m-{number}")).messages:
            told[message.asset_id].append(message)
    channels = len(pack.equipment_type.channels)
    by_hour = [HourlyLife(rows_of(told[number], channels), None, failed=True) for number in sorted(told)]
    ts_us, level = (
        np.concatenate([getattr(life.rows, name) for life in by_hour]) for name in ("ts_us", "level")
    )
    ends = [int(life.rows.ts_us[-1]) for life in by_hour]
    record = Record([], list(range(machines)), ends, ts_us, level, by_hour, pack)
    record.runs.extend(record.hourly(LEVEL_ALONE))
    return record


def rows_of(told: list[HealthMessage], channels: int) -> LifeRows:
    return LifeRows.of(((one.ts_us, one.levels["condition"], one.means) for one in told), channels)


def usual_h(record: Record) -> float:
    return float(np.median([np.ptp(run.history.age_h) for run in record.runs]))


@pytest.mark.parametrize(("kind", "beats_the_dummy"), [("wind-turbine", True), ("crane", False)])
def test_lives_of_machines_left_out(kind: str, beats_the_dummy: bool) -> None:
    """Cranes may be at the limit of their health for days before they fail, so that the answer there is 0."""
    on_record, asked = lives(kind, 24, LEARNED_SEED), lives(kind, 40, LEFT_OUT_SEED)
    learned, lineage = fit(on_record, "learned_life")
    columns = LifeColumns.read(lineage)
    level = asked.hourly(LEVEL_ALONE, columns)
    sayers: dict[str, Forecaster] = {"conformal_life": fit(on_record, "conformal_life")[0]}
    sayers["robust_trend"] = RobustTrend()
    said = {"learned_life": ask(learned, asked.hourly(columns), range(40), usual_h(on_record))}
    said |= {name: ask(sayer, level, range(40), usual_h(on_record)) for name, sayer in sayers.items()}
    found: dict[str, Evaluation] = {name: evaluation(answers) for name, answers in said.items()}
    dummy = rmse(said["learned_life"].dummy_h, said["learned_life"].left_h)
    print(f"\n{kind}: RMSE of the median life {dummy:.0f} h")
    print("  left out at the fit", lineage["scores"])
    for name, one in found.items():
        print(" ", name, one.as_json())
    ours = found["learned_life"]
    assert ours.rmse_h < found["robust_trend"].rmse_h / 2
    assert ours.answered > 0.9
    if beats_the_dummy:
        assert ours.rmse_h < 0.85 * dummy
        assert 0.65 <= ours.coverage <= 0.95
