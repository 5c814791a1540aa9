"""API keys, made and ended on the command line."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from storage.apikeys import Principal, verify
from storage.bootstrap import WRITER
from storage.server.database import Database
from tests.integration.storage_harness import ask, writer_pool

Run = Callable[..., Result]


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    return lambda *words: CliRunner().invoke(build(["assets"]), ["assets", *words])


def opened(database: Database, key: str) -> Principal | None:
    """Whom the key speaks for, on a database that knows the tenant acme."""

    async def look() -> Principal | None:
        async with writer_pool(database) as pool:
            return await verify(pool, key)

    return asyncio.run(look())


def test_a_key_may_what_its_scopes_say_until_it_is_revoked(plain_database: Database, run: Run) -> None:
    assert opened(plain_database, "") is None
    plain = run("key", "acme").stdout.strip()
    both = run("key", "acme", "--scope", "read", "--scope", "ingest").stdout.strip()
    assert opened(plain_database, plain) == Principal(plain.split("_")[1], "acme", frozenset({"ingest"}))
    found = opened(plain_database, both)
    assert found is not None
    assert found.scopes == {"read", "ingest"}

    done = run("revoke", found.key_id)
    assert done.exit_code == 0, done.output
    assert opened(plain_database, both) is None
    known = {one["key_id"]: one for one in json.loads(run("keys", "--tenant", "acme", "--json").stdout)}
    assert known[found.key_id]["revoked_at"] is not None
    assert known[plain.split("_")[1]]["revoked_at"] is None
    assert plain.split("_")[2] not in run("keys", "--json").stdout
    assert opened(plain_database, plain) is not None


@pytest.mark.parametrize("which", ["0123456789abcdef", "flt_0123456789abcdef_0"])
def test_a_key_that_is_not_there_cannot_be_revoked(run: Run, which: str) -> None:
    done = run("revoke", which)
    assert done.exit_code == 1
    assert "between flt_ and the next _" in " ".join(done.stderr.split())


def test_a_key_ends_after_its_days(plain_database: Database, run: Run) -> None:
    assert opened(plain_database, "") is None
    run("key", "acme", "--days", "90")
    run("key", "acme")
    ends = [row[0] for row in ask(plain_database, "select expires_at from api_key order by created_at")]
    assert ends[1] is None
    assert abs(ends[0] - datetime.now(UTC) - timedelta(days=90)) < timedelta(hours=1)
