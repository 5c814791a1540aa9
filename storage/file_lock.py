"""Locks between processes that a dead process cannot keep."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ALONE = fcntl.LOCK_EX
ALONE_AT_ONCE = fcntl.LOCK_EX | fcntl.LOCK_NB
TOGETHER = fcntl.LOCK_SH


@contextmanager
def locked(path: Path, how: int = ALONE) -> Iterator[None]:
    """Hold the lock file; waits for it, but with `ALONE_AT_ONCE` raises `BlockingIOError` instead."""
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
