"""What a measure is: a generator that prepares once and then shows one run at a time."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from console.bench.result import Reading, Row, rows_of
from console.bench.servers import Servers
from storage.server.launcher import Progress

T = TypeVar("T")


class BenchError(RuntimeError):
    """A run whose figure would be wrong: records are missing, sums differ, a process ended."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Where and how large. `seconds` is how long the measures that take their time go on."""

    servers: Servers
    quick: bool
    seconds: float
    tell: Progress

    def size(self, full: T, quick: T) -> T:
        """The size of this trial."""
        return quick if self.quick else full


Measure = Callable[[Trial], Generator[list[Reading], None, None]]
"""Each item is one run. A measure that ends after one takes too long to repeat."""


def run(measures: Mapping[str, Measure], names: Sequence[str], trial: Trial, runs: int) -> list[Row]:
    """The rows of these measures, each over at most `runs` runs. Raises `BenchError` or `LocalError`."""
    rows: list[Row] = []
    for name in names:
        trial.tell(name)
        with closing(measures[name](trial)) as readings:
            found = rows_of(list(islice(readings, runs)))
        for row in found:
            trial.tell(f"{row.measure}: {row.value:,.5g} {row.unit}")
        rows += found
    return rows
