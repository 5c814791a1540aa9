"""CNC mill (University of Michigan SMART lab, 2018): is the tool worn, from the recording of one workpiece.

Protocol: an experiment is judged by who learned from all others, never from rows of the same recording; the
strength of the penalty is chosen by leaving out in turn the experiments that teach. An experiment without a
`tool_condition` is judged by all that have one. Whether the part was finished and passed inspection is known
after the cut and no input; neither is anything that the recording does not hold. Rows in which the feed reads
50 are left out, as the data's notes say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from console.bench.result import Reading
from console.bench.verticals.table import Flags, Floats, Outcome, Rows, flags, numbers, read_rows
from console.bench.verticals.two_classes import log_loss, majority, one_threshold

LABELS, NUMBER, CONDITION, WORDS = "train.csv", "No", "tool_condition", ("unworn", "worn")
STAGE, CUTTING = "Machining_Process", "Layer"
FEED, NO_FEED = "M1_CURRENT_FEEDRATE", 50.0
SIGNALS = ("S1_CurrentFeedback", "X1_CurrentFeedback", "Y1_CurrentFeedback")
"""Currents of the spindle and of the axes that feed: a blunt tool cuts with more force."""

COLUMNS = ("file", "worn_probability")

PENALTIES = (0.01, 0.1, 1.0)
"""Of scikit-learn's logistic regression, the smaller the flatter."""

FEWEST = 3
"""Experiments of each class from which anything is learned."""

FEWEST_ROWS = 10
"""Rows of a stage of the process from which its features are taken."""


@dataclass(frozen=True, slots=True)
class Experiments:
    """x: (n, k) features of each file. labelled, worn: (n,)."""

    files: tuple[str, ...]
    x: Floats
    labelled: Flags
    worn: Flags


def read(folder: Path) -> Experiments:
    """Every experiment there; raises `ValueError` for a file of another form, or without a row of cutting."""
    paths = sorted(folder.glob("experiment_*.csv"))
    if not paths:
        raise ValueError(f"{folder}: no file experiment_01.csv or the like there")
    listed = read_rows(folder / LABELS, (NUMBER,)) if (folder / LABELS).exists() else Rows()
    labelled, worn = flags(listed, CONDITION, LABELS, WORDS)
    own = {row[NUMBER].strip().zfill(2): at for at, row in enumerate(listed)}
    at = [own.get(path.stem.removeprefix("experiment_").zfill(2)) for path in paths]
    return Experiments(
        tuple(path.name for path in paths),
        np.array([_features(path) for path in paths]),
        np.array([k is not None and bool(labelled[k]) for k in at], np.bool_),
        np.array([k is not None and bool(worn[k]) for k in at], np.bool_),
    )


def _features(path: Path) -> Floats:
    """ln of each current, the mean over the stages that cut, and ln of the feed: few, as experiments are."""
    rows = [row for row in read_rows(path, (STAGE, FEED, *SIGNALS)) if row[STAGE].startswith(CUTTING)]
    feed = numbers(rows, FEED, path.name)
    x = np.column_stack([np.abs(numbers(rows, name, path.name)) for name in SIGNALS])
    used = np.isfinite(x).all(axis=1) & (feed > 0) & (feed != NO_FEED)
    stage = np.array([row[STAGE] for row in rows])
    parts = [x[mine] for name in np.unique(stage) if (mine := used & (stage == name)).sum() >= FEWEST_ROWS]
    if not parts:
        raise ValueError(f"{path.name}: no stage of cutting ({CUTTING} ...) with {FEWEST_ROWS} usable rows")
    level = np.mean([np.log(np.maximum(part.mean(axis=0), 1e-6)) for part in parts], axis=0)
    return np.append(level, np.log(np.median(feed[used])))


def run(folder: Path) -> Outcome:
    """Share of experiments judged right beside the dummies, and the probability that each tool was worn."""
    found = read(folder)
    known = np.flatnonzero(found.labelled)
    x, worn = found.x[known], found.worn[known]
    if min(worn.sum(), (~worn).sum()) < FEWEST:
        raise ValueError(f"{LABELS}: {FEWEST} worn and as many unworn experiments are needed to learn from")
    probability = _fit(x, worn).predict_proba(found.x)[:, 1]
    probability[known] = _left_out(x, worn)
    cells = zip(found.files, (f"{p:.4f}" for p in probability), strict=True)
    return Outcome(list(_readings(x, worn, probability[known])), COLUMNS, list(cells))


def _left_out(x: Floats, worn: Flags) -> Floats:
    """(n,) probability of each experiment by who learned from the others."""
    others = ~np.eye(len(worn), dtype=np.bool_)
    return np.array(
        [
            _fit(x[seen], worn[seen]).predict_proba(one[None])[0, 1]
            for seen, one in zip(others, x, strict=True)
        ]
    )


def _fit(x: Floats, worn: Flags) -> Any:
    """Logistic regression of standardised features; the experiments given choose the penalty."""
    others = ~np.eye(len(worn), dtype=np.bool_)

    def loss(penalty: float) -> float:
        said = [
            _model(penalty).fit(x[seen], worn[seen]).predict_proba(one[None])[0, 1]
            for seen, one in zip(others, x, strict=True)
        ]
        return log_loss(worn, np.array(said))

    return _model(min(PENALTIES, key=loss)).fit(x, worn)


def _model(penalty: float) -> Any:
    linear, scaling, chain = _learning()
    return chain.make_pipeline(scaling.StandardScaler(), linear.LogisticRegression(C=penalty))


@cache
def _learning() -> tuple[Any, ...]:
    """Scikit-learn, whose import takes a second that other commands are spared."""
    return tuple(import_module(f"sklearn.{name}") for name in ("linear_model", "preprocessing", "pipeline"))


def _readings(x: Floats, worn: Flags, probability: Floats) -> Iterator[Reading]:
    others = ~np.eye(len(worn), dtype=np.bool_)
    known = f"% of {len(worn)} experiments"
    yield Reading("judged right", 100 * float(((probability > 0.5) == worn).mean()), known)
    for name, dummy in {"majority": majority, "best single threshold": one_threshold}.items():
        said = [bool(dummy(x[seen], worn[seen], one[None])[0]) for seen, one in zip(others, x, strict=True)]
        yield Reading(f"judged right, {name}", 100 * float((np.array(said) == worn).mean()), known)
    yield Reading("log loss", log_loss(worn, probability), "-")
    prior = np.array([worn[seen].mean() for seen in others])
    yield Reading("log loss, prior", log_loss(worn, prior), "-")
    yield Reading("log loss, a coin", float(np.log(2)), "-")
