"""Databases for the storage tests: on both editions, or on plain PostgreSQL where editions do not differ."""

from collections.abc import AsyncIterator

import pytest

from storage.pool import Pool
from storage.server.database import Database
from tests.integration.storage_harness import writer_pool


@pytest.fixture(params=["plain_database", pytest.param("database", marks=pytest.mark.timescale)])
def any_database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def pool(any_database: Database) -> AsyncIterator[Pool]:
    async with writer_pool(any_database) as opened:
        yield opened


@pytest.fixture
async def plain_pool(plain_database: Database) -> AsyncIterator[Pool]:
    async with writer_pool(plain_database) as opened:
        yield opened
