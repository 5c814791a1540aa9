"""`faultline deadletters` on a database that has some."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from fleet.dead_letter import Reason
from storage.bootstrap import WRITER
from storage.chunk_result import DeadLetter
from storage.server_database import Database
from storage.sink import Sink
from tests.integration.storage_harness import TOPIC, chunk, writer_pool

Run = Callable[..., Result]


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    monkeypatch.setenv("FAULTLINE_DATA_DIR", str(tmp_path))
    return lambda *words: CliRunner().invoke(build(["deadletters"]), ["deadletters", *words])


def keep(database: Database, values: Sequence[bytes]) -> None:
    """Make the values dead letters 1, 2, 3 …"""
    made = [
        DeadLetter(n, Reason.BAD_JSON, "what is wrong: [/x]", b"p1", value, len(value), [], 1_772_000_000_000)
        for n, value in enumerate(values)
    ]

    async def write() -> None:
        async with writer_pool(database) as pool:
            sink = Sink(pool, "score")
            await sink.write(await sink.claim(TOPIC, 0), chunk(0, len(made), dead_letters=made))

    asyncio.run(write())


def test_a_letter_is_shown_as_it_came(plain_database: Database, run: Run) -> None:
    values = [b"[null,1.5]", b"[/x]", b"[bold]", b'{"path": "C:\\"}', b"x" * 500]
    keep(plain_database, values)
    for number, value in enumerate(values, 1):
        assert f"value: {value.decode()}\n" in run("show", str(number)).stdout
        assert json.loads(run("show", str(number), "--json").stdout)["value"] == value.decode()
    listed = run("list")
    assert listed.exit_code == 0
    assert "[/x]" in listed.stdout
