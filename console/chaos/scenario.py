"""What a fault run is, and where all of them are found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from random import Random

from console.chaos import scenarios
from console.chaos.rig import Rig

Faults = Callable[[Rig, Random], Awaitable[None]]
"""Does the harm while the load runs; returns when the last fault is over."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load, the workers on it, and what goes wrong meanwhile.

    `rate` is in records a second. `short`: belongs to the short set. `crash_points` are those of the first
    worker's first lives; `named` workers have names in their group. Faults raise `AssertionError`
    for what the checker cannot see; where the log itself was changed and the checker must not look,
    `checked` is False.
    """

    name: str
    title: str
    faults: Faults
    workers: int = 2
    partitions: int = 6
    assets: int = 6
    records: int = 12_000
    rate: float = 1500.0
    poison: float = 0.01
    duplicate: float = 0.01
    late: float = 0.01
    crash_points: tuple[str, ...] = ()
    named: bool = False
    short: bool = False
    checked: bool = True


@cache
def catalog() -> dict[str, Scenario]:
    """All scenarios by name: every module of `console/chaos/scenarios` names its own `SCENARIOS`."""
    found: dict[str, Scenario] = {}
    for module in sorted(iter_modules(scenarios.__path__, f"{scenarios.__name__}."), key=lambda m: m.name):
        for scenario in import_module(module.name).SCENARIOS:
            if scenario.name in found:
                raise ValueError(f"two scenarios are called {scenario.name!r}: rename one of them")
            found[scenario.name] = scenario
    return found
