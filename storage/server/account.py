"""The account a database server runs under: PostgreSQL refuses root, so root lends it an unprivileged one."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

UNPRIVILEGED = "nobody"
_ENVIRONMENT = {
    "LC_ALL": "C",
    "TZ": "UTC",
    "PATH": os.defpath,
}  # the caller's PG* variables must not reach a server


@dataclass(frozen=True)
class Account:
    """A user that runs the server's programs: ourselves, or one that root can become."""

    name: str
    uid: int
    gid: int

    @classmethod
    def for_cluster(cls, data: Path) -> "Account":
        """Ourselves; when we are root, the owner of the cluster, and the unprivileged user for a new one."""
        if os.geteuid():
            entry = pwd.getpwuid(os.geteuid())
        elif data.exists():
            entry = pwd.getpwuid(data.stat().st_uid)
        else:
            entry = pwd.getpwnam(UNPRIVILEGED)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    def own(self, path: Path) -> None:
        """Give a file or folder that we have just made to this account."""
        os.chown(path, self.uid, self.gid)

    def start(
        self, argv: Sequence[str | Path], output: IO[bytes] | int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a program as this account, both of its outputs going to `output`."""
        other = self.uid != os.geteuid()
        return subprocess.Popen(  # noqa: S603 - programs of an Installation
            argv,
            cwd="/",  # our own working folder may be closed to the account
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=self.uid if other else None,
            group=self.gid if other else None,
            extra_groups=[] if other else None,
        )

    def run(self, argv: Sequence[str | Path]) -> tuple[int, str]:
        """Exit code and output of a program that ends by itself."""
        with self.start(argv) as process:
            output, _ = process.communicate()
        return process.returncode, output.decode(errors="replace")

    def can_enter(self, path: Path) -> bool:
        """Whether this account can pass every folder down to `path` and search or execute it.

        The kernel is asked as that account, so that access lists and mount options count too.
        """
        return self.run(["test", "-x", path])[0] == 0
