"""Files under a map as frames, in bounded memory."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path

from streams.replay.arrow_batches import header
from streams.replay.cut import Cutter
from streams.replay.mapping import FileMap
from streams.replay.order import Order, join
from streams.replay.rows import RowReader, Rows, Tally
from streams.replay.toml_reader import MapError
from streams.wire.frame import Frame

FORMAT = 1
"""Raise it when the same files would be cut into other frames: it is part of the boot id."""


class Reading:
    """One file, or several that are joined: the frames they make and what became of their rows."""

    def __init__(self, file_map: FileMap, paths: Sequence[Path]) -> None:
        self.file_map = file_map
        self.paths = tuple(paths)
        self.tally = Tally()

    @cached_property
    def boot_id(self) -> int:
        """64 bits of the hash of the files' content and the map: the same frames have the same identity."""
        digest = hashlib.sha256(f"{FORMAT}:{self.file_map.digest}".encode())
        for path in self.paths:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return int.from_bytes(digest.digest()[:8])

    def frames(self) -> Iterator[Frame]:
        """Every frame, in the files' order; starts `tally` afresh. Raises `MapError`."""
        self.tally = Tally()
        cutter = Cutter(self.file_map, self.boot_id, self.tally)
        for rows in self._rows():
            yield from cutter.add(rows)
        yield from cutter.rest()

    def first_us(self) -> int:
        """The first instant, to bring files into order; raises `MapError` for a file without rows."""
        for rows in RowReader(self.file_map, self.paths[0], Tally()):
            return int(rows.ts_us[0])
        raise MapError(f"{self.paths[0].name}: no row with an instant: is it the right map?")

    def _rows(self) -> Iterator[Rows]:
        streams = [self._tidy(RowReader(self.file_map, path, self.tally)) for path in self.paths]
        return join(streams) if self.file_map.join else streams[0]

    def _tidy(self, rows: Iterable[Rows]) -> Iterator[Rows]:
        order = Order(self.tally)
        for some in rows:
            kept = order.keep(some)
            if self.tally.late and self.file_map.join:
                raise MapError(
                    f"asset {some.asset}: files that are joined must be in order of time: sort them"
                )
            if len(kept.ts_us):
                yield kept


def plan(file_map: FileMap, paths: Sequence[Path]) -> list[Reading]:
    """What to read in which order: files that are joined at once, others by their first instant.

    Raises `MapError`, also for what only shows in the first rows of each file.
    """
    if not paths:
        raise MapError("no files: name at least one")
    if file_map.join:
        _check_apart(file_map, paths)
        return [Reading(file_map, sorted(paths))]
    return sorted((Reading(file_map, [path]) for path in paths), key=lambda one: (one.first_us(), one.paths))


def _check_apart(file_map: FileMap, paths: Sequence[Path]) -> None:
    wanted = {source.column for source in file_map.sources}
    found = [wanted & set(header(path, file_map)) for path in sorted(paths)]
    for mine, theirs in combinations(found, 2):
        if both := sorted(mine & theirs):
            raise MapError(
                f"column {both[0]!r} is in two of the files that map {file_map.name} joins: give one"
            )
    if absent := sorted(wanted.difference(*found)):
        raise MapError(
            f"map {file_map.name} joins files, and none has column {absent[0]!r}: give all of them"
        )
