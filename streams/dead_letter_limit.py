"""When a partition must stop instead of dead-lettering everything (getsentry/arroyo's two limits).

A bad deployment of one gateway, or of this platform, can make every record unusable. Beyond a share, or
a run in a row, it is no longer the record that is at fault, and a person has to look.
"""

from collections import deque
from collections.abc import Iterable

WINDOW = 1000
"""Records over which the share is taken; fewer than this many say nothing about a share."""


class TooManyDeadLetters(Exception):
    """The partition stops: look at `faultline deadletters list`, mend the cause, then restart the worker."""


class DeadLetterLimit:
    """Watches one partition's records, in offset order.

    `share` of the last `WINDOW` records (0 to 1], and `run` in a row, are the most that may be dead letters.
    """

    def __init__(self, share: float, run: int) -> None:
        self._share = share
        self._run = run
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self._in_a_row = 0

    def observe(self, dead: Iterable[bool]) -> None:
        """Take in each record's fate; raises `TooManyDeadLetters`."""
        for is_dead in dead:
            self._window.append(is_dead)
            self._in_a_row = self._in_a_row + 1 if is_dead else 0
            if self._in_a_row >= self._run:
                raise TooManyDeadLetters(f"{self._in_a_row} dead letters in a row")
        share = sum(self._window) / WINDOW
        if len(self._window) == WINDOW and share > self._share:
            raise TooManyDeadLetters(f"{share:.0%} of the last {WINDOW} records are dead letters")
