"""The judge of every fault run catches every fault that is planted, and finds nothing in a clean run."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from console.chaos.checker import RULES, check
from console.chaos.observed import Observed
from storage.bootstrap import bootstrap
from storage.chunk_result import NO_FRAMES, ChunkResult
from storage.server.database import Database, find_database, kept_passwords, prepare_database
from storage.server.launcher import PostgresServer
from storage.sink import Claim, Sink, Written
from streams.partition_task import Engine, PartitionTask
from streams.record import Chunk
from streams.transports.positions import Start
from tests.chaos.checker_harness import CHUNK, Crash, Log, Mutant, look, run, small_load


@pytest.fixture(scope="module")
def log() -> Log:
    return Log.of(small_load())


@pytest.fixture(scope="module")
def clean(embedded_postgres: PostgresServer, log: Log) -> Database:
    """A database after an undisturbed run; copied, never changed."""
    database = prepare_database(embedded_postgres, "chaos_clean")
    run(database, log, Mutant())
    return database


@pytest.fixture(scope="module")
def reference(clean: Database, log: Log) -> Observed:
    return look(clean, log)


@pytest.fixture
def copy(embedded_postgres: PostgresServer, clean: Database) -> Iterator[Database]:
    """A copy of the clean run's database, to plant a fault in."""
    made = find_database(embedded_postgres, f"chaos_{uuid4().hex[:8]}")
    names = {"name": sql.Identifier(made.name), "template": sql.Identifier(clean.name)}
    with psycopg.connect(embedded_postgres.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {name} template {template}").format(**names))
        bootstrap(embedded_postgres.admin_dsn, made.name, kept_passwords(made.passfile))
        yield made
        admin.execute(sql.SQL("drop database {name} with (force)").format(**names))


@pytest.fixture
def fresh(embedded_postgres: PostgresServer) -> Iterator[Database]:
    """A migrated database for a mutant's run."""
    made = prepare_database(embedded_postgres, f"chaos_{uuid4().hex[:8]}")
    yield made
    with psycopg.connect(embedded_postgres.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(made.name)))


def broken(log: Log, seen: Observed, reference: Observed) -> set[str]:
    """The rules that are broken."""
    return {violation.rule for violation in check(log.entries, seen, reference.findings)}


def test_a_clean_run_keeps_every_promise_and_there_is_something_to_find(
    log: Log, reference: Observed
) -> None:
    assert broken(log, reference, reference) == set()
    found = reference.findings
    assert found.episodes
    assert found.health
    assert found.wear
    assert len(reference.letters) > 30
    assert any(tally.duplicate for tally in reference.tallies.values())


@pytest.mark.parametrize("dies_before", [1, 4])
def test_a_process_that_dies_between_chunks_breaks_nothing(
    fresh: Database, log: Log, reference: Observed, dies_before: int
) -> None:
    run(fresh, log, Mutant(dies_before=dies_before))
    assert broken(log, look(fresh, log), reference) == set()


# Faults planted in the database

