"""Days between work orders of mining excavators, by system: learned up to 2007, judged from 2008 on.

Nothing was chosen on them. The best fit taken as true stands beside the prediction: with few failures it is
too sure. Work orders: UWA Prognostics Data Library (Hodkiewicz and Ho 2016), read as its notes say.
"""

import csv
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasting.weibull import Lives, fit, predictive

Floats = NDArray[np.float64]
Gaps = list[tuple[float, bool]]

DATA = (
    Path(__file__).resolve().parents[2].parent
    / "shared"
    / "data"
    / "excavator_mwo"
    / "excavators-cleaned.csv"
)
UNTIL = date(2008, 1, 1)
FEW = range(3, 21)
NO_DUTY = np.zeros(0)


def orders() -> dict[tuple[str, str], list[date]]:
    """The days with a work order of each system of each machine."""
    if not DATA.exists():
        pytest.skip(f"the work orders are not at {DATA}")
    days = defaultdict(set)
    with DATA.open(newline="") as file:
        for row in csv.DictReader(file, escapechar="\\", doublequote=False):
            if row["Asset"] in set("ABCDE") and row["MajorSystem"] and row["BscStartDate"]:
                days[row["MajorSystem"], row["Asset"]].add(date.fromisoformat(row["BscStartDate"]))
    return {key: sorted(found) for key, found in days.items()}


def gaps() -> tuple[dict[str, Gaps], dict[str, list[float]]]:
    """Of each system: gaps up to the end of 2007 with whether they had closed, and those opened later."""
    known, later = defaultdict(list), defaultdict(list)
    found = orders()
    for (system, machine), days in found.items():
        gone = max(each[-1] for (_, other), each in found.items() if other == machine)
        for start, end in pairwise(days):
            if start >= UNTIL:
                later[system].append(float((end - start).days))
            else:
                known[system].append((float((min(end, UNTIL) - start).days), end <= UNTIL))
        if days[-1] < min(UNTIL, gone):
            known[system].append((float((min(UNTIL, gone) - days[-1]).days), False))
    return known, later


def held(known: Gaps, later: list[float]) -> Floats:
    """(2,) how many later gaps lie between P10 and P90: as predicted, and with the best fit plugged in."""
    end, failed = np.array([days for days, _ in known]), np.array([closed for _, closed in known])
    lives = Lives(np.zeros(len(end)), end, failed, np.zeros((len(end), 0)))
    ages, came = np.geomspace(0.01, 1e6, 4000), np.array(later)
    bands = [
        np.interp([0.1, 0.9], 1.0 - law.survival(ages, NO_DUTY), ages)
        for law in (predictive(lives), fit(lives))
    ]
    return np.array([float(((low <= came) & (came <= high)).sum()) for low, high in bands])


def test_few_failures_are_not_taken_for_many() -> None:
    known, later = gaps()
    judged = {
        system: (sum(closed for _, closed in known[system]), days)
        for system, days in later.items()
        if len(days) >= 3
    }
    few = {system: days for system, (failures, days) in judged.items() if failures in FEW}
    many = {system: days for system, (failures, days) in judged.items() if failures > max(FEW)}
    for systems, least, plugged_most in ((few, 0.75, 0.7), (many, 0.75, 0.85)):
        inside = np.sum([held(known[system], days) for system, days in systems.items()], axis=0)
        ours, plugged = (inside / sum(map(len, systems.values()))).tolist()
        print(f"{len(systems)} systems: {ours:.2f} of the gaps in P10 to P90, plugged in {plugged:.2f}")
        assert least <= ours <= 0.95
        assert plugged <= plugged_most
