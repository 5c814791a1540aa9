"""Worker processes under a supervisor that starts them again, as in production."""

import asyncio
import json
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from storage import crash_point

RESTART_AFTER_S = 0.5
GRACE_S = 20.0


class SupervisedWorker:
    """A `faultline worker` that is started again whenever it ends, until it is told to stop.

    `environment` is what it runs with. Its first lives have a crash point each, in that order.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, crash_points: Sequence[str] = ()) -> None:
        self.log = log
        self.crash_points = deque(crash_points)
        self.endings: list[int] = []
        """Exit codes so far; negative is the signal that killed it."""
        self.largest_kib = 0
        """The most resident memory seen, in KiB."""
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = True
        self._supervisor: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run from now on."""
        self._wanted = True
        self._supervisor = asyncio.create_task(self._supervise())

    @property
    def pid(self) -> int | None:
        """The process, while one runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal; False if nothing runs at the moment."""
        if self.pid is None:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:  # it ended, and nobody has told us yet
            return False
        return True

    def kill(self) -> bool:
        """SIGKILL; the supervisor starts it again."""
        return self.signal(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM and no restart; SIGKILL if that takes too long."""
        self._wanted = False
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self._supervisor is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._supervisor), GRACE_S)
            except TimeoutError:
                self.kill()
                await self._supervisor

    async def _supervise(self) -> None:
        while self._wanted:
            self._process = await self._launch()
            watching = asyncio.create_task(self._watch_memory(self._process.pid))
            self.endings.append(await self._process.wait())
            watching.cancel()
            await asyncio.sleep(RESTART_AFTER_S)

    async def _launch(self) -> asyncio.subprocess.Process:
        command = [str(Path(sys.executable).with_name("faultline")), "worker"]
        environment = self._environment
        if self.crash_points:
            environment = environment | {crash_point.VARIABLE: self.crash_points.popleft()}
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=self.log.parent,  # no settings file there
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def _watch_memory(self, pid: int) -> None:
        while True:
            self.largest_kib = max(self.largest_kib, resident_kib(pid))
            await asyncio.sleep(0.2)

    def records(self) -> list[dict[str, str]]:
        """Its structured log."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines() if self.log.exists() else ():
            with suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict):
                    found.append(record)
        return found


def resident_kib(pid: int) -> int:
    """Resident memory of a process in KiB, 0 once it is gone."""
    with suppress(OSError):
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) if found else 0
    return 0
