"""`faultline bench`: how fast the real parts are on this machine, beside their rivals and limits."""

import json
import logging
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from console.bench.blocks import readings as block_readings
from console.bench.detection import diagnosis, simulated
from console.bench.detection.suites import SUITES
from console.bench.detection.suites import run as run_suite
from console.bench.ingest import MEASURES as INGEST
from console.bench.kernels import readings as kernel_readings
from console.bench.machine import provenance
from console.bench.panels import MEASURES as PANELS
from console.bench.query import MEASURES as QUERY
from console.bench.remaining_life.suites import SUITES as LIFE_SUITES
from console.bench.remaining_life.suites import run as run_life_suite
from console.bench.result import Row, rows_of
from console.bench.servers import servers
from console.bench.simulator import readings as simulator_readings
from console.bench.stream import MEASURES as STREAM
from console.bench.trial import BenchError, Measure, Trial, run
from console.bench.verticals.packs import COLUMNS as PACK_COLUMNS
from console.bench.verticals.packs import run as prove_packs
from console.bench.verticals.suites import SUITES as VERTICALS
from console.bench.verticals.suites import run as run_vertical
from console.bench.verticals.table import write_table
from console.bench.verticals.waveforms import RATINGS as SAMPLED
from console.bench.verticals.waveforms import readings as sampled_readings
from console.output import err, fail, print_table
from streams.simulator.source import MACHINES

app = typer.Typer(
    no_args_is_help=True,
    help="Measure how fast it is here, on servers of its own, and how well it detects what is known.",
)

SIMULATED, DIAGNOSIS = "simulated", "diagnosis"
SELF_MADE = (SIMULATED, DIAGNOSIS)
"""Suites that need no data."""

PACKS, WAVEFORMS = "packs", "waveforms"
SIMULATED_MACHINES = {PACKS: 200, WAVEFORMS: 6}
"""The suites of verticals that make their own data, and how many machines of each type."""

QUICK_S, FULL_S = 10.0, 600.0

HEADER = ("measure", "median", "unit", "runs", "rival or limit", "its median", "ratio", "goal")

Names = Annotated[list[str] | None, typer.Option("--measure", help="Only this one; may be repeated.")]
Runs = Annotated[int, typer.Option(min=1, help="The median of so many runs counts.")]
Json = Annotated[
    Path | None, typer.Option("--json", dir_okay=False, help="Write the result here as one JSON document.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Tiny sizes, to see that it works; the figures mean little.")
]


@app.command(epilog="Example: faultline bench stream --measure frames --runs 5 --json stream.json")
def stream(names: Names = None, runs: Runs = 3, json_file: Json = None, quick: Quick = False) -> None:
    """Records through a Faust agent, beside Quix Streams and stock Faust: per CPU-second."""
    _measure("stream", STREAM, names, runs, json_file, quick)


@app.command(epilog="Example: faultline bench ingest --measure sustained --seconds 60")
def ingest(
    names: Names = None,
    runs: Runs = 3,
    json_file: Json = None,
    quick: Quick = False,
    seconds: Annotated[
        float | None,
        typer.Option(min=5, help="Length of `sustained`; `catch_up` overloads for half of it. Default 600."),
    ] = None,
) -> None:
    """Kafka through a real worker into TimescaleDB: throughput, latency, memory, disk."""
    _measure("ingest", INGEST, names, runs, json_file, quick, seconds)


@app.command(epilog="Example: faultline bench query --measure asset_month")
def query(names: Names = None, runs: Runs = 3, json_file: Json = None, quick: Quick = False) -> None:
    """The product's own queries over 100 M samples of 1 000 machines, with a warm cache."""
    _measure("query", QUERY, names, runs, json_file, quick)


@app.command(epilog="Example: faultline bench dashboards --measure maker --json dashboards.json")
def dashboards(names: Names = None, runs: Runs = 3, json_file: Json = None, quick: Quick = False) -> None:
    """Every panel's query of every dashboard over 100 M samples of 100 customers, the slowest first."""
    _measure("dashboards", PANELS, names, runs, json_file, quick)


