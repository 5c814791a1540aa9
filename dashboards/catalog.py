"""Finds the dashboards of the folder `boards`."""

from importlib import import_module
from pkgutil import iter_modules

import dashboards.boards
from dashboards.board import Dashboard


def catalog() -> tuple[Dashboard, ...]:
    """Every dashboard, in the order of their codes."""
    names = sorted(info.name for info in iter_modules(dashboards.boards.__path__))
    found = [board for name in names for board in import_module(f"dashboards.boards.{name}").boards()]
    return tuple(sorted(found, key=lambda board: board.code))
