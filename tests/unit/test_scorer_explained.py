"""Machines that are well learn anew under a fit of what surroundings explain, and are then found earlier."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import state_bytes
from detectors.explained import Fit
from detectors.surroundings import Surroundings
from fleet.asset import Channel, EquipmentType
from fleet.vertical import Detection, VerticalPack
from storage.chunk_result import EpisodeRow
from streams.judges import EXPLAINED
from streams.renewals import Instants
from streams.rows import Rows, Scored
from streams.scorer import PIONEERS, Scorer

MINUTE, START, N = 60_000_000, 1_767_225_600_000_000, 3000
CHANNELS = (Channel("oil", "1", 0, 200), Channel("air", "°C", -50, 60, "setpoint"), Channel("noise", "1"))
PACK = VerticalPack(
    EquipmentType("tank", CHANNELS), Detection(on_score=4.0, baseline_rows=300, ambient=("air",))
)
FOLLOWS = Surroundings(("oil",), (), ("air",), np.array([10.0]), np.array([[1.0, 0.0]]))
OFFERED = 1000
"""From this row on the fit is there."""


def tank(warmer: float = 0.0, since: int = 2400) -> Rows:
    """A machine whose oil follows the air, which comes and goes, and is off from a row on."""
    rng, minute = np.random.default_rng(6), np.arange(N)
    air = 10 + 8 * np.sin(minute / 100 * 2 * np.pi)
    oil = 40 + air + rng.normal(0, 0.5, N) + warmer * (minute >= since)
    values = np.column_stack([oil, air, rng.normal(0, 1, N)]).astype(np.float32)
    return Rows(np.ones(N, np.int32), START + minute * MINUTE, values)


def run(
    rows: Rows,
    fit: Surroundings | None = FOLLOWS,
    cuts: Sequence[int] = (),
    restarts: bool = False,
    renewed_us: Instants | None = None,
) -> tuple[list[Scored], Scorer]:
    """The fit is offered from row `OFFERED` on."""
    scorer, scored, at = Scorer(PACK, "ewma_t2"), [], 0
    for end in sorted({*cuts, OFFERED, len(rows.ts_us)}):
        if at >= OFFERED and fit is not None:
            scorer.offer(Fit(3, fit))
        scored.append(scorer.score(rows.take(slice(at, end)), lambda _: ("acme", "tank-1"), renewed_us or {}))
        at = end
        if restarts:
            state, scorer = scorer.state(), Scorer(PACK, "ewma_t2")
            scorer.load(state)
    return scored, scorer


def of_kind(scored: Sequence[Scored], kind: str, code: str = "") -> list[EpisodeRow]:
    last = {row.episode_id: row for part in scored for row in part.episodes if row.kind == kind}
    return [row for row in last.values() if row.evidence["code"].startswith(code)]


def minute(at_us: int) -> int:
    return (at_us - START) // MINUTE


def test_a_machine_that_is_well_learns_anew_says_so_and_is_found_where_it_was_not() -> None:
    assert of_kind(run(tank(4.0), fit=None)[0], "machine") == []
    scored, _ = run(tank(4.0))
    (event,) = of_kind(scored, "shift", "normal-relearned")
    assert minute(event.onset_us) == OFFERED
    assert "fit 3" in event.evidence["evidence"][0]["sentence_en"]
    assert "3" in event.evidence["evidence"][0]["sentence_zh"]
    (episode,) = of_kind(scored, "machine")
    assert minute(episode.onset_us) in range(2400, 2430)
    assert [part.renewed for part in scored] == [0, 2], "the fit came, and a machine began anew"


def test_what_is_told_of_it_is_as_its_sensors_have_it() -> None:
    (episode,) = of_kind(run(tank(4.0))[0], "machine")
    (evidence,) = (one for one in episode.evidence["evidence"] if one["channel"] == "oil")
    at = minute(episode.peak_us)
    oil, air, _ = tank(4.0).values[at].tolist()
    assert evidence["expected"] == pytest.approx(40 + air, abs=1.0)
    assert evidence["actual"] == pytest.approx(oil, abs=2.5)


def test_health_does_not_disappear_while_it_learns_anew() -> None:
    scored, _ = run(tank())
    health = {minute(row.ts_us): row.health for part in scored for row in part.health}
    learning = [percent for at, percent in health.items() if OFFERED <= at < OFFERED + 300]
    assert len(learning) == 5
    assert min(learning) > 90


def test_a_machine_with_an_episode_keeps_what_it_learned_until_it_is_repaired() -> None:
    sick = tank(4.0)
    sick.values[900:, 2] += 5.0
    scored, _ = run(sick.take(slice(0, 2000)))
    assert of_kind(scored, "shift", "normal-relearned") == []
    (episode,) = of_kind(scored, "machine")
    assert episode.end_us is None
    sick.values[1500:, 2] -= 5.0
    known = {1: [START + 1499 * MINUTE]}
    first, second = of_kind(run(sick, renewed_us=known)[0], "machine")
    assert first.end_us == known[1][0]
    assert minute(second.onset_us) in range(2400, 2430)
    assert len(of_kind(run(sick, fit=None, renewed_us=known)[0], "machine")) == 1


@pytest.mark.parametrize(
    ("slowly", "since", "offered", "is_on"),
    [(True, 970, 1000, True), (False, 400, 2800, False)],
)
def test_an_episode_or_a_health_that_is_low_is_each_enough(
    slowly: bool, since: int, offered: int, is_on: bool
) -> None:
    """Health has not followed yet, or the machine has settled where it is worn."""
    rules = replace(PACK.detection, health_tau_s=1e7 if slowly else 3600.0)
    sick = tank()
    sick.values[since:, 2] += 5.0
    scorer = Scorer(replace(PACK, detection=rules), "ewma_t2")
    before = scorer.score(sick.take(slice(0, offered)), lambda _: ("acme", "tank-1"))
    (episode,) = of_kind([before], "machine")
    assert (episode.end_us is None) is is_on
    assert (before.health[-1].health >= 95) is is_on
    scorer.offer(Fit(3, FOLLOWS))
    after = scorer.score(sick.take(slice(offered, offered + 100)), lambda _: ("acme", "tank-1"))
    assert of_kind([after], "shift", "normal-relearned") == []


def test_rows_that_are_computed_again_make_no_machine_begin_anew() -> None:
    sick = tank()
    sick.values[900:1050, 2] += 5.0
    scorer = Scorer(PACK, "ewma_t2")
    scorer.score(sick.take(slice(0, 1000)), lambda _: ("acme", "tank-1"))
    scorer.offer(Fit(3, FOLLOWS))
    first = scorer.score(sick.take(slice(1000, 1100)), lambda _: ("acme", "tank-1"))
    again = [
        scorer.score(sick.take(slice(at, at + 500)), lambda _: ("acme", "tank-1")) for at in (1100, 1600)
    ]
    assert of_kind([first, *again], "shift", "normal-relearned") == []
    scorer.offer(Fit(3, FOLLOWS))
    (event,) = of_kind(
        [scorer.score(sick.take(slice(2100, N)), lambda _: ("acme", "tank-1"))], "shift", "normal-relearned"
    )
    assert minute(event.onset_us) == 2100


def test_a_few_learn_first_and_the_others_once_these_can_speak_for_them() -> None:
    one, machines = tank(), PIONEERS + 3
    numbers = np.tile(np.arange(1, machines + 1, dtype=np.int32), N)
    fleet = Rows(numbers, np.repeat(one.ts_us, machines), np.repeat(one.values, machines, axis=0))
    fleet.values[:, 0] += np.random.default_rng(8).normal(0, 0.3, len(numbers))
    scorer, begun, judged = Scorer(PACK, "ewma_t2"), list[int](), list[bool]()
    for at in range(0, N * machines, 100 * machines):
        if at >= OFFERED * machines:
            scorer.offer(Fit(3, FOLLOWS))
        part = fleet.take(slice(at, at + 100 * machines))
        scored = scorer.score(part, lambda number: ("acme", f"tank-{number}"))
        now = [minute(event.onset_us) for event in of_kind([scored], "shift", "normal-relearned")]
        begun += now
        if now and begun[0] < now[0]:
            judged.append(bool(np.isfinite(scored.telemetry.score).all()))
    assert begun[:PIONEERS] == [OFFERED] * PIONEERS
    assert len(begun) == machines
    assert min(begun[PIONEERS:]) >= OFFERED + 300


def test_a_state_from_before_there_were_fits_is_of_machines_that_learned_without_one() -> None:
    rows, before = tank(), Scorer(PACK, "ewma_t2")
    before.score(rows.take(slice(0, OFFERED)), lambda _: ("acme", "tank-1"))
    kind, arrays = state_bytes._read(before.state())
    scorer = Scorer(PACK, "ewma_t2")
    scorer.load(state_bytes.pack(kind, {name: each for name, each in arrays.items() if name != EXPLAINED}))
    scorer.offer(Fit(3, FOLLOWS))
    scored = scorer.score(rows.take(slice(OFFERED, N)), lambda _: ("acme", "tank-1"))
    assert len(of_kind([scored], "shift", "normal-relearned")) == 1


def test_a_new_machine_begins_under_the_fit_without_an_event() -> None:
    scorer = Scorer(PACK, "ewma_t2")
    scorer.offer(Fit(3, FOLLOWS))
    scored = [scorer.score(tank(4.0), lambda _: ("acme", "tank-1"))]
    assert of_kind(scored, "shift", "normal-relearned") == []
    assert minute(of_kind(scored, "machine")[0].onset_us) in range(2400, 2430)


@settings(max_examples=6)
@given(st.lists(st.integers(1, N - 1), max_size=5), st.booleans())
def test_no_cut_and_no_restart_changes_anything(cuts: list[int], restarts: bool) -> None:
    whole, ended = run(tank(4.0))
    parts, ended_in_parts = run(tank(4.0), cuts=cuts, restarts=restarts)
    joined, expected = (np.concatenate([part.telemetry.score for part in each]) for each in (parts, whole))
    np.testing.assert_array_equal(joined, expected)
    assert of_kind(parts, "machine") == of_kind(whole, "machine")
    assert ended_in_parts.state() == ended.state()


def test_taken_away_the_machine_learns_anew_once_more() -> None:
    rows = tank()
    scorer = Scorer(PACK, "ewma_t2")
    scorer.offer(Fit(3, FOLLOWS))
    scorer.score(rows.take(slice(0, 1500)), lambda _: ("acme", "tank-1"))
    scorer.offer(None)
    scored = scorer.score(rows.take(slice(1500, N)), lambda _: ("acme", "tank-1"))
    (event,) = of_kind([scored], "shift", "normal-relearned")
    assert "not taken out any more" in event.evidence["evidence"][0]["sentence_en"]
    plain = Scorer(PACK, "ewma_t2").score(rows.take(slice(1500, N)), lambda _: ("acme", "tank-1"))
    later = slice(400, None)
    np.testing.assert_allclose(scored.telemetry.score[later], plain.telemetry.score[later], atol=0.5)
