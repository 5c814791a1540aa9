"""Reads a fault file: which machine of a fleet fails of what and when, written by hand in TOML.

Every error names the file, the line of the table and the cure, as in
`faults.toml, line 7: asset lift-b: elevator has no fault mode 'door': known are door-drive, ...`.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.asset import Asset, Fleet, FleetError
from fleet.catalog import packs
from streams.simulator.fault import MOST_SEVERE, Fault

WORDS, NUMBERS = ("asset", "mode"), ("onset_day", "days_to_failure")
SEVERITY = "severity"
KEYS = (*WORDS, *NUMBERS, SEVERITY)


def parse_faults(text: str, origin: str, fleet: Fleet) -> tuple[Fault, ...]:
    """The faults that a TOML text describes, of machines of the fleet; days count from the start.

    `origin` is what errors call the text. Raises `FleetError`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FleetError(f"{origin}: not valid TOML: {error}") from error
    tables = document.get("fault", [])
    if document.keys() - {"fault"} or not isinstance(tables, list):
        raise FleetError(f"{origin}: a fault file has tables [[fault]] and nothing else")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*fault\s*\]\]", line)]
    lines += [1] * (len(tables) - len(lines))  # written inline
    assets, found = {asset.name: asset for asset in fleet.assets}, list[Fault]()
    for line, table in zip(lines, tables, strict=True):
        try:
            found.append(_fault(table, assets, found))
        except FleetError as error:
            raise FleetError(f"{origin}, line {line}: {error}") from error
    return tuple(found)


def _fault(table: Any, assets: Mapping[str, Asset], before: Sequence[Fault]) -> Fault:
    _check_keys(table)
    name, mode = table["asset"], table["mode"]
    if name not in assets:
        raise FleetError(f"the fleet has no asset {name!r}: known are {', '.join(sorted(assets))}")
    _check_mode(assets[name], mode)
    if any((fault.asset, fault.mode) == (name, mode) for fault in before):
        raise FleetError(f"asset {name} has {mode} twice: remove one")
    onset_d, lasts_d, severity = table["onset_day"], table["days_to_failure"], table.get(SEVERITY, 1.0)
    if onset_d < 0 or lasts_d <= 0:
        raise FleetError(f"asset {name}: onset_day is 0 or more, days_to_failure more than 0")
    if not 0 < severity <= MOST_SEVERE:
        raise FleetError(f"asset {name}: severity is above 0 and at most {MOST_SEVERE:g}; 1 is usual")
    return Fault(name, mode, 24.0 * onset_d, 24.0 * (onset_d + lasts_d), severity=float(severity))


def _check_keys(table: Any) -> None:
    if not isinstance(table, Mapping):
        raise FleetError("a fault is a table: write [[fault]] and a line for each key")
    if unknown := sorted(table.keys() - set(KEYS)):
        raise FleetError(f"unknown key {unknown[0]!r}: known keys are {', '.join(KEYS)}")
    if missing := [key for key in (*WORDS, *NUMBERS) if key not in table]:
        raise FleetError(f"{missing[0]} is missing: add `{missing[0]} = ...`")
    for key, value in table.items():
        if key in WORDS and not isinstance(value, str):
            raise FleetError(f"{key} must be text in quotes, not {value!r}")
        if key not in WORDS and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise FleetError(f"{key} must be a number, not {value!r}")


def _check_mode(asset: Asset, mode: str) -> None:
    pack = packs().get(asset.equipment_type)
    known = [one.code for one in pack.fault_modes] if pack else []
    if mode not in known:
        cure = f"known are {', '.join(known)}" if known else "it has none"
        raise FleetError(f"asset {asset.name}: {asset.equipment_type} has no fault mode {mode!r}: {cure}")
