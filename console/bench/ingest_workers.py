"""How much faster two and three workers are than one, each on its share of the partitions."""

import time
from collections.abc import Generator
from contextlib import ExitStack

from console.bench.plant import SETTLED_S, plant, worker
from console.bench.result import Reading
from console.bench.telemetry import READINGS, SECOND_US, hours_ago, messages
from console.bench.trial import BenchError, Trial


def workers(trial: Trial) -> Generator[list[Reading], None, None]:
    """JSON messages of 3 readings per second, which is where a worker is dearer than the database.

    The workers share out the partitions first and stand still while the topic is filled; the time counts from
    when they go on.
    """
    (assets, ticks), counts = trial.size(((1000, 400), (1, 2, 3)), ((20, 10), (1, 2)))
    while True:
        readings: list[Reading] = []
        for count in counts:
            rate = _drained(trial, count, assets, ticks)
            base = readings[0].value if readings else rate
            readings.append(Reading(f"json_{count}_workers", rate, "messages/s", "1 worker", base))
        yield readings


def _drained(trial: Trial, count: int, assets: int, ticks: int) -> float:
    """Messages per second of wall time."""
    with plant(trial.servers, assets, READINGS) as site, ExitStack() as stack:
        trial.tell(f"{count} workers share out the partitions")
        running = [stack.enter_context(worker(site)) for _ in range(count)]
        running[0].ready(SETTLED_S)
        if (members := site.members()) != count:
            raise BenchError(f"{members} of {count} workers take part")
        for each in running:
            each.pause()
        start = hours_ago(ticks)
        trial.tell(f"filling a topic with {assets * ticks:,} messages")
        site.fill(messages(site.assets, [start + tick * SECOND_US for tick in range(ticks)]))
        site.servers.settle()
        trial.tell(f"{count} workers drain it")
        started = time.perf_counter()
        for each in running:
            each.resume()
        running[0].drained(assets * ticks)
        seconds = time.perf_counter() - started
        site.check_all_stored(assets * ticks)
    return assets * ticks / seconds
