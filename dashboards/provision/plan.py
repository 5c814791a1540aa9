"""What stands between an organisation as it is and as it is to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboards.provision.changes import changes, digest
from dashboards.provision.desired import Item
from dashboards.provision.port import Json, Kind, Organization

Mark = tuple[str, str | None]
"""What is on record of a thing of ours: digest of what we asked for, and of what Grafana then had. The first
is empty while a request is under way, the second None until one is known to have arrived."""

Marks = Mapping[tuple[str, str], Mark]
"""By kind and uid."""


class State(StrEnum):
    """How a thing stands."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    GONE = "gone"
    """Ours once, not wanted and not there any more: only its record goes."""
    DRIFTED = "drifted"
    """Ours, and somebody changed it since."""
    FOREIGN = "foreign"
    """Under our uid, and not made by us."""


CLEAN = frozenset({State.SAME, State.GONE})

_ALWAYS_THERE = frozenset({Kind.PERMISSIONS, Kind.PREFERENCES})
"""An organisation has them from its first moment on, so that they are nobody's."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one thing. `wanted` and `live` are None where there is nothing."""

    kind: Kind
    uid: str
    state: State
    wanted: Json | None
    live: Json | None

    def differences(self) -> list[str]:
        """What would be another afterwards."""
        both = self.live is not None and self.wanted is not None
        return list(changes(self.live, self.wanted)) if both else []


def plan(wanted: Sequence[Item], marks: Marks, room: Organization) -> list[Step]:
    """A step for each thing that is wanted or on record: first what is made, then what goes.

    Raises `GrafanaError`.
    """
    by_key = {(item.kind, item.uid): item.spec for item in wanted}
    keys = [*by_key, *orphans(wanted, marks)]
    return [_step(kind, uid, by_key.get((kind, uid)), marks, room) for kind, uid in keys]


def orphans(wanted: Sequence[Item], marks: Marks) -> list[tuple[Kind, str]]:
    """What is ours and not wanted any more, in an order in which it can go. It needs no Grafana."""
    named = {(item.kind, item.uid) for item in wanted}
    order = list(Kind)
    found = [(Kind(kind), uid) for kind, uid in marks if (kind, uid) not in named]
    return sorted(found, key=lambda key: (-order.index(key[0]), key[1]))


def _step(kind: Kind, uid: str, wanted: Json | None, marks: Marks, room: Organization) -> Step:
    live = room.read(kind, uid)
    return Step(kind, uid, _state(kind, wanted, live, marks.get((kind, uid))), wanted, live)


def _state(kind: Kind, wanted: Json | None, live: Json | None, mark: Mark | None) -> State:
    if live is None:
        return State.GONE if wanted is None else State.CREATE
    if wanted is None and kind in _ALWAYS_THERE:
        return State.GONE
    if mark is None:
        return State.UPDATE if kind in _ALWAYS_THERE else State.FOREIGN
    asked, then = mark
    if then is not None and then != digest(live) and not (asked == "" and _arrived(live, wanted)):
        return State.DRIFTED
    if wanted is None:
        return State.DELETE
    return State.SAME if then is not None and asked == digest(wanted) else State.UPDATE


def _arrived(live: Json, wanted: Json | None) -> bool:
    """Whether what a run was about to do when it broke off is done, so that nobody else changed it."""
    return wanted is not None and next(changes(live, wanted), None) is None
