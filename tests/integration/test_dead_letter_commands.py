"""`faultline deadletters` on a database that has some."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from console.commands.deadletters import PAGE
from fleet.clock import microseconds
from fleet.dead_letter import Reason
from storage.bootstrap import WRITER
from storage.chunk_result import DeadLetter
from storage.server.database import Database
from storage.sink import Sink
from tests.integration.storage_harness import SECOND, TOPIC, ask, chunk, writer_pool

Run = Callable[..., Result]


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    monkeypatch.setenv("FAULTLINE_DATA_DIR", str(tmp_path))
    return lambda *words: CliRunner().invoke(build(["deadletters"]), ["deadletters", *words])


def letter(offset: int, value: bytes, size: int | None = None) -> DeadLetter:
    headers = [("content-type", b"application/json")]
    return DeadLetter(
        offset, Reason.BAD_JSON, "what is wrong: [/x]", b"p1", value, size or len(value), headers, 0
    )


def good(seq: int) -> bytes:
    """A message that can be used by now."""
    ts = microseconds(datetime.now(UTC)) - seq * SECOND
    return json.dumps({"asset": "p1", "seq": seq, "ts": ts, "values": {"force": 1.0}}).encode()


def keep(database: Database, made: Sequence[DeadLetter]) -> None:
    """Store dead letters; their ids begin with 1."""

    async def write() -> None:
        async with writer_pool(database) as pool:
            sink = Sink(pool, "score")
            await sink.write(await sink.claim(TOPIC, 0), chunk(0, len(made), dead_letters=made))

    asyncio.run(write())


def test_a_letter_is_shown_as_it_came(plain_database: Database, run: Run) -> None:
    values = [b"[null,1.5]", b"[/x]", b"[bold]", b'{"path": "C:\\"}', b"x" * 500]
    keep(plain_database, [letter(n, value) for n, value in enumerate(values)])
    for number, value in enumerate(values, 1):
        assert f"value: {value.decode()}\n" in run("show", str(number)).stdout
        assert json.loads(run("show", str(number), "--json").stdout)["value"] == value.decode()
    listed = run("list")
    assert listed.exit_code == 0
    assert "[/x]" in listed.stdout


def test_letters_are_sent_again_page_by_page_and_marked_as_they_go(
    plain_database: Database, run: Run
) -> None:
    keep(plain_database, [letter(n, good(n)) for n in range(PAGE + 2)])
    ask(plain_database, f"update dead_letter set topic = 'telemetry.gone' where id = {PAGE + 1} returning id")
    assert run("replay").exit_code != 0  # nobody takes the first one of the second page
    unsent = "select id from dead_letter where replayed_at is null order by id"
    assert ask(plain_database, unsent) == [(PAGE + 1,), (PAGE + 2,)]
    assert ask(plain_database, "select count(*) from telemetry") == [(PAGE,)]
    ask(plain_database, f"update dead_letter set topic = '{TOPIC}' where id = {PAGE + 1} returning id")
    assert json.loads(run("replay", "--json").stdout) == {"sent": 2, "cut": []}
    assert ask(plain_database, unsent) == []
    assert ask(plain_database, "select count(*) from telemetry") == [(PAGE + 2,)]


def test_letters_that_cannot_be_sent_are_named(plain_database: Database, run: Run) -> None:
    keep(plain_database, [letter(0, b"{", size=100_000), letter(1, good(1)), letter(2, good(2))])
    done = run("replay", "1", "2", "4", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {"sent": 1, "cut": [1]}
    assert "not there, or sent again before: 4" in done.stderr
    assert "their gateway must send them: 1" in done.stderr
    assert ask(plain_database, "select id from dead_letter where replayed_at is null") == [(1,), (3,)]
