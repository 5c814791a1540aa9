"""Hotelling's T² on EWMAs of each machine's deviations from its own first rows.

Lowry, Woodall, Champ and Rigdon (1992), "A multivariate exponentially weighted moving average control
chart", on robust baselines for each regime. Once a baseline is learned its level moves, as
`detectors.moving_normal` says; how far the machine is from what it was at first is told beside the score,
because health needs that. A repaired machine starts over (`renew`).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import CLIP, FEWEST
from detectors.cells import MAX_REGIMES, Cells
from detectors.contract import Detector, Samples, Scores, StateError
from detectors.fleet_prior import FleetPrior, restored
from detectors.fleet_prior import empty as empty_priors
from detectors.fleet_prior import plain as plain_priors
from detectors.moving_normal import GAIN, LOOKS, Moved, MovingNormal, step
from detectors.slots import check_samples, grown, plain, wider
from detectors.state_bytes import pack, unpack
from detectors.t2_level import Levels, Pace
from detectors.t2_means import FARTHEST
from detectors.t2_rows import Chart, Normal, Out, Rows, Rules, Slots, score_rows
from detectors.tail_table import tails

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

MOST_MACHINES = 200
"""Whose baselines make the fleet's prior, in the order in which they came."""

DEGREES = 30
"""What a few hundred autocorrelated rows are worth as independent ones, on the safe side."""


