"""What commands print: tables for people, JSON for scripts, errors that name the cure."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

WIDE = 160
"""Columns of what is piped or written to a file, where no screen folds a table's words into pieces."""

out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE)
err = Console(stderr=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Print an error on stderr and end with `code` (1: it failed, 2: the call's words are off)."""
    err.print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def tell(line: str) -> None:
    """Print progress for people on stderr."""
    err.print(line, style="dim", markup=False, highlight=False)


def print_json(value: Any) -> None:
    """Print any of our results as one JSON document on stdout."""
    json.dump(value, sys.stdout, default=_plain, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def write_json(path: Path, value: Any) -> None:
    """Write any of our results as one JSON document to a file."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table for people; the cells are shown as they are, whatever brackets they hold."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    out.print(table)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
