"""Which fault mode each machine's episode was read as when it was raised, while the episode is on.

The reading at the peak is better, but which peaks are read depends on how the log is cut; this does not.
"""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Naming:
    """A slot's episode that is raised at `row` and read as a mode, or ends there (an empty one)."""

    row: int
    slot: int
    mode: str


class NamedModes:
    """Modes by slot; a slot without an episode has none."""

    def __init__(self) -> None:
        self._modes: dict[int, str] = {}

    def at(self, due: Sequence[int], slot: NDArray[np.int32], changes: Sequence[Naming]) -> list[str]:
        """The mode of the slot of each due row, empty for none; then all changes have taken effect.

        due: rows, ascending; changes: in the order of rows, one at a due row counts there.
        """
        left, named = deque(changes), list[str]()
        for row in due:
            while left and left[0].row <= row:
                self._take_effect(left.popleft())
            named.append(self._modes.get(int(slot[row]), ""))
        for change in left:
            self._take_effect(change)
        return named

    def _take_effect(self, change: Naming) -> None:
        self.renew(change.slot)
        if change.mode:
            self._modes[change.slot] = change.mode

    def renew(self, slot: int) -> None:
        """The slot's episode is over."""
        self._modes.pop(slot, None)

    def array(self) -> NDArray[np.uint8]:
        """All that is needed to go on."""
        return np.frombuffer(json.dumps(self._modes, sort_keys=True).encode(), np.uint8)

    def take(self, array: NDArray[np.uint8]) -> None:
        """Go on from what `array` gave."""
        self._modes = {int(slot): mode for slot, mode in json.loads(array.tobytes()).items()}
