"""A process dies where it is told to, and nowhere else."""

import signal
import subprocess
import sys

import pytest

from storage.crash_point import POINTS, VARIABLE, CrashPoint

PROGRAM = """
from storage import crash_point
for number in range(5):
    print(number, flush=True)
    crash_point.reached("before_commit")
"""


LIVES = [("before_commit", 1), ("before_commit:3", 3), ("after_ack", 5)]


@pytest.mark.parametrize(("wanted", "lived"), LIVES)
def test_it_dies_the_nth_time_it_gets_there(wanted: str, lived: int) -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], env={VARIABLE: wanted}, capture_output=True)
    assert len(ran.stdout.split()) == lived
    assert ran.returncode == (0 if lived == 5 else -signal.SIGKILL)


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=POINTS[0]):
        CrashPoint({VARIABLE: "somewhere"})
