"""A program in the background that outlives us, found again by its pid file."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError

# The program writes its pid before it becomes itself, so there is no moment in which it runs unrecorded.
_RECORD = 'echo $$ >"$0"; exec "$@"'
_DETACH = '"$@" &'


@dataclass(frozen=True)
class BackgroundProcess:
    """A process recorded in `pid_file`, with an argument `mark` that no other process has.

    Numbers of processes are used again: only with the mark in its command line is it ours.
    """

    pid_file: Path
    mark: str

    def start(self, argv: Sequence[str], log: Path) -> None:
        """Start it in a session of its own, its outputs appended to `log`."""
        self.pid_file.unlink(missing_ok=True)
        command = ["/bin/sh", "-c", _DETACH, "sh", "/bin/sh", "-c", _RECORD, str(self.pid_file), *argv]
        with log.open("ab") as output:
            subprocess.run(  # noqa: S603 - our own argument list
                command,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def pid(self) -> int | None:
        """Its number while it runs."""
        try:
            pid = int(self.pid_file.read_text())
            arguments = _arguments(pid)
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self.mark) in arguments else None

    def started(self) -> bool:
        """Whether it has recorded itself (it may have died since)."""
        return self.pid_file.exists() and self.pid_file.stat().st_size > 0

    def stop(self, patience_s: float) -> None:
        """Ask it to end, and after `patience_s` seconds make it; raises `LocalError` if even that fails."""
        for how, seconds in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 10.0)):
            if (pid := self.pid()) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, how)
                self._wait(seconds)
        if (pid := self.pid()) is not None:
            raise LocalError(f"process {pid} does not end: {self.mark}")
        self.pid_file.unlink(missing_ok=True)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.pid() is not None and time.monotonic() < end:
            time.sleep(0.05)


def _arguments(pid: int) -> list[bytes]:
    """The process's command line, which is empty for a moment while it turns into another program."""
    for _ in range(5):
        if line := Path(f"/proc/{pid}/cmdline").read_bytes():
            return line.split(b"\0")
        time.sleep(0.02)
    return []
