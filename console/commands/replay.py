"""`faultline replay`: CSV and Parquet files as telemetry."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console.command_database import with_database
from console.feeding import progress_bar, send_through
from console.output import err, fail, out, print_json
from console.settings import Settings, load_settings
from fleet.clock import from_microseconds
from storage.registry import register as register_fleet
from streams.replay.catalog import fleet_of, recognise
from streams.replay.mapping import FileMap, load_map, shipped_maps
from streams.replay.publisher import Publisher
from streams.replay.reader import Reading, plan
from streams.replay.sender import Journal, Pace, Sent, send
from streams.topics import create_topics, topics_of

EXAMPLE = (
    "Example: faultline replay data/valve1/*.csv --map skab --tenant lab   ·   "
    f"shipped maps: {', '.join(shipped_maps())}"
)


def replay(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="CSV or Parquet files.")],
    map_name: Annotated[
        str | None, typer.Option("--map", help="A map's TOML file or a shipped map; none: recognised.")
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose telemetry it is.")] = "replay",
    site: Annotated[str, typer.Option(help="Where machines that are new stand.")] = "files",
    known_only: Annotated[
        bool, typer.Option(help="Register nothing: frames of unknown machines become dead letters.")
    ] = False,
    speed: Annotated[
        float | None, typer.Option(min=0, help="1 is real time, 10 ten times as fast; none: full speed.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Leave out what an earlier run has sent.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Send files through the log. Sending them again is harmless: what is stored already is dropped."""
    settings = load_settings()
    readings = plan(_map(map_name, files), files)
    if not known_only:
        fleet = fleet_of(readings, tenant, site)
        with_database(settings, lambda pool: register_fleet(pool, fleet, only_new=True))
    _warn_of_retention(settings, readings)
    sent = _send(settings, readings, tenant, resume, speed)
    unread = sum(reading.tally.unreadable.total() for reading in readings)
    if as_json:
        rate = sent.samples_per_second
        print_json({**asdict(sent), "unreadable_cells": unread, "samples_per_second": rate})
        return
    out.print(
        f"{sent.frames:,} frames: {sent.rows:,} instants, {sent.samples:,} values in {sent.seconds:.1f} s "
        f"({sent.samples_per_second:,.0f} values/s); {unread:,} cells could not be read and count as missing"
        + (f"; {sent.skipped:,} frames had been sent before" if sent.skipped else "")
    )


def _warn_of_retention(settings: Settings, readings: list[Reading]) -> None:
    age = datetime.now(UTC) - from_microseconds(min(reading.first_us() for reading in readings))
    if age.days > settings.retention_raw_days:
        err.print(
            f"[yellow]These instants are up to {age.days} days old, and raw telemetry is kept for "
            f"{settings.retention_raw_days}: set FAULTLINE_RETENTION_RAW_DAYS to keep them.[/]"
        )


def _map(name: str | None, files: list[Path]) -> FileMap:
    found = load_map(name) if name else recognise(files[0])
    if found is None:
        fail(f"{files[0].name} fits no shipped map: describe its columns in one and give it with --map", 2)
    return found


def _send(
    settings: Settings, readings: list[Reading], tenant: str, resume: bool, speed: float | None
) -> Sent:
    journal = Journal(settings.data_dir / "replay")

    def feed(publisher: Publisher) -> Sent:
        with progress_bar() as bar:
            task = bar.add_task("sending", total=None, note="")

            def tell(sent: Sent) -> None:
                bar.update(task, completed=sent.frames, note=f"{sent.samples:,} values")

            return send(readings, tenant, publisher, journal, resume, Pace(speed), tell)

    if settings.kafka_access is not None:
        create_topics(settings.kafka_access, topics_of([tenant]), settings.partitions)
    return send_through(settings, feed)
