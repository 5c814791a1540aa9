"""SKAB's accuracy by row: F1, false alarm rate, missing alarm rate (SKAB v0.9, core/metrics.py, "binary")."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.bench.detection.series import Bools


@dataclass(frozen=True, slots=True)
class RowAccuracy:
    """Pooled over files: F1; the share of healthy rows with an alarm; of anomalous rows without one."""

    f1: float
    far: float
    mar: float


def row_accuracy(pairs: Iterable[tuple[Bools, Bools]]) -> RowAccuracy:
    """The accuracy of (true, said) rows of each file."""
    hits = false = missed = quiet = 0
    for true, said in pairs:
        hits += int((true & said).sum())
        false += int((~true & said).sum())
        missed += int((true & ~said).sum())
        quiet += int((~true & ~said).sum())
    return RowAccuracy(
        f1=2 * hits / max(2 * hits + false + missed, 1),
        far=false / max(false + quiet, 1),
        mar=missed / max(hits + missed, 1),
    )
