"""Rows of a CSV file by column, and what a suite has to say."""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console.bench.result import Reading

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = list[dict[str, str]]

LARGEST = 1e30
"""No measured value is beyond this, in any unit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """readings: the figures, none without labels. columns, rows: of the predictions file."""

    readings: Sequence[Reading]
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]


def read_rows(path: Path, needed: Collection[str], escape: str | None = None) -> Rows:
    """The rows, a missing cell being empty; raises `ValueError`, which names the file, for another form."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
            reader = csv.DictReader(lines, restval="", escapechar=escape, doublequote=escape is None)
            rows = [{name: cell for name, cell in row.items() if name is not None} for row in reader]
            header = reader.fieldnames or ()
    except OSError as error:
        raise ValueError(f"{path.name}: {error.strerror}") from error
    except csv.Error as error:
        raise ValueError(f"{path.name}: no CSV file: {error}") from error
    if missing := [name for name in needed if name not in header]:
        raise ValueError(f"{path.name}: the first line has no column {', '.join(missing)}")
    return rows


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A CSV file with a line of names."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def numbers(rows: Rows, name: str, file: str) -> Floats:
    """(n,) a column's values, NaN for none or one beyond reason; raises `ValueError` for another word."""
    found = np.empty(len(rows))
    for at, row in enumerate(rows):
        cell = row.get(name, "").strip()
        try:
            found[at] = float(cell) if cell else np.nan
        except ValueError:
            raise ValueError(f"{file}, line {at + 2}: {name} is {cell[:40]!r}, not a number") from None
    found[np.abs(found) > LARGEST] = np.nan
    return found


def flags(rows: Rows, name: str, file: str, words: tuple[str, str] = ("0", "1")) -> tuple[Flags, Flags]:
    """(n,) which rows have a label and (n,) which of them the second word; raises `ValueError` for others."""
    cells = [row.get(name, "").strip() for row in rows]
    for at, cell in enumerate(cells):
        if cell not in {*words, ""}:
            raise ValueError(f"{file}, line {at + 2}: {name} is {cell[:40]!r}, not {words[0]} or {words[1]}")
    return np.array([cell != "" for cell in cells], np.bool_), np.array(
        [c == words[1] for c in cells], np.bool_
    )
