"""A machine tool's magazine on its way through the scorer: told by the hour, kept over restarts."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from fleet.catalog import packs
from fleet.rating import Ratings
from storage.chunk_result import WearRow
from streams.part_counters import NO_CHANGES, Changes
from streams.rows import Rows, Scored
from streams.scorer import Scorer
from streams.simulator.machine import DAY_S, Block
from streams.simulator.machine_tool import PROGRAMS, MachineTool

MINUTE = 60_000_000
START = 1_767_225_600_000_000
SHIPPED = packs()["machine-tool"]
PACK = replace(SHIPPED, detection=replace(SHIPPED.detection, baseline_rows=120))
RATINGS: Ratings = {"tool_diameter": 16.0, "tool_n": 0.25, "tool_constant": 900.0}


@cache
def days() -> Rows:
    """Two days of one machine."""
    rng = np.random.default_rng(3685)
    machine, clock_s = MachineTool(rng), np.arange(0.0, DAY_S, 60.0)
    told = [machine.day(Block(clock_s, day, 60.0, {}), rng) for day in (20_454, 20_455)]
    names = [channel.name for channel in PACK.equipment_type.channels]
    silent = np.full(len(clock_s), np.nan)  # channels that only waveforms have
    values = np.concatenate([np.stack([day.get(name, silent) for name in names], axis=1) for day in told])
    ts_us = START + MINUTE * np.arange(len(values), dtype=np.int64)
    return Rows(np.ones(len(values), np.int32), ts_us, values.astype(np.float32))


def run(
    cuts: list[int], changed: Changes = NO_CHANGES, ratings: Ratings = RATINGS
) -> tuple[list[Scored], bytes]:
    """The rows in chunks, with a restart after each."""
    rows, scored, state = days(), [], b""
    for start, end in zip([0, *cuts], [*cuts, len(days().ts_us)], strict=True):
        scorer = Scorer(PACK, ratings_of=lambda _: ratings)
        if state:
            scorer.load(state)
        scored.append(scorer.score(rows.take(slice(start, end)), lambda _: ("acme", "mill"), {}, changed))
        state = scorer.state()
    return scored, state


def of_tools(scored: list[Scored]) -> list[WearRow]:
    return [row for part in scored for row in part.wear if row.counter.startswith("tool_")]


def test_each_tool_is_told_by_the_hour_and_falls_when_it_is_changed() -> None:
    scored, _ = run([])
    rows = of_tools(scored)
    by_tool = {name: [row.value for row in rows if row.counter == name] for name in {r.counter for r in rows}}
    assert by_tool.keys() == {f"tool_{number}" for number in range(1, 10)}
    assert any((np.diff(values) < 0).any() for values in by_tool.values())
    assert all((np.diff(values) > 0).any() for values in by_tool.values())
    levels = scored[-1].messages[-1].levels
    assert levels["tool_1"] == by_tool["tool_1"][-1]


def test_a_restart_goes_on_to_the_bit() -> None:
    (whole, state), (parts, other) = run([]), run([700, 1503, 2200])
    assert of_tools(whole) == of_tools(parts)
    assert state == other


def test_a_change_on_record_is_told_with_the_state_and_no_other_tool_notices() -> None:
    changed = {1: [(START + 2500 * MINUTE, 4)]}
    (scored, state), (parts, other) = run([], changed), run([1503], changed)
    assert [part.renewed for part in scored] == [1]
    assert [part.renewed for part in parts] == [0, 1]
    assert state == other
    plain, _ = run([])
    differ = {one.counter for one, two in zip(of_tools(scored), of_tools(plain), strict=True) if one != two}
    assert differ == {"tool_4"}


def test_tools_of_a_program_that_cuts_deeper_wear_faster_by_the_extended_equation() -> None:
    """Beside the plain one, whose constant holds at .1 mm a tooth and 2 mm."""
    more: Ratings = {
        "tool_feed_exponent": 0.3,
        "tool_depth_exponent": 0.15,
        "tool_feed": 0.1,
        "tool_teeth": 4.0,
    }
    plain, extended = (
        {row.counter: row.value for row in of_tools(run([], ratings=each)[0])}
        for each in (RATINGS, {**RATINGS, **more, "tool_depth": 2.0})
    )
    for first, program in zip((1, 4, 7), PROGRAMS[1:], strict=True):
        feed = program.feed / program.speed / 4
        severity = (feed / 0.1) ** 0.3 * (program.depth / 2) ** 0.15
        assert extended[f"tool_{first}"] / plain[f"tool_{first}"] == pytest.approx(severity**4, rel=0.01)


def test_a_state_from_before_tools_were_reported_is_gone_on_with() -> None:
    kind = PACK.equipment_type
    width = kind.column("tool")
    old, rows = Scorer(PACK.on(kind.first(width))), days()
    old.score(
        Rows(rows.asset_id[:700], rows.ts_us[:700], rows.values[:700, :width]), lambda _: ("acme", "mill")
    )
    new = Scorer(PACK, ratings_of=lambda _: RATINGS)
    new.load(old.state())
    assert of_tools([new.score(rows.take(slice(700, 1440)), lambda _: ("acme", "mill"))])
