"""Reads what a run left behind."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from console.chaos.item import content_sha256
from console.chaos.load import BOOT, STEP_US, Load
from console.chaos.observed import Findings, FrameKey, Letter, Observed, Place, Tally
from storage.binary_copy import POSTGRES_EPOCH_US

Assets = Mapping[int, tuple[str, str]]
"""Tenant and name by asset id."""

_HEADER, _TRAILER = 19, 2
"""Bytes around the rows of a COPY BINARY stream."""

_TELEMETRY = sql.SQL(
    "copy (select ts, coalesce(bad, 0), coalesce(score, -1), {values} from telemetry "
    "where asset_id = {asset} order by ts) to stdout (format binary)"
)
_FINDINGS = {
    "episodes": "select row(episode_id, asset_id, kind, detector, onset_ts, end_ts, peak_ts, peak_score, "
    "evidence)::text from episode",
    "health": "select row(health.*)::text from health",
    "forecasts": "select row(forecast.*)::text from forecast",
    "wear": "select row(wear_counter.*)::text from wear_counter",
    "messages": "select message_key from outbox",
}


def observe(dsn: str, load: Load, ends: Mapping[Place, tuple[int, int]], told: Iterable[str]) -> Observed:
    """Everything the checker wants; `ends` and `told` come from the log, the rest from the database."""
    with psycopg.connect(dsn, autocommit=True, options="-c search_path=faultline,ext") as conn:
        assets = {number: (tenant, name) for number, tenant, name in _rows(conn, _ASSETS)}
        rows = {number: _telemetry(conn, number, load.columns()) for number in assets}
        content, strays = _content(conn, assets, rows)
        return Observed(
            frames=_frames(conn, assets),
            content=content,
            stray_rows=strays,
            missing_values=_missing(conn, load.columns()),
            letters=[_letter(*row) for row in _rows(conn, _LETTERS)],
            tallies={(topic, part): Tally(*fates) for topic, part, *fates in _rows(conn, _TALLIES)},
            positions={(topic, part): offset for topic, part, offset in _rows(conn, _POSITIONS)},
            ends=ends,
            health_keys=frozenset(key for (key,) in _rows(conn, _HEALTH_KEYS)),
            told=frozenset(told),
            unsent=_rows(conn, "select count(*) from outbox where sent_at is null")[0][0],
            findings=_findings(conn, assets, rows),
        )


def observe_findings(dsn: str, load: Load) -> Findings:
    """Only what the platform made of the data."""
    with psycopg.connect(dsn, autocommit=True, options="-c search_path=faultline,ext") as conn:
        assets = {number: (tenant, name) for number, tenant, name in _rows(conn, _ASSETS)}
        rows = {number: _telemetry(conn, number, load.columns()) for number in assets}
        return _findings(conn, assets, rows)


_ASSETS = "select asset_id, tenant, name from asset"
_LETTERS = (
    "select topic, partition, \"offset\", reason, value from dead_letter where consumer = 'score' order by id"
)
_TALLIES = "select topic, partition, stored, duplicate, dead, tombstone from partition_tally"
_POSITIONS = "select topic, partition, next_offset from sink_offset where next_offset is not null"
_HEALTH_KEYS = (
    "select format('health:%s:%s', asset_id, (extract(epoch from ts) * 1000000)::bigint) from health"
)
_STATES = "select consumer, topic, partition, next_offset, encode(sha256, 'hex') from snapshot"
_FRAMES = "select asset_id, boot_id, seq from frame"
_FRAME_SPANS = (
    "select (extract(epoch from first_ts) * 1000000)::bigint, rows, seq from frame "
    "where asset_id = %s and boot_id = %s order by first_ts"
)


def _letter(topic: str, partition: int, offset: int, reason: str, value: bytes) -> Letter:
    return Letter(topic, partition, offset, reason, hashlib.sha256(value).hexdigest())


def _rows(conn: Connection[TupleRow], query: str, *params: object) -> list[TupleRow]:
    return conn.execute(query.encode(), params or None).fetchall()


def _frames(conn: Connection[TupleRow], assets: Assets) -> Counter[FrameKey]:
    """How often each frame is in the ledger; a boot id that nobody sent makes a name that nobody sent."""
    found = Counter[FrameKey]()
    for asset_id, boot_id, seq in _rows(conn, _FRAMES):
        tenant, name = assets.get(asset_id, ("?", str(asset_id)))
        found[tenant, name if boot_id == BOOT else f"{name} boot {boot_id}", seq] += 1
    return found


def _telemetry(conn: Connection[TupleRow], asset_id: int, columns: Sequence[int]) -> NDArray[np.void]:
    """An asset's rows in order of time: ts, bad, score, v (columns,); NaN where a value is null."""
    values = [sql.SQL("coalesce({}, 'NaN')").format(sql.Identifier(f"v{k}")) for k in columns]
    statement = _TELEMETRY.format(values=sql.SQL(", ").join(values), asset=sql.Literal(asset_id))
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        data = b"".join(bytes(part) for part in copy)
    fields = [("n", ">i2"), ("l0", ">i4"), ("ts", ">i8"), ("l1", ">i4"), ("bad", ">i8"), ("l2", ">i4")]
    row = np.dtype([*fields, ("score", ">f4"), ("v", [("l", ">i4"), ("v", ">f4")], (len(columns),))])
    return np.frombuffer(data[_HEADER:-_TRAILER], row)


