"""Brings an organisation to what the plan says, so that it may be broken off anywhere and said again."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from dashboards.provision.changes import digest
from dashboards.provision.errors import GrafanaConflict, GrafanaError, GrafanaRefuses
from dashboards.provision.plan import Mark, State, Step
from dashboards.provision.port import Json, Kind, Organization

MOST_DELETED, MOST_SHARE = 10, 0.2
"""More deletions than either, in one organisation or in a whole run, want somebody's word."""


class Drift(StrEnum):
    """What becomes of things of ours that somebody changed."""

    REPORT = "report"
    """Left as they are, and told."""
    OVERWRITE = "overwrite"
    """Made ours again; the change can be had back by `undo`."""
    ADOPT = "adopt"
    """Left as they are, until what we want of them changes."""


class Record(Protocol):
    """Where it is kept what is ours, before and after each request."""

    def claim(self, kind: str, uid: str, before: Json | None) -> None:
        """This is about to become ours, or to be changed or deleted; `before` is what was there."""

    def keep(self, kind: str, uid: str, mark: Mark) -> None:
        """It is ours, and known to be so."""

    def forget(self, kind: str, uid: str) -> None:
        """It is not ours any more."""


def check_deletions(going: int, things: int, allowed: int | None) -> None:
    """Raises `GrafanaError` if more of our things would go than is allowed, or than is usual."""
    usual = max(1, min(MOST_DELETED, int(MOST_SHARE * things)))
    if going > (usual if allowed is None else allowed):
        raise GrafanaError(
            f"{going} of {things} things of ours would be deleted, and nothing was done: `faultline grafana "
            f"plan` shows them; if they may go, say --allow-deletes {going}"
        )


def apply(
    steps: Sequence[Step], room: Organization, record: Record, drift: Drift, password: str | None = None
) -> Counter[State]:
    """Do the steps in their order; how many of each there were. `password` is the data source's.

    Each request is on record before it is sent, so that after a crash what was made is known as ours.
    Foreign things are never touched. Raises `GrafanaError`.
    """
    for step in steps:
        _do(step, room, record, drift, password)
    return Counter(step.state for step in steps)


def _do(step: Step, room: Organization, record: Record, drift: Drift, password: str | None) -> None:
    match step.state:
        case State.SAME | State.FOREIGN:
            return
        case State.DRIFTED if drift is Drift.REPORT:
            return
        case State.GONE:
            record.forget(step.kind, step.uid)
        case State.DRIFTED if drift is Drift.ADOPT and step.wanted is None:
            record.forget(step.kind, step.uid)
        case State.DRIFTED if drift is Drift.ADOPT:
            record.keep(step.kind, step.uid, (digest(step.wanted), digest(step.live)))
        case _ if step.wanted is None:
            record.claim(step.kind, step.uid, step.live)
            room.delete(step.kind, step.uid)
            record.forget(step.kind, step.uid)
        case _:
            write(room, record, step.kind, step.uid, step.wanted, step.live, password)


def write(
    room: Organization,
    record: Record,
    kind: Kind,
    uid: str,
    wanted: Json,
    before: Json | None,
    password: str | None = None,
) -> None:
    """Make one thing ours as it is wanted, and keep what Grafana made of it. Raises `GrafanaError`."""
    record.claim(kind, uid, before)
    try:
        room.write(kind, uid, wanted, password if kind is Kind.DATA_SOURCE else None)
    except (GrafanaConflict, GrafanaRefuses):
        if before is None:
            record.forget(kind, uid)  # nothing was made, so what may be there later is not ours
        raise
    record.keep(kind, uid, (digest(wanted), digest(room.read(kind, uid))))
