"""`faultline bench stream`: records through an agent, beside Quix Streams and stock Faust on one Kafka.

Each engine is a process of its own that reads a whole topic with a new group. What counts is the CPU time
of all its threads from its first record or chunk to its last.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np

from console.bench.filling import KeyedValue, fill
from console.bench.per_record import CHANNELS, ROWS, chosen_work
from console.bench.quix_environment import quix_python
from console.bench.result import Reading
from console.bench.trial import BenchError, Measure, Trial

SMALL_BYTES = 64
KEYS = [f"asset-{number:04}".encode() for number in range(600)]
SAMPLES = ROWS * CHANNELS
"""In a frame."""

FAUST_SHARE = 20
"""Stock Faust reads a topic of its own that is so many times shorter: it would take minutes."""

RIVAL = "Quix Streams 3.28"

OURS = Path(sys.executable)
"""The Python that has Faultline."""

TIMEOUT_S = 600
SAME = 1e-4
"""Relative difference that float32 sums in another order may have."""

_PROJECT = Path(__file__).resolve().parents[2]

# Our folder comes last, so that a rival's environment goes before it.
_LAUNCH = (
    "import sys, runpy; sys.path.append(sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A filled topic and what whoever reads it all must find."""

    bootstrap: str
    name: str
    measure: str
    records: int
    checksum: float


def _small_records(trial: Trial) -> Generator[list[Reading], None, None]:
    records = trial.size(1_000_000, 20_000)
    yield from _compare(trial, "small_records", records, 1, "records/CPU-s", ">= 5 x Quix Streams")


def _frames(trial: Trial) -> Generator[list[Reading], None, None]:
    records = trial.size(100_000, 1_000)
    yield from _compare(trial, "frames", records, SAMPLES, "samples/CPU-s", ">= 2.5 x Quix Streams")


def _compare(
    trial: Trial, measure: str, records: int, samples: int, unit: str, goal: str
) -> Generator[list[Reading], None, None]:
    quix = quix_python(trial.tell)
    trial.tell(f"{measure}: filling a topic with {records:,} records")
    topic = filled_topic(trial, measure, records)
    short = filled_topic(trial, measure, records // FAUST_SHARE)
    while True:
        rates = {}
        for engine, python, read in (("chunk", OURS, topic), ("quix", quix, topic), ("faust", OURS, short)):
            trial.tell(f"{measure}: {engine} engine")
            rates[engine] = samples * records_per_cpu_s(engine, python, read)
        yield [
            Reading(measure, rates["chunk"], unit, RIVAL, rates["quix"], goal),
            Reading(f"{measure}_stock_faust", rates["faust"], unit, RIVAL, rates["quix"]),
        ]


def filled_topic(trial: Trial, measure: str, records: int) -> Topic:
    """A new topic with so many records of a measure."""
    name, work = f"bench.{uuid4().hex[:8]}", chosen_work(measure)

    def worked() -> Iterator[KeyedValue]:
        for number, value in enumerate(_values(measure, records)):
            work(value)
            yield KEYS[number % len(KEYS)], value

    fill(trial.servers.kafka, name, worked())
    return Topic(trial.servers.kafka, name, measure, records, work.checksum)


def _values(measure: str, records: int) -> Iterator[bytes]:
    random = np.random.default_rng(7)
    if measure == "frames":
        blocks = random.normal(size=(256, ROWS, CHANNELS)).astype(np.float32)
        return (blocks[number % len(blocks)].tobytes() for number in range(records))
    text = random.bytes(SMALL_BYTES * 256)
    return (text[at : at + SMALL_BYTES] for at in (number % 256 * SMALL_BYTES for number in range(records)))


def records_per_cpu_s(engine: str, python: Path, topic: Topic) -> float:
    """The rate of one engine over the whole topic. Raises `BenchError` unless it found all of it."""
    words = [topic.bootstrap, topic.name, str(topic.records), topic.measure]
    command = [str(python), "-c", _LAUNCH, str(_PROJECT), f"console.bench.{engine}_engine", *words]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - our own argument list
            command, check=False, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    if done.returncode != 0:
        raise BenchError(f"the {engine} engine failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    if found["records"] != topic.records or not math.isclose(found["checksum"], topic.checksum, rel_tol=SAME):
        raise BenchError(f"the {engine} engine found {found} in a topic of {topic}")
    return float(found["counted"] / found["cpu_s"])


MEASURES: Mapping[str, Measure] = {"small_records": _small_records, "frames": _frames}
