"""`faultline chaos`: faults on purpose, and whether every promise was kept."""

import asyncio
import logging
import secrets
import shutil
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from console.chaos.rig import servers
from console.chaos.run import Verdict, run
from console.chaos.scenario import Scenario, catalog
from console.output import err, fail, out, print_table, write_json

EXAMPLE = (
    "Example: faultline chaos --scenario zombie --seed 7   ·   faultline chaos --short --json chaos.json"
)


def chaos(
    scenario: Annotated[list[str] | None, typer.Option(help="Only these; may be repeated.")] = None,
    seed: Annotated[int | None, typer.Option(help="Repeats a run; else it is chosen and printed.")] = None,
    short: Annotated[bool, typer.Option("--short", help="Only the short set, about five minutes.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the verdicts there.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Say which scenarios there are.")] = False,
) -> None:
    """Break things on purpose, on real servers of its own, and check that nothing is lost or doubled.

    Ends with code 1 if a promise was broken; the folder with the logs and the ledger is then kept.
    """
    wanted = _wanted(scenario or [], short)
    if list_them:
        print_table("scenarios", ["name", "what goes wrong"], [(one.name, one.title) for one in wanted])
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers must not outlive us
    logging.disable(logging.ERROR)  # that clients of a killed server complain is no news here
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    folder = Path(tempfile.mkdtemp(prefix="faultline-chaos-"))
    folder.chmod(0o711)  # for the account that the database runs under
    verdicts = asyncio.run(_run_all(wanted, seed, folder, json_file))
    _show(verdicts)
    if not all(verdict.kept for verdict in verdicts):
        err.print(f"Logs and ledgers are kept in {folder}")
        raise typer.Exit(1)
    shutil.rmtree(folder)


def _wanted(names: Sequence[str], short: bool) -> list[Scenario]:
    known = catalog()
    if unknown := [name for name in names if name not in known]:
        fail(f"no scenario {unknown[0]!r}: `faultline chaos --list` names them", 2)
    return [one for one in known.values() if one.name in names or (not names and (one.short or not short))]


async def _run_all(
    wanted: Sequence[Scenario], seed: int, folder: Path, json_file: Path | None
) -> list[Verdict]:
    verdicts = []
    with Status("starting Kafka and PostgreSQL", console=err) as status:
        async with servers(folder) as at:
            for number, one in enumerate(wanted, 1):
                tell = partial(_update, status, f"{number}/{len(wanted)} {one.name}, seed {seed}: ")
                verdicts.append(await run(at, one, seed, tell))
                _tell(verdicts[-1])
                if json_file is not None:  # each as it comes: two hours are long
                    write_json(json_file, [asdict(verdict) for verdict in verdicts])
    return verdicts


def _update(status: Status, run: str, line: str) -> None:
    status.update(run + line)


def _tell(verdict: Verdict) -> None:
    """One line as soon as it is known."""
    mark = "[green]kept[/]" if verdict.kept else "[bold red]BROKEN[/]"
    err.print(f"{mark} {verdict.scenario} (seed {verdict.seed}, {verdict.seconds:.0f} s)", highlight=False)
    for violation in verdict.violations:
        err.print(f"    {violation}", markup=False, highlight=False)


def _show(verdicts: Sequence[Verdict]) -> None:
    header = ["scenario", "records", "deaths", "back at lag 0 (s)", "memory (MiB)", "promises", "notes"]
    rows = [
        (
            v.scenario,
            f"{v.records:,}",
            sum(len(codes) - 1 for codes in v.endings),
            f"{v.recovery_s:.1f}",
            f"{v.largest_mib:.0f}",
            "kept" if v.kept else ", ".join(violation.rule for violation in v.violations),
            "; ".join(f"{name}: {value:.4g}" for name, value in v.notes.items()),
        )
        for v in verdicts
    ]
    print_table(f"seed {verdicts[0].seed}", header, rows)
    recovery = sorted(v.recovery_s for v in verdicts)
    p95 = recovery[min(int(0.95 * len(recovery)), len(recovery) - 1)]
    out.print(f"{len(verdicts)} runs; back at lag 0 after {p95:.1f} s (p95), {recovery[-1]:.1f} s (worst)")