def _instants(rows: NDArray[np.void]) -> NDArray[np.int64]:
    return rows["ts"].astype(np.int64) + POSTGRES_EPOCH_US


def _content(
    conn: Connection[TupleRow], assets: Assets, rows: Mapping[int, NDArray[np.void]]
) -> tuple[dict[FrameKey, str], int]:
    """The hash of each frame's stored rows, and how many rows belong to no frame."""
    found: dict[FrameKey, str] = {}
    strays = 0
    for asset_id, (tenant, name) in assets.items():
        ts, values = _instants(rows[asset_id]), rows[asset_id]["v"]["v"].astype(np.float32)
        spans = np.array(_rows(conn, _FRAME_SPANS, asset_id, BOOT), np.int64).reshape(-1, 3)
        start = np.searchsorted(ts, spans[:, 0])
        end = np.searchsorted(ts, spans[:, 0] + STEP_US * spans[:, 1])
        strays += len(ts) - int((end - start).sum())
        for seq, first, last in zip(spans[:, 2].tolist(), start.tolist(), end.tolist(), strict=True):
            if last > first:
                found[tenant, name, seq] = content_sha256(ts[first:last], values[first:last])
    return found, strays


def _missing(conn: Connection[TupleRow], columns: Sequence[int]) -> int:
    bad = " or ".join(f"v{k} is null or v{k} = 'NaN'" for k in columns)
    return int(_rows(conn, f"select count(*) from telemetry where {bad}")[0][0])  # noqa: S608 - numbers


def _findings(conn: Connection[TupleRow], assets: Assets, rows: Mapping[int, NDArray[np.void]]) -> Findings:
    sets = {name: frozenset(text for (text,) in _rows(conn, query)) for name, query in _FINDINGS.items()}
    return Findings(scores=frozenset(_scores(assets, rows)), states=_states(conn), **sets)


def _scores(assets: Assets, rows: Mapping[int, NDArray[np.void]]) -> Iterator[str]:
    for asset_id, who in assets.items():
        of = rows[asset_id]
        said = of["ts"].tobytes() + of["score"].tobytes() + of["bad"].tobytes()
        yield f"{'/'.join(who)}: {len(of)} rows, {hashlib.sha256(said).hexdigest()}"


def _states(conn: Connection[TupleRow]) -> dict[tuple[str, str, int], str]:
    """Where telemetry ends is part of the state; the order of messages about different machines is chance."""
    return {
        (consumer, topic, part): f"{sha256} at {offset}" if consumer == "score" else sha256
        for consumer, topic, part, offset, sha256 in _rows(conn, _STATES)
    }