@app.command(epilog="Example: faultline bench detection --suite skab --data SKAB/data --json skab.json")
def detection(
    suite: Annotated[str, typer.Option(help=f"Whose protocol: {', '.join([*SUITES, *SELF_MADE])}.")],
    data: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="A folder laid out like that one.")
    ] = None,
    json_file: Json = None,
    scores: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write what was decided, as CSV.")
    ] = None,
    quick: Quick = False,
) -> None:
    """Public data through our detectors, by its protocol, with the dummies beside it.

    `skab` and `transformer` have the worker's detection, `nab` novel values, `elevator-trips` whole trips,
    taught by those that are labelled OK. Nothing else sees a label; files without any are decided too.
    `simulated` and `diagnosis` need no data: they show whether a promised rate of false episodes is kept,
    and whether the right fault mode is named.
    """
    if suite not in (*SUITES, *SELF_MADE):
        fail(f"no suite {suite}: there are {', '.join([*SUITES, *SELF_MADE])}", 2)
    if suite not in SELF_MADE and data is None:
        fail(f"say which folder: faultline bench detection --suite {suite} --data FOLDER", 2)
    if suite in SELF_MADE and (data or scores):
        fail(f"the suite {suite} makes its own data: leave --data and --scores out", 2)
    origin = provenance()
    with err.status("") as spinner:

        def tell(file: str, number: int, count: int) -> None:
            spinner.update(escape(f"{file} ({number + 1} of {count})"))

        try:
            if suite == DIAGNOSIS:
                readings = list(diagnosis.readings(1 if quick else 5, spinner.update))
            elif data is None:
                machines, days = (4, 7) if quick else (60, 16)
                readings = list(simulated.readings(machines, days, spinner.update))
            else:
                readings = run_suite(SUITES[suite], data, scores, tell)
        except ValueError as error:
            spinner.stop()
            fail(str(error))
    _show("detection", origin, rows_of([readings]), json_file)


@app.command(
    "remaining-life",
    epilog="Example: faultline bench remaining-life --suite cmapss --data CMAPSS --predictions said.csv",
)
def remaining_life(
    suite: Annotated[str, typer.Option(help=f"Whose protocol: {', '.join(LIFE_SUITES)}.")],
    data: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="A folder laid out like that one.")
    ],
    json_file: Json = None,
    predictions: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write what was forecast, as CSV.")
    ] = None,
) -> None:
    """Public run-to-failure data through our forecasters, by its protocol, with the dummies beside it.

    `cmapss` are turbofan engines, `femto` bearings, `battery` cells. What is to be forecast is forecast where
    its truth is not given, too. C-MAPSS takes several minutes.
    """
    if suite not in LIFE_SUITES:
        fail(f"no suite {suite}: there are {', '.join(LIFE_SUITES)}", 2)
    origin = provenance()
    with err.status("") as spinner:
        try:
            readings = run_life_suite(
                LIFE_SUITES[suite], data, predictions, lambda line: spinner.update(escape(line))
            )
        except ValueError as error:
            spinner.stop()
            fail(str(error))
    _show("remaining-life", origin, rows_of([readings]), json_file)


@app.command(epilog="Example: faultline bench verticals --suite packs --type crane --json crane.json")
def verticals(
    suite: Annotated[
        str, typer.Option(help=f"Whose protocol: {', '.join([*VERTICALS, *SIMULATED_MACHINES])}.")
    ],
    data: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="A folder laid out like that one.")
    ] = None,
    json_file: Json = None,
    predictions: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write what was predicted, as CSV.")
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Simulated: only this one; may be repeated.")
    ] = None,
    assets: Annotated[
        int | None, typer.Option(min=2, help="Simulated: machines of each type. Default 200; waveforms: 6.")
    ] = None,
    days: Annotated[int, typer.Option(min=5, help="packs: days that are judged.")] = 30,
    seeds: Annotated[int, typer.Option(min=1, help="Simulated: a month for each.")] = 3,
) -> None:
    """Public data of one kind of machine each, by its protocol, with the dummies beside it.

    Transformers' temperatures and alarms, worn tools of a mill, failing processes, lives between work orders,
    elevator trips, a wind turbine's power curve, bearings run to failure. What has no label teaches nothing
    and is predicted too.
    `packs` needs no data: it simulates a month of each shipped type's machines, one in ten of which fails.
    Nor does `waveforms`, where two of three machines have a damaged bearing and send blocks of its vibration.
    """
    if suite not in (*VERTICALS, *SIMULATED_MACHINES):
        fail(f"no suite {suite}: there are {', '.join([*VERTICALS, *SIMULATED_MACHINES])}", 2)
    if suite in SIMULATED_MACHINES:
        if data:
            fail(f"the suite {suite} makes its own data: leave --data out", 2)
        machines = assets or SIMULATED_MACHINES[suite]
        if suite == PACKS:
            _packs(types or sorted(MACHINES), (machines, days, seeds), json_file, predictions)
        else:
            _waveforms(types or sorted(SAMPLED), machines, seeds, json_file)
        return
    if data is None:
        fail(f"say which folder: faultline bench verticals --suite {suite} --data FOLDER", 2)
    if types:
        fail(f"--type is for the suites {' and '.join(SIMULATED_MACHINES)}: leave it out", 2)
    origin = provenance()
    with err.status(suite) as spinner:
        try:
            readings = run_vertical(VERTICALS[suite], data, predictions)
        except ValueError as error:
            spinner.stop()
            fail(str(error))
    _show("verticals", origin, rows_of([readings]), json_file)


