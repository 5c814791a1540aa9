"""What a chunk adds and never changes: rows that go in by COPY.

A COPY fails as a whole on the first key that is there already. Then the same rows go through a temporary
table, and what was stored first stays.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncCopy, sql
from psycopg.types.json import Json

from fleet.clock import from_microseconds
from storage import crash_point
from storage.binary_copy import copy_rows, timestamps
from storage.chunk_result import (
    ChunkResult,
    DeadLetter,
    FeatureRow,
    ForecastRow,
    HealthRow,
    OutboxMessage,
    Telemetry,
)
from storage.pool import Connection

Place: TypeAlias = tuple[str, str, int]
"""(consumer, topic, partition)."""

_MAKE_STAGE = sql.SQL(
    "create temp table if not exists {stage} on commit delete rows as select * from {table} with no data"
)
_ADD_NEW = sql.SQL("insert into {table} ({columns}) select {columns} from {stage} on conflict do nothing")
_EMPTY_STAGE = sql.SQL("truncate {stage}")

_DEAD_LETTER = (
    *("consumer", "topic", "partition", "offset", "reason", "detail", "key", "value", "size"),
    *("header_names", "header_values", "recorded_at"),
)
_HEALTH = ("asset_id", "ts", "health", "lowered_by")
_FEATURE = ("asset_id", "segment", "feature", "ts", "value", "expected", "unit")
_FORECAST = ("asset_id", "target", "ts", "forecaster", "verdict", "p10_h", "p50_h", "p90_h", "basis")
_OUTBOX = ("message_key", "topic", "key", "value", "header_names", "header_values")

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999, the last that datetime knows


@dataclass(frozen=True, slots=True)
class Append:
    """New rows of one table: either as one COPY BINARY stream, or a tuple for each."""

    table: str
    columns: tuple[str, ...]
    binary: bytes = b""
    rows: Sequence[tuple[Any, ...]] = ()

    async def copy(self, conn: Connection, staged: bool) -> int:
        """Add the rows and return how many were added.

        Directly, raising `psycopg.errors.UniqueViolation` if one of the keys is there already; or `staged`,
        leaving those out.
        """
        if not staged:
            return await self._copy_into(conn, self.table)
        stage = f"stage_{self.table}"
        names = {
            "stage": sql.Identifier(stage),
            "table": sql.Identifier(self.table),
            "columns": self._columns(),
        }
        await conn.execute(_MAKE_STAGE.format(**names))
        await self._copy_into(conn, stage)
        added = await conn.execute(_ADD_NEW.format(**names))
        await conn.execute(_EMPTY_STAGE.format(**names))
        return added.rowcount

    async def _copy_into(self, conn: Connection, table: str) -> int:
        statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), self._columns())
        if self.binary:
            statement += sql.SQL(" (format binary)")
        async with conn.cursor() as cursor:
            async with cursor.copy(statement) as copy:
                await self._send(copy)
            return cursor.rowcount

    async def _send(self, copy: AsyncCopy) -> None:
        if self.binary:
            await copy.write(self.binary)
            crash_point.reached("mid_copy")
        for row in self.rows:
            await copy.write_row(row)

    def _columns(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


def appends(place: Place, result: ChunkResult) -> list[Append]:
    """The chunk's new rows, always in the same order of tables."""
    made = [_telemetry(block) for block in result.telemetry if len(block.ts_us)]
    if len(result.frames):
        made.append(_frames(result.frames))
    return made + [append for append in _row_wise(place, result) if append.rows]


def _telemetry(block: Telemetry) -> Append:
    columns: dict[str, NDArray[Any]] = {
        "ts": timestamps(block.ts_us),
        "asset_id": block.asset_id,
        "score": block.score,
    }
    if block.bad.any():
        columns["bad"] = np.ma.masked_equal(block.bad, 0)
    columns |= {f"v{k}": column for k, column in enumerate(block.values.T)}
    return Append("telemetry", tuple(columns), copy_rows(list(columns.values())))


def _frames(frames: NDArray[np.void]) -> Append:
    ordered = frames[np.lexsort((frames["seq"], frames["boot_id"], frames["asset_id"]))]
    names = ("boot_id", "seq", "digest", "offset", "first_ts", "asset_id", "rows")
    wide = [ordered[name].copy() for name in ("boot_id", "seq", "digest", "offset")]
    narrow = [ordered[name].copy() for name in ("asset_id", "rows")]
    return Append("frame", names, copy_rows([*wide, timestamps(ordered["first_ts_us"].copy()), *narrow]))


def _row_wise(place: Place, result: ChunkResult) -> Iterator[Append]:
    letters = sorted(result.dead_letters, key=attrgetter("offset"))
    yield Append("dead_letter", _DEAD_LETTER, rows=[_dead_letter(place, letter) for letter in letters])
    health = sorted(result.health, key=attrgetter("asset_id", "ts_us"))
    yield Append("health", _HEALTH, rows=[_health(row) for row in health])
    features = sorted(result.features, key=attrgetter("asset_id", "segment", "feature", "ts_us"))
    yield Append("segment_feature", _FEATURE, rows=[_feature(row) for row in features])
    for table, said in (("forecast", result.forecasts), ("shadow_forecast", result.shadow_forecasts)):
        forecasts = sorted(said, key=attrgetter("asset_id", "target", "ts_us"))
        yield Append(table, _FORECAST, rows=[_forecast(row) for row in forecasts])
    yield Append("outbox", _OUTBOX, rows=[_message(message) for message in result.outbox])


def _dead_letter(place: Place, letter: DeadLetter) -> tuple[Any, ...]:
    bounded = min(max(letter.timestamp_ms, 0), _LATEST_MS)  # its sender may have written any number
    return (
        *place,
        letter.offset,
        letter.reason.value,
        storable(letter.detail),
        letter.key,
        letter.value,
        letter.size,
        *_headers(letter.headers),
        from_microseconds(bounded * 1000),
    )


def _health(row: HealthRow) -> tuple[Any, ...]:
    return row.asset_id, from_microseconds(row.ts_us), row.health, Json(row.lowered_by)


def _feature(row: FeatureRow) -> tuple[Any, ...]:
    ts = from_microseconds(row.ts_us)
    return row.asset_id, row.segment, row.feature, ts, row.value, row.expected, row.unit


def _forecast(row: ForecastRow) -> tuple[Any, ...]:
    ts = from_microseconds(row.ts_us)
    quantiles = row.p10_h, row.p50_h, row.p90_h
    return row.asset_id, row.target, ts, row.forecaster, str(row.verdict), *quantiles, row.basis


def _message(message: OutboxMessage) -> tuple[Any, ...]:
    return message.message_key, message.topic, message.key, message.value, *_headers(message.headers)


def _headers(headers: Sequence[tuple[str, bytes]]) -> tuple[list[str], list[bytes]]:
    return [storable(name) for name, _ in headers], [value for _, value in headers]


def storable(text: str) -> str:
    """Text from outside without what PostgreSQL cannot store: NUL and lone surrogates become U+FFFD."""
    return _NOT_STORABLE.sub("\ufffd", text)
