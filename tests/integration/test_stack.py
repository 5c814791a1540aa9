"""The local stack: started once, however often it is asked for; found again; ended with nothing else."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner

from console.commands.stack import app
from deploy.local import requirements
from deploy.local.errors import MissingRequirements, NotThere
from deploy.local.kafka import KafkaBroker
from deploy.local.process import BackgroundProcess
from deploy.local.stack import Stack
from storage.bootstrap import WRITER

needs_both = pytest.mark.usefixtures("kafka_jars", "timescaledb")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for a stack, gone afterwards with what runs there."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o711)
    yield place / "stack"
    Stack(place / "stack").remove()
    shutil.rmtree(place)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended has no command line, buried or not."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


async def create_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    await admin.close()


async def see_topic(bootstrap: str, name: str) -> None:
    """Returns once the broker knows the topic: what the controller has made reaches it a moment later."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    async with asyncio.timeout(30):
        while name not in await admin.list_topics():
            pass
    await admin.close()


@needs_both
async def test_up_is_repeatable_heals_and_down_ends_it(folder: Path, kafka_jars: Path) -> None:
    KafkaBroker(folder / "kafka").start(kafka_jars)  # an `up` that was interrupted half way
    half = Stack(folder).status()
    assert not half.running
    assert list(half.pids) == ["kafka"]

    stack = Stack(folder)
    first = stack.up()
    assert first.running
    assert first.pids["kafka"] == half.pids["kafka"]
    assert first.bootstrap_servers is not None
    await create_topic(first.bootstrap_servers, "kept")
    with psycopg.connect(first.databases[WRITER]) as writer:
        row = writer.execute("select extversion from pg_extension where extname = 'timescaledb'").fetchone()
        assert row == (first.versions["timescaledb"],)
    assert stack.up() == first, "a second up finds the same servers"
    assert Stack(folder).status() == first, "so does another process"

    os.kill(first.pids["kafka"], signal.SIGKILL)
    healed = stack.up()
    assert healed.running
    assert healed.pids["kafka"] != first.pids["kafka"]
    assert healed.pids["postgres"] == first.pids["postgres"]
    assert healed.bootstrap_servers is not None
    await see_topic(healed.bootstrap_servers, "kept")

    stack.down()
    down = stack.status()
    assert not down.running
    assert not down.pids
    assert not [pid for pid in healed.pids.values() if alive(pid)]
    stack.down()


@needs_both
def test_the_command_prints_no_secret_and_what_a_shell_needs(folder: Path) -> None:
    run = CliRunner()
    where = ["--folder", str(folder)]
    assert run.invoke(app, ["status", *where]).exit_code == 1

    up = run.invoke(app, ["up", *where])
    assert up.exit_code == 0, up.output
    status = run.invoke(app, ["status", "--json", *where])
    assert status.exit_code == 0
    found = json.loads(status.stdout)
    assert found == asdict(Stack(folder).status())
    assert f"export FAULTLINE_KAFKA={found['bootstrap_servers']}" in up.stdout

    files = [folder / "postgres-16" / name for name in ("passfile", "roles.passfile")]
    secrets = [line.rsplit(":", 1)[1] for file in files for line in file.read_text().splitlines()]
    assert len(secrets) == 4
    assert not [secret for secret in secrets if secret in up.output + status.output]

    assert "KafkaRaftServer" in run.invoke(app, ["logs", "kafka", "-n", "5000", *where]).stdout
    assert len(run.invoke(app, ["logs", "postgres", "-n", "3", *where]).stdout.splitlines()) == 3
    assert run.invoke(app, ["down", "--delete", *where]).exit_code == 0
    assert not folder.exists()


@pytest.mark.kafka
async def test_clients_of_the_second_listener_come_back_through_the_proxy(
    folder: Path, kafka_jars: Path, free_port: int
) -> None:
    broker = KafkaBroker(folder / "kafka", proxy_port=free_port)
    broker.start(kafka_jars)
    connections = 0

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        to_broker = await asyncio.open_connection("127.0.0.1", broker.proxied_port)
        await asyncio.gather(pump(reader, to_broker[1]), pump(to_broker[0], writer))

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    async with await asyncio.start_server(forward, "127.0.0.1", free_port):
        await create_topic(f"127.0.0.1:{free_port}", "through-the-proxy")
        assert connections >= 2, "the bootstrap and then the broker as it was advertised"
    await see_topic(broker.bootstrap, "through-the-proxy")


def test_down_leaves_a_process_alone_that_only_has_the_number(
    folder: Path, stranger: subprocess.Popen[bytes]
) -> None:
    (folder / "kafka").mkdir(parents=True)
    (folder / "kafka" / "kafka.pid").write_text(str(stranger.pid))
    assert Stack(folder).status().pids == {}
    Stack(folder).down()
    assert stranger.poll() is None


def test_logs_of_a_stack_that_never_ran_name_the_cure(folder: Path) -> None:
    with pytest.raises(NotThere, match="faultline stack up"):
        Stack(folder).logs("kafka")
    asked = CliRunner().invoke(app, ["logs", "kafka", "--folder", str(folder)])
    assert asked.exit_code == 1
    assert "faultline stack up" in asked.stderr


def test_a_process_that_ignores_the_request_to_end_is_ended(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('ready', flush=True); time.sleep(600)"
    )
    process = BackgroundProcess(tmp_path / "pid", "the-mark")
    log = tmp_path / "log"
    process.start([sys.executable, "-c", stubborn, "the-mark"], log)
    while not log.read_text():
        os.sched_yield()
    pid = process.pid()
    assert pid is not None
    process.stop(patience_s=0.1)
    assert not alive(pid)


def test_missing_programs_are_named_with_the_line_that_installs_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = requirements.missing()
    assert {"default-jre-headless", "maven", "cmake", "build-essential"} <= {one.package for one in missing}
    with pytest.raises(MissingRequirements, match=r"mvn \(downloads Kafka's jars\).*apt-get install .*maven"):
        requirements.require(requirements.ALL, install_them=False, progress=print)
    asked = CliRunner().invoke(app, ["requirements"])
    assert asked.exit_code == 1
    assert "apt-get install" in asked.stderr


def test_an_old_java_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for version, enough in (("11.0.2", False), ("17.0.15", True), ("21", True)):
        java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
        java.chmod(0o755)
        assert (requirements.JAVA in requirements.missing()) is not enough
