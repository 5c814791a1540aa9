"""How fast a worker drains a topic that is full, all the way into TimescaleDB, beside a bare COPY."""

from collections.abc import Generator, Iterable

from console.bench.copy_limit import copy_seconds
from console.bench.filling import KeyedValue
from console.bench.plant import Drain, Plant, plant, worker
from console.bench.result import Reading
from console.bench.telemetry import CHANNELS, READINGS, ROWS, SECOND_US, frames, hours_ago, messages
from console.bench.trial import Trial

RIVAL = "COPY BINARY of the same rows"

_SIZE = "select hypertable_size('telemetry')::bigint, (select count(*) from telemetry)::bigint"


def frames_drained(trial: Trial) -> Generator[list[Reading], None, None]:
    """Samples per second of wall time, from frames of 60 x 16."""
    assets, count = trial.size((100, 300), (20, 10))
    while True:
        with plant(trial.servers, assets, CHANNELS) as site:
            sent = frames(site.assets, 0, count, hours_ago(count * ROWS))
            rate = _drained(trial, site, sent, assets * count)
            trial.tell("frames: COPY of the same rows")
            limit = assets * count * ROWS / copy_seconds(site, CHANNELS)
        goal = ">= 2 M, >= 0.6 x COPY"
        yield [_samples("frames", rate * ROWS * CHANNELS, limit * CHANNELS, goal)]


def messages_drained(trial: Trial) -> Generator[list[Reading], None, None]:
    """JSON messages of 3 readings per second of wall time."""
    assets, count = trial.size((1000, 400), (100, 40))
    while True:
        with plant(trial.servers, assets, READINGS) as site:
            start = hours_ago(count)
            sent = messages(site.assets, [start + tick * SECOND_US for tick in range(count)])
            rate = _drained(trial, site, sent, assets * count)
            trial.tell("json: COPY of the same rows")
            limit = assets * count / copy_seconds(site, READINGS)
        yield [Reading("json", rate, "messages/s", RIVAL, limit, ">= 40,000")]


def disk(trial: Trial) -> Generator[list[Reading], None, None]:
    """Bytes of the telemetry table for each sample in it, index included."""
    assets, count = trial.size((200, 50), (20, 10))
    with plant(trial.servers, assets, CHANNELS) as site:
        _drained(trial, site, frames(site.assets, 0, count, hours_ago(count * ROWS)), assets * count)
        ((size, rows),) = site.ask(_SIZE)
    yield [Reading("disk", size / (rows * CHANNELS), "bytes/sample", goal="<= 9")]


def _samples(measure: str, rate: float, limit: float, goal: str) -> Reading:
    return Reading(measure, rate, "samples/s", RIVAL, limit, goal)


def _drained(trial: Trial, site: Plant, records: Iterable[KeyedValue], count: int) -> float:
    """Records per second."""
    trial.tell(f"filling a topic with {count:,} records")
    site.fill(records)
    site.servers.settle()
    trial.tell("a worker drains it")
    with worker(site) as running:
        drain: Drain = running.drained(count)
    site.check_all_stored(count)
    return drain.records / drain.seconds
