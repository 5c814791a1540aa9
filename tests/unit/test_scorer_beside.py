"""Novel values and change points beside the detectors: told as they are, remembered in later findings."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from detectors.contract import StateError
from fleet.asset import Channel, EquipmentType
from fleet.beside import ChangePoints, NovelValues
from fleet.vertical import Detection, FaultMode, VerticalPack
from storage.chunk_result import EpisodeRow
from streams.change_watch import ChangeWatch
from streams.episode_book import Subject
from streams.rows import Rows, Scored
from streams.scorer import Scorer

START = 1_772_409_600_000_000
"""2026-03-02 00:00 UTC."""
STEP_US, HOUR_US, DAY_US = 300_000_000, 3_600_000_000, 86_400_000_000
DAYS, STEPPED, NOVEL, SOUND = 14, 0, 1, 2
CHANGED_H, ODD_H = 10 * 24 + 14, 12 * 24

NOVELTY = NovelValues(("flow",), baseline=96, on_score=3.0)
CHANGES = ChangePoints(("pressure", "flow"), baseline=96, windows=(6, 12, 24))
PACK = VerticalPack(
    EquipmentType(
        "pump",
        (
            Channel("pressure", "bar", 0, 100, title_en="Pressure", title_zh="压力"),
            Channel("flow", "L/min", -50, 200, title_en="Flow", title_zh="流量"),
        ),
    ),
    Detection(on_score=4.0, baseline_rows=300, off_delay_s=1800.0, beside=(NOVELTY, CHANGES)),
    fault_modes=(FaultMode("worn", "Worn", "磨损", ("pressure",), "Look.", "检查。"),),
)


@cache
def pumps() -> Rows:
    """Three machines in turn.

    The pressure of one goes up at `CHANGED_H` and farther at `ODD_H`; the flow of the next, which is high by
    day and low by night, is in between for three hours; the last one is as it was.
    """
    rng, n = np.random.default_rng(8), DAYS * 288
    hours = np.arange(n) / 12
    x = rng.normal(0, 1, (n, 3, 2)).astype(np.float32)
    x[..., 0] += 20
    x[..., 1] += 20
    x[hours % 24 >= 12, NOVEL, 1] += 60
    x[hours >= CHANGED_H, STEPPED, 0] += 2
    x[hours >= ODD_H, STEPPED, 0] += 12
    x[(hours >= 11 * 24) & (hours < 11 * 24 + 3), NOVEL, 1] = 50 + rng.normal(0, 1, 36)
    ts_us = START + np.arange(n) * STEP_US
    return Rows(np.tile(np.arange(3, dtype=np.int32), n), np.repeat(ts_us, 3), x.reshape(3 * n, 2))


def name_of(asset_id: int) -> tuple[str, str]:
    return "t", f"pump-{asset_id}"


def run(size: int, pack: VerticalPack = PACK, restarts: bool = False) -> list[Scored]:
    scorer, scored = Scorer(pack), []
    for at in range(0, len(pumps().ts_us), size):
        scored.append(scorer.score(pumps().take(slice(at, at + size)), name_of))
        if restarts:
            state = scorer.state()
            scorer = Scorer(pack)
            scorer.load(state)
            assert scorer.state() == state
    return scored


@cache
def watched() -> list[Scored]:
    return run(4000)


def last_of_each(scored: list[Scored]) -> list[EpisodeRow]:
    return list({row.episode_id: row for part in scored for row in part.episodes}.values())


def of(asset_id: int, begins: str) -> list[EpisodeRow]:
    found = (row for row in last_of_each(watched()) if row.asset_id == asset_id)
    return [row for row in found if row.detector.startswith(begins)]


def test_a_change_is_told_as_an_event_with_its_hour_and_no_alarm() -> None:
    first, second = of(STEPPED, "changed-pressure")
    assert first.kind == second.kind == "shift"
    assert first.onset_us == START + CHANGED_H * HOUR_US
    assert second.onset_us == START + ODD_H * HOUR_US
    assert first.end_us is not None
    assert first.onset_us < first.end_us <= first.onset_us + 12 * HOUR_US
    (said,) = first.evidence["evidence"]
    assert said["sentence_en"].startswith("Pressure changed at 2026-03-12 14:00 UTC, from 20")
    assert said["sentence_zh"].startswith("压力于 2026-03-12 14:00 UTC 发生变化，由 20")
    assert said["actual"] - said["expected"] == pytest.approx(2, abs=0.3)
    assert second.evidence["evidence"][0]["actual"] == pytest.approx(34, abs=0.5)


def test_a_machine_that_did_not_change_has_no_event() -> None:
    assert of(SOUND, "changed") == []


def test_what_changed_is_part_of_the_evidence_of_the_machines_episode_as_soon_as_it_is_told() -> None:
    states = [row for part in run(12) for row in part.episodes if row.asset_id == STEPPED]
    changes = [row.end_us or 0 for row in states if row.detector == "changed-pressure"]
    read = [row for row in states if row.detector.startswith("t2-knn")]
    assert read[0].peak_us < changes[0] < changes[1] < read[-1].peak_us
    for row in read:
        said = [each["sentence_en"] for each in row.evidence["evidence"] if each["channel"] == ""]
        told = [change for change in changes if change <= row.peak_us]
        assert len(said) == min(len(told), 1)
        if said:
            assert ("2026-03-12 14:00 UTC", "2026-03-14 00:00 UTC")[len(told) - 1] in said[0]


def test_a_change_is_evidence_from_when_it_is_told_until_the_next_one_or_for_two_weeks() -> None:
    mine = pumps().take(pumps().asset_id == STEPPED)
    slot, at_work = np.zeros(len(mine.ts_us), np.int32), np.ones(len(mine.ts_us), np.bool_)
    watch = ChangeWatch(PACK, CHANGES, 1)
    rows = watch.update(slot, mine.ts_us, mine.values, at_work, lambda _: Subject(STEPPED, "t", "pump"))
    first, second = (row.end_us or 0 for row in rows)
    said = [watch.evidence(0, us) for us in (first - 1, first, second - 1, second, second + 14 * DAY_US)]
    assert [len(each) for each in said] == [0, 1, 1, 1, 0]
    assert said[1] == said[2] != said[3]
    assert watch.evidence(1, second) == ()


def test_a_value_in_between_that_was_never_shown_is_an_episode_of_its_own() -> None:
    episode = of(NOVEL, "novelty-flow")[-1]
    assert episode.kind == "machine"
    assert START + 11 * 24 * HOUR_US < episode.onset_us <= START + (11 * 24 + 3) * HOUR_US
    assert episode.end_us is not None
    assert episode.evidence["evidence"][0]["channel"] == "flow"
    assert "all values that its channels have shown" in episode.evidence["basis"]["sentence_en"]
    assert "全部数值" in episode.evidence["basis"]["sentence_zh"]


def test_rows_are_judged_as_if_there_were_nothing_beside() -> None:
    plain = run(4000, replace(PACK, detection=replace(PACK.detection, beside=())))
    for one, other in zip(watched(), plain, strict=True):
        np.testing.assert_array_equal(one.telemetry.score, other.telemetry.score)
        assert one.health == other.health


def test_cuts_and_restarts_change_nothing() -> None:
    again = run(3001, restarts=True)
    assert sorted(map(repr, last_of_each(again))) == sorted(map(repr, last_of_each(watched())))


def test_a_repair_is_no_change_and_begins_anew() -> None:
    scorer, at_us = Scorer(PACK), START + ODD_H * HOUR_US
    found = scorer.score(pumps(), name_of, {STEPPED: [at_us]})
    mine = [row for row in found.episodes if row.asset_id == STEPPED and row.onset_us >= at_us]
    assert [row.detector for row in mine if row.kind == "shift"] == []


def test_a_state_from_before_goes_on_and_so_does_one_of_a_pack_that_names_no_watch_any_more() -> None:
    without = replace(PACK, detection=replace(PACK.detection, beside=()))
    early, late = pumps().take(slice(0, 6000)), pumps().take(slice(6000, None))
    for before, after in ((without, PACK), (PACK, without)):
        old, new = Scorer(before), Scorer(after)
        old.score(early, name_of)
        new.load(old.state())
        told, plain = new.score(late, name_of), old.score(late, name_of)
        np.testing.assert_array_equal(told.telemetry.score, plain.telemetry.score)


def test_a_channel_that_is_reported_later_on_is_watched_from_then_on() -> None:
    dry = PACK.on(PACK.equipment_type.first(1))
    assert dry.detection.beside == ()
    before, after = Scorer(dry), Scorer(PACK)
    first = pumps().take(slice(0, 300))
    before.score(replace(first, values=first.values[:, :1]), name_of)
    after.load(before.state())
    late = after.score(pumps().take(slice(300, None)), name_of).episodes
    assert {row.asset_id for row in late if row.detector.startswith("changed-pressure")} == {STEPPED}
    assert {row.asset_id for row in late if row.detector.startswith("novelty-flow")} == {NOVEL}


def test_damaged_bytes_of_a_watch_are_refused() -> None:
    scorer = Scorer(PACK)
    scorer.score(pumps().take(slice(0, 900)), name_of)
    state = bytearray(scorer.state())
    state[-20] ^= 1
    with pytest.raises(StateError, match="damaged"):
        Scorer(PACK).load(bytes(state))
