"""What every wear model promises and has in common: a counter by slot, time, gaps, state.

`tests/contract/test_wear_models.py` holds each model in the catalog to it. A counter never falls, is what it
is however the rows are cut into updates, is finite on any input, and what is not known is not counted: a row
without a value for each column of the duty is left out, and so is the time to the next row where that is
longer than `LONGEST_STEP_US`. `unknown_h` says how much that was.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import ModelError
from forecasting.kernels import kernel
from forecasting.model_bytes import pack, unpack
from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear_meter import LONGEST_STEP_US

Floats = NDArray[np.float64]
Slots = NDArray[np.int32]

NEVER = int(np.iinfo(np.int64).min)
"""An instant that stands for none."""

LEFT_OUT, FIRST, NEXT = 0, 1, 2
"""What a row is: not used; the first of which anything is known, or first after a gap; one that follows."""


class WearModel(ABC):
    """Rows of duty in, the counter after each out."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int]
    LONGEST_STEP_US: ClassVar[int] = LONGEST_STEP_US

    def __init__(self, lifetime: Lifetime, duty: Sequence[Quantity]) -> None:
        self.lifetime = lifetime
        self.duty = tuple(duty)
        self._low = np.array([quantity.low for quantity in duty])
        self._high = np.array([quantity.high for quantity in duty])
        self._by_slot = {name: array[:0] for name, array in self._new_slot().items()}

    @classmethod
    @abstractmethod
    def example(cls) -> Self:
        """The part of a worked example: for tests and as a start, no default for any machine."""

    def update(self, slot: Slots, ts_us: NDArray[np.int64], x: NDArray[np.floating]) -> Floats:
        """Take in rows, in time order within a slot; returns (n,), each slot's counter after each row.

        x: (n, k), a column for each quantity of `duty`, NaN where missing. A row that is not later than
        one before it counts as not sent. Raises `ValueError` for arrays that do not fit.
        """
        if x.shape != (len(slot), len(self.duty)) or len(ts_us) != len(slot):
            names = ", ".join(quantity.name for quantity in self.duty)
            raise ValueError(f"x must be ({len(slot)}, {len(self.duty)}), for {names}; it is {x.shape}")
        if len(slot) and slot.min() < 0:
            raise ValueError(f"slots count from 0, got {slot.min()}")
        duty: Floats = np.ascontiguousarray(x, np.float64)
        self.grow(int(slot.max()) + 1 if len(slot) else 0)
        what, step_h = np.zeros(len(slot), np.int8), np.zeros(len(slot))
        mine, known = self._by_slot, self.knows(duty)
        longest, last_us, unknown_us = self.LONGEST_STEP_US, mine["last_us"], mine["unknown_us"]
        _steps(slot, ts_us, known, longest, last_us, unknown_us, what, step_h)
        used = self._use(slot, what, step_h, duty)
        after = np.empty(len(slot))
        _accumulate(slot, used, mine["value"], after)
        return after

    def knows(self, x: Floats) -> NDArray[np.bool_]:
        """(n,): which rows have a reading for each quantity of the duty, (n, k)."""
        return np.asarray(((x >= self._low) & (x <= self._high)).all(axis=1))

    def fresh(self) -> Self:
        """The same part for machines of which nothing is known yet."""
        twin = copy(self)
        twin._by_slot = {name: array[:0] for name, array in self._new_slot().items()}
        return twin

    def renew(self, slot: int) -> None:
        """The part was replaced by a new one, of which nothing is known yet."""
        for name, array in self._new_slot().items():
            self._by_slot[name][slot] = array[0]

    @property
    def value(self) -> Floats:
        """(slots,): the counters as they stand, in the lifetime's unit."""
        return self._by_slot["value"].copy()

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(slots,): of which anything is known yet."""
        return np.asarray(self._by_slot["last_us"] != NEVER)

    @property
    def unknown_h(self) -> Floats:
        """(slots,): hours in which nothing is known of the use, so none was counted."""
        return np.asarray(self._by_slot["unknown_us"] / 3.6e9)

    def grow(self, slots: int) -> None:
        """Make room for slots 0 to `slots` - 1."""
        more = slots - len(self._by_slot["value"])
        if more > 0:
            new = self._new_slot()
            self._by_slot = {
                name: np.concatenate([array, np.repeat(new[name], more, axis=0)])
                for name, array in self._by_slot.items()
            }

    def state(self) -> bytes:
        """Everything by slot, equal to the bit for equal rows."""
        return pack(f"{self.NAME}-{self.VERSION}", self._by_slot)

    def load(self, state: bytes) -> None:
        """Go on from a saved state; raises `ModelError`."""
        found = unpack(f"{self.NAME}-{self.VERSION}", state, self._by_slot)
        slots = len(found["value"])
        if any(array.shape != (slots, *self._by_slot[name].shape[1:]) for name, array in found.items()):
            raise ModelError(
                f"the arrays in the saved state of {self.NAME} differ in length; start without it"
            )
        self._by_slot = found

    def _new_slot(self) -> dict[str, NDArray[Any]]:
        """State of one slot that has seen nothing, each array with a first axis of 1; models add theirs."""
        return {
            "last_us": np.array([NEVER]),
            "unknown_us": np.zeros(1, np.int64),
            "value": np.array([self.lifetime.start]),
        }

    @abstractmethod
    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        """What each row adds to its counter, (n,), 0 where it is LEFT_OUT.

        step_h: (n,) hours that the row stands for, 0 unless it is a NEXT one.
        """


@kernel
def _steps(
    slot: Slots,
    ts_us: NDArray[np.int64],
    known: NDArray[np.bool_],
    longest_us: int,
    last_us: NDArray[np.int64],
    unknown_us: NDArray[np.int64],
    what: NDArray[np.int8],
    step_h: Floats,
) -> None:
    for row in range(len(slot)):
        s = slot[row]
        if not known[row] or ts_us[row] <= last_us[s]:
            continue
        what[row] = FIRST
        if last_us[s] != NEVER:
            step = ts_us[row] - last_us[s]
            if step > longest_us:
                unknown_us[s] += step
            else:
                what[row] = NEXT
                step_h[row] = step / 3.6e9
        last_us[s] = ts_us[row]


@kernel
def _accumulate(slot: Slots, used: Floats, value: Floats, after: Floats) -> None:
    for row in range(len(slot)):
        value[slot[row]] += used[row]
        after[row] = value[slot[row]]
