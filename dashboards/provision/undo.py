"""Puts back what one run of `apply` changed."""

from collections.abc import Sequence

from dashboards.provision.apply import Record, write
from dashboards.provision.port import Json, Kind, Organization

Change = tuple[str, str, Json | None]
"""Kind, uid, and what was there before; None: nothing."""


def undo(log: Sequence[Change], room: Organization, record: Record) -> list[str]:
    """Go through a run's changes backwards; what was put back. Raises `GrafanaError`.

    It is a run of its own: said again, it takes itself back. A data source stays as it is, unless the run
    made it: Grafana tells nobody the password it had.
    """
    done = []
    for kind, uid, before in reversed(log):
        now = room.read(Kind(kind), uid)
        if before is None:
            record.claim(kind, uid, now)
            room.delete(Kind(kind), uid)
            record.forget(kind, uid)
        elif kind == Kind.DATA_SOURCE:
            continue
        else:
            write(room, record, Kind(kind), uid, before, now)
        done.append(f"{kind} {uid}")
    return done
