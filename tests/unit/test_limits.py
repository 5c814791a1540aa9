"""Criterion II of ISO 20816-3: a change of vibration matters, whatever its level."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.vibration_severity import Size, VibrationSeverity
from fleet.asset import Channel, EquipmentType
from fleet.standard_limit import vibration_limits
from fleet.vertical import Detection, VerticalPack
from storage.chunk_result import EpisodeRow
from streams.renewals import Instants
from streams.rows import Rows, Scored
from streams.scorer import Scorer

MINUTE, START = 60_000_000, 1_767_225_600_000_000
LEARN = 60
RIGID = VibrationSeverity(Size.MEDIUM, flexible=False)
PACK = VerticalPack(
    EquipmentType("fan", (Channel("mode", "1", 0, 3, "state"), Channel("shake", "mm/s", 0, 50))),
    Detection(baseline_rows=LEARN, idle=(0,)),
    limits=vibration_limits("shake", RIGID, on_delay_s=120.0, off_delay_s=3600.0),
)


def fan(change: float, start: int = 300) -> Rows:
    """A fan at 1.2 mm/s in mode 1 and 1.7 in mode 2, at rest each hour, that changes from a minute on."""
    rng, minute = np.random.default_rng(8), np.arange(800)
    mode = np.where(minute % 60 < 5, 0, 1 + minute // 60 % 2)
    shake = np.choose(mode, [0.1, 1.2, 1.7]) + np.where((minute >= start) & (mode > 0), change, 0.0)
    values = np.column_stack([mode, shake + rng.normal(0, 0.1, 800)]).astype(np.float32)
    return Rows(np.ones(800, np.int32), START + minute * MINUTE, values)


def run(rows: Rows, cuts: tuple[int, ...] = (), known: Instants | None = None) -> list[Scored]:
    scorer, scored, at = Scorer(PACK), [], 0
    for end in (*cuts, len(rows.ts_us)):
        scored.append(scorer.score(rows.take(slice(at, end)), lambda _: ("acme", "fan-1"), known or {}))
        state, scorer, at = scorer.state(), Scorer(PACK), end
        scorer.load(state)
    return scored


def limits(scored: list[Scored]) -> list[EpisodeRow]:
    last = {row.episode_id: row for part in scored for row in part.episodes if row.kind == "limit"}
    return list(last.values())


@pytest.mark.parametrize(("change", "side"), [(0.9, "above-0.7"), (-0.9, "below--0.7")])
def test_a_change_by_more_than_a_quarter_of_the_boundary_is_told_within_the_zone(
    change: float, side: str
) -> None:
    (episode,) = limits(run(fan(change), (310, 330, 500)))
    assert episode.detector == f"limit-shake-{side}-since-new"
    assert 300 < (episode.onset_us - START) // MINUTE < 420
    assert episode.end_us is None
    assert "change since new or repaired" in episode.evidence["evidence"][0]["sentence_en"]
    assert "criterion II" in episode.evidence["evidence"][0]["sentence_en"]
    assert episode.evidence["basis"] is None


def test_a_smaller_change_and_another_mode_are_none() -> None:
    assert limits(run(fan(0.5))) == []


def test_after_a_repair_the_machine_is_seen_from_where_it_is_then() -> None:
    known = {1: [START + 500 * MINUTE]}
    (episode,) = limits(run(fan(0.9), (450, 600), known))
    assert episode.end_us == known[1][0]


def test_a_vibration_channel_that_is_added_later_has_its_reference_from_then_on() -> None:
    rows, kind = fan(0.9, start=600), PACK.equipment_type
    scorer = Scorer(PACK.on(replace(kind, channels=kind.channels[:1])))
    first = rows.take(slice(0, 200))
    scorer.score(Rows(first.asset_id, first.ts_us, first.values[:, :1].copy()), lambda _: ("acme", "fan-1"))
    scorer.widen(PACK)
    later = scorer.score(rows.take(slice(200, None)), lambda _: ("acme", "fan-1"))
    assert [row.detector for row in limits([later])] == ["limit-shake-above-0.7-since-new"]
