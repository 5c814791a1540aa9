"""Rows into frames: numbered per asset, of a fixed number of rows, each rising in time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from streams.replay.mapping import FileMap
from streams.replay.rows import Rows, Tally
from streams.wire.frame import Frame


@dataclass
class _Open:
    """An asset's next frame number and its rows that do not fill a frame yet."""

    rows: Rows
    seq: int = 0


class Cutter:
    """Cuts the same rows into the same frames, however they arrive."""

    def __init__(self, file_map: FileMap, boot_id: int, tally: Tally) -> None:
        self._map = file_map
        self._boot_id = boot_id
        self._tally = tally
        self._open: dict[str, _Open] = {}

    def add(self, rows: Rows) -> Iterator[Frame]:
        """Take in rows; the frames that they complete."""
        if not len(rows.ts_us):
            return
        asset = self._open.setdefault(rows.asset, _Open(rows.part(slice(0, 0))))
        held = asset.rows
        ts_us, values = np.concatenate([held.ts_us, rows.ts_us]), np.concatenate([held.values, rows.values])
        borders = [0, *(np.flatnonzero(np.diff(ts_us) < 0) + 1).tolist(), len(ts_us)]
        for begin, end in pairwise(borders):
            piece = Rows(rows.asset, ts_us[begin:end], values[begin:end])
            yield from self._cut(asset, piece, whole=end == len(ts_us))

    def rest(self) -> Iterator[Frame]:
        """At the end: the frames that are not full."""
        for asset in self._open.values():
            yield from self._cut(asset, asset.rows, whole=False)

    def _cut(self, asset: _Open, piece: Rows, whole: bool) -> Iterator[Frame]:
        size = self._map.rows_per_frame
        end = len(piece.ts_us) - len(piece.ts_us) % size if whole else len(piece.ts_us)
        for at in range(0, end, size):
            yield self._frame(piece.part(slice(at, min(at + size, end))), asset.seq)
            asset.seq += 1
        asset.rows = piece.part(slice(end, None))

    def _frame(self, rows: Rows, seq: int) -> Frame:
        missing = np.isnan(rows.values.T)
        self._tally.frames += 1
        self._tally.kept += len(rows.ts_us)
        self._tally.samples += int(missing.size - missing.sum())
        return Frame(
            asset=rows.asset,
            tenant=None,
            boot_id=self._boot_id,
            seq=seq,
            ts_us=rows.ts_us,
            channels=self._map.channels,
            units=self._map.units,
            values=np.ascontiguousarray(rows.values.T),
            missing=missing if missing.any() else None,
        )
