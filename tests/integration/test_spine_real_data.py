"""Real files through a real Kafka, worker processes and a real TimescaleDB: stored once, as in the files."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from storage.bootstrap import WRITER
from storage.server.database import Database
from streams.replay.checksum import Checksum, checksums
from streams.replay.mapping import load_map
from streams.replay.reader import plan

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PATIENCE_S = 180

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timescale,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the project"),
]

CASES = {
    "skab": sorted((DATA / "skab" / "valve1").glob("*.csv")),
    "transformer": sorted((DATA / "transformer_distribution").glob("*.csv")),
    "cnc-mill": sorted((DATA / "cnc_mill_tool_wear").glob("experiment_*.csv")),
    "elevator-trips": sorted((DATA / "elevator_trips_okko").glob("*.csv")),
}


class Platform:
    """The commands against one broker and one database, as an operator runs them."""

    def __init__(self, kafka: str, database: Database, folder: Path) -> None:
        self.tenant = f"t{uuid4().hex[:8]}"
        self.database = database
        self._env = os.environ | {
            "FAULTLINE_KAFKA": kafka,
            "FAULTLINE_DATABASE": database.dsn(WRITER),
            "FAULTLINE_DATA_DIR": str(folder),
            "FAULTLINE_GROUP": f"g{uuid4().hex[:8]}",
            "FAULTLINE_SESSION_TIMEOUT_S": "6",
            "FAULTLINE_PARTITIONS": "3",
            "FAULTLINE_RETENTION_RAW_DAYS": "36500",
        }

    def run(self, *words: str) -> str:
        """A command's standard output; it must succeed."""
        done = subprocess.run(
            self._command(*words), env=self._env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker process, killed at the end."""
        process = subprocess.Popen(self._command("worker"), env=self._env)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _command(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("faultline")), *words]

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """Rows, as the product's own role."""
        with psycopg.connect(self.database.dsn(WRITER)) as conn:
            return conn.execute(question.encode()).fetchall()

    def wait(self, until: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
        """Until something holds; fails when the worker ends first or nothing comes of it."""
        for _ in range(PATIENCE_S * 4):
            if until():
                return
            assert worker.poll() is None, f"the worker ended with {worker.returncode}"
            time.sleep(0.25)
        pytest.fail(f"not stored within {PATIENCE_S} s: {self.ask('select * from partition_tally')}")

    def stored(self) -> int:
        """Frames stored so far."""
        return int(
            str(
                self.ask("select coalesce(sum(stored), 0) from partition_tally where consumer = 'score'")[0][
                    0
                ]
            )
        )


@pytest.fixture
def platform(kafka: str, database: Database, tmp_path: Path) -> Platform:
    return Platform(kafka, database, tmp_path)


def expected(name: str, files: Sequence[Path]) -> tuple[int, dict[str, Checksum]]:
    """Frames, and by asset what the database must hold, straight from the files."""
    frames = [frame for reading in plan(load_map(name), files) for frame in reading.frames()]
    return len(frames), checksums(frames)


def check_equal(platform: Platform, wanted: dict[str, Checksum], map_name: str) -> None:
    """Every asset has the files' rows, values and sums; nothing else is there."""
    channels = load_map(map_name).equipment_type.channels
    for asset, checksum in wanted.items():
        counts = ", ".join(f"count(v{k}), sum(v{k}::float8)" for k in range(len(channels)))
        row = platform.ask(
            f"select count(*), {counts} from telemetry join asset using (asset_id) where name = '{asset}'"
        )[0]
        numbers = [float(str(value or 0)) for value in row]
        assert numbers[0] == checksum.rows, asset
        assert sum(numbers[1::2]) == checksum.samples, asset
        for k, channel in enumerate(channels):
            assert math.isclose(
                numbers[2 + 2 * k], checksum.sums.get(channel.name, 0.0), rel_tol=1e-9, abs_tol=1e-6
            ), (asset, channel.name)


@pytest.mark.parametrize("name", CASES)
def test_what_is_stored_equals_the_files(platform: Platform, name: str) -> None:
    frames, wanted = expected(name, CASES[name])
    files = [str(path) for path in CASES[name]]
    sent = json.loads(platform.run("replay", *files, "--map", name, "--tenant", platform.tenant, "--json"))
    assert sent["frames"] == frames
    with platform.worker() as worker:
        platform.wait(lambda: platform.stored() >= frames, worker)
    check_equal(platform, wanted, name)
    assert (
        platform.ask("select stored, duplicate, dead from partition_tally where dead + duplicate > 0") == []
    )


def test_a_worker_killed_in_the_middle_stores_every_row_once(platform: Platform) -> None:
    frames, wanted = expected("skab", CASES["skab"])
    files = [str(path) for path in CASES["skab"]]
    send = ("replay", *files, "--map", "skab", "--tenant", platform.tenant)
    platform.run(*send)
    with ExitStack() as stack:
        for kill_at in (1, frames // 3, 2 * frames // 3):
            worker = stack.enter_context(platform.worker())
            platform.wait(lambda at=kill_at: platform.stored() >= at, worker)  # type: ignore[misc]
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        worker = stack.enter_context(platform.worker())
        platform.wait(lambda: platform.stored() >= frames, worker)
        platform.run(*send)  # everything again: duplicates, and nothing else
        platform.wait(lambda: duplicates(platform) >= frames, worker)
    check_equal(platform, wanted, "skab")
    assert platform.stored() == frames
    assert platform.ask("select count(*) from dead_letter") == [(0,)]


def duplicates(platform: Platform) -> int:
    row = platform.ask("select coalesce(sum(duplicate), 0) from partition_tally where consumer = 'score'")[0]
    return int(str(row[0]))
