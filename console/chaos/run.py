"""One fault run from its seed to its verdict."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

from console.chaos.checker import Violation, check
from console.chaos.ledger import read
from console.chaos.load import STEP_US, Load, items
from console.chaos.observe import observe, observe_findings
from console.chaos.reference import run_undisturbed, take_over
from console.chaos.rig import Rig, Servers, rig
from console.chaos.scenario import Scenario
from console.chaos.sender import send
from deploy.local.errors import LocalError
from fleet.clock import microseconds
from storage.errors import StorageError
from storage.server.database import prepare_database
from streams.wire.limits import DEFAULT

SETTLE_WITHIN_S = 300.0
MARGIN = timedelta(hours=1)
"""The load's last instant is at least so long ago."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended. `endings` are the workers' exit codes, `notes` what the scenario itself measured."""

    scenario: str
    title: str
    seed: int
    records: int
    seconds: float
    recovery_s: float
    endings: list[list[int]]
    largest_mib: float
    violations: list[Violation]
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not self.violations


async def run(at: Servers, scenario: Scenario, seed: int, tell: Tell) -> Verdict:
    """The verdict on a scenario; the same seed makes the same load and the same moments of harm."""
    began = time.monotonic()
    load = load_of(scenario, seed)
    async with rig(at, load, scenario.partitions, scenario.named) as made:
        broken, recovery_s = await _disturb(made, scenario, seed, tell)
        if scenario.checked:
            broken += await _judge(made, recovery_s, began, tell)
        return _verdict(made, scenario, seed, time.monotonic() - began, recovery_s, broken)


async def _judge(made: Rig, recovery_s: float, began: float, tell: Tell) -> list[Violation]:
    """What the checker says, an undisturbed run of the same log beside it."""
    ends, load = await made.ends(), made.load
    await take_over(made.bootstrap, made.database)
    tell("an undisturbed run of the same log")
    calm = await asyncio.to_thread(prepare_database, made.servers.postgres, f"{made.database.name}_calm")
    await run_undisturbed(made.bootstrap, ends, load, calm)
    tell("checking")
    told = await made.told()
    seen = await asyncio.to_thread(observe, made.database.superuser_dsn, load, ends, told)
    reference = await asyncio.to_thread(observe_findings, calm.superuser_dsn, load)
    seen = replace(seen, recovery_s=recovery_s, errors_per_minute=_errors_per_minute(made, began))
    made.notes |= {"episodes": len(reference.episodes), "health rows": len(reference.health)}
    return check(read(made.folder / "ledger.jsonl"), seen, reference)


def load_of(scenario: Scenario, seed: int) -> Load:
    """The load of a scenario, which ends an hour ago; raises `ValueError` if it begins too long ago."""
    load = Load(
        f"c{uuid4().hex[:6]}",
        seed,
        scenario.records,
        start_us=0,
        assets=scenario.assets,
        poison=scenario.poison,
        duplicate=scenario.duplicate,
        late=scenario.late,
    )
    rows = load.rows * (load.records // (load.tenants * load.assets) + 1)
    span = MARGIN + timedelta(microseconds=rows * STEP_US)
    if span > DEFAULT.past - MARGIN:
        raise ValueError(f"{scenario.name}: its load would begin {span.days} days ago: give it more assets")
    start = datetime.now(UTC) - span
    return replace(load, start_us=microseconds(start.replace(second=0, microsecond=0)))


async def _disturb(made: Rig, scenario: Scenario, seed: int, tell: Tell) -> tuple[list[Violation], float]:
    """Load and harm; returns what the scenario itself found broken, and the time to recover in seconds."""
    for number in range(scenario.workers):
        made.add_worker(*(scenario.crash_points if number == 0 else ()))
    ledger = made.folder / "ledger.jsonl"

    def sent(count: int) -> None:
        tell(f"{count:,} of {scenario.records:,} records sent")

    sending = asyncio.create_task(send(made.bootstrap, items(made.load), ledger, scenario.rate, sent))
    broken = []
    try:
        await scenario.faults(made, Random(seed))  # noqa: S311 - repeatable on purpose
    except (AssertionError, TimeoutError, StorageError, LocalError) as error:
        broken.append(Violation("scenario", 1, (str(error) or "it did not come to the point in time",)))
    healed = time.monotonic()
    try:
        await made.until_stored(await made.ends(), SETTLE_WITHIN_S)
        recovery_s = time.monotonic() - healed
        await sending
        tell("all sent, settling")
        await made.until_settled(SETTLE_WITHIN_S)
    except TimeoutError:
        recovery_s = time.monotonic() - healed
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await made.stop_workers()
    return broken, recovery_s


def _errors_per_minute(made: Rig, began: float) -> float:
    errors = sum(
        line.get("level") in {"error", "critical"} for worker in made.workers for line in worker.records()
    )
    return errors / max((time.monotonic() - began) / 60, 1.0)


def _verdict(
    made: Rig, scenario: Scenario, seed: int, seconds: float, recovery_s: float, broken: list[Violation]
) -> Verdict:
    return Verdict(
        scenario.name,
        scenario.title,
        seed,
        scenario.records,
        seconds,
        recovery_s,
        [worker.endings for worker in made.workers],
        max(worker.largest_kib for worker in made.workers) / 1024,
        broken,
        made.notes,
    )