FIRST = "(select min(ts) from telemetry where asset_id = 1)"
LAST = "(select max(ts) from telemetry where asset_id = 1 and score is not null)"
LETTER = "(select min(id) from dead_letter where reason <> 'oversize')"
ONE_LETTER = """
select consumer, topic, partition, 999999, reason, detail, value, size, header_names, header_values,
recorded_at from dead_letter limit 1
"""
TAMPERING = {
    "a frame vanished": (
        f"""delete from telemetry where asset_id = 1 and ts < {FIRST} + interval '80 s';
            delete from frame where asset_id = 1 and seq = 0""",
        {"lost", "accounting", "findings"},
    ),
    "a frame's rows vanished": (
        f"delete from telemetry where asset_id = 1 and ts < {FIRST} + interval '80 s'",
        {"lost", "findings"},
    ),
    "one row of a frame vanished": (
        f"delete from telemetry where asset_id = 1 and ts = {FIRST}",
        {"content", "findings"},
    ),
    "a frame was stored twice": (
        """insert into frame select boot_id, seq + 1000000, digest, "offset", first_ts, asset_id, rows
           from frame where asset_id = 1 and seq = 0""",
        {"invented", "accounting"},
    ),
    "rows that nobody sent": (
        f"insert into telemetry (ts, bad, asset_id) values ({FIRST} - interval '1 day', 0, 1)",
        {"invented", "content", "findings"},
    ),
    "a value is another": (
        f"update telemetry set v3 = v3 + 1 where asset_id = 1 and ts = {LAST}",
        {"content"},
    ),
    "NaN was let in": (f"update telemetry set v3 = 'NaN' where asset_id = 1 and ts = {LAST}", {"content"}),
    "two customers were mixed up": (
        "update asset set tenant = case tenant when 't-0' then 't-1' else 't-0' end where name = 'lift-1'",
        {"tenant", "content", "findings"},
    ),
    "a dead letter was swallowed": (
        f"delete from dead_letter where id = {LETTER}",
        {"dead letters", "accounting"},
    ),
    "a dead letter has another reason": (
        f"update dead_letter set reason = 'oversize' where id = {LETTER}",
        {"dead letters"},
    ),
    "a dead letter lost its bytes": (
        f"update dead_letter set value = '' where id = {LETTER}",
        {"dead letters"},
    ),
    "a good record became a dead letter": (
        f"""insert into dead_letter (consumer, topic, partition, "offset", reason, detail, value, size,
            header_names, header_values, recorded_at) {ONE_LETTER}""",
        {"dead letters", "accounting"},
    ),
    "a record is not accounted for": (
        "update partition_tally set duplicate = duplicate - 1 where topic = 'telemetry.t-0'",
        {"accounting"},
    ),
    "the position ran ahead": (
        "update sink_offset set next_offset = next_offset + 1 where topic = 'telemetry.t-0'",
        {"accounting"},
    ),
    "a finding without a key": (
        """insert into episode select gen_random_uuid(), asset_id, kind, detector, onset_ts, end_ts, peak_ts,
           peak_score, evidence from episode limit 1""",
        {"findings"},
    ),
    "a finding was forgotten": (
        "delete from episode where episode_id = (select min(episode_id::text)::uuid from episode)",
        {"findings"},
    ),
    "a score is another": (
        f"update telemetry set score = score + 1 where asset_id = 1 and ts = {LAST}",
        {"findings"},
    ),
    "an event without a message": (
        "delete from outbox where id = (select min(id) from outbox)",
        {"outbox", "findings"},
    ),
    "a message without an event": (
        "update outbox set message_key = 'health:1:1' where id = (select min(id) from outbox)",
        {"outbox", "findings"},
    ),
    "a message was never sent": (
        "update outbox set sent_at = null where id = (select min(id) from outbox)",
        {"outbox"},
    ),
    "a detector's state is another": (
        "update snapshot set sha256 = sha256(state || '\\x00') where topic = 'telemetry.t-1'",
        {"state"},
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_what_is_planted_in_the_database_is_caught(
    copy: Database, log: Log, reference: Observed, what: str
) -> None:
    statement, rules = TAMPERING[what]
    with psycopg.connect(copy.superuser_dsn, options="-c search_path=faultline,ext") as conn:
        conn.execute("set session_replication_role = replica")  # no foreign keys: faults respect none
        conn.execute("alter table asset drop constraint if exists asset_tenant_name_key cascade")
        conn.execute(statement.encode())
    assert broken(log, look(copy, log), reference) == rules


# Faults planted in the product


class OffsetFirst(Sink):
    """Acknowledges before it commits: the offset is safe, then the process dies, the rows never come."""

    died = False

    async def write(self, claim: Claim, result: ChunkResult) -> Written:
        if not self.died and result.first_offset > 0:
            type(self).died = True
            nothing = replace(
                result,
                telemetry=(),
                frames=NO_FRAMES,
                dead_letters=(),
                health=(),
                episodes=(),
                wear=(),
                outbox=(),
            )
            await super().write(claim, nothing)
            raise Crash
        return await super().write(claim, result)


class EveryOther(Sink):
    """Keeps only the snapshots of every third chunk, as a worker that keeps one now and then."""

    async def write(self, claim: Claim, result: ChunkResult) -> Written:
        if (result.first_offset // CHUNK) % 3:
            result = replace(result, snapshot=None)
        return await super().write(claim, result)


class OffsetLater(EveryOther):
    """Commits the rows in one transaction and the offset in another, and dies in between."""

    died = False

    async def write(self, claim: Claim, result: ChunkResult) -> Written:
        written = await super().write(claim, result)
        if not self.died and (result.first_offset // CHUNK) % 3 == 1:
            type(self).died = True
            async with self._pool.connection() as conn:
                await conn.execute(
                    "update sink_offset set next_offset = %s where topic = %s and partition = %s",
                    (result.first_offset, result.topic, result.partition),
                )
            raise Crash
        return written


class Wrapped:
    """An engine with one thing changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        return await self._engine.process(chunk, again)

    def state(self) -> bytes:
        return self._engine.state()

    def load(self, state: bytes) -> None:
        self._engine.load(state)


class DropsOne(Wrapped):
    """Loses one record."""

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        kept = [r for r in chunk.records if r.offset != 400 or chunk.topic != "telemetry.t-0"]
        whole = await super().process(Chunk(chunk.topic, chunk.partition, kept), again)
        return replace(whole, next_offset=chunk.end_offset)


class SwallowsLetters(Wrapped):
    """Counts dead letters and keeps none."""

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        return replace(await super().process(chunk, again), dead_letters=())


class ForgetsFindings(Wrapped):
    """Stores data and says nothing about it."""

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        return replace(await super().process(chunk, again), episodes=())


class OldState(PartitionTask):
    """Goes on with its last snapshot without computing again what came after it."""

    def start(self) -> Start | None:
        found = super().start()
        return Start(self.stored, self.stored) if found else None


class NoFence(PartitionTask):
    """Reads everything again after a restart and takes it for new."""

    def start(self) -> Start | None:
        super().start()
        return None


MUTANTS: dict[str, tuple[Callable[[], Mutant], set[str]]] = {
    "acknowledged before the commit": (
        lambda: Mutant(sink=lambda pool: OffsetFirst(pool, "score")),
        {"lost", "dead letters", "accounting", "findings", "state", "outbox"},
    ),
    "the offset in a transaction of its own": (
        lambda: Mutant(sink=lambda pool: OffsetLater(pool, "score")),
        {"accounting", "findings", "state"},
    ),
    "one record lost": (lambda: Mutant(engine=DropsOne), {"lost", "accounting", "findings", "state"}),
    "dead letters swallowed": (lambda: Mutant(engine=SwallowsLetters), {"dead letters", "accounting"}),
    "findings forgotten": (lambda: Mutant(engine=ForgetsFindings), {"findings"}),
    "state restored from too far back": (
        lambda: Mutant(sink=lambda pool: EveryOther(pool, "score"), task=OldState, dies_before=3),
        {"findings", "state"},
    ),
}


@pytest.mark.parametrize("what", MUTANTS)
def test_what_is_planted_in_the_product_is_caught(
    fresh: Database, log: Log, reference: Observed, what: str
) -> None:
    make, rules = MUTANTS[what]
    for mutant in (OffsetFirst, OffsetLater):
        mutant.died = False
    run(fresh, log, make())
    found = broken(log, look(fresh, log), reference)
    assert found, "the checker sees nothing"
    assert found <= rules | {"outbox", "content"}


@pytest.mark.parametrize(
    ("change", "rule"), [({"recovery_s": 500.0}, "liveness"), ({"errors_per_minute": 400.0}, "liveness")]
)
def test_slow_recovery_and_error_loops_are_caught(
    log: Log, reference: Observed, change: dict[str, Any], rule: str
) -> None:
    assert broken(log, replace(reference, **change), reference) == {rule}


def test_what_is_still_in_the_log_is_late_and_not_lost(log: Log, reference: Observed) -> None:
    last = next(entry for entry in reversed(log.entries) if entry.reason is None and entry.acknowledged)
    place, key = (last.topic, last.partition), (last.tenant, last.asset, last.seq)
    rest = {name: times for name, times in reference.frames.items() if name != key}
    gone = replace(reference, frames=rest)
    late = replace(gone, positions={**reference.positions, place: last.offset})
    assert broken(log, late, reference) == {"accounting"}
    assert broken(log, gone, reference) == {"lost", "accounting"}


def test_every_rule_is_shown_to_catch_something(log: Log, reference: Observed) -> None:
    shown = set().union(*(rules for _, rules in TAMPERING.values())) | {"liveness"}
    doubled = replace(reference, frames=dict.fromkeys(reference.frames, 2))
    assert "doubled" in broken(log, doubled, reference)
    assert shown | {"doubled"} == set(RULES)
