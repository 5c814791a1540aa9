"""A repaired machine is a new one to what has learned from it, and the same one to everything else."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.chunk_result import EpisodeRow
from streams.renewals import Instants
from streams.rows import Rows, Scored
from streams.scorer import Scorer
from tests.unit.test_scorer import MINUTE, PACK, START, last_of_each, name_of, one_press, presses, scores

REPAIRED = 400
AFTER = {1: [START + REPAIRED * MINUTE]}
BASELINE = PACK.detection.baseline_rows


def gets_stiff() -> Rows:
    """A press at 20 kN that gets stiff at minute 300; from minute 401 on, repaired, it is normal at 22 kN."""
    minute = np.arange(900)
    level = np.select([minute > REPAIRED, minute >= 300], [22.0, 24.0], 20.0)
    rows = one_press((level + np.random.default_rng(11).normal(0, 0.3, 900)).tolist())
    rows.values[:, 2] += np.random.default_rng(12).normal(0, 0.2, 900)
    return rows


def run(
    rows: Rows, known: Instants, cuts: Sequence[int] = (), restarts: bool = False
) -> tuple[list[Scored], Scorer]:
    scorer, scored, at = Scorer(PACK), [], 0
    for end in sorted({min(cut, len(rows.ts_us)) for cut in cuts} | {len(rows.ts_us)}):
        scored.append(scorer.score(rows.take(slice(at, end)), name_of, known))
        at = end
        if restarts:
            state = scorer.state()
            scorer = Scorer(PACK)
            scorer.load(state)
    return scored, scorer


def odd(scored: list[Scored]) -> list[EpisodeRow]:
    return [episode for episode in last_of_each(scored).values() if episode.kind == "machine"]


def health_of(scored: list[Scored]) -> dict[int, float]:
    """By the minute."""
    return {(row.ts_us - START) // MINUTE: row.health for part in scored for row in part.health}


def test_without_a_record_a_repaired_press_is_odd_at_its_new_force() -> None:
    scored, _ = run(gets_stiff(), {})
    assert odd(scored)[0].end_us is None
    assert min(health for minute, health in health_of(scored).items() if minute > 500) < 70
    assert sum(part.renewed for part in scored) == 0


def test_with_a_record_its_episode_ends_there_and_what_is_normal_and_healthy_is_learned_anew() -> None:
    scored, _ = run(gets_stiff(), AFTER)
    (episode,) = odd(scored)
    assert 300 <= (episode.onset_us - START) // MINUTE < 330
    assert episode.end_us == AFTER[1][0]
    assert sum(part.renewed for part in scored) == 1
    health = health_of(scored)
    assert min(health[minute] for minute in health if 300 < minute <= REPAIRED) < 80
    assert not [minute for minute in health if REPAIRED < minute < REPAIRED + BASELINE]
    assert min(health[minute] for minute in health if minute > REPAIRED + BASELINE) > 90


def test_what_is_used_up_and_beyond_a_limit_goes_on() -> None:
    rows = gets_stiff()
    rows.values[:, 1] += 6  # the limit is passed from the first row on
    ours, _ = run(rows, AFTER)
    plain, _ = run(rows, {})
    limits = [[row for row in last_of_each(s).values() if row.kind == "limit"] for s in (ours, plain)]
    assert limits[0] == limits[1] != []
    wear = {(row.ts_us, row.counter): row for row in plain[0].wear}
    assert all(wear.get((row.ts_us, row.counter), row) == row for row in ours[0].wear)


def test_the_other_machines_scores_stay_as_they_were() -> None:
    ours, _ = run(presses(), {1: [START + 300 * MINUTE]})
    plain, _ = run(presses(), {})
    now, before = scores(ours), scores(plain)
    assert {key: score for key, score in now.items() if key[0] != 1} == {
        key: score for key, score in before.items() if key[0] != 1
    }
    assert now != before


@pytest.mark.parametrize("heard", [402, 450])
def test_a_record_that_comes_late_counts_from_the_next_row(heard: int) -> None:
    rows = gets_stiff()
    scorer = Scorer(PACK)
    first = scorer.score(rows.take(slice(0, heard)), name_of)
    (on,) = odd([first])
    late = [first, scorer.score(rows.take(slice(heard, None)), name_of, AFTER)]
    known_then, _ = run(rows, {1: [START + (heard - 1) * MINUTE]})
    assert scores(late) == scores(known_then)
    (episode,) = odd(late)
    assert episode.end_us == max(AFTER[1][0], on.peak_us)


@settings(max_examples=6)
@given(st.lists(st.integers(1, 900), max_size=8), st.booleans())
def test_no_cut_and_no_restart_changes_it(cuts: list[int], restarts: bool) -> None:
    known = {1: [START - MINUTE, AFTER[1][0], AFTER[1][0] + 300 * MINUTE]}
    whole, ended = run(gets_stiff(), known)
    parts, ended_in_parts = run(gets_stiff(), known, cuts, restarts)
    assert sum(part.renewed for part in parts) == whole[0].renewed == 2
    assert scores(parts) == scores(whole)
    assert last_of_each(parts) == last_of_each(whole)
    assert health_of(parts) == health_of(whole)
    assert ended_in_parts.state() == ended.state()


def test_a_finding_says_whether_the_machine_or_its_fleet_says_what_is_normal() -> None:
    """Number 1 is repaired when all three are known, and soon draws far too much."""
    rows = presses()
    rows = Rows(rows.asset_id, rows.ts_us, rows.values.copy())
    minute = (rows.ts_us - START) // MINUTE
    rows.values[(rows.asset_id == 1) & (minute > 340), 2] += 4
    scored, _ = run(rows, {1: [START + 300 * MINUTE]})
    said = {episode.asset_id: episode.evidence["basis"] for episode in odd(scored)}
    assert said[2]["normal"] == "own"
    assert (said[2]["shown"], said[2]["needed"]) == (None, None)
    assert said[1]["normal"] == "fleet"
    assert said[1]["needed"] == BASELINE
    assert 20 <= said[1]["shown"] < 60
    assert f"{said[1]['shown']} of the {BASELINE} rows" in said[1]["sentence_en"]
    assert f"{said[1]['shown']} 行" in said[1]["sentence_zh"]
