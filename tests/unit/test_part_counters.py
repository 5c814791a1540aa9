"""Tools of a magazine: each wears while it is in use, and begins anew when it is changed."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import StateError
from fleet.asset import FleetError
from fleet.catalog import packs
from fleet.rating import Ratings
from forecasting.wear.magazine import FALL, MOST_PARTS
from forecasting.wear.tool import CuttingTool
from streams.part_counters import PartCounters

PACK = packs()["machine-tool"]
KIND = PACK.equipment_type
MINUTE_US = 60_000_000
RATINGS: Ratings = {"tool_diameter": 16.0, "tool_n": 0.25, "tool_constant": 900.0}
SPEED = 8000.0
LIFE_MIN = CuttingTool(0.25, 900.0).life_min(np.pi * 16 / 1000 * SPEED)

Rows = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]


def rows(tool: list[float], life: list[float] | None = None, slot: int = 0) -> Rows:
    """A row a minute of a machine whose spindle always turns."""
    x = np.full((len(tool), len(KIND.channels)), np.nan, np.float32)
    x[:, KIND.column("tool")], x[:, KIND.column("spindle_speed")] = tool, SPEED
    if life is not None:
        x[:, KIND.column("tool_life")] = life
    return np.full(len(tool), slot, np.int32), MINUTE_US * (1 + np.arange(len(tool))), x


def counters(*ratings: Ratings) -> PartCounters:
    assert PACK.parts
    made = PartCounters(PACK.parts, KIND)
    made.rate(ratings or (RATINGS,))
    return made


def after(said: Rows, made: PartCounters | None = None) -> Mapping[str, float]:
    last = len(said[0]) - 1
    told = (made or counters()).update(*said, [last])[0][last]
    return {one.name: value for one, value in told}


def test_a_change_on_record_begins_that_part_anew_once() -> None:
    said, made = rows([7.0, 7, 3, 3, 7, 7]), counters()
    changed = {0: [(4 * MINUTE_US, 7), (MINUTE_US // 2, 3)]}
    told, renewed = made.update(*said, [5], changed)
    assert renewed == 1
    assert [value for _, value in told[5]] == [pytest.approx(2 / LIFE_MIN)] * 2
    slot, ts_us, x = rows([7.0, 7])
    told, renewed = made.update(slot, ts_us + 6 * MINUTE_US, x, [1], changed)
    assert renewed == 0
    assert [value for _, value in told[1]] == [pytest.approx(each / LIFE_MIN) for each in (2, 4)]


def test_a_new_tool_that_did_not_work_yet_stands_at_nothing() -> None:
    told, _ = counters().update(*rows([7.0, 7, 3, 3]), [3], {0: [(3 * MINUTE_US, 7)]})
    assert [(one.name, value) for one, value in told[3]] == [
        ("tool_3", pytest.approx(2 / LIFE_MIN)),
        ("tool_7", 0.0),
    ]


def test_a_change_that_is_heard_late_takes_effect_at_the_next_row() -> None:
    made = counters()
    after(rows([7.0, 7, 7]), made)
    slot, ts_us, x = rows([7.0, 7])
    told, renewed = made.update(slot, ts_us + 3 * MINUTE_US, x, [1], {0: [(2 * MINUTE_US, 7)]})
    assert renewed == 1
    assert [value for _, value in told[1]] == [pytest.approx(1 / LIFE_MIN)]


def test_a_tool_wears_while_it_is_in_use_alone() -> None:
    """A row speaks of the minute before it; the first says nothing of one."""
    used = after(rows([7.0, 7, 3, 3, 3, 0, 0, 7]))
    assert used == {"tool_3": pytest.approx(3 / LIFE_MIN), "tool_7": pytest.approx(2 / LIFE_MIN)}


def test_a_missing_number_is_the_tool_as_before() -> None:
    assert after(rows([7.0, np.nan, np.nan])) == {"tool_7": pytest.approx(2 / LIFE_MIN)}


def test_the_machine_sets_one_tool_back_and_no_other() -> None:
    tool, life = [7.0, 7, 7, 3, 3, 7, 7], [40.0, 45, 50, 20, 22, 0, 5]
    used = after(rows(tool, life))
    assert used == {"tool_3": pytest.approx(2 / LIFE_MIN), "tool_7": pytest.approx(2 / LIFE_MIN)}
    rounded = [40.0, 45, 50, 20, 22, 50 - FALL, 55]
    assert after(rows(tool, rounded))["tool_7"] == pytest.approx(4 / LIFE_MIN)


def test_an_hour_without_rows_wears_nothing() -> None:
    slot, ts_us, x = rows([7.0, 7, 7])
    ts_us[2] += 3600 * 1_000_000
    assert after((slot, ts_us, x)) == {"tool_7": pytest.approx(1 / LIFE_MIN)}


def test_tools_have_ratings_of_their_own() -> None:
    twice = counters({**RATINGS, "tool_diameter_3": 32.0})
    used = after(rows([7.0, 7, 3]), twice)
    assert used["tool_3"] == pytest.approx(16 * used["tool_7"])  # Taylor: speed to the power 1/n
    assert after(
        rows([7.0, 3, 3]), counters({"tool_n": 0.25, "tool_constant": 900.0, "tool_diameter_3": 16.0})
    )
    assert after(rows([7.0, 3, 3]), counters({})) == {}


EXTENDED: Ratings = {
    **RATINGS,
    "tool_feed_exponent": 0.3,
    "tool_depth_exponent": 0.15,
    "tool_feed": 0.1,
    "tool_depth": 2.0,
    "tool_teeth": 4.0,
}


def cutting(speed: list[float], feed: list[float], depth: list[float]) -> Rows:
    """A row a minute with tool 7: r/min, mm/min, mm."""
    slot, ts_us, x = rows([7.0] * len(speed))
    for name, values in ("spindle_speed", speed), ("feed_rate", feed), ("cut_depth", depth):
        x[:, KIND.column(name)] = values
    return slot, ts_us, x


def life_min(speed: float, feed: float, depth: float) -> float:
    """V T^n (f/f0)^a (ap/ap0)^b = C, with f a tooth."""
    severity = (feed / speed / 4 / 0.1) ** 0.3 * (depth / 2.0) ** 0.15
    return float((900.0 / (np.pi * 16 / 1000 * speed * severity)) ** (1 / 0.25))


def test_each_minute_takes_its_share_at_its_own_speed_feed_and_depth() -> None:
    minutes = [(8000.0, 3200.0, 2.0), (5000.0, 2500.0, 4.0), (12000.0, 3600.0, 0.8), (8000.0, 6400.0, 1.0)]
    said = cutting(*(list(each) for each in zip(minutes[0], *minutes, strict=True)))
    used = after(said, counters(EXTENDED))["tool_7"]
    assert used == pytest.approx(sum(1 / life_min(*each) for each in minutes), rel=1e-5)


def test_where_feed_and_depth_are_not_told_the_plain_equation_is_left() -> None:
    speed, nothing = [8000.0] * 3, [np.nan] * 3
    plain = after(rows([7.0] * 3))["tool_7"]
    assert after(cutting(speed, nothing, nothing), counters(EXTENDED))["tool_7"] == pytest.approx(plain)
    fed = after(cutting(speed, [6400.0] * 3, nothing), counters(EXTENDED))["tool_7"]
    assert fed == pytest.approx(plain * 2 ** (0.3 / 0.25))
    assert after(cutting(speed, [6400.0] * 3, [4.0] * 3))["tool_7"] == plain


def test_a_type_that_has_no_feed_and_depth_yet_counts_by_speed() -> None:
    old, wear = KIND.first(KIND.column("feed_rate")), PACK.parts
    assert wear
    made = PartCounters(wear, old)
    made.rate([EXTENDED])
    slot, ts_us, x = rows([7.0] * 3)
    told = made.update(slot, ts_us, x[:, : len(old.channels)], [2])[0][2]
    assert [value for _, value in told] == [pytest.approx(2 / LIFE_MIN)]
    assert PACK.on(old).parts == wear


@pytest.mark.parametrize("restarted", [False, True])
def test_feed_and_depth_count_from_the_row_on_that_has_them_restarted_or_not(restarted: bool) -> None:
    old, wear = KIND.first(KIND.column("feed_rate")), PACK.parts
    assert wear
    made = PartCounters(wear, old)
    made.rate([EXTENDED])
    minutes = [8000.0] * 5, [6400.0] * 5, [4.0] * 5
    slot, ts_us, x = cutting(*minutes)
    made.update(slot[:3], ts_us[:3], x[:3, : len(old.channels)])
    made.widen(KIND)
    if restarted:
        state, made = made.state(), PartCounters(wear, KIND)
        made.load(state)
        made.rate([EXTENDED])
    told = made.update(slot[3:], ts_us[3:], x[3:], [1])[0][1]
    expected = 2 / LIFE_MIN + 2 / life_min(8000.0, 6400.0, 4.0)
    assert [value for _, value in told] == [pytest.approx(expected, rel=1e-5)]


def test_a_move_past_the_work_or_with_the_spindle_at_rest_wears_nothing() -> None:
    cut, moved = (8000.0, 3200.0, 2.0), [(0.0, 10_000.0, 2.0), (8000.0, 10_000.0, 0.0), (0.3, 10_000.0, 2.0)]
    said = cutting(*(list(each) for each in zip(cut, cut, *moved, cut, strict=True)))
    used = after(said, counters(EXTENDED))["tool_7"]
    assert used == pytest.approx(2 / life_min(*cut), rel=1e-5)


def test_what_is_taken_as_rated_is_known() -> None:
    assert PACK.parts
    untold = {each.channel for each in PACK.parts.assumed(EXTENDED, {"feed_rate", "spindle_speed"})}
    assert untold == {"cut_depth"}
    assert PACK.parts.assumed(EXTENDED, {"feed_rate", "cut_depth"}) == ()
    assert PACK.parts.assumed(RATINGS, set()) == PACK.parts.assumed({}, set()) == ()


def test_other_ratings_of_a_tool_begin_it_anew() -> None:
    made = counters()
    after(rows([7.0, 7, 3, 3]), made)
    made.rate([{**RATINGS, "tool_constant_3": 700.0}])
    slot, ts_us, x = rows([3.0])
    assert after((slot, ts_us + 4 * MINUTE_US, x), made) == {
        "tool_3": 0.0,
        "tool_7": pytest.approx(1 / LIFE_MIN),
    }


def test_the_longest_unused_tool_is_forgotten() -> None:
    tools = [float(number) for number in range(1, MOST_PARTS + 1)]
    used = after(rows([*tools, 1.0, 500.0]))
    assert len(used) == MOST_PARTS
    assert "tool_2" not in used
    assert used["tool_1"] == used["tool_500"] * 1 == pytest.approx(1 / LIFE_MIN)


def test_a_tool_is_called_by_its_number() -> None:
    told = counters().update(*rows([7.0, 7]), [1])[0][1]
    assert [(one.title_en, one.title_zh) for one, _ in told] == [("Tool 7", "刀具 7")]
    assert PACK.counter_titles("tool_7") == ("Tool 7", "刀具 7")
    assert PACK.counter_titles("guide") == ("Guideway travel", "导轨行程")
    assert PACK.counter_titles("tool_x") is None


def test_ratings_name_the_tool_and_are_checked() -> None:
    read = PACK.read_ratings({"tool_diameter": "16 mm", "tool_n": 0.25, "tool_constant_12": "700 m/min"})
    assert read == {"tool_diameter": 16.0, "tool_n": 0.25, "tool_constant_12": 700.0}
    assert "tool" not in PACK.lacking(read)
    assert PACK.lacking({"tool_n": 0.25})["tool"] == ("tool_diameter", "tool_constant")
    for wrong in ("tool_diameter_0", "tool_length_3", "spindle_bearing_load_3"):
        with pytest.raises(FleetError, match="no rating"):
            PACK.read_ratings({wrong: "16 mm"})


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 60))
def test_a_restart_and_other_cuts_change_no_bit(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    tool = rng.integers(0, 5, 60).astype(float)
    tool[rng.random(60) < 0.2] = np.nan
    slot, ts_us, x = rows(tool.tolist(), rng.uniform(0, 100, 60).tolist())
    slot = rng.integers(0, 2, 60).astype(np.int32)
    machines = RATINGS, {**RATINGS, "tool_n_2": 0.3}
    whole, first, second = counters(*machines), counters(*machines), counters(*machines)
    at_once, _ = whole.update(slot, ts_us, x, range(60))
    told, _ = first.update(slot[:cut], ts_us[:cut], x[:cut], range(cut))
    second.load(first.state())
    second.rate(machines)
    later, _ = second.update(slot[cut:], ts_us[cut:], x[cut:], [59 - cut] if cut < 60 else [])
    names = [[(one.name, value) for one, value in at_once[row]] for row in range(60)]
    assert [[(one.name, value) for one, value in told[row]] for row in range(cut)] == names[:cut]
    if cut < 60:
        assert [(one.name, value) for one, value in later[59 - cut]] == names[59]
    assert second.state() == whole.state()


def test_a_damaged_state_is_refused() -> None:
    with pytest.raises(StateError):
        counters().load(counters().state()[:-1])
