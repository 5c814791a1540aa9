"""The report: one self-contained HTML page in English and Chinese, and the same picture for a terminal."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from console.plots import machine_svg
from console.summary import STATE_TEXT, Machine, State, Summary

COLOURS = {
    State.REPORTED: "bold reverse red",
    State.LIMIT: "bold reverse red",
    State.ODD: "bold red",
    State.WAS_ODD: "yellow",
    State.SENSOR: "magenta",
    State.FINE: "green",
    State.SILENT: "dim",
}

_pages = Environment(
    loader=PackageLoader("console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def html(summary: Summary) -> str:
    """The page; needs nothing beside itself."""
    plots = [machine_svg(machine) for machine in summary.machines]
    return _pages.get_template("report.html.j2").render(summary=summary, plots=plots, state_text=STATE_TEXT)


def write_html(summary: Summary, path: Path) -> None:
    """Write the page to a file."""
    path.write_text(html(summary), encoding="utf-8")


def print_summary(summary: Summary, out: Console) -> None:
    """The same for a terminal."""
    intake = summary.intake
    out.print(
        f"[bold]{intake.stored:,}[/] frames stored: {intake.rows:,} instants, {intake.samples:,} values; "
        f"{intake.duplicate:,} duplicates dropped, {intake.dead:,} records unusable"
        + (
            f" ({', '.join(f'{reason} {n}' for reason, n in intake.dead_by_reason.items())})"
            if intake.dead
            else ""
        )
    )
    table = Table(header_style="bold")
    for name in ("machine", "state", "health", "finding and evidence", "service needed"):
        table.add_column(name, overflow="fold", justify="right" if name == "health" else "left")
    for machine in summary.machines:
        table.add_row(*_row(machine))
    out.print(table)


def _row(machine: Machine) -> tuple[str, str, str, str, str]:
    worst, due = machine.worst, machine.soonest or machine.condition
    finding = "–"
    if worst:
        why = f"\n[dim]{escape(worst.evidence[0].en)}[/]" if worst.evidence else ""
        sure = f" ({worst.modes[0].belief:.0%})" if worst.modes else ""
        finding = f"{escape(worst.title.en)}{sure} since {worst.onset:%Y-%m-%d %H:%M}{why}"
    service = "–"
    if due:
        service = due.window().en + (
            f"\n[dim]{escape(due.title.en)}, median {due.p50_h:,.0f} h[/]" if due.p50_h is not None else ""
        )
    colour = COLOURS[machine.state]
    return (
        f"{machine.name}\n[dim]{escape(machine.equipment_type.en)}[/]",
        f"[{colour}]{STATE_TEXT[machine.state].en}[/]",
        "–" if machine.health is None else f"{machine.health:.0f} %",
        finding,
        service,
    )
