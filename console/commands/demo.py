"""`faultline demo`: the whole platform on this machine, on a simulated fleet or real files."""

import asyncio
import math
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from console.command_database import with_pool
from console.databases import Databases
from console.feeding import into_embedded, progress_bar, publish_all
from console.logs import configure_logs
from console.output import err, fail, out
from console.platform import Platform, foundation, platform
from console.report import print_summary, write_html
from console.report_data import build_summary
from console.serving import beside, listen, serve_http
from console.settings import Settings, load_settings
from console.summary import Summary
from fleet.asset import Fleet
from fleet.model_scope import Scope
from forecasting.conformal import ConformalLife
from storage.apikeys import create_key
from storage.model_roles import Role, use_model
from storage.models import save_model
from storage.pool import Pool
from storage.registry import register as register_fleet
from storage.server.launcher import Installation, PostgresServer
from streams.replay.catalog import fleet_of, recognise
from streams.replay.mapping import load_map
from streams.replay.publisher import Publisher
from streams.replay.reader import Reading, plan
from streams.replay.sender import Journal, Sent, send
from streams.simulator.demo import DURATION, demo_faults, demo_fleet
from streams.simulator.histories import run_to_failure
from streams.simulator.simulate import begin, simulate

TENANT = "demo"
SEED = 7
FAILURES_ON_RECORD = 30
FOR_EVER_DAYS = 36_500  # public data sets are years old
DATA_FILES = {".csv", ".txt", ".parquet"}

Feed = Callable[[Publisher], Sent]


EXAMPLE = "Example: faultline demo --data valve1/ --report skab.html"


def demo(
    data: Annotated[
        Path | None,
        typer.Option(exists=True, help="A file or folder of real data instead."),
    ] = None,
    report: Annotated[Path, typer.Option(help="Where the HTML report goes.")] = Path("demo-report.html"),
    keep: Annotated[bool, typer.Option(help="Leave the platform running until Ctrl-C.")] = False,
    days: Annotated[float, typer.Option(min=1, max=60, help="Simulated days.")] = DURATION.days,
) -> None:
    """Show everything at once: feed a fleet, then say what is odd, why, and what needs service when."""
    folder = Path(tempfile.mkdtemp(prefix="faultline-demo-"))
    settings = load_settings(
        kafka=None,
        database=None,
        database_owner=None,
        data_dir=folder,
        log_level="warning",
        retention_raw_days=FOR_EVER_DAYS,
        retention_rollup_days=FOR_EVER_DAYS,
    )
    configure_logs(settings)
    try:
        _run(settings, data, report, keep, days)
    finally:
        _remove(settings)


def _run(settings: Settings, data: Path | None, report: Path, keep: bool, days: float) -> None:
    began = time.monotonic()
    err.print("Starting PostgreSQL and the in-memory transport …")
    readings = _readings(data) if data else []
    fleet = fleet_of(readings, TENANT, "files") if readings else demo_fleet()
    feed = _files(settings, readings) if readings else _simulation(fleet, days)

    def show(summary: Summary) -> None:
        write_html(summary, report)
        out.print()
        print_summary(summary, out)
        out.print(f"\nReport with plots: [bold]{escape(str(report.resolve()))}[/]")
        out.print(f"[dim]{time.monotonic() - began:.0f} s in all[/]")

    port = listen(settings.http_host, settings.http_port) if keep else nullcontext()
    with port as listener, foundation(settings) as found:
        with_pool(found, lambda pool: _prepare(pool, fleet, simulated=not readings))
        asyncio.run(_live(settings, found, feed, show, listener))


async def _live(
    settings: Settings,
    found: Databases,
    feed: Feed,
    show: Callable[[Summary], None],
    stay: socket.socket | None,
) -> None:
    async with platform(settings, found) as running:

        async def fed_and_shown() -> None:
            await into_embedded(running, feed)
            show(await build_summary(running.pool, running.clock.now()))
            if stay:
                await _stay(running, stay)

        await beside(running.run(), fed_and_shown())


async def _prepare(pool: Pool, fleet: Fleet, simulated: bool) -> None:
    """Register the fleet; a simulated one also has past failures on record, to learn remaining life from."""
    await register_fleet(pool, fleet)
    for kind in [each.name for each in fleet.equipment_types] if simulated else ():
        model = ConformalLife()
        model.fit(run_to_failure(kind, FAILURES_ON_RECORD, SEED))
        lineage = {"runs": FAILURES_ON_RECORD, "source": "simulated", "seed": SEED}
        version = await save_model(pool, Scope(kind), model.NAME, model.state(), lineage)
        await use_model(pool, Scope(kind), Role.CHAMPION, (model.NAME, version), "the demo's only model")


def _simulation(fleet: Fleet, days: float) -> Feed:
    start = begin(datetime.now(UTC), timedelta(days=days))
    frames = simulate(fleet, start, timedelta(days=days), SEED, demo_faults())
    total = len(fleet.assets) * math.ceil(days * 24)

    def feed(publisher: Publisher) -> Sent:
        with progress_bar() as bar:
            task = bar.add_task(f"{days:g} days of {len(fleet.assets)} machines", total=total, note="")
            return publish_all(frames, publisher, lambda sent: bar.update(task, completed=sent.frames))

    return feed


def _files(settings: Settings, readings: Sequence[Reading]) -> Feed:
    journal = Journal(settings.data_dir / "replay")

    def feed(publisher: Publisher) -> Sent:
        with progress_bar() as bar:
            task = bar.add_task(f"{len(readings)} recordings", total=None, note="")
            return send(
                readings,
                TENANT,
                publisher,
                journal,
                progress=lambda sent: bar.update(
                    task, completed=sent.frames, note=f"{sent.samples:,} values"
                ),
            )

    return feed


def _readings(data: Path) -> list[Reading]:
    """The files that a shipped map fits, in the order to send them; what fits none is named."""
    files = sorted(p for p in data.rglob("*") if p.suffix in DATA_FILES) if data.is_dir() else [data]
    by_map: dict[str, list[Path]] = {}
    for file in files:
        found = recognise(file)
        if found is None:
            err.print(
                f"[yellow]{escape(file.name)} fits no shipped map and is left out[/] (faultline replay --map)"
            )
        else:
            by_map.setdefault(found.name, []).append(file)
    if not by_map:
        fail(f"nothing in {data} fits a shipped map: describe the columns in one, then `faultline replay`")
    return [reading for name, paths in sorted(by_map.items()) for reading in plan(load_map(name), paths)]


async def _stay(running: Platform, listener: socket.socket) -> None:
    """Serve until Ctrl-C, and say how to look."""
    tenant = running.registry.current.tenants[0]
    keyfile = running.settings.data_dir / "api-key"
    key = await create_key(running.pool, tenant, ["ingest", "read"])
    keyfile.touch(mode=0o600)
    keyfile.write_text(f"Authorization: Bearer {key}\n")
    host, port = listener.getsockname()[:2]
    base = f"http://{host}:{port}"
    out.print(
        f"\nStill running; Ctrl-C ends it and removes its data. As the customer {tenant!r}:\n"
        f"  curl -H @{keyfile} {base}/v1/assets\n"
        f"  curl -H @{keyfile} {base}/v1/episodes\n"
        f"  curl -H @{keyfile} {base}/v1/forecasts\n"
        f"and for the operator: {base}/health  {base}/metrics",
        highlight=False,
        soft_wrap=True,
    )
    await serve_http(running, listener)


def _remove(settings: Settings) -> None:
    PostgresServer(Installation.embedded(), settings.data_dir).remove()
    shutil.rmtree(settings.data_dir, ignore_errors=True)
