"""Batches of a file into rows of one asset each: instants and values in the map's channels."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fleet.asset import FleetError, check_name
from streams.replay.arrow_batches import batches
from streams.replay.cells import channel_values, instants
from streams.replay.mapping import FileMap
from streams.replay.toml_reader import MapError


@dataclass
class Tally:
    """What became of a file's rows and cells.

    rows: lines read whole. malformed: lines with too many or too few cells, left out. no_instant, no_asset:
    rows left out because it is not certain when, or of what, they speak. repeated: rows left out because
    the row before them has their instant; conflicting: those of them that say something else. late: rows
    sent although older than one before. unreadable: cells that are no number, by column, sent as missing.
    frames, kept, samples: what was sent; kept counts rows, samples the values that are not missing.
    """

    rows: int = 0
    malformed: int = 0
    no_instant: int = 0
    no_asset: int = 0
    repeated: int = 0
    conflicting: int = 0
    late: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    kept: int = 0
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one asset, in order. ts_us: (n,) int64; values: (n, channels) float32, NaN missing."""

    asset: str
    ts_us: NDArray[np.int64]
    values: NDArray[np.float32]

    def part(self, which: slice | NDArray[np.bool_]) -> "Rows":
        """Some of the rows."""
        return Rows(self.asset, self.ts_us[which], self.values[which])


def asset_name(text: str) -> str:
    """A name that can stand in a topic: lower case, each run of other characters a hyphen."""
    name = re.sub(r"[^a-z0-9_.]+", "-", text.lower()).strip("-_.")
    try:
        return check_name("asset", name)
    except FleetError as error:
        raise MapError(f"no asset name can be made of {text!r}: {error}") from error


class RowReader:
    """Reads one file under a map, tallying as it goes."""

    def __init__(self, file_map: FileMap, path: Path, tally: Tally) -> None:
        self._map = file_map
        self._path = path
        self._tally = tally
        self._template = file_map.asset.for_file(path)
        self._named: dict[str, str] = {}
        self._seen = 0

    def __iter__(self) -> Iterator[Rows]:
        """The file's rows, asset by asset within each batch."""
        for batch in batches(self._path, self._map, self._malformed):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            names, which = self._assets(columns, batch.num_rows)
            ts_us, certain = instants(self._time_column(columns, batch.num_rows), self._map.time)
            self._tally.rows += batch.num_rows
            self._tally.no_instant += int((~certain).sum())
            self._tally.no_asset += int((certain & (which < 0)).sum())
            values = self._values(columns, batch.num_rows)
            for position, name in enumerate(names):
                mine = certain & (which == position)
                if mine.any():
                    yield Rows(name, ts_us[mine], values[mine])

    def _malformed(self) -> None:
        self._tally.malformed += 1

    def _time_column(self, columns: dict[str, pa.Array], n: int) -> pa.Array:
        if self._map.time.column:
            return columns[self._map.time.column]
        numbers = pa.array(np.arange(self._seen, self._seen + n))
        self._seen += n
        return numbers

    def _values(self, columns: dict[str, pa.Array], n: int) -> NDArray[np.float32]:
        values = np.full((n, len(self._map.sources)), np.nan, np.float32)
        for k, source in enumerate(self._map.sources):
            if source.column in columns:  # absent only from files that are joined
                values[:, k], bad = channel_values(columns[source.column], source, self._map.layout.decimal)
                if bad:
                    self._tally.unreadable[source.column] += bad
        return values

    def _assets(self, columns: dict[str, pa.Array], n: int) -> tuple[list[str], NDArray[np.int64]]:
        """Names in order of appearance, and each row's position among them, -1 for none."""
        if not self._map.asset.column:
            return [asset_name(self._template)], np.zeros(n, np.int64)
        cells = pc.cast(columns[self._map.asset.column], pa.string()).dictionary_encode()
        names = [self._name(cell) for cell in cells.dictionary.to_pylist()]
        return names, pc.fill_null(cells.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)

    def _name(self, cell: str) -> str:
        name = asset_name(self._template.replace("{cell}", cell))
        if self._named.setdefault(name, cell) != cell:
            raise MapError(
                f"{self._path.name}: {cell!r} and {self._named[name]!r} are both asset {name}: rename one"
            )
        return name
