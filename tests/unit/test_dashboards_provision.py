"""From what Grafana has to what it should have: made, kept, mended, given back, and nothing else touched."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.board import Audience
from dashboards.catalog import catalog
from dashboards.linter import faults
from dashboards.provision.apply import Drift, apply, check_deletions
from dashboards.provision.changes import changes, digest
from dashboards.provision.desired import Item, boards_for, desired
from dashboards.provision.errors import GrafanaConflict, GrafanaError
from dashboards.provision.plan import CLEAN, State, orphans, plan
from dashboards.provision.port import Json, Kind
from dashboards.provision.undo import undo
from dashboards.source import UID, connection
from dashboards.text import Language
from fleet.asset import Channel, EquipmentType
from fleet.catalog import packs
from tests.grafana_memory import (
    NO_PREFERENCES,
    Crash,
    Fuse,
    MemoryGrafana,
    MemoryRecord,
    MemoryRoom,
    Org,
    Thing,
)

SOURCE = connection("db", 5432, "faultline", "a1_2")
ELEVATOR = packs()["elevator"].equipment_type
WANTED = desired(Audience.CUSTOMER, Language.ZH, [ELEVATOR], SOURCE)
FEWER = desired(Audience.CUSTOMER, Language.ZH, [], SOURCE)
BOARD = (Kind.DASHBOARD, "faultline-cu-en")


class World:
    """One organisation and what is on record of it."""

    def __init__(self) -> None:
        self.fuse = Fuse()
        self.server = MemoryGrafana(self.fuse)
        self.org = Org("acme", {(Kind.PREFERENCES, "organization"): Thing(dict(NO_PREFERENCES))})
        self.record = MemoryRecord(self.fuse)

    def enter(self) -> MemoryRoom:
        return MemoryRoom(self.server, self.org)

    def states(self, wanted: Sequence[Item] = WANTED) -> dict[tuple[Kind, str], State]:
        steps = plan(wanted, self.record.marks, self.enter())
        return {(step.kind, step.uid): step.state for step in steps}

    def apply(self, wanted: Sequence[Item] = WANTED, drift: Drift = Drift.REPORT) -> dict[State, int]:
        """One run; what came before the crash of another stays."""
        self.record.log.clear()
        room = self.enter()
        return dict(apply(plan(wanted, self.record.marks, room), room, self.record, drift, "secret"))

    def written(self) -> list[str]:
        """What was written since this was last asked."""
        found = list(self.server.writes)
        self.server.writes.clear()
        return found

    def edit(self, key: tuple[Kind, str], **new: Any) -> None:
        """As a person does in the browser."""
        self.org.save(*key, _edited(key[0], self.org.things[key].spec, new))


def _with(item: Item, new: dict[str, Any]) -> Item:
    """A dashboard as an earlier or later release has it; other things are as they are."""
    board = item.kind is Kind.DASHBOARD
    return Item(item.kind, item.uid, _edited(item.kind, item.spec, new)) if board else item


def _edited(kind: Kind, spec: Json, new: dict[str, Any]) -> Json:
    return {**spec, "dashboard": {**spec["dashboard"], **new}} if kind is Kind.DASHBOARD else {**spec, **new}


@pytest.fixture
def world() -> World:
    return World()


def test_an_organisation_gets_all_of_it_and_the_second_run_writes_nothing(world: World) -> None:
    world.apply()
    assert {key[0] for key in world.org.content()} == {str(kind) for kind in Kind} - {"alert rule"}
    for item in WANTED:
        assert not list(changes(world.org.things[item.kind, item.uid].spec, item.spec))
    assert world.org.passwords == {UID: "secret"}
    assert len(world.written()) == len(WANTED)
    assert set(world.states().values()) == {State.SAME}
    world.apply()
    assert not world.written()


def test_customers_have_their_boards_of_their_machines_and_begin_with_their_own() -> None:
    assert {board.code for board in boards_for(Audience.CUSTOMER, [ELEVATOR])} == {
        "AD-ELEVATOR",
        "CU",
        "US",
    }
    assert {"FL", "TR"} <= {board.code for board in boards_for(Audience.MAKER, [])}
    assert [board.code for board in boards_for(Audience.OPERATIONS, [ELEVATOR])] == ["OP"]
    home = WANTED[-1].spec
    assert home == {"homeDashboardUID": "faultline-cu-zh", "language": "zh-Hans"}


def test_a_type_without_a_pack_has_a_dashboard_of_its_channels_too() -> None:
    loop = EquipmentType("water-loop", (Channel("flow", "L/min"), Channel("valve", "1", kind="state")))
    (board,) = (each for each in boards_for(Audience.CUSTOMER, [loop]) if each.equipment_type)
    assert board.uid(Language.ZH) == "faultline-ad-water-loop-zh"
    assert board.json(Language.ZH)["title"] == "AD-WATER-LOOP · water-loop"
    assert [panel.title.zh for panel in board.panels() if panel.key.startswith("channels-")] == [
        "flow (L/min)"
    ]
    assert faults([board, *catalog()]) == []


def test_a_type_as_it_was_registered_has_no_lines_of_channels_that_came_later() -> None:
    early = replace(ELEVATOR, channels=ELEVATOR.channels[:3])
    (board,) = (each for each in boards_for(Audience.CUSTOMER, [early]) if each.equipment_type)
    told = " ".join(query.sql for panel in board.panels() for query in panel.queries)
    assert ELEVATOR.channels[1].name in told
    assert ELEVATOR.channels[4].name not in told


@pytest.mark.parametrize("name", ["pump.v2", "a-type-whose-name-is-far-too-long"])
def test_a_type_whose_name_cannot_stand_in_a_uid_has_none(name: str) -> None:
    kind = EquipmentType(name, (Channel("flow", "L/min"),))
    assert not [each for each in boards_for(Audience.CUSTOMER, [kind]) if each.equipment_type]


def test_folders_are_for_viewing_alone(world: World) -> None:
    world.apply()
    for language in ("en", "zh"):
        found = world.org.things[Kind.PERMISSIONS, f"faultline-{language}"].spec["items"]
        assert {each["permission"] for each in found} == {1}


def test_what_is_not_wanted_any_more_goes_and_the_rest_stays(world: World) -> None:
    world.apply()
    states = world.states(FEWER)
    gone = {uid for (_, uid), state in states.items() if state is State.DELETE}
    assert gone == {"faultline-ad-elevator-en", "faultline-ad-elevator-zh"}
    world.apply(FEWER)
    assert not {f"faultline-ad-elevator-{lang}" for lang in Language} & {
        uid for _, uid in world.org.content()
    }
    assert set(world.states(FEWER).values()) == {State.SAME}


def test_what_somebody_changed_is_told_and_left(world: World) -> None:
    world.apply()
    world.written()
    world.edit(BOARD, title="CU · mine")
    assert world.states()[BOARD] is State.DRIFTED
    (step,) = (s for s in plan(WANTED, world.record.marks, world.enter()) if s.state is State.DRIFTED)
    (told,) = step.differences()
    assert told.startswith('/dashboard/title: "CU · mine" → "CU · ')
    assert world.apply()[State.DRIFTED] == 1
    assert not world.written()


def test_what_somebody_changed_is_written_over_if_one_says_so(world: World) -> None:
    world.apply()
    world.edit(BOARD, title="CU · mine")
    world.apply(drift=Drift.OVERWRITE)
    assert world.states()[BOARD] is State.SAME
    assert world.org.things[BOARD].spec["dashboard"]["title"] != "CU · mine"


def test_what_somebody_changed_is_kept_if_one_says_so_until_we_want_another(world: World) -> None:
    world.apply()
    world.written()
    world.edit(BOARD, title="CU · mine")
    world.apply(drift=Drift.ADOPT)
    assert not world.written()
    assert set(world.states().values()) == {State.SAME}
    newer = [_with(item, {"refresh": "5m"}) for item in WANTED]
    assert world.states(newer)[BOARD] is State.UPDATE


def test_a_change_between_plan_and_apply_is_not_written_over_then_or_later(world: World) -> None:
    world.apply()
    newer = [_with(item, {"refresh": "5m"}) for item in WANTED]
    room = world.enter()
    steps = plan(newer, world.record.marks, room)
    world.edit(BOARD, title="CU · mine")
    with pytest.raises(GrafanaConflict):
        apply(steps, room, world.record, Drift.REPORT)
    assert world.states(newer)[BOARD] is State.DRIFTED
    world.apply(newer)
    assert world.org.things[BOARD].spec["dashboard"]["title"] == "CU · mine"


def test_what_we_did_not_make_is_never_touched(world: World) -> None:
    mine = {"folder": "", "dashboard": {"title": "CU · mine", "tags": ["faultline"]}}
    own = {"name": "Own", "type": "postgres"}
    world.org.save(*BOARD, mine)
    world.org.save(Kind.DATA_SOURCE, UID, own)
    world.org.save(Kind.FOLDER, "theirs", {"title": "Theirs"})
    world.org.save(Kind.DASHBOARD, "theirs", {"folder": "theirs", "dashboard": {"title": "T"}})
    before = deepcopy(world.org.content())
    assert world.states()[BOARD] is State.FOREIGN
    for drift in Drift:
        world.apply(drift=drift)
        world.apply((), drift=drift)
    after = world.org.content()
    assert {key: after[key] for key in before if key[0] != Kind.PREFERENCES} == {
        key: spec for key, spec in before.items() if key[0] != Kind.PREFERENCES
    }


def test_what_was_refused_is_not_taken_for_ours_when_somebody_makes_it(world: World) -> None:
    world.org.save(Kind.FOLDER, "theirs", {"title": "Faultline"})
    with pytest.raises(GrafanaConflict):
        world.apply()
    world.org.save(Kind.FOLDER, "faultline-en", {"title": "Another"})
    assert world.states()[Kind.FOLDER, "faultline-en"] is State.FOREIGN


def test_what_somebody_deleted_comes_back(world: World) -> None:
    world.apply()
    del world.org.things[BOARD]
    assert world.states()[BOARD] is State.CREATE
    world.apply()
    assert set(world.states().values()) == {State.SAME}


@pytest.mark.parametrize(("going", "things"), [(11, 1000), (5, 20), (2, 3)])
def test_more_than_ten_deletions_or_a_fifth_want_a_word(going: int, things: int) -> None:
    for allowed in (None, going - 1):
        with pytest.raises(GrafanaError, match=f"{going} of {things} .* --allow-deletes {going}"):
            check_deletions(going, things, allowed)
    check_deletions(going, things, going)
    check_deletions(going - 1, things, None)


def test_what_is_not_wanted_any_more_is_known_without_grafana(world: World) -> None:
    world.apply()
    assert orphans(WANTED, world.record.marks) == []
    (gone,) = orphans(FEWER, world.record.marks)[:1]
    assert gone == (Kind.DASHBOARD, "faultline-ad-elevator-en")


def test_all_that_is_ours_goes_in_an_order_in_which_it_can(world: World) -> None:
    world.apply()
    world.apply(())
    assert set(world.org.content()) == {("preferences", "organization")}
    assert not world.record.marks


@pytest.mark.parametrize("before", [None, WANTED])
def test_undo_puts_back_what_was_there_and_undo_again_what_was_then(
    world: World, before: Sequence[Item] | None
) -> None:
    if before is not None:
        world.apply(before)
        world.edit(BOARD, title="CU · mine")
    was = deepcopy(world.org.content())
    world.apply(FEWER, Drift.OVERWRITE)
    then = deepcopy(world.org.content())
    _take_back(world)
    assert world.org.content() == was
    _take_back(world)
    if before is None:
        del then["data source", UID]  # whose password nobody knows any more: `apply` gives it a new one
    assert world.org.content() == then


def _take_back(world: World) -> None:
    log = list(world.record.log)
    world.record.log.clear()
    undo(log, world.enter(), world.record)


Crashes = Sequence[tuple[int, bool]]
"""At which request or note of each run in a row the process ends, and whether that was done by then."""

crashes = st.lists(st.tuples(st.integers(1, 70), st.booleans()), min_size=1, max_size=4)
starts = st.sampled_from(["nothing", "older", "drift", "foreign"])


@settings(max_examples=100)
@given(crashes, starts)
def test_broken_off_anywhere_and_said_again_it_comes_to_the_same(ends: Crashes, start: str) -> None:
    drift = Drift.OVERWRITE if start == "drift" else Drift.REPORT
    straight, broken = _begun(start), _begun(start)
    straight.apply(FEWER, drift)
    _broken_off(broken, ends, FEWER, drift)
    broken.apply(FEWER, drift)
    assert broken.org.content() == straight.org.content()
    assert broken.record.marks == straight.record.marks
    broken.written()
    broken.apply(FEWER)
    assert not broken.written()
    assert {state for state in broken.states(FEWER).values() if state not in CLEAN} <= {State.FOREIGN}


def test_after_an_end_at_each_place_there_is_no_drift() -> None:
    at, done = 1, False
    while not done:
        for after in (False, True):
            world = _begun("older")
            done = _broken_off(world, [(at, after)], FEWER, Drift.REPORT)
            assert State.DRIFTED not in world.states(FEWER).values(), f"{at}, {after}"
        at += 1
    assert at > len(FEWER)


@settings(max_examples=100)
@given(crashes)
def test_what_a_person_changes_after_a_crash_is_not_written_over(ends: Crashes) -> None:
    world = _begun("older")
    _broken_off(world, ends, WANTED, Drift.REPORT)
    world.edit(BOARD, title="CU · mine")
    world.apply(WANTED)
    assert world.org.things[BOARD].spec["dashboard"]["title"] == "CU · mine"


def _begun(start: str) -> World:
    world = World()
    if start in {"older", "drift"}:
        world.apply([_with(item, {"refresh": "5m"}) for item in WANTED])
    if start == "drift":
        world.edit(BOARD, title="CU · mine")
    if start == "foreign":
        world.org.save(*BOARD, {"folder": "", "dashboard": {"title": "mine"}})
    return world


def _broken_off(world: World, ends: Crashes, wanted: Sequence[Item], drift: Drift) -> bool:
    """Whether the last run came to its end."""
    whole = False
    for at, after in ends:
        world.fuse.steps, world.fuse.at, world.fuse.after = 0, at, after
        whole = False
        try:
            world.apply(wanted, drift)
            whole = True
        except Crash:
            pass
    world.fuse.at = None
    return whole


def test_digests_do_not_hang_on_the_order_of_members() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1}) != digest({"a": 1, "b": [2, 1]})


def test_changes_say_where_and_what() -> None:
    live = {"a": {"b": 1, "extra": True}, "list": [1, 2], "text": "x" * 80}
    wanted = {"a": {"b": 2}, "list": [1], "text": None, "new": "n"}
    assert list(changes(live, wanted)) == [
        "/a/b: 1 → 2",
        "/list: 2 entries → 1 entries",
        f'/text: "{"x" * 59} … → null',
        '/new: null → "n"',
    ]
