"""Packs that name what is given: what load explains is not odd, what it hides is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.asset import Channel, EquipmentType
from fleet.vertical import Detection, VerticalPack
from storage.chunk_result import EpisodeRow
from streams.rows import Rows, Scored
from streams.scorer import Scorer

MINUTE, START, N = 60_000_000, 1_767_225_600_000_000, 1200
CHANNELS = (
    Channel("current", "A", 0, 200),
    Channel("load", "%", 0, 200, "setpoint"),
    Channel("noise", "1", -100, 100),
)
PACK = VerticalPack(
    EquipmentType("hoist", CHANNELS), Detection(on_score=4.0, baseline_rows=300, given=("load",))
)


def hoist(change: float) -> Rows:
    """The current follows the load, higher from minute 700 on, and is off by `change` from 900 on."""
    rng, minute = np.random.default_rng(6), np.arange(N)
    load = rng.normal(50, 10, N) + 15 * (minute >= 700)
    current = 10 + load + rng.normal(0, 0.5, N) + change * (minute >= 900)
    values = np.column_stack([current, load, rng.normal(0, 1, N)]).astype(np.float32)
    return Rows(np.ones(N, np.int32), START + minute * MINUTE, values)


def run(
    rows: Rows, pack: VerticalPack = PACK, cuts: tuple[int, ...] = (), restarts: bool = False
) -> tuple[list[Scored], Scorer]:
    scorer, scored, at = Scorer(pack, "ewma_t2"), [], 0
    for end in sorted({*cuts, N}):
        scored.append(scorer.score(rows.take(slice(at, end)), lambda _: ("acme", "hoist-1")))
        at = end
        if restarts:
            state, scorer = scorer.state(), Scorer(pack, "ewma_t2")
            scorer.load(state)
    return scored, scorer


def odd(scored: list[Scored]) -> list[EpisodeRow]:
    last = {row.episode_id: row for part in scored for row in part.episodes if row.kind == "machine"}
    return list(last.values())


def test_a_load_that_never_was_is_not_odd_and_a_current_that_does_not_fit_it_is() -> None:
    plain = replace(PACK, detection=replace(PACK.detection, given=()))
    assert odd(run(hoist(0.0))[0]) == []
    assert (odd(run(hoist(0.0), plain)[0])[0].onset_us - START) // MINUTE in range(700, 750)
    (episode,) = odd(run(hoist(2.0))[0])
    assert (episode.onset_us - START) // MINUTE in range(900, 940)
    (evidence,) = episode.evidence["evidence"]
    assert evidence["channel"] == "current"
    assert evidence["actual"] - evidence["expected"] == pytest.approx(2.0, abs=0.7)


@settings(max_examples=6)
@given(st.lists(st.integers(1, N - 1), max_size=6), st.booleans())
def test_no_cut_and_no_restart_changes_anything(cuts: list[int], restarts: bool) -> None:
    whole, ended = run(hoist(2.0))
    parts, ended_in_parts = run(hoist(2.0), cuts=tuple(cuts), restarts=restarts)
    joined = np.concatenate([part.telemetry.score for part in parts])
    np.testing.assert_array_equal(joined, whole[0].telemetry.score)
    assert odd(parts) == odd(whole)
    assert ended_in_parts.state() == ended.state()


def test_a_given_channel_that_is_added_later_takes_nothing_from_what_is_known() -> None:
    without = PACK.on(PACK.equipment_type.first(1))
    assert without.detection.given == ()
    scorer, rows = Scorer(without, "ewma_t2"), hoist(0.0)
    first = rows.take(slice(0, 600))
    scorer.score(Rows(first.asset_id, first.ts_us, first.values[:, :1].copy()), lambda _: ("acme", "h"))
    again = Scorer(PACK, "ewma_t2")
    again.load(scorer.state())
    scorer.widen(PACK)
    assert scorer.state() == again.state()
    told = [one.score(rows.take(slice(600, None)), lambda _: ("acme", "h")) for one in (scorer, again)]
    np.testing.assert_array_equal(told[0].telemetry.score, told[1].telemetry.score)
    assert np.isfinite(told[0].telemetry.score).all()
