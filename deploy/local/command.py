"""A program run to its end while its lines tell how far it is."""

import subprocess
from collections import deque
from collections.abc import Callable, Sequence

_LINES_KEPT = 30


def run_telling(command: Sequence[str], tell: Callable[[str], None]) -> tuple[int, str]:
    """Exit code and last lines of a program; `tell` gets each line as it comes."""
    last: deque[str] = deque(maxlen=_LINES_KEPT)
    with subprocess.Popen(  # noqa: S603 - argument lists of our own
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            tell(line.rstrip())
    return process.returncode, "\n".join(last)
