"""What a worker needs as its fleet grows: memory, and CPU for each sample, once it has learned every machine.

One worker meets the machines in steps, so that each step adds to the fleet of the one before.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from console.bench.plant import PATIENCE_S, Plant, Worker, plant, worker
from console.bench.result import Reading
from console.bench.telemetry import CHANNELS, ROWS, frames, hours_ago
from console.bench.trial import BenchError, Trial

LEARNING_FRAMES = 8
"""Frames after which both detectors know what is normal: 300 rows and 40 windows, which are 420 rows."""

MEMORY_GOALS_MB = {1_000: 400, 10_000: 900}

FEWEST_FRAMES = 10
"""Of each machine: the rollup of its hour must not look as if it came with each row."""

LOOK_EVERY_S = 0.1

_LEARNED = """
select count(*) from asset_latest where score is not null
"""
_TO_ROLL_UP = "select count(*) from rollup_due"


def memory(trial: Trial) -> Generator[list[Reading], None, None]:
    """Most resident megabytes in a minute with so many machines of 16 channels, each sends a row a second."""
    readings = []
    with _fleet(trial, sizes := trial.size((1_000, 10_000), (20, 40))) as fleet:
        for size in sizes:
            fleet.learn(size)
            goal = f"<= {MEMORY_GOALS_MB[size]}" if size in MEMORY_GOALS_MB else None
            most = fleet.most_bytes(size, trial.size(60, 2))
            readings.append(Reading(f"memory_{size}_assets", most / 1e6, "MB", goal=goal))
    yield readings


def growth(trial: Trial) -> Generator[list[Reading], None, None]:
    """CPU microseconds of the worker for each sample with 100, 1 000 and 10 000 machines."""
    records, fewest = trial.size((20_000, FEWEST_FRAMES), (80, 2))
    readings: list[Reading] = []
    with _fleet(trial, sizes := trial.size((100, 1_000, 10_000), (10, 20, 40))) as fleet:
        for size in sizes:
            fleet.learn(size)
            cost = fleet.cost_us(size, max(records // size, fewest))
            base = readings[0].value if readings else cost
            readings.append(
                Reading(
                    f"growth_{size}_assets",
                    cost,
                    "CPU-µs/sample",
                    f"{sizes[0]} assets",
                    base,
                    "ratio <= 1.15",
                )
            )
    yield readings


class _Fleet:
    """A plant whose machines come in step by step."""

    def __init__(self, trial: Trial, site: Plant, running: Worker) -> None:
        self.running = running
        self._trial = trial
        self._site = site
        self._start_us = hours_ago(86_400)
        self._sent = 0
        self._next = [0] * len(site.assets)

    def learn(self, size: int) -> None:
        """Let the worker learn the first `size` machines. Raises `BenchError` if it does not."""
        self._trial.tell(f"a worker learns {size:,} machines")
        fresh = self._next[:size].count(0)
        self._send(size - fresh, size, LEARNING_FRAMES)
        if (learned := self._site.ask(_LEARNED)) != [(size,)]:
            raise BenchError(f"of {size} machines {learned} are scored after {LEARNING_FRAMES} frames each")

    def cost_us(self, size: int, count: int) -> float:
        """CPU microseconds per sample for `count` more frames of each of the first `size` machines."""
        self._all_rolled_up()
        self._trial.tell(f"{count} more frames of each of {size:,} machines")
        before = self.running.cpu_s()
        self._send(0, size, count)
        return (self.running.cpu_s() - before) * 1e6 / (size * count * ROWS * CHANNELS)

    def most_bytes(self, size: int, seconds: int) -> int:
        """The most resident memory while each of the first `size` machines sends a frame in so many seconds.

        They do so twice, and the first time does not count: what learning took is given back meanwhile.
        """
        self._trial.tell(f"{size:,} machines send a frame a minute")
        self._one_frame_each(size, seconds)
        return self._one_frame_each(size, seconds)

    def _one_frame_each(self, size: int, seconds: int) -> int:
        most, number = 0, self._next[0]
        for second in range(seconds):
            until = time.perf_counter() + 1.0
            self._site.fill(frames(self._site.assets[second:size:seconds], number, 1, self._start_us))
            while time.perf_counter() < until:
                most = max(most, self.running.rss_bytes())
                time.sleep(LOOK_EVERY_S)
        self._next[:size] = [number + 1] * size
        self._sent += size
        self._all_stored()
        return most

    def _send(self, start: int, stop: int, count: int) -> None:
        """All of these machines are equally far, or the later ones have sent nothing yet."""
        for first, names in self._equally_far(start, stop):
            self._site.fill(frames(names, first, count, self._start_us))
            self._sent += len(names) * count
        self._next[start:stop] = [number + count for number in self._next[start:stop]]
        self._all_stored()

    def _all_stored(self) -> None:
        self.running.drained(self._sent)
        self._site.check_all_stored(self._sent)

    def _all_rolled_up(self) -> None:
        """What learning left to do is no cost of the frames to come."""
        patience = time.perf_counter() + PATIENCE_S
        while self._site.ask(_TO_ROLL_UP) != [(0,)]:
            if time.perf_counter() > patience:
                raise BenchError(f"rollups are still due after {PATIENCE_S:.0f} s without new rows")
            time.sleep(LOOK_EVERY_S)

    def _equally_far(self, start: int, stop: int) -> Iterator[tuple[int, Sequence[str]]]:
        for number in sorted(set(self._next[start:stop])):
            yield number, [self._site.assets[k] for k in range(start, stop) if self._next[k] == number]


@contextmanager
def _fleet(trial: Trial, sizes: Sequence[int]) -> Iterator[_Fleet]:
    with plant(trial.servers, sizes[-1], CHANNELS) as site, worker(site) as running:
        running.ready()
        yield _Fleet(trial, site, running)
