"""What is done about rows that repeat an instant or go back in time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.replay.rows import Rows, Tally


@dataclass
class _Last:
    ts_us: int
    newest_us: int
    values: NDArray[np.float32]


class Order:
    """Keeps the first of adjacent rows with one instant, as the database would, and counts the others.

    Rows older than one before them are counted late and passed on: the platform stores late rows.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._last: dict[str, _Last] = {}

    def keep(self, rows: Rows) -> Rows:
        """The rows that are passed on."""
        last = self._last.get(rows.asset)
        never = np.iinfo(np.int64).min
        before = np.concatenate([[last.ts_us if last else never], rows.ts_us[:-1]])
        newest = np.maximum.accumulate(np.concatenate([[last.newest_us if last else never], rows.ts_us]))
        repeats = rows.ts_us == before
        first = last.values[None] if last else np.full_like(rows.values[:1], np.nan)
        earlier = np.concatenate([first, rows.values[:-1]])
        same = (rows.values == earlier) | (np.isnan(rows.values) & np.isnan(earlier))
        self._tally.repeated += int(repeats.sum())
        self._tally.conflicting += int((repeats & ~same.all(axis=1)).sum())
        self._tally.late += int((~repeats & (rows.ts_us < newest[:-1])).sum())
        self._last[rows.asset] = _Last(int(rows.ts_us[-1]), int(newest[-1]), rows.values[-1].copy())
        return rows.part(~repeats)


def join(streams: list[Iterator[Rows]]) -> Iterator[Rows]:
    """One stream out of several of the same asset, each in order of time: rows of one instant become one.

    The streams have different channels and strictly rising instants.
    """
    waiting: list[Rows | None] = [next(stream, None) for stream in streams]
    while any(rows is not None for rows in waiting):
        horizon = min(int(rows.ts_us[-1]) for rows in waiting if rows is not None)
        due = [rows.part(rows.ts_us <= horizon) for rows in waiting if rows is not None]
        yield _merged([rows for rows in due if len(rows.ts_us)])
        for k, rows in enumerate(waiting):
            if rows is not None:
                waiting[k] = _after(horizon, rows, streams[k])


def _after(horizon: int, rows: Rows, stream: Iterator[Rows]) -> Rows | None:
    rest = rows.part(rows.ts_us > horizon)
    return rest if len(rest.ts_us) else next(stream, None)


def _merged(parts: list[Rows]) -> Rows:
    """Rows by instant; a channel takes its value from the one part that has it."""
    ts_us, where = np.unique(np.concatenate([rows.ts_us for rows in parts]), return_inverse=True)
    values = np.full((len(ts_us), parts[0].values.shape[1]), np.nan, np.float32)
    found = np.concatenate([rows.values for rows in parts])
    row, column = np.nonzero(~np.isnan(found))
    values[where[row], column] = found[row, column]
    return Rows(parts[0].asset, ts_us, values)
