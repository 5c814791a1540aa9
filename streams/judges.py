"""Whether machines are odd: the detectors together, over the rows and channels that are theirs to judge."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Detector, Samples, Scores
from detectors.ensemble import by_windows, combined, detectors_for
from detectors.ewma_t2 import EwmaT2
from detectors.explained import Explained, Fit
from detectors.moving_normal import Moved
from detectors.reviews import Reviews
from detectors.window_knn import WindowKnn
from fleet.vertical import VerticalPack
from streams.verdict import Verdict

JUDGES: Mapping[str, Callable[[Scores, Scores], Scores]] = {
    "t2-knn": combined,
    EwmaT2.NAME: lambda by_t2, _: by_t2,
    WindowKnn.NAME: lambda _, by_knn: by_knn,
}
"""What the score is made of the two detectors' verdicts; episodes carry the name."""

ENSEMBLE = "t2-knn"
"""What a worker judges by."""


EXPLAINED = "explained"


class Judges:
    """The T² chart and the windows of one equipment type's machines.

    What surroundings explain is taken out before they see a row, where a fit of that is in use, and put back
    into what is told: what a machine shows and should show are as its sensors have it.
    """

    def __init__(self, name: str, pack: VerticalPack) -> None:
        """`name` is one of `JUDGES`."""
        self.name = name
        self._look_at(pack)
        self._explained = Explained(self._names)
        self._t2, self._knn = detectors_for(self._width, pack.detection.baseline_rows, self._given)
        self.reviews = Reviews()

    def _look_at(self, pack: VerticalPack) -> None:
        """Which channels are measured, and which columns the chart sees, some of them given."""
        channels = pack.equipment_type.channels
        self._names = [channel.name for channel in channels]
        self._measured = np.array([channel.kind == "measurement" for channel in channels], bool)
        given = np.array([channel.name in pack.detection.given for channel in channels], bool)
        given &= self._measured.any()
        self._columns = np.flatnonzero(self._measured | given)
        self._given = np.flatnonzero(given[self._columns]).tolist()
        self._judged = np.flatnonzero(~given[self._columns])
        self._width = max(1, len(self._columns))  # if need be a channel that never speaks

    def widen(self, pack: VerticalPack) -> None:
        """Go on with a type that has channels added at its end; raises `ValueError` for fewer."""
        self._look_at(pack)
        self._explained.widen(self._names)
        self._t2.widen(self._width, self._given)
        self._knn.widen(self._width - len(self._given))

    def offer(self, fit: Fit | None) -> bool:
        """New and renewed machines are explained by this fit from now on; whether it is another."""
        another = self._explained.offer(fit)
        if another:  # what machines have in common was learned under the one before
            self._t2.unshare()
        return another

    @property
    def offered(self) -> int:
        """The number of the fit that is offered, 0 for none."""
        return self._explained.offered

    @property
    def knows_fleet(self) -> bool:
        """Whether what machines have in common is known under what is offered."""
        return self._t2.shares

    def behind(self, slots: int) -> list[int]:
        """Which of so many slots have a normal that was learned under another fit; new ones have none."""
        self._explained.reach(slots)
        behind: list[int] = np.flatnonzero(~self._explained.current()).tolist()
        return behind

    def renew(self, slot: int) -> None:
        """The machine is another one now: what is normal for it is learned anew."""
        self._explained.adopt(slot)
        for detector in self.detectors.values():
            detector.renew(slot)

    @property
    def detectors(self) -> dict[str, Detector]:
        """Each by its name."""
        return {self._t2.NAME: self._t2, self._knn.NAME: self._knn}

    @property
    def parts(self) -> dict[str, Detector | Explained]:
        """What keeps a state beside the reviews."""
        return {**self.detectors, EXPLAINED: self._explained}

    def judge(
        self, samples: Samples, clean: NDArray[np.float32], judged: NDArray[np.bool_]
    ) -> tuple[Verdict, Verdict, list[Moved]]:
        """The verdict on the rows to judge, the T² chart's own, and whose normal moved at which of those."""
        part = self._explained.update(samples.slot, samples.ts_us, clean)
        if part is not None:
            clean = clean - part
        x = np.take(clean, self._columns, axis=1) if len(self._columns) else clean[:, :1] * np.nan
        rows = replace(samples, x=x)
        if not judged.all():
            rows = Samples(rows.slot[judged], rows.ts_us[judged], rows.regime[judged], x[judged])
        current = self._explained.current()
        by_t2, moved = by_chart(self._t2, self.reviews, rows, None if current.all() else current)
        if self._given:
            by_t2 = by_t2.of(self._judged)
            moved = [each.of(self._judged) for each in moved]
            rows = replace(rows, x=np.take(rows.x, self._judged, axis=1))
        found = JUDGES[self.name](by_t2, by_windows(self._knn, rows, moved))
        if part is not None:
            part = part[np.ix_(judged, self._measured)]
            found, by_t2 = _put_back(found, part), _put_back(by_t2, part)
        return Verdict(found, judged, self._measured), Verdict(by_t2, judged, self._measured), moved


def by_chart(
    t2: EwmaT2, reviews: Reviews, rows: Samples, alike: NDArray[np.bool_] | None = None
) -> tuple[Scores, list[Moved]]:
    """The T² chart's verdict; at each review what the fleet has shown becomes new machines' prior.

    alike: (slots,), those that new machines are like; all if it is not given.
    """
    found, moved = list[Scores](), list[Moved]()
    for part, due in reviews.cut(rows.slot, rows.ts_us):
        if due:
            t2.share(alike)
        found.append(t2.update(rows.take(part)))
        moved += [replace(each, row=part.start + each.row) for each in t2.moved]
    return Scores.joined(found or [Scores.unknown(0, rows.x.shape[1])]), moved


def _put_back(scores: Scores, part: NDArray[np.float32]) -> Scores:
    """The verdict with `part` (n, channels) in what is and should be shown.

    Where nobody knows the surroundings both are told as in usual ones.
    """
    part = np.nan_to_num(part)
    return replace(scores, expected=scores.expected + part, observed=scores.observed + part)
