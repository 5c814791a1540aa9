"""Files as streams of Arrow batches with exactly the columns that a map names."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from streams.replay.mapping import FileMap
from streams.replay.toml_reader import MapError

PARQUET = {".parquet", ".pq"}

BATCH_ROWS = 65_536


def batches(path: Path, file_map: FileMap, on_malformed: Callable[[], None]) -> Iterator[pa.RecordBatch]:
    """Batches of the columns that are used; `on_malformed` hears of each line with too many or few cells.

    Raises `MapError` for a file that is not what the map says.
    """
    try:
        if path.suffix.lower() in PARQUET:
            yield from _parquet(path, file_map)
        else:
            yield from _text(path, file_map, on_malformed)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError, UnicodeDecodeError, csv.Error) as error:
        raise MapError(f"{path.name}: cannot be read with map {file_map.name}: {error}") from error


def header(path: Path, file_map: FileMap) -> list[str]:
    """Names of the file's columns, in order."""
    if path.suffix.lower() in PARQUET:
        return list(pyarrow.parquet.read_schema(path).names)
    layout = file_map.layout
    if layout.columns:
        return list(layout.columns)
    with path.open(encoding="utf-8-sig" if layout.encoding == "utf-8" else layout.encoding) as lines:
        line = next(lines, "")
    if layout.separator == "whitespace":
        return line.split()
    return next(csv.reader([line.rstrip("\r\n")], delimiter=layout.separator), [])


def check_columns(path: Path, file_map: FileMap) -> list[str]:
    """The columns of the file that are used; raises `MapError` for one that is missing or not spoken of."""
    found = header(path, file_map)
    if twice := sorted({name for name in found if found.count(name) > 1}):
        raise MapError(f"{path.name}: column {twice[0]!r} is there twice: rename one")
    if strange := [name for name in found if name not in file_map.columns]:
        raise MapError(
            f"{path.name}: map {file_map.name} says nothing about column {strange[0]!r}: "
            "make it a [[channel]] or add it to `ignore`"
        )
    needed = file_map.columns - file_map.ignored
    optional = {source.column for source in file_map.sources} if file_map.join else set()
    if absent := sorted(needed - set(found) - optional):
        raise MapError(
            f"{path.name}: column {absent[0]!r} of map {file_map.name} is missing: is it the right map?"
        )
    return [name for name in found if name in needed]


def _parquet(path: Path, file_map: FileMap) -> Iterator[pa.RecordBatch]:
    columns = check_columns(path, file_map)
    with pyarrow.parquet.ParquetFile(path) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=columns)


def _text(path: Path, file_map: FileMap, on_malformed: Callable[[], None]) -> Iterator[pa.RecordBatch]:
    columns = check_columns(path, file_map)
    layout = file_map.layout

    def malformed(row: pyarrow.csv.InvalidRow) -> str:
        on_malformed()
        # without a time column every later row would move: better stop
        return "skip" if file_map.time.column else "error"

    spaced = layout.separator == "whitespace"
    with (
        path.open("rb") as file,
        pyarrow.csv.open_csv(
            pa.PythonFile(_Collapsed(file) if spaced else file, mode="r"),
            pyarrow.csv.ReadOptions(
                use_threads=False, encoding=layout.encoding, column_names=list(layout.columns) or None
            ),
            pyarrow.csv.ParseOptions(
                delimiter=" " if spaced else layout.separator, invalid_row_handler=malformed
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=columns,
                null_values=list(layout.missing),
                strings_can_be_null=True,
            ),
        ) as reader,
    ):
        yield from reader


class _Collapsed(io.RawIOBase):
    """A file whose runs of blanks are one blank, with none at either end of a line."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._ready = b""

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        while not self._ready:
            lines = self._file.readlines(1 << 20)
            if not lines:
                return b""
            self._ready = b"".join(re.sub(rb"[ \t]+", b" ", line.strip()) + b"\n" for line in lines)
        end = len(self._ready) if size < 0 else size
        piece, self._ready = self._ready[:end], self._ready[end:]
        return piece