def _packs(
    types: Sequence[str], sizes: tuple[int, int, int], json_file: Path | None, predictions: Path | None
) -> None:
    """sizes: machines of each type, days, seeds."""
    if unknown := sorted(set(types) - MACHINES.keys()):
        fail(f"no simulated {', '.join(unknown)}: there are {', '.join(sorted(MACHINES))}", 2)
    origin = provenance()
    with err.status("") as spinner:
        proof = prove_packs(types, *sizes, spinner.update)
    if predictions:
        write_table(predictions, PACK_COLUMNS, proof.rows)
    _show("verticals", origin, rows_of(proof.readings), json_file, {"confusion": proof.confusion})
    for kind, table in proof.confusion.items():
        read_as = sorted({name for row in table.values() for name in row})
        lines = [(mode, *(row.get(name, 0) for name in read_as)) for mode, row in table.items()]
        print_table(f"{kind}: true fault mode, and what it was read as", ("", *read_as), lines)


def _waveforms(types: Sequence[str], machines: int, seeds: int, json_file: Path | None) -> None:
    if unknown := sorted(set(types) - SAMPLED.keys()):
        fail(f"no bearings of {', '.join(unknown)}: there are those of {', '.join(sorted(SAMPLED))}", 2)
    origin = provenance()
    with err.status("") as spinner:
        found = [
            [reading for kind in types for reading in sampled_readings(kind, machines, seed, spinner.update)]
            for seed in range(1, seeds + 1)
        ]
    _show("verticals", origin, rows_of(found), json_file)


@app.command(epilog="Example: faultline bench kernels --runs 5 --json kernels.json")
def kernels(runs: Runs = 3, json_file: Json = None, quick: Quick = False) -> None:
    """The T² chart's loop on one core, beside the same in NumPy, a machine's state, and a vibration block."""
    origin = provenance()
    assets, instants, blocks = (50, 50, 3) if quick else (1_000, 500, 200)
    with err.status("") as spinner:
        try:
            found = [
                [*kernel_readings(assets, instants, spinner.update), *block_readings(blocks)]
                for _ in range(runs)
            ]
        except BenchError as error:
            spinner.stop()
            fail(str(error))
    _show("kernels", origin, rows_of(found), json_file)


@app.command(epilog="Example: faultline bench simulator --runs 5 --json simulator.json")
def simulator(runs: Runs = 3, json_file: Json = None, quick: Quick = False) -> None:
    """A day of 1 000 simulated machines of each type: samples per CPU-second and CPU time, beside goals."""
    origin = provenance()
    with err.status("") as spinner:
        found = [list(simulator_readings(20 if quick else 1_000, spinner.update)) for _ in range(runs)]
    _show("simulator", origin, rows_of(found), json_file)


def _measure(
    bench: str,
    known: Mapping[str, Measure],
    names: Sequence[str] | None,
    runs: int,
    json_file: Path | None,
    quick: bool,
    seconds: float | None = None,
) -> None:
    if unknown := set(names or ()) - known.keys():
        fail(f"no measure {', '.join(sorted(unknown))}: {bench} has {', '.join(known)}", 2)
    seconds = seconds or (QUICK_S if quick else FULL_S)
    origin = provenance()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers must not outlive us
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # a new topic has no leader for a moment
    with err.status("") as spinner:

        def tell(line: str) -> None:
            spinner.update(escape(line))
            if not err.is_terminal:
                err.print(f"{time.strftime('%X')} {line}", markup=False, highlight=False)

        try:
            with servers(tell) as found:
                rows = run(known, names or list(known), Trial(found, quick, seconds, tell), runs)
        except BenchError as error:
            spinner.stop()
            fail(str(error))
    _show(bench, origin, rows, json_file)


def _show(
    bench: str,
    origin: Mapping[str, object],
    rows: Sequence[Row],
    json_file: Path | None,
    beside: Mapping[str, object] | None = None,
) -> None:
    """The rows as a table, and as JSON with what is said beside them."""
    if json_file:
        said = document(bench, origin, rows) | dict(beside or {})
        json_file.write_text(json.dumps(said, indent=2) + "\n")
    print_table(f"bench {bench}", HEADER, [_cells(row) for row in rows])


def document(bench: str, origin: Mapping[str, object], rows: Sequence[Row]) -> dict[str, object]:
    """The one JSON form of all benchmarks; `origin` as `provenance` found it before the run."""
    return {"bench": bench, **origin, "rows": [row.plain() for row in rows]}


def _cells(row: Row) -> tuple[object, ...]:
    spread = "" if len(row.runs) < 2 else f"{_figure(min(row.runs))} to {_figure(max(row.runs))}"
    rival = row.rival_value and _figure(row.rival_value)
    ratio = row.ratio and _figure(row.ratio)
    return row.measure, _figure(row.value), row.unit, spread, row.rival, rival, ratio, row.goal


def _figure(value: float) -> str:
    """Three significant digits, large numbers in full."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
