"""Places at which a test may kill the process, to show that nothing is lost or doubled there.

`FAULTLINE_CRASH_POINT=before_commit:2` ends the process by SIGKILL when it gets to that place the second
time (fail points, as databases have them). Without the variable a place costs a comparison.
"""

import os
import signal
from collections.abc import Mapping

VARIABLE = "FAULTLINE_CRASH_POINT"

POINTS = (
    "after_poll",
    "after_decode",
    "mid_copy",
    "before_commit",
    "during_snapshot",
    "after_commit",
    "after_ack",
    "after_outbox_send",
    "during_migration",
)
"""In the order in which a chunk gets to them; a migration is apart."""


class CrashPoint:
    """The one place that the environment names, if it names one. Raises `ValueError` for an unknown name."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._name, _, times = environment.get(VARIABLE, "").partition(":")
        self._left = int(times or 1)
        if self._name and self._name not in POINTS:
            raise ValueError(f"{VARIABLE}={self._name}: the places are {', '.join(POINTS)}")

    def reached(self, name: str) -> None:
        """Say that the process is at this place: it may be the end of it."""
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


reached = CrashPoint(os.environ).reached
