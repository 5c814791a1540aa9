"""A recorded series with its labels, if it has any."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fleet.clock import microseconds

Bools = NDArray[np.bool_]

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Series:
    """n instants of one machine.

    file: relative to the folder of the suite. times: as the file writes them. ts_us: (n,) int64, microseconds
    since 1970, increasing. x: (n, channels) float32. anomalous, change: (n,), None without labels. machine:
    its name, if the file says one.
    """

    file: str
    times: tuple[str, ...]
    ts_us: NDArray[np.int64]
    x: NDArray[np.float32]
    anomalous: Bools | None = None
    change: Bools | None = None
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about each instant of a series, knowing those before it alone; or about it as a whole.

    score: (n,), -log10 p, NaN while unknown. anomalous: (n,), an episode was on, or it was told.
    change: (n,), it changed.
    """

    score: NDArray[np.float32]
    anomalous: Bools
    change: Bools


def read_each(folder: Path, paths: Iterable[Path], read: Callable[[Path, str], Series]) -> list[Series]:
    """The files' series in order, named relative to the folder; raises `ValueError` that names the file."""
    found = []
    for path in sorted(paths):
        file = path.relative_to(folder).as_posix()
        try:
            found.append(read(path, file))
        except (ValueError, IndexError) as error:
            raise ValueError(f"{file}: {error}") from error
    return found


def instants(times: Sequence[str]) -> NDArray[np.int64]:
    """Microseconds since 1970 of times that stand for UTC; raises `ValueError` for what is no time."""
    found = [microseconds(datetime.fromisoformat(time).replace(tzinfo=UTC)) for time in times]
    return np.array(found, np.int64)


def runs(on: Bools) -> list[tuple[int, int]]:
    """First row of each run of True, and the row after its last."""
    edges = np.flatnonzero(np.diff(on.astype(np.int8), prepend=0, append=0))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
