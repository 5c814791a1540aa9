"""What people read of a normal that moved."""

import numpy as np

from fleet.asset import Channel
from fleet.shift_finding import read_shift

CHANNELS = (
    Channel("mode", "1", 0, 3, "state"),
    Channel("oil", "°C", -20, 180, title_en="Oil temperature", title_zh="油温"),
    Channel("load", "1", 0, 2),
)
NAN = float("nan")


def test_it_reads_from_where_to_where_in_english_and_chinese() -> None:
    before, after, scale = np.array([NAN, 60.0, 0.5]), np.array([NAN, 66.0, 0.5]), np.array([NAN, 2.0, 0.1])
    finding = read_shift(CHANNELS, True, before, after, scale)
    (oil,) = finding.evidence
    assert (oil.channel, oil.unit, oil.share, oil.expected, oil.actual) == ("oil", "°C", 1.0, 60.0, 66.0)
    assert oil.sentence_en == "Oil temperature is normal at 66 °C from now on, where it was at 60 °C"
    assert oil.sentence_zh == "油温的正常水平自此为 66 °C，此前为 60 °C"
    assert finding.code == "normal-settled"
    assert read_shift(CHANNELS, False, before, after, scale).code == "normal-moved"


def test_the_channel_that_moved_by_most_of_its_scatter_comes_first_and_the_others_are_left_out() -> None:
    before, after, scale = np.array([0.0, 60.0, 0.5]), np.array([0.1, 62.0, 0.7]), np.array([1.0, 2.0, 0.1])
    evidence = read_shift(CHANNELS, True, before, after, scale).evidence
    assert [(each.channel, each.share) for each in evidence] == [("load", 0.7984), ("oil", 0.1996)]


def test_nothing_that_is_judged_leaves_nothing_to_name() -> None:
    unknown = np.full(3, NAN)
    assert read_shift(CHANNELS, True, unknown, unknown, unknown).evidence == ()
