"""A tool that breaks at once: its program takes less load than it did, which programs judged whole show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from storage.chunk_result import EpisodeRow
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.fault import Fault
from streams.simulator.simulate import simulate

START = datetime(2026, 3, 2, tzinfo=UTC)
WHOLE = packs()["machine-tool"]
PACK = replace(WHOLE, segments=tuple(replace(one, baseline=30) for one in WHOLE.segments))
"""Taught by fewer programs, so that a week is enough."""

BREAKS_H, END_H = 7 * 24.0, 9 * 24.0
AT_ONCE = 0.001
"""Shape of a fault that is all there from its onset on."""


def by_programs(*faults: Fault) -> list[EpisodeRow]:
    """The episodes of a machine's programs, each as it was told last; its rows are 10 s apart."""
    mill = Asset(0, "t", "s", "mill", "machine-tool")
    fleet = Fleet((Tenant("t"),), (Site("t", "s"),), (mill,), (WHOLE.equipment_type,))
    scorer, told = Scorer(PACK), dict[object, EpisodeRow]()
    for frame in simulate(fleet, START, timedelta(hours=END_H), 7, faults, 10, 8640):
        rows = Rows(np.zeros(len(frame.ts_us), np.int32), frame.ts_us, frame.values.T)
        told |= {row.episode_id: row for row in scorer.score(rows, lambda _: ("t", "mill")).episodes}
    return [row for row in told.values() if row.detector.startswith("segment-program")]


def test_a_tool_that_breaks_is_found_by_its_program_and_named_in_both_languages() -> None:
    (episode,) = by_programs(Fault("mill", "tool-breakage", BREAKS_H, END_H, shape=AT_ONCE))
    assert (episode.kind, episode.evidence["code"]) == ("machine", "tool-breakage")
    assert BREAKS_H < (episode.onset_us / 1e6 - START.timestamp()) / 3600 < END_H
    said = {one["channel"]: one for one in episode.evidence["evidence"]}
    assert said["program_load"]["actual"] < said["program_load"]["expected"]
    assert "Spindle load of the program" in said["program_load"]["sentence_en"]
    assert "程序平均主轴负载" in said["program_load"]["sentence_zh"]


def test_programs_whose_tool_is_whole_raise_nothing() -> None:
    assert by_programs() == []
