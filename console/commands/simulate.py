"""`faultline simulate`: a seeded fleet as telemetry, with the truth in a file."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from console.command_database import with_database
from console.feeding import progress_bar, publish_all, send_through
from console.fleet_file import load_fleet
from console.output import fail, out, print_json
from console.settings import Settings, load_settings
from fleet.asset import Fleet
from storage.registry import register as register_fleet
from streams.replay.publisher import Publisher
from streams.replay.sender import Sent
from streams.simulator.demo import demo_faults, demo_fleet
from streams.simulator.fault import Fault, truth
from streams.simulator.fault_file import parse_faults
from streams.simulator.random_faults import random_faults
from streams.simulator.simulate import begin
from streams.simulator.simulate import simulate as simulate_fleet
from streams.topics import create_topics, topics_of
from streams.wire.frame import Frame

EXAMPLE = "Example: faultline simulate --days 30 --seed 7 --faults random --truth truth.json"

RANDOM, NONE = "random", "none"


def simulate(
    fleet: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A TOML fleet file; none: the demo's.")
    ] = None,
    days: Annotated[float, typer.Option(min=0.01, help="Simulated days.")] = 30.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same values.")] = 7,
    interval: Annotated[int, typer.Option(min=1, help="Seconds between two rows.")] = 60,
    faults: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|random|none",
            help="A TOML fault file; random: one machine in ten, in the second half. Default: the demo's.",
        ),
    ] = None,
    truth_file: Annotated[Path | None, typer.Option("--truth", help="Write the faults here as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Send a simulated fleet's telemetry of the last days through the log, as fast as it goes."""
    settings = load_settings()
    spec = load_fleet(fleet) if fleet else demo_fleet()
    start = begin(datetime.now(UTC), timedelta(days=days))
    try:
        seeded = _faults(faults, spec, days, seed) if faults or fleet else demo_faults()
        frames = simulate_fleet(spec, start, timedelta(days=days), seed, seeded, interval)
    except ValueError as error:
        fail(str(error), 2)
    if truth_file:
        truth_file.write_text(json.dumps(truth(seeded, start), indent=2))
    with_database(settings, lambda pool: register_fleet(pool, spec))
    sent = _send(settings, spec, frames)
    if as_json:
        print_json(asdict(sent))
    else:
        out.print(f"{sent.frames:,} frames, {sent.rows:,} instants, {sent.samples:,} values sent")


def _faults(said: str | None, fleet: Fleet, days: float, seed: int) -> tuple[Fault, ...]:
    """Raises `ValueError`. In the first half the machines are learned from."""
    if said is None or said == NONE:
        return ()
    if said == RANDOM:
        return random_faults(fleet, 12.0 * days, 24.0 * days, seed)
    path = Path(said)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"--faults {said}: name a fault file, {RANDOM} or {NONE}: {error}") from error
    return parse_faults(text, path.name, fleet)


def _send(settings: Settings, spec: Fleet, frames: Iterator[Frame]) -> Sent:
    def feed(publisher: Publisher) -> Sent:
        with progress_bar() as bar:
            task = bar.add_task("simulating", total=None, note="")
            return publish_all(
                frames,
                publisher,
                lambda sent: bar.update(task, completed=sent.frames, note=f"{sent.samples:,} values"),
            )

    if settings.kafka_access is not None:
        create_topics(settings.kafka_access, topics_of(t.name for t in spec.tenants), settings.partitions)
    return send_through(settings, feed)