class EwmaT2:
    """T² charts of many machines.

    The first `baseline` rows of a slot in a regime teach what is normal there. Until then the fleet's prior
    judges, from `fit` or `share`; without one the score is NaN. With one from `share` the slot's own first
    rows move what is expected: an eighth of them, then twice as many, and again. A channel that was missing
    or constant is not judged:
    when it first moves, the next `baseline` rows teach it, as independent of the others. A missing value is
    held out exactly: T² is that of the channels present. The contributions e_i (P e)_i sum to T²; where
    channels are strongly correlated single ones can be negative.

    The score is the tail of an F distribution with 30 degrees of freedom, the price of a short baseline.
    Above about 6 read it as an order of oddness and not as a probability.

    Channels `given`, such as load and weather, are not judged: they say what the others should be, by a
    regression that each baseline holds, and T² is that of the others given these. Their own share is 0.

    As a slot's own normal takes over in a regime, its means begin anew: they hold what it showed in other
    regimes or under another load, which against its own normal would look odd.
    """

    NAME: ClassVar[str] = "ewma_t2"
    VERSION: ClassVar[int] = 6
    EXACT: ClassVar[bool] = True

    def __init__(
        self,
        channels: int,
        *,
        baseline: int = 300,
        weight: float = 0.05,
        given: Sequence[int] = (),
    ) -> None:
        if channels < 1 or baseline < FEWEST or not 0 < weight <= 1:
            raise ValueError(f"needs a channel, a baseline of {FEWEST} rows or more and 0 < weight <= 1")
        self._baseline, self._weight = baseline, weight
        self._slots = 0
        self._given = np.zeros(0, np.bool_)
        self._take_width(channels, given)
        self._ewma = np.zeros((0, channels), np.float32)
        self._unclipped = np.zeros((0, channels), np.float32)
        self._cell_of = np.full((0, MAX_REGIMES), -1, np.int32)
        self._cells = Cells.of(self._given, baseline)
        self._moving = MovingNormal.of(MAX_REGIMES, channels)
        self._step = step(baseline)
        self.moved: list[Moved] = []
        """What is normal now and was not before, by the latest update."""
        self._priors: list[FleetPrior | None] = [None] * MAX_REGIMES

    def _take_width(self, channels: int, given: Sequence[int]) -> None:
        self._channels = channels
        self._given = wider(self._given, 0, channels, False)
        self._given[list(given)] = True
        rules = f"{self._baseline} rows, weight {self._weight!r}"
        if self._given.any():
            rules += f", given {np.flatnonzero(self._given).tolist()}"
        self._kind = f"{self.NAME} {self.VERSION}: {channels} channels, {rules}"
        self._table = tails(channels, DEGREES)

    def widen(self, channels: int, given: Sequence[int] = ()) -> None:
        """Add channels, some of them given; each is learned from the first rows that show it."""
        self._ewma = wider(self._ewma, 1, channels, 0.0)
        self._unclipped = wider(self._unclipped, 1, channels, 0.0)
        self._moving.widen(channels)
        self._take_width(channels, given)
        self._cells.widen(self._given)

    def fit(self, x: NDArray[np.float32], regime: NDArray[np.int16]) -> None:
        """Learn the prior of each regime with 20 rows or more; rows of an asset should follow one another."""
        shared = np.minimum(regime, MAX_REGIMES - 1)
        for r in range(MAX_REGIMES):
            rows = x[shared == r]
            self._cells.forget(r)
            if len(rows) >= FEWEST:
                self._cells.learn(r, rows, self._weight)

    def share(self, alike: NDArray[np.bool_] | None = None) -> None:
        """Make what the slots have learned so far the prior of each regime that enough of them know.

        alike: (slots,), those that count; all if it is not given.
        """
        for r in range(MAX_REGIMES):
            own = self._cell_of[: self._slots, r]
            own = own if alike is None else own[alike[: self._slots]]
            own = own[own >= 0]
            own = own[self._cells.learned[own] & ~self._cells.provisional[own]][:MOST_MACHINES]
            self._priors[r] = self._pooled(own) or self._priors[r]
            if prior := self._priors[r]:
                self._cells.take(r, prior.baseline(self._channels))

    @property
    def shares(self) -> bool:
        """Whether there is a prior that slots have made."""
        return any(self._priors)

    def unshare(self) -> None:
        """Forget the prior: machines that are to come show something else."""
        self._priors = [None] * MAX_REGIMES
        for r in range(MAX_REGIMES):
            self._cells.forget(r)

    def _pooled(self, cells: Ints) -> FleetPrior | None:
        inverse = self._cells.inverse_scale[cells].astype(np.float64)
        scale = np.divide(1.0, inverse, out=np.zeros_like(inverse), where=inverse > 0)
        return FleetPrior.pooled(self._moving.first[cells], scale, self._cells.precision[cells])

    def update(self, samples: Samples) -> Scores:
        """Score the rows against the baselines so far, and collect rows for those still to learn."""
        self._reach(check_samples(samples, self._channels))
        slot, regime = plain(samples.slot, np.int32), plain(samples.regime, np.int16)
        rows = Rows(slot, regime, plain(samples.x, np.float32))
        scores = Scores.unknown(len(slot), self._channels)
        out = Out(*(getattr(scores, name) for name in Out._fields))
        self.moved = []
        done = self._advance(0, rows, out)
        while done < len(slot):
            self._attend(done, int(slot[done]), min(int(regime[done]), MAX_REGIMES - 1))
            done = self._advance(done, rows, out)
        return scores

    def renew(self, slot: int) -> None:
        """Forget what is normal for the slot and what it showed of late; its next rows teach it."""
        if slot >= self._slots:
            return
        self._ewma[slot] = self._unclipped[slot] = 0.0
        for cell in self._cell_of[slot, self._cell_of[slot] >= 0].tolist():
            self._cells.renew(cell)
            self._moving.renew(cell)

    def state(self) -> bytes:
        """Baselines, EWMAs and rows collected so far, in the order of slots and regimes."""
        cell_of = self._cell_of[: self._slots]
        slot, regime = np.nonzero(cell_of >= 0)
        order = np.concatenate([np.arange(MAX_REGIMES, dtype=np.int32), cell_of[slot, regime]])
        return pack(self._kind, self._arrays(slot, regime, order))

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        nobody = np.zeros(0, np.int64)
        like = self._arrays(nobody, nobody, np.arange(MAX_REGIMES, dtype=np.int32))
        saved = unpack(self._kind, state, like)
        slot, regime = saved.pop("slot"), saved.pop("regime")
        ewma, unclipped = saved.pop("ewma"), saved.pop("unclipped")
        priors = {name: saved.pop(f"prior_{name}") for name in empty_priors(0, 0)}
        try:
            cell_of = np.full((len(ewma), MAX_REGIMES), -1, np.int32)
            cell_of[slot, regime] = np.arange(MAX_REGIMES, MAX_REGIMES + len(slot))
            moving = MovingNormal.restore(saved)
            cells = Cells.restore(saved, self._given, self._baseline)
            if len(moving.since) != cells.count:
                raise ValueError("it has levels of other cells")
            if cells.count != MAX_REGIMES + len(slot) or ewma.shape != unclipped.shape:
                raise ValueError("it has baselines that belong to no slot, or means of other slots")
            if {len(each) for each in priors.values()} != {MAX_REGIMES}:
                raise ValueError("it has priors of other regimes")
        except (ValueError, IndexError) as error:
            raise StateError(f"state of {self.NAME} contradicts itself; start without it: {error}") from error
        self._slots, self._ewma, self._unclipped = len(ewma), ewma, unclipped
        self._cell_of, self._cells, self._priors = cell_of, cells, restored(priors)
        self._moving = moving

    def _arrays(self, slot: NDArray[np.int64], regime: NDArray[np.int64], order: Ints) -> dict[str, Any]:
        return {
            "slot": slot,
            "regime": regime,
            "ewma": self._ewma[: self._slots],
            "unclipped": self._unclipped[: self._slots],
            **{f"prior_{name}": each for name, each in plain_priors(self._priors, self._channels).items()},
            **self._cells.arrays(order),
            **self._moving.arrays(order),
        }

    def _reach(self, slots: int) -> None:
        self._slots = max(self._slots, slots)
        self._ewma = grown(self._ewma, slots, 0.0)
        self._unclipped = grown(self._unclipped, slots, 0.0)
        self._cell_of = grown(self._cell_of, slots, -1)

    def _attend(self, row: int, slot: int, regime: int) -> None:
        """Do what the kernel stopped for: a new cell, a level to tell, rows to collect, or enough of them."""
        cell = int(self._cell_of[slot, regime])
        if cell < 0:
            self._cell_of[slot, regime] = self._cells.add(1)
            self._moving.reach(self._cells.count)
        elif self._moving.since[cell] == self._step:
            self._review(row, slot, regime, cell)
        elif self._cells.buffer_of[cell] < 0:
            self._cells.collect(cell)
        else:
            before = self._normal(cell if self._cells.learned[cell] else regime)
            if self._cells.filled[cell] < self._baseline:
                self._cells.look(cell, self._priors[regime])
                if self._cells.learned[cell]:
                    self._translate(slot, before, self._normal(cell))
            else:
                self._cells.complete(cell, self._weight)
                self._moving.begin(cell, *self._normal(cell))
                self._begin_anew(slot, before, self._normal(cell))

    def _review(self, row: int, slot: int, regime: int, cell: int) -> None:
        """Tell how far the level has come slowly, or let it jump to where an odd machine has settled."""
        moving, scale = self._moving, _scale(self._cells.inverse_scale[cell])
        moving.since[cell] = 0
        odd = bool(moving.odd[cell])
        if odd and not self._jump(slot, cell, scale):
            return
        before, after = (moving.first[cell] + way[cell] * scale for way in (moving.told, moving.moved))
        excess = float(moving.excess[cell])
        self.moved.append(Moved(row, slot, regime, odd, before, after, scale, excess))
        moving.start_over(cell)

    def _jump(self, slot: int, cell: int, scale: Floats) -> bool:
        """Make the level at which the machine has settled its normal, if it has settled at one."""
        way = self._moving.settled(cell, self._cells.precision[cell])
        if way is None:
            return False
        to = self._moving.first[cell] + (self._moving.moved[cell] + way) * scale.astype(np.float64)
        if (np.abs(to) > np.finfo(np.float32).max).any():
            return False
        self._moving.spread(cell)
        self._moving.moved[cell] += way
        self._cells.location[cell] = np.where(scale > 0, to, self._cells.location[cell])
        self._unclipped[slot] -= way
        self._ewma[slot] = np.clip(self._unclipped[slot], -CLIP, CLIP)
        return True

    def _normal(self, cell: int) -> tuple[Floats, Floats]:
        return self._cells.location[cell].copy(), self._cells.inverse_scale[cell].copy()

    def _translate(self, slot: int, before: tuple[Floats, Floats], now: tuple[Floats, Floats]) -> None:
        """Say the slot's means against what is expected now, from 0 where nothing was.

        Those of given channels are 0, whatever is expected.
        """
        (location, inverse), (to_location, to_inverse) = before, now
        known = (inverse > 0) & (to_inverse > 0)
        moved = known & ~self._given & ((location != to_location) | (inverse != to_inverse))
        for mean, most in (self._ewma[slot], CLIP), (self._unclipped[slot], FARTHEST):
            level = location[moved] + mean[moved] / inverse[moved].astype(np.float64)
            mean[moved] = np.clip((level - to_location[moved]) * to_inverse[moved], -most, most)
            mean[~known & (to_inverse > 0)] = 0.0

    def _begin_anew(self, slot: int, before: tuple[Floats, Floats], now: tuple[Floats, Floats]) -> None:
        """Set the means of the channels to 0 of which something else is normal now."""
        changed = (before[0] != now[0]) | (before[1] != now[1])
        self._ewma[slot, changed] = self._unclipped[slot, changed] = 0.0

    def _advance(self, start: int, rows: Rows, out: Out) -> int:
        cells, levels = self._cells, self._moving
        pace = Pace(self._step, np.float32(GAIN), LOOKS, self._table)
        return score_rows(
            start,
            rows,
            Chart(
                Rules(np.float32(self._weight), np.float32(CLIP), pace),
                Slots(self._cell_of, self._ewma, self._unclipped),
                Normal(*(getattr(cells, name) for name in Normal._fields)),
                Levels(*(getattr(levels, name) for name in Levels._fields)),
            ),
            out,
        )


DETECTOR: type[Detector] = EwmaT2


def _scale(inverse: Floats) -> Floats:
    """Standard deviations, 0 where nothing is known."""
    return np.divide(1, inverse, out=np.zeros_like(inverse), where=inverse > 0)
