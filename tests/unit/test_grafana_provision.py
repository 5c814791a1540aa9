"""Plan, apply and undo of one organisation, over the fake's real socket."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.board import Audience
from dashboards.catalog import catalog
from dashboards.provision.apply import Drift, apply, check_deletions
from dashboards.provision.changes import changes, digest
from dashboards.provision.desired import Item, desired
from dashboards.provision.errors import GrafanaError
from dashboards.provision.gateway import Room, Server
from dashboards.provision.plan import State, Step, plan
from dashboards.provision.port import Kind
from dashboards.provision.undo import undo
from dashboards.source import connection
from dashboards.text import Language
from tests.grafana_fake import ADMIN, PASSWORD, FakeGrafana, Json, Organization, serving

SOURCE = connection("db.example", 5432, "faultline", "a1_2")
WANTED = desired(Audience.CUSTOMER, Language.ZH, ["elevator"], SOURCE)
FEWER = desired(Audience.CUSTOMER, Language.EN, [], SOURCE)


class MemoryRecord:
    """What is ours, in memory."""

    def __init__(self) -> None:
        self.marks: dict[tuple[str, str], tuple[str, str | None]] = {}
        self.log: list[tuple[str, str, Any]] = []

    def claim(self, kind: str, uid: str, before: Any) -> None:
        self.marks[kind, uid] = "", self.marks.get((kind, uid), ("", None))[1]
        self.log.append((kind, uid, before))

    def keep(self, kind: str, uid: str, mark: tuple[str, str | None]) -> None:
        self.marks[kind, uid] = mark

    def forget(self, kind: str, uid: str) -> None:
        self.marks.pop((kind, uid), None)


class Site:
    """A Grafana with an organisation, and the record of it."""

    def __init__(self, grafana: FakeGrafana, url: str) -> None:
        self.grafana = grafana
        self.record = MemoryRecord()
        self._server = Server(url, ADMIN, PASSWORD, lambda _s: None)
        self._number = self._server.create("acme")

    @property
    def there(self) -> Organization:
        return self.grafana.named("acme")

    @contextmanager
    def room(self) -> Iterator[Room]:
        with self._server.enter(self._number) as room:
            yield room

    def plan(self, wanted: Sequence[Item] = WANTED) -> list[Step]:
        with self.room() as room:
            return plan(wanted, self.record.marks, room)

    def apply(self, wanted: Sequence[Item] = WANTED, drift: Drift = Drift.REPORT) -> None:
        self.record.log.clear()
        with self.room() as room:
            apply(plan(wanted, self.record.marks, room), room, self.record, drift, "hush")

    def undo(self) -> list[str]:
        log = list(self.record.log)
        self.record.log.clear()
        with self.room() as room:
            return undo(log, room, self.record)


@contextmanager
def a_site() -> Iterator[Site]:
    grafana = FakeGrafana()
    with serving(grafana) as url:
        yield Site(grafana, url)


@pytest.fixture
def site() -> Iterator[Site]:
    with a_site() as found:
        yield found


def states(steps: Sequence[Step]) -> set[State]:
    return {step.state for step in steps}


def test_a_customer_has_its_own_dashboards_and_lands_on_the_plain_one(site: Site) -> None:
    site.apply()
    codes = {uid.removeprefix("faultline-") for uid in site.there.boards}
    assert codes == {
        f"{code}-{language}" for code in ("cu", "us", "ad-elevator") for language in ("en", "zh")
    }
    assert site.there.preferences["homeDashboardUID"] == "faultline-cu-zh"
    assert site.there.preferences["language"] == "zh-Hans"
    assert site.there.passwords == {"faultline": "hush"}
    assert set(site.there.folder_of.values()) == {"faultline-en", "faultline-zh"}


@pytest.mark.parametrize("audience", list(Audience))
def test_every_audience_has_one_home_among_its_own(audience: Audience) -> None:
    boards = [board for board in catalog() if audience in board.audience]
    assert [board.code for board in boards if board.home_of is audience]


def test_applied_twice_writes_nothing_the_second_time(site: Site) -> None:
    assert states(site.plan()) == {State.CREATE, State.UPDATE}  # preferences are there from the first
    site.apply()
    site.grafana.log.clear()
    site.apply()
    assert site.grafana.writes == []
    assert states(site.plan()) == {State.SAME}


@given(st.integers(1, 70), st.integers(1, 70))
def test_a_run_that_dies_after_any_request_is_made_good_by_the_next(first: int, second: int) -> None:
    with a_site() as site:
        for requests in (first, second):
            site.grafana.die_after = requests
            with suppress(GrafanaError):
                site.apply()
            site.grafana.die_after = None
        site.apply()
        with a_site() as clean:
            clean.apply()
            assert site.there.state() == clean.there.state()
        site.grafana.log.clear()
        site.apply()
        assert site.grafana.writes == []


@given(st.integers(1, 60))
def test_a_removal_that_dies_after_any_request_is_made_good_by_the_next(requests: int) -> None:
    with a_site() as site:
        site.apply()
        site.grafana.die_after = requests
        with suppress(GrafanaError):
            site.apply(())
        site.grafana.die_after = None
        site.apply(())
        there = site.there
        assert not [*there.boards, *there.folders, *there.sources, *there.accounts]
        assert site.record.marks == {}


def test_what_is_not_wanted_any_more_goes_and_nothing_else(site: Site) -> None:
    site.apply()
    site.there.boards["theirs"] = {"uid": "theirs", "title": "Mine", "tags": [], "id": 9, "version": 1}
    site.there.folder_of["theirs"] = ""
    steps = site.plan(FEWER)
    assert [step.uid for step in steps if step.state is State.DELETE] == [
        "faultline-ad-elevator-en",
        "faultline-ad-elevator-zh",
    ]
    site.apply(FEWER)
    assert "faultline-ad-elevator-en" not in site.there.boards
    assert "theirs" in site.there.boards


def test_somebodys_dashboard_under_our_uid_is_left_alone(site: Site) -> None:
    theirs: Json = {"uid": "faultline-cu-en", "title": "Theirs", "tags": [], "id": 9, "version": 4}
    site.there.boards["faultline-cu-en"], site.there.folder_of["faultline-cu-en"] = theirs, ""
    site.apply(drift=Drift.OVERWRITE)
    assert site.there.boards["faultline-cu-en"] == theirs
    assert State.FOREIGN in states(site.plan())


def change(site: Site) -> None:
    board = site.there.boards["faultline-cu-en"]
    board["title"], board["version"] = "CU · changed by hand", board["version"] + 1


def drifted(site: Site) -> list[Step]:
    return [step for step in site.plan() if step.state is State.DRIFTED]


def test_what_somebody_changed_is_told_and_left_by_default(site: Site) -> None:
    site.apply()
    change(site)
    (step,) = drifted(site)
    assert step.differences() == ['/dashboard/title: "CU · changed by hand" → "CU · My machines"']
    site.apply()
    assert site.there.boards["faultline-cu-en"]["title"] == "CU · changed by hand"


def test_what_somebody_changed_can_be_made_ours_again_and_had_back(site: Site) -> None:
    site.apply()
    change(site)
    site.apply(drift=Drift.OVERWRITE)
    assert site.there.boards["faultline-cu-en"]["title"] == "CU · My machines"
    assert site.undo() == ["dashboard faultline-cu-en"]
    assert site.there.boards["faultline-cu-en"]["title"] == "CU · changed by hand"
    assert [step.uid for step in site.plan() if step.state is State.UPDATE] == ["faultline-cu-en"]


def test_what_somebody_changed_can_be_adopted_until_we_want_something_else(site: Site) -> None:
    site.apply()
    change(site)
    site.apply(drift=Drift.ADOPT)
    assert states(site.plan()) == {State.SAME}
    other = [
        Item(item.kind, item.uid, {**item.spec, "folder": "faultline-zh"})
        if item.uid == "faultline-cu-en"
        else item
        for item in WANTED
    ]
    assert [step.uid for step in site.plan(other) if step.state is State.UPDATE] == ["faultline-cu-en"]


def test_a_first_run_taken_back_leaves_nothing_but_preferences_as_they_were(site: Site) -> None:
    before = site.there.state()
    site.apply()
    site.undo()
    assert site.there.state() == before


def test_an_undo_taken_back_is_as_before_it(site: Site) -> None:
    site.apply()
    site.apply(FEWER)
    after = site.there.state()
    site.undo()
    assert "faultline-ad-elevator-en" in site.there.boards
    site.undo()
    assert site.there.state() == after


def test_many_deletions_want_somebodys_word(site: Site) -> None:
    site.apply()
    steps = site.plan(())
    going = sum(step.state is State.DELETE for step in steps)
    with pytest.raises(GrafanaError, match=f"--allow-deletes {going}"):
        check_deletions(steps, None)
    with pytest.raises(GrafanaError, match="deletes"):
        check_deletions(steps, going - 1)
    check_deletions(steps, going)
    check_deletions(site.plan(), None)


def test_differences_name_the_place_and_leave_grafanas_defaults_out() -> None:
    live = {"a": 1, "more": 2, "list": [1, {"b": "x"}], "long": [1, 2]}
    wanted = {"a": 2, "list": [1, {"b": "y"}], "long": [1, 2, 3]}
    assert list(changes(live, wanted)) == [
        "/a: 1 → 2",
        '/list/1/b: "x" → "y"',
        "/long: 2 entries → 3 entries",
    ]
    assert list(changes(wanted, wanted)) == []


def test_a_digest_does_not_depend_on_the_order_of_members() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_kind_is_made_after_what_it_needs() -> None:
    order = list(Kind)
    kinds = [order.index(item.kind) for item in WANTED]
    assert kinds == sorted(kinds)
