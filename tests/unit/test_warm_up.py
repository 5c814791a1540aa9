"""After the warm-up a worker's first records find everything compiled."""

import subprocess
import sys

SCRIPT = """
import gc
from datetime import UTC, datetime, timedelta

import numpy as np
from numba.core.dispatcher import Dispatcher

from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.simulate import simulate
from streams.warm_up import warm_up

ROOMS = ("detectors.", "forecasting.wear", "streams.")


def compiled():
    found = [each for each in gc.get_objects() if isinstance(each, Dispatcher)]
    named = {f"{each.py_func.__module__}.{each.py_func.__name__}": len(each.signatures) for each in found}
    return {name: count for name, count in named.items() if count and name.startswith(ROOMS)}


warm_up()
before = compiled()
assert before, "the warm-up compiles nothing"
for kind in ("elevator", "machine-tool", "transformer"):
    assets = (Asset(0, "t", "s", "m", kind),)
    fleet = Fleet((Tenant("t"),), (Site("t", "s"),), assets, (packs()[kind].equipment_type,))
    scorer = Scorer(packs()[kind])
    for frame in simulate(fleet, datetime(2026, 3, 2, tzinfo=UTC), timedelta(days=6), 2, rows_per_frame=720):
        rows = Rows(np.ones(len(frame.ts_us), np.int32), frame.ts_us, np.ascontiguousarray(frame.values.T))
        scorer.score(rows, lambda _: ("t", "m"))
late = {name for name, count in compiled().items() if count != before.get(name)}
print(sorted(late - {"detectors.neighbours.distances", "detectors.window_knn._which"}))
"""


def test_nothing_but_windows_is_left_to_compile() -> None:
    found = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
