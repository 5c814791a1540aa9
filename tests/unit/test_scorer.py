"""What a machine's rows become: the same whatever the cut into chunks, and after any restart."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import state_bytes
from detectors.contract import StateError
from detectors.moving_normal import CLOSEST, LONG, LOOKS
from fleet.asset import Channel, EquipmentType
from fleet.modelled_wear import ModelledWear, RatedWear, Reading
from fleet.rating import Rating, Ratings
from fleet.standard_limit import StandardLimit
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter
from forecasting.wear.contract import Quantity
from forecasting.wear.fatigue import Fatigue, SnCurve
from forecasting.wear.operations import Operations
from storage.chunk_result import EpisodeRow
from streams.rows import Rows, Scored
from streams.scorer import HOURS, Scorer

MINUTE = 60_000_000
START = 1_767_225_600_000_000

WORDS = "Too much", "过高", "Look.", "检查。"

FORCE = StandardLimit("force", 25.0, "ISO 1", *WORDS, deadband=1.0, on_delay_s=180.0, off_delay_s=3600.0)
CURRENT = StandardLimit("current", 7.0, "ISO 2", *WORDS, on_delay_s=120.0, off_delay_s=3600.0)

PACK = VerticalPack(
    EquipmentType(
        "press",
        (
            Channel("mode", "1", 0, 3, "state"),
            Channel("force", "kN", 0, 100, title_en="Force", title_zh="压力"),
            Channel("current", "A", 0, 50),
            Channel("strokes", "1", 0, kind="counter"),
        ),
    ),
    Detection(on_score=4.0, persistence=5, baseline_rows=120, health_tau_s=600.0, d_fail=10.0, idle=(0,)),
    (
        WearCounter("die", "strokes", 800, 1000, "1"),
        WearCounter("running", "mode", 80, 100, "h", above=0.5),
    ),
    (FaultMode("stiff", "Stiff guide", "导轨卡滞", ("force",), "Grease it.", "加润滑脂。"),),
    (FORCE, CURRENT),
    (
        ModelledWear(
            "clutch",
            Operations(900.0, Quantity("force", "kN", 100.0), 20.0),
            (Reading("strokes"), Reading("force")),
        ),
        ModelledWear("frame", Fatigue(SnCurve(36.0)), (Reading("force", 10.0),)),
    ),
)


@cache
def presses() -> Rows:
    """Three machines in turn.

    Number 1 draws a current beyond its limit while it rests, number 2 gets stiff half-way, number 3's force
    sensor dies for an hour.
    """
    n = 600
    rng = np.random.default_rng(5)
    ts = np.repeat(START + np.arange(n, dtype=np.int64) * MINUTE, 3)
    asset = np.tile(np.array([1, 2, 3], np.int32), n)
    minute = np.repeat(np.arange(n), 3)
    values = np.empty((3 * n, 4), np.float32)
    values[:, 0] = np.where(minute % 60 < 15, 0, 1)
    values[:, 1] = 20 + rng.normal(0, 1, 3 * n) + np.where((asset == 2) & (minute > 300), 8, 0)
    values[:, 2] = 5 + rng.normal(0, 0.2, 3 * n)
    values[(asset == 1) & (minute >= 240) & (minute < 255), 2] += 4
    values[:, 3] = minute
    values[(asset == 3) & (minute > 400) & (minute < 460), 1] = 400.0
    values[rng.random((3 * n, 4)) < 0.02] = np.nan
    return Rows(asset, ts, values)


def name_of(asset_id: int) -> tuple[str, str]:
    return "acme", f"press-{asset_id}"


def run(rows: Rows, cuts: list[int], restarts: bool = False) -> tuple[list[Scored], bytes]:
    scorer, scored, at = Scorer(PACK), [], 0
    for end in sorted({min(cut, len(rows.ts_us)) for cut in cuts} | {len(rows.ts_us)}):
        scored.append(scorer.score(rows.take(slice(at, end)), name_of))
        at = end
        if restarts:
            state = scorer.state()
            scorer = Scorer(PACK)
            scorer.load(state)
    return scored, scorer.state()


def scores(scored: list[Scored]) -> dict[tuple[int, int], float]:
    return {
        (asset, ts): score
        for part in scored
        for asset, ts, score in zip(
            part.telemetry.asset_id.tolist(),
            part.telemetry.ts_us.tolist(),
            np.nan_to_num(part.telemetry.score, nan=-1).tolist(),
            strict=True,
        )
    }


def last_of_each(scored: list[Scored]) -> dict[str, EpisodeRow]:
    return {row.episode_id.hex: row for part in scored for row in part.episodes}


def test_the_limits_the_stiff_press_and_the_dead_sensor_are_found_and_nothing_else() -> None:
    scored, _ = run(presses(), [])
    episodes = sorted(last_of_each(scored).values(), key=lambda e: (e.asset_id, e.kind))
    assert [(e.asset_id, e.kind, e.evidence["code"]) for e in episodes] == [
        (1, "limit", "limit-above"),
        (2, "limit", "limit-above"),
        (2, "machine", "stiff"),
        (3, "sensor", "sensor-out-of-range"),
    ]
    resting, passed, stiff, dead = episodes
    # the first value after a great jump may be a spike, so the second passes the limit, or keeps it again
    assert [(us - START) // MINUTE for us in (resting.onset_us, resting.end_us or 0)] == [241, 256]
    assert (passed.onset_us - START) // MINUTE == 301
    assert 300 < (stiff.onset_us - START) // MINUTE < 340
    assert stiff.end_us is None
    assert ((dead.end_us or 0) - START) // MINUTE == 460
    health = {row.asset_id: row.health for row in scored[0].health}
    assert health[1] > 90
    assert health[3] > 90
    assert health[2] < 60


def changed(minute: slice, asset_id: int, column: int, scale: float, offset: float = 0.0) -> Rows:
    """The healthy start of the three machines with one channel of one of them changed for some minutes."""
    rows = presses().take(slice(0, 900))
    values = rows.values.copy()
    values[np.flatnonzero(rows.asset_id == asset_id)[minute], column] *= scale
    values[np.flatnonzero(rows.asset_id == asset_id)[minute], column] += offset
    return Rows(rows.asset_id, rows.ts_us, values)


@pytest.mark.parametrize("impulsive", [(), ("force",)])
def test_a_jump_is_kept_where_the_pack_calls_the_channel_impulsive(impulsive: tuple[str, ...]) -> None:
    rows = changed(slice(250, 251), 1, 1, 1.0, 40.0)
    told = Scorer(replace(PACK, impulsive=impulsive)).score(rows, name_of).telemetry
    assert (told.bad[told.asset_id == 1][250] == 0) == bool(impulsive)


def test_a_machines_finding_knows_the_limits_it_passes_and_what_is_worn() -> None:
    (stiff,), wear = PACK.fault_modes, (WearCounter("die", "strokes", 200, 1000, "1"), PACK.wear[1])
    pack = replace(PACK, wear=wear, fault_modes=(replace(stiff, wear=("die",)),))
    scored = Scorer(pack).score(presses(), name_of)
    (episode,) = (row for row in last_of_each([scored]).values() if row.kind == "machine")
    said = [reason["en"] for reason in episode.evidence["modes"][0]["speaks_for"]]
    assert said[0].startswith("Force is up")
    assert said[1].endswith("is above 25 kN (ISO 1)")
    assert said[2].startswith("die: ")


def test_a_sensor_that_falls_silent_is_a_finding_about_the_sensor_alone() -> None:
    scored, _ = run(changed(slice(160, 280), 1, 2, np.nan), [])
    (episode,) = last_of_each(scored).values()
    assert (episode.kind, episode.detector) == ("sensor", "quality-silent-current")
    assert episode.evidence["code"] == "sensor-silent"
    assert episode.evidence["evidence"][0]["actual"] is None
    assert (episode.onset_us - START) // MINUTE in range(160, 180)  # from the row at which it last worked
    assert ((episode.end_us or 0) - START) // MINUTE == 280


@pytest.mark.parametrize(("column", "named", "scale"), [(1, "N", 1000.0), (2, "kA", 0.001)])
def test_a_sensor_in_another_unit_is_a_finding_about_the_sensor_alone(
    column: int, named: str, scale: float
) -> None:
    rows = changed(slice(200, None), 1, column, scale)
    scored, _ = run(rows, [])
    (episode,) = (each for each in last_of_each(scored).values() if each.kind != "limit")
    assert (episode.kind, episode.evidence["code"]) == ("sensor", "sensor-other-unit")
    assert named in episode.evidence["evidence"][0]["sentence_en"]
    assert 0 <= (episode.onset_us - START) // MINUTE - 200 <= 2  # the first row may lack the value
    told = scored[0].telemetry
    wrong = (told.asset_id == 1) & (told.ts_us >= START + 200 * MINUTE) & np.isfinite(told.values[:, column])
    taken_out = (told.bad & (1 << column)) > 0
    assert taken_out[wrong].all()
    assert not taken_out[~wrong].any()


def test_a_clock_that_went_back_is_a_finding_without_a_channel() -> None:
    rows = presses().take(slice(0, 600))
    scorer = Scorer(PACK)
    before = scorer.score(rows, name_of)
    again = scorer.score(rows.take(slice(450, 600)), name_of)
    assert before.episodes == []
    assert [(e.asset_id, e.kind, e.detector, e.end_us) for e in again.episodes] == [
        (asset_id, "sensor", "quality-clock", None) for asset_id in (1, 2, 3)
    ]
    assert {e.onset_us for e in again.episodes} == {START + 150 * MINUTE}
    after = scorer.score(presses().take(slice(600, 603)), name_of)
    assert [e.end_us for e in after.episodes] == [START + 200 * MINUTE] * 3


def test_resting_rows_and_late_rows_are_stored_and_not_scored() -> None:
    rows = presses()
    scorer = Scorer(PACK)
    scorer.score(rows, name_of)
    late = scorer.score(Rows(rows.asset_id[:3], rows.ts_us[:3] + 1, rows.values[:3]), name_of)
    assert len(late.telemetry.ts_us) == 3
    assert np.isnan(late.telemetry.score).all()
    assert late.episodes == []
    whole = Scorer(PACK).score(rows, name_of).telemetry
    resting = whole.values[:, 0] == 0
    assert np.isnan(whole.score[resting]).all()
    assert np.isfinite(whole.score[~resting]).any()


def test_rows_just_after_a_switch_are_stored_and_not_scored() -> None:
    rows = presses()
    settling = replace(PACK, detection=replace(PACK.detection, settle_s=180.0))
    told = Scorer(settling).score(rows, name_of).telemetry
    minute = (told.ts_us - START) // MINUTE
    assert np.isnan(told.score[(minute % 60 >= 16) & (minute % 60 < 17)]).all()
    assert np.isfinite(told.score[(minute > 300) & (minute % 60 >= 20)]).mean() > 0.9


def test_rows_come_out_in_the_tables_order_each_instant_once() -> None:
    rows = presses().take(slice(0, 30))
    twice = Rows(*(np.concatenate([a, a]) for a in (rows.asset_id, rows.ts_us, rows.values)))
    told = Scorer(PACK).score(twice, name_of).telemetry
    assert len(told.ts_us) == 30
    keys = list(zip(told.asset_id.tolist(), told.ts_us.tolist(), strict=True))
    assert keys == sorted(keys)


def test_wear_counts_running_hours_and_reads_the_counter() -> None:
    scored, _ = run(presses(), [])
    newest = {(row.asset_id, row.counter): row.value for row in scored[0].wear}
    assert 5 < newest[1, "running"] < 8
    assert newest[1, "die"] > 500
    levels = scored[0].messages[-1].levels
    assert set(levels) == {"condition", "die", "running", "clutch", "frame"}
    assert levels["die"] == pytest.approx(newest[3, "die"] / 1000, abs=1e-3)


def test_the_mode_that_an_episode_was_raised_as_is_told_with_the_health() -> None:
    scored, _ = run(presses(), [])
    (raised,) = {row.asset_id for row in scored[0].episodes if row.kind == "machine"}
    assert raised == 2
    modes = {(each.asset_id, each.mode) for each in scored[0].messages}
    assert modes == {(1, ""), (2, "stiff"), (3, "")}


def test_a_state_from_before_modes_were_told_goes_on() -> None:
    before, later = presses().take(slice(0, 900)), presses().take(slice(900, None))
    old, scorer = Scorer(PACK), Scorer(PACK)
    old.score(before, name_of)
    kind, arrays = state_bytes._read(old.state())
    scorer.load(state_bytes.pack(kind, {name: arrays[name] for name in arrays if name != "named"}))
    assert scorer.score(later, name_of).messages == old.score(later, name_of).messages


def test_wear_models_count_the_pieces_that_hold_a_press_together() -> None:
    """A stroke at 20 kN is one operation of the clutch; the stiff press works it, and its frame, harder."""
    scored, _ = run(presses(), [])
    newest = {(row.asset_id, row.counter): row for row in scored[0].wear}
    die, clutch = newest[1, "die"], newest[1, "clutch"]
    assert clutch.value == pytest.approx(die.value, rel=0.02)
    assert (clutch.warning, clutch.limit, clutch.unit) == (720.0, 900.0, "1")
    assert newest[2, "clutch"].value > 1.05 * clutch.value
    assert 0 < newest[1, "frame"].value < newest[2, "frame"].value
    assert scored[0].messages[-1].levels["clutch"] > 0.5


def test_a_model_that_knows_nothing_of_a_machine_says_nothing() -> None:
    rows = replace(presses(), values=presses().values.copy())
    rows.values[:, 3] = np.nan  # no strokes
    told = Scorer(PACK).score(rows, name_of)
    assert {row.counter for row in told.wear} == {"die", "running", "frame"}
    assert set(told.messages[-1].levels) == {"condition", "die", "running", "frame"}


def test_a_state_from_before_a_part_had_its_model_goes_on_and_the_model_starts() -> None:
    before, later = presses().take(slice(0, 900)), presses().take(slice(900, None))
    old = Scorer(replace(PACK, modelled=()))
    old.score(before, name_of)
    scorer = Scorer(PACK)
    scorer.load(old.state())
    told, plain = scorer.score(later, name_of), old.score(later, name_of)
    assert [row for row in told.wear if row.counter in {"die", "running"}] == plain.wear
    assert 0 < next(row.value for row in reversed(told.wear) if row.counter == "clutch") < 310


RATED = replace(
    PACK,
    modelled=(
        RatedWear(
            "clutch",
            (Rating("clutch_b10d", needed=True), Rating("clutch_used", default=0.0)),
            lambda said: (Operations(float(said["clutch_b10d"])), (Reading("strokes"),)),
            {"clutch_b10d": 9.0},
            "clutch_used",
        ),
    ),
)


def test_a_machine_has_the_counters_that_its_ratings_allow_up_to_its_own_limit() -> None:
    ratings: dict[int, Ratings] = {1: {"clutch_b10d": 900.0}, 2: {"clutch_b10d": 1800.0}, 3: {}}
    scorer = Scorer(RATED, ratings_of=ratings.__getitem__)
    told = scorer.score(presses().take(slice(0, 1200)), name_of)
    clutch = {row.asset_id: row for row in told.wear if row.counter == "clutch"}
    assert {asset: row.limit for asset, row in clutch.items()} == {1: 900.0, 2: 1800.0}
    levels = {message.asset_id: message.levels for message in told.messages}
    assert levels[1]["clutch"] == pytest.approx(2 * levels[2]["clutch"], rel=0.02)
    assert "clutch" not in levels[3]
    ratings[3] = {"clutch_b10d": 900.0}
    scorer.rate()
    later = scorer.score(presses().take(slice(1200, None)), name_of)
    assert levels.keys() == {row.asset_id for row in later.wear if row.counter == "clutch"}
    again = Scorer(RATED, ratings_of=ratings.__getitem__)
    again.load(scorer.state())
    assert again.state() == scorer.state()


@pytest.mark.parametrize(("rated", "says"), [({"clutch_b10d": 300.0}, True), ({}, False)])
def test_a_counter_speaks_for_a_fault_mode_where_the_machines_ratings_are_known(
    rated: Ratings, says: bool
) -> None:
    pack = replace(RATED, fault_modes=(replace(RATED.fault_modes[0], wear=("clutch",)),))
    scored = Scorer(pack, ratings_of=lambda asset_id: rated if asset_id == 2 else {}).score(
        presses(), name_of
    )
    (episode,) = (row for row in last_of_each([scored]).values() if row.kind == "machine")
    said = [reason["en"] for reason in episode.evidence["modes"][0]["speaks_for"]]
    assert any(one.startswith("clutch: ") for one in said) == says


def one_press(force: list[float]) -> Rows:
    """Press 1, a row a minute, in mode 1."""
    n = len(force)
    ts = START + np.arange(n, dtype=np.int64) * MINUTE
    rest = [np.ones(n), np.array(force), np.full(n, 5.0), np.arange(n)]
    return Rows(np.ones(n, np.int32), ts, np.stack(rest, axis=1).astype(np.float32))


def test_a_limit_is_passed_after_its_delay_whatever_is_normal_for_the_machine() -> None:
    rng = np.random.default_rng(7)
    rows = one_press([30.0, 30.5, 30.2, *rng.normal(30, 0.5, 400)])
    told, _ = run(rows, [3, 4])
    assert [len(part.episodes) for part in told] == [
        0,
        1,
        0,
    ]  # three minutes, and nothing odd is learned of it
    (episode,) = told[1].episodes
    assert (episode.kind, episode.detector) == ("limit", "limit-force-above-25")
    assert (episode.onset_us, episode.end_us) == (START, None)
    assert (episode.peak_us, episode.peak_score) == (START + MINUTE, 0.0)
    (evidence,) = episode.evidence["evidence"]
    assert evidence["sentence_en"] == "Force at 30.5 kN is above the limit of 25 kN (ISO 1)"
    assert evidence["sentence_zh"] == "压力达到 30.5 kN，高于限值 25 kN（ISO 1）"
    assert (episode.evidence["check_en"], episode.evidence["check_zh"]) == WORDS[2:]


def test_a_limit_that_is_kept_again_ends_its_episode_with_how_far_it_went() -> None:
    told, _ = run(one_press([20.0] * 5 + [26.0] * 10 + [26.5] + [20.0] * 65), [12])
    begun, ended = (episode for part in told for episode in part.episodes if episode.kind == "limit")
    assert begun.episode_id == ended.episode_id
    assert begun.evidence["evidence"][0]["actual"] == 26.0
    assert ended.evidence["evidence"][0]["actual"] == 26.5
    assert (ended.peak_us, ended.end_us) == (START + 15 * MINUTE, START + 16 * MINUTE)


def test_what_is_missing_or_cannot_be_trusted_passes_no_limit_and_keeps_none() -> None:
    nan, broken = float("nan"), 400.0
    assert last_of_each(run(one_press([26.0, nan, broken, nan, nan]), [])[0]) == {}
    passed, _ = run(one_press([26.0, nan, broken, 26.0, *[nan, broken] * 60]), [])
    (episode,) = (row for row in last_of_each(passed).values() if row.kind == "limit")
    assert (episode.onset_us, episode.end_us) == (START, None)


PERIOD = LOOKS * CLOSEST
"""Rows of a learning period, at least."""


@cache
def settling() -> Rows:
    """A press whose force is 20 kN at first and 23 kN for good from minute 400 on."""
    rng = np.random.default_rng(9)
    rows = one_press((rng.normal(20, 0.5, 2600) + 3 * (np.arange(2600) >= 400)).tolist())
    rows.values[:, 2] += rng.normal(0, 0.2, 2600)
    return rows


def test_a_press_that_has_settled_at_another_force_is_told_to_be_normal_there_and_stays_less_healthy() -> (
    None
):
    told, _ = run(settling(), [])
    odd, shift = sorted(last_of_each(told).values(), key=lambda e: e.kind)
    assert (odd.kind, shift.kind, shift.detector) == ("machine", "shift", "normal-settled")
    assert shift.onset_us == shift.end_us == shift.peak_us
    assert 400 + (LONG - 1) * PERIOD < (shift.onset_us - START) // MINUTE < 400 + (LONG + 2) * PERIOD
    assert odd.end_us is not None
    assert abs(odd.end_us - shift.onset_us) < 60 * MINUTE
    (evidence,) = shift.evidence["evidence"]
    assert evidence["channel"] == "force"
    assert evidence["expected"] == pytest.approx(20, abs=0.3)
    assert evidence["actual"] == pytest.approx(23, abs=0.3)
    health = [(row.ts_us, row.health) for row in told[0].health]
    assert max(health for ts_us, health in health if ts_us > START + 460 * MINUTE) < 70


def test_a_limit_stays_where_it_is_when_a_machine_has_settled_beyond_it() -> None:
    rows = settling()
    rows = Rows(rows.asset_id, rows.ts_us, rows.values + np.array([0, 5, 0, 0], np.float32))  # 25 to 28 kN
    episodes = last_of_each(run(rows, [])[0]).values()
    shift = next(episode for episode in episodes if episode.kind == "shift")
    assert [e.end_us for e in episodes if e.kind == "limit" and e.onset_us > START + 400 * MINUTE] in (
        [],
        [None],
    )
    assert any(e.kind == "limit" and e.onset_us < shift.onset_us and e.end_us is None for e in episodes)


@settings(max_examples=6)
@given(st.lists(st.integers(1, 2600), min_size=1, max_size=6), st.booleans())
def test_no_cut_and_no_restart_changes_what_becomes_normal(cuts: list[int], restarts: bool) -> None:
    whole, state = run(settling(), [])
    parts, state_in_parts = run(settling(), cuts, restarts)
    assert scores(parts) == scores(whole)
    assert last_of_each(parts) == last_of_each(whole)
    assert [row for part in parts for row in part.health] == whole[0].health
    assert state_in_parts == state


@settings(max_examples=8)
@given(st.lists(st.integers(1, 1100), min_size=1, max_size=6))
def test_sensors_and_clocks_are_the_same_after_any_restart(cuts: list[int]) -> None:
    silent, foreign = changed(slice(160, 240), 1, 2, np.nan), changed(slice(200, 280), 2, 1, 1000.0)
    values = np.where((silent.asset_id == 1)[:, None], silent.values, foreign.values)
    order = np.concatenate([np.arange(870), np.arange(600, 900)])  # an hour and a half comes twice
    rows = Rows(silent.asset_id, silent.ts_us, values).take(order)
    whole, state = run(rows, [])
    found = [episode for episode in last_of_each(whole).values() if episode.kind != "limit"]
    assert {(e.asset_id, e.detector, e.end_us is None) for e in found} == {
        (1, "quality-silent-current", False),
        (2, "quality-other_unit-force", False),
        *((asset_id, "quality-clock", False) for asset_id in (1, 2, 3)),
    }
    restarted, same_state = run(rows, cuts, restarts=True)
    assert last_of_each(restarted) == last_of_each(whole)
    assert same_state == state


@settings(max_examples=8)
@given(st.lists(st.integers(1, 1800), max_size=12), st.booleans())
def test_no_cut_and_no_restart_changes_anything(cuts: list[int], restarts: bool) -> None:
    whole, state = run(presses(), [])
    parts, state_in_parts = run(presses(), cuts, restarts)
    assert scores(parts) == scores(whole)
    assert last_of_each(parts) == last_of_each(whole)
    assert [row for part in parts for row in part.health] == whole[0].health
    assert [message for part in parts for message in part.messages] == whole[0].messages
    assert state_in_parts == state


def test_another_equipment_types_state_is_refused() -> None:
    _, state = run(presses(), [])
    other = replace(PACK, equipment_type=EquipmentType("lathe", PACK.equipment_type.channels))
    with pytest.raises(StateError):
        Scorer(other).load(state)


GROWN = replace(
    PACK,
    equipment_type=replace(
        PACK.equipment_type, channels=(*PACK.equipment_type.channels, Channel("oil", "°C", 0, 120))
    ),
    limits=(StandardLimit("oil", 60.0, "ISO 3", *WORDS), *PACK.limits),
)


def with_oil(rows: Rows) -> Rows:
    """The same rows with a channel that speaks in the second half."""
    oil = np.where(np.arange(len(rows.ts_us)) > 900, 60 + rows.values[:, 2], np.nan)
    return Rows(rows.asset_id, rows.ts_us, np.column_stack([rows.values, oil]).astype(np.float32))


@pytest.mark.parametrize("by_restart", [False, True])
def test_a_channel_added_at_the_end_costs_nothing_of_what_was_learned(by_restart: bool) -> None:
    rows = with_oil(presses())
    first = Rows(rows.asset_id[:900], rows.ts_us[:900], np.ascontiguousarray(rows.values[:900, :4]))
    scorer = Scorer(PACK)
    before = [scorer.score(first, name_of)]
    if by_restart:
        state = scorer.state()
        scorer = Scorer(GROWN)
        scorer.load(state)
    else:
        scorer.widen(GROWN)
    assert scorer.channels == 5
    after = [*before, scorer.score(rows.take(slice(900, None)), name_of)]
    plain, _ = run(presses(), [900])
    ours, theirs = scores(after), scores(plain)
    early = [key for key in theirs if key[1] < rows.ts_us[1100]]  # before the new channel is learned
    np.testing.assert_allclose([ours[key] for key in early], [theirs[key] for key in early], atol=1e-3)
    episodes, known = last_of_each(after), last_of_each(plain)
    assert {name: row for name, row in episodes.items() if row.kind != "machine" and name in known} == {
        name: row for name, row in known.items() if row.kind != "machine"
    }
    assert {episodes[name].detector for name in episodes.keys() - known.keys()} == {"limit-oil-above-60"}
    assert [row.counter for row in after[-1].wear[-4:]] == ["die", "running", "clutch", "frame"]
    assert after[-1].wear[-4:] == plain[-1].wear[-4:]
    again = Scorer(GROWN)
    again.load(scorer.state())
    assert again.state() == scorer.state()


def test_a_state_of_more_channels_than_there_are_is_refused() -> None:
    with pytest.raises(StateError):
        Scorer(PACK).load(Scorer(GROWN).state())


def test_a_snapshot_of_an_earlier_release_has_no_hours_yet_and_goes_on() -> None:
    rows, half = presses(), 900
    before = Scorer(PACK)
    before.score(rows.take(slice(0, half)), name_of)
    kind, arrays = state_bytes._read(before.state())
    after = Scorer(PACK)
    after.load(state_bytes.pack(kind, {name: each for name, each in arrays.items() if name != HOURS}))
    old, new = (scorer.score(rows.take(slice(half, None)), name_of) for scorer in (after, before))
    assert old.health == new.health
    first, *later = zip(old.messages, new.messages, strict=True)
    assert set(first[0].means) == {None}
    assert any(mean is not None for mean in first[1].means)
    assert all(one.means == other.means for one, other in later[5:])
