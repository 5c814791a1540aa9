"""SKAB's score of change points: NAB's, with its own curve (SKAB v0.9, core/metrics.py, "nab", "righter")."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.series import SECOND_US, Bools

WINDOW_US = 60 * SECOND_US
"""A change may be found within so long after it."""

STEPS = 1000

Costs = Mapping[str, float]

PROFILES: Mapping[str, Costs] = {
    "standard": {"false": -0.11, "missed": -1.0},
    "low_fp": {"false": -0.22, "missed": -1.0},
    "low_fn": {"false": -0.11, "missed": -2.0},
}


@dataclass(frozen=True, slots=True)
class ChangePoints:
    """Of one file. ts_us: (n,). true, said: (n,), where a change is labelled and where one was found."""

    ts_us: NDArray[np.int64]
    true: Bools
    said: Bools


@dataclass(frozen=True, slots=True)
class ChangeScore:
    """0 is to find nothing, 100 to find each change at once; by profile. Pooled over files."""

    by_profile: dict[str, float]
    missed: int
    false: int


def change_score(files: Iterable[ChangePoints]) -> ChangeScore:
    """The first point in a window counts by how early it is, more of them do not; those outside are false."""
    positions, missed, false = list[float](), 0, 0
    for file in files:
        found = file.ts_us[file.said]
        outside = np.ones(len(found), np.bool_)
        for begin, end in _windows(file.ts_us[file.true]):
            inside = (found >= begin) & (found <= end)
            outside &= ~inside
            if inside.any():
                positions.append((int(found[inside][0]) - begin) / (end - begin))
            else:
                missed += 1
        false += int(outside.sum())
    windows = len(positions) + missed
    return ChangeScore(
        {name: _normalised(positions, missed, false, windows, costs) for name, costs in PROFILES.items()},
        missed,
        false,
    )


def _windows(changes: NDArray[np.int64]) -> list[tuple[int, int]]:
    """A window behind each change; one that begins within another begins where that ends."""
    windows = list[tuple[int, int]]()
    for change in changes.tolist():
        begin = max(change, windows[-1][1]) if windows else change
        windows.append((begin, change + WINDOW_US))
    return windows


def _normalised(positions: list[float], missed: int, false: int, windows: int, costs: Costs) -> float:
    reached = sum(_worth(position, costs["false"]) for position in positions)
    score = reached + missed * costs["missed"] + false * costs["false"]
    worst = windows * costs["missed"]
    return 100 * (score - worst) / (windows - worst) if windows else 0.0


def _worth(position: float, least: float) -> float:
    """From 1 at the window's left edge down to `least` at its right one, along a tanh of 1000 steps."""
    step = min(int(position * STEPS), STEPS - 1)
    x = -np.pi / 2 + np.pi * step / (STEPS - 1)
    return float((1 - least) / 2 * -np.tanh(x) / np.tanh(np.pi / 2) + (1 - least) / 2 + least)
