"""On record: what in Grafana is ours, and what was there before we changed it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from storage.errors import StorageError

_LOCK = 0x67726166  # "graf": one run at a time

KEPT_RUNS = 10
"""Of each organisation: what was there before older runs is forgotten."""


@contextmanager
def alone(owner_dsn: str) -> Iterator[None]:
    """Hold the right to change Grafana. Raises `StorageError` if another run has it."""
    with psycopg.connect(owner_dsn, autocommit=True, application_name="faultline-grafana") as conn:
        ((mine,),) = conn.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchall()
        if not mine:
            raise StorageError("another `faultline grafana` is at work: wait until it is done")
        yield


class Provisioned:
    """What is ours in the organisation of one access. Each call is a transaction of its own."""

    def __init__(self, conn: Connection[TupleRow], access_id: str) -> None:
        self._conn = conn
        self._access_id = access_id
        self._run = uuid4()

    def claim_organization(self) -> None:
        """It is about to be made."""
        self._conn.execute(
            "insert into grafana_organization (access_id) values (%s) on conflict do nothing",
            (self._access_id,),
        )

    def keep_organization(self, number: int) -> None:
        """It is there under this number. Under another one than before, nothing of ours is in it."""
        with self._conn.transaction():
            (before,) = self._conn.execute(
                "select number from grafana_organization where access_id = %s", (self._access_id,)
            ).fetchone() or (None,)
            if before not in (None, number):
                self._conn.execute("delete from grafana_object where access_id = %s", (self._access_id,))
                self._conn.execute("delete from grafana_change where access_id = %s", (self._access_id,))
            self._conn.execute(
                "update grafana_organization set number = %s where access_id = %s", (number, self._access_id)
            )

    def organization(self) -> tuple[int | None] | None:
        """Its number, None in it while nobody knows; None if it is not ours."""
        return self._conn.execute(
            "select number from grafana_organization where access_id = %s", (self._access_id,)
        ).fetchone()

    def forget_organization(self) -> None:
        """It is gone with all that was in it."""
        self._conn.execute("delete from grafana_organization where access_id = %s", (self._access_id,))

    def marks(self) -> dict[tuple[str, str], tuple[str, str | None]]:
        """By kind and uid: digest of what was asked for, empty while a request is under way; and of what
        Grafana then had, None while nobody knows."""
        rows = self._conn.execute(
            "select kind, uid, coalesce(wanted_sha256, ''), live_sha256 from grafana_object "
            "where access_id = %s",
            (self._access_id,),
        ).fetchall()
        return {(kind, uid): (wanted, live) for kind, uid, wanted, live in rows}

    def claim(self, kind: str, uid: str, before: Mapping[str, Any] | None) -> None:
        """This is about to become ours, or to be changed or deleted; `before` is what was there.

        What Grafana had when that was last known stays on record: who finds it changed can tell by whom.
        """
        key = self._access_id, kind, uid
        with self._conn.transaction():
            self._conn.execute(
                "insert into grafana_object (access_id, kind, uid) values (%s, %s, %s) "
                "on conflict (access_id, kind, uid) do update set wanted_sha256 = null",
                key,
            )
            self._conn.execute(
                "insert into grafana_change (run, access_id, kind, uid, before) values (%s, %s, %s, %s, %s)",
                (self._run, *key, None if before is None else Jsonb(before)),
            )

    def keep(self, kind: str, uid: str, mark: tuple[str, str | None]) -> None:
        """It is ours, and known to be so."""
        self._conn.execute(
            "insert into grafana_object (access_id, kind, uid, wanted_sha256, live_sha256) "
            "values (%s, %s, %s, %s, %s) on conflict (access_id, kind, uid) do update set "
            "wanted_sha256 = excluded.wanted_sha256, live_sha256 = excluded.live_sha256, pushed_at = now()",
            (self._access_id, kind, uid, *mark),
        )

    def forget(self, kind: str, uid: str) -> None:
        """It is not ours any more."""
        self._conn.execute(
            "delete from grafana_object where access_id = %s and kind = %s and uid = %s",
            (self._access_id, kind, uid),
        )

    def last_run(self) -> list[tuple[str, str, dict[str, Any] | None]]:
        """Kind, uid and what was there before, of each change of the last run that changed something.

        Of several changes of one thing, which a crash may leave, the first says what was there.
        """
        rows = self._conn.execute(
            "select kind, uid, before, run from grafana_change where access_id = %s order by id",
            (self._access_id,),
        ).fetchall()
        last: UUID | None = rows[-1][3] if rows else None
        found: dict[tuple[str, str], dict[str, Any] | None] = {}
        for kind, uid, before, run in rows:
            if run == last:
                found.setdefault((kind, uid), before)
        return [(kind, uid, before) for (kind, uid), before in found.items()]

    def tidy(self) -> None:
        """Forget what was there before all but the last runs."""
        self._conn.execute(
            "delete from grafana_change where access_id = %s and run not in (select run from grafana_change "
            "where access_id = %s group by run order by max(id) desc limit %s)",
            (self._access_id, self._access_id, KEPT_RUNS),
        )


@contextmanager
def provisioned(owner_dsn: str, access_id: str) -> Iterator[Provisioned]:
    """The record of one access, on a connection of its own."""
    with psycopg.connect(owner_dsn, autocommit=True, application_name="faultline-grafana") as conn:
        conn.execute("set search_path = faultline, ext")
        yield Provisioned(conn, access_id)
