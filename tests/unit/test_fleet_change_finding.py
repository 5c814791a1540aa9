"""What people read of a change point, when it is told and in the findings after it."""

import numpy as np

from fleet.asset import Channel
from fleet.change_finding import Levels, read_change, remembered

CHANNELS = (
    Channel("oil", "°C", -20, 180, title_en="Oil temperature", title_zh="油温"),
    Channel("ratio", "1", 0, 2, title_en="Ratio", title_zh="比值"),
    Channel("dead", "A", 0, 2, title_en="Dead", title_zh="无"),
)
AT_1402 = 1_772_460_120_000_000
"""2026-03-02 14:02 UTC."""

CHANGE = Levels(
    AT_1402, np.array([3.0, 1.0, 0.0]), np.array([60, 0.5, np.nan]), np.array([66.25, 0.75, np.nan])
)


def test_it_says_when_and_from_where_to_where_in_english_and_chinese() -> None:
    finding = read_change(CHANNELS, CHANGE)
    oil, ratio = finding.evidence
    assert finding.code == "changed"
    assert (oil.channel, oil.unit, oil.share, oil.expected, oil.actual) == ("oil", "°C", 0.75, 60.0, 66.25)
    assert oil.sentence_en == "Oil temperature changed at 2026-03-02 14:02 UTC, from 60 to 66.25 °C"
    assert oil.sentence_zh == "油温于 2026-03-02 14:02 UTC 发生变化，由 60 变为 66.25 °C"
    assert ratio.sentence_en.endswith("from 0.5 to 0.75")


def test_the_channel_that_changed_most_is_named_however_small_its_share() -> None:
    one = np.ones(40)
    many = [Channel(f"c{k}", "1", 0, 2, title_en=f"C {k}", title_zh=f"通道{k}") for k in range(40)]
    (only,) = read_change(many, Levels(AT_1402, one, one, 2 * one)).evidence
    assert only.channel == "c0"


def test_what_is_remembered_is_no_part_of_a_later_anomaly() -> None:
    for told in remembered(read_change(CHANNELS, CHANGE)):
        assert (told.channel, told.share) == ("", 0.0)
        assert "14:02" in told.sentence_en
