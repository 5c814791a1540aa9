"""What of an episode's finding stays as the episode goes on."""

import numpy as np

from detectors.limit_alarm import LimitEvent
from fleet.catalog import packs
from storage.chunk_result import EpisodeRow
from streams.episode_book import EpisodeBook, Subject

PACK = packs()["transformer"]
HOT = {"hydrogen": 100.0, "methane": 120.0, "ethane": 60.0, "ethylene": 300.0, "acetylene": 3.0}


def told(book: EpisodeBook, end_us: int | None, peak: float, **ppm: float) -> EpisodeRow:
    """Ethylene's limit, passed or kept again."""
    names = [channel.name for channel in PACK.equipment_type.channels]
    values = np.array([ppm.get(name, np.nan) for name in names], np.float32)
    limit = [one.channel for one in PACK.limits].index("ethylene")
    return book.of_limit(LimitEvent(0, 0, limit, 1, end_us, peak, 2), Subject(1, "t", "m"), values)


def test_what_gases_said_as_a_limit_was_passed_stays_when_it_is_kept_again() -> None:
    book, later = EpisodeBook(PACK, 1), EpisodeBook(PACK, 1)
    passed = told(book, None, 300.0, **HOT)
    gases = passed.evidence["evidence"][1]
    assert "T3" in gases["sentence_en"]
    later.take(book.array())  # a restart between them
    kept = told(later, 9, 350.0, **HOT | {"ethylene": 100.0})
    assert kept.episode_id == passed.episode_id
    assert "350" in kept.evidence["evidence"][0]["sentence_en"]
    assert kept.evidence["evidence"][1:] == [gases]
