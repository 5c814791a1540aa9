"""The launcher of our own PostgreSQL servers: started on loopback, found again, recovered and stopped."""

import logging
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from storage.file_lock import ALONE_AT_ONCE, TOGETHER, locked
from storage.server.account import Account
from storage.server.binaries import Installation
from storage.server.cluster import SUPERUSER, ServerError, create_cluster
from storage.server.home import open_home, remove_home

__all__ = ["Installation", "PostgresServer", "Progress", "ServerError"]

log = logging.getLogger(__name__)

Progress = Callable[[str], None]

HOST = "127.0.0.1"
_RECOVERY_SECONDS = 24 * 3600  # replaying a long log takes what it takes; ending it would only start it over
_STOP_SECONDS = 60
_DYING_SECONDS = 5
_CONNECT_SECONDS = 30
_ATTEMPTS = 20

# A killed postmaster is not gone at once, nor are its backends; a port that was free may be taken by now.
_PASSING_TROUBLE = (
    'lock file "postmaster.pid" already exists',
    "pre-existing shared memory block",
    "could not create any TCP/IP sockets",
)

_CONFIGURATION = """\
# Written anew at every start, over what initdb found out about this machine.
include '{found_out}'
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 60
password_encryption = 'scram-sha-256'
shared_buffers = '{shared_buffers}'
shared_preload_libraries = '{preload}'
fsync = on
synchronous_commit = on
max_wal_size = '4GB'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


class PostgresServer:
    """One PostgreSQL server on loopback, kept in `data_root/postgres-<major>`.

    The folder holds `data` (the cluster), `postgresql.conf`, `port`, `passfile` and `server.log`. All
    processes that called `start` share the server, and the last of them to call `stop` ends it. A server
    whose processes were killed runs on; the next `start` finds it.
    """

    def __init__(
        self,
        installation: Installation,
        data_root: Path,
        *,
        shared_buffers: str = "128MB",
        progress: Progress = log.info,
    ) -> None:
        self.installation = installation
        self.data_root = data_root
        self._name = f"postgres-{installation.major}"
        self._shared_buffers = shared_buffers
        self._progress = progress
        self._share = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # Ctrl-C while it starts must not leave it running
            with suppress(ServerError):
                self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def version(self) -> str:
        """The server's version, such as `18.4`."""
        return self.installation.version

    @property
    def home(self) -> Path:
        """The server's folder, where it really lies."""
        return (self.data_root / self._name).resolve()

    @property
    def log_file(self) -> Path:
        """What the server wrote since it was started; `server.log.1` holds the time before."""
        return self.home / "server.log"

    @property
    def port(self) -> int:
        """The port on loopback; it is kept from start to start while it is free."""
        return int((self.home / "port").read_text())

    @property
    def admin_dsn(self) -> str:
        """Conninfo of the superuser; it names the file of the password, never the password."""
        passfile = str(self.home / "passfile")
        return make_conninfo(host=HOST, port=self.port, user=SUPERUSER, dbname="postgres", passfile=passfile)

    def start(self) -> None:
        """Find the running server or start it, making the cluster the first time; returns when it answers.

        After a crash that takes as long as the recovery, which `progress` tells about. Raises `ServerError`.
        """
        try:
            open_home(self.data_root, self._name, self._account())
        except OSError as error:
            raise ServerError(
                f"no place for a database in {self.data_root}: {error}; choose another folder"
            ) from error
        with self._alone():
            if not self._find():
                self._launch()
            self._share.enter_context(locked(self.home / "users", TOGETHER))

    def release(self) -> None:
        """Stop using the server but let it run, for a later process to find and to stop."""
        self._share.close()

    def stop(self) -> bool:
        """End the server unless another process still uses it; says whether it has ended.

        Raises `ServerError` when the server resists.
        """
        self._share.close()
        if not self.home.is_dir():
            return True
        with self._alone():
            try:
                with locked(self.home / "users", ALONE_AT_ONCE):
                    self._end()
            except BlockingIOError:
                return False
        return True

    def remove(self) -> None:
        """Stop the server and delete all of its data; raises `ServerError` while another process uses it."""
        if not self.stop():
            raise ServerError(f"{self.home} is used by another process; end that one first")
        remove_home(self.data_root, self._name)

    def running(self) -> bool:
        """Whether the server takes connections."""
        return self._status() == "ready"

    def pid(self) -> int | None:
        """The postmaster, by its pid file and, as numbers are used again, by that process's command line."""
        try:
            pid = int(self._pid_file()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self._data) in command.split(b"\0") else None

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _account(self) -> Account:
        return Account.for_cluster(self._data)

    def _alone(self) -> AbstractContextManager[None]:
        return locked(self.home / "lock")

    def _pid_file(self) -> list[str]:
        return (self._data / "postmaster.pid").read_text().splitlines()

    def _status(self) -> str | None:
        """PostgreSQL's own word in the eighth line: starting, ready, stopping; None: no such process."""
        if self.pid() is None:
            return None
        try:
            return self._pid_file()[7].strip()
        except (OSError, IndexError):
            return "starting"

    def _let_recover(self) -> bool:
        """Wait while it answers that nobody may log in yet; says whether it did.

        A server that has lost a process, or whose disk was full, is called ready on while it recovers.
        """
        asked = make_conninfo(host=HOST, port=self.port, connect_timeout=_CONNECT_SECONDS).encode()
        told = None
        while PGconn.ping(asked) == Ping.REJECT:
            told = self._tell(told)
            time.sleep(0.1)
        return told is not None

    def _find(self) -> bool:
        """Whether our server runs, once it has finished to start or to stop."""
        told = None
        while self._status() in ("starting", "stopping"):
            told = self._tell(told)
            time.sleep(0.1)
        if self.pid() is None:
            return False
        try:
            self._check_that_it_is_ours()
        except ServerError:
            if self._dies():
                return False
            raise
        return True

    def _dies(self) -> bool:
        """Whether the server is going; a killed process is still seen for a moment."""
        end = time.monotonic() + _DYING_SECONDS
        while self.pid() is not None and time.monotonic() < end:
            time.sleep(0.05)
        return self.pid() is None

    def _launch(self) -> None:
        self._make_run()
        try:
            self._check_that_it_is_ours()
        except ServerError:
            self._end()
            raise

    def _make_run(self) -> None:
        account = self._account()
        program = self._program_for(account)
        if not self._data.exists():
            create_cluster(program, account, self.home)
            account = self._account()
        for _ in range(_ATTEMPTS):
            self._configure()
            if self._start_postmaster(program, account):
                return
            if not any(trouble in self.log_file.read_text(errors="replace") for trouble in _PASSING_TROUBLE):
                break
            self._reap()
            time.sleep(0.5)
        raise ServerError(f"PostgreSQL does not start; {self.log_file} ends with:\n{self._last_lines(8)}")

    def _program_for(self, account: Account) -> Installation:
        """The binaries, copied beside the data if the account cannot get at them where they are."""
        if account.can_enter(self.installation.bin / "postgres"):
            return self.installation
        return self.installation.copy_to(self.home.parent / f"binaries-{self.installation.label}")

    def _configure(self) -> None:
        try:
            port = _free_port(self.port)
        except (OSError, ValueError):
            port = _free_port(0)
        (self.home / "port").write_text(str(port))
        text = _CONFIGURATION.format(
            found_out=str(self._data / "postgresql.conf").replace("'", "''"),
            host=HOST,
            port=port,
            shared_buffers=self._shared_buffers,
            preload=",".join(self.installation.preload),
        )
        configuration = self.home / "postgresql.conf"
        configuration.write_text(text)
        configuration.chmod(0o644)  # the server's account reads it

    def _start_postmaster(self, program: Installation, account: Account) -> bool:
        """Run pg_ctl until the server is ready (True) or has given up (False)."""
        if self.log_file.exists():
            self.log_file.replace(self.home / "server.log.1")
        self.log_file.touch(mode=0o600)  # it may quote statements
        options = shlex.join(["-c", f"config_file={self.home / 'postgresql.conf'}"])
        command = ["start", "-s", "-w", "-t", str(_RECOVERY_SECONDS), "-D", str(self._data), "-o", options]
        with (
            self.log_file.open("ab") as output,
            account.start([program.bin / "pg_ctl", *command], output) as pg_ctl,
        ):
            told = None
            while True:
                try:
                    return pg_ctl.wait(timeout=2) == 0
                except subprocess.TimeoutExpired:
                    told = self._tell(told)

    def _reap(self) -> None:
        """The first process of a container inherits the postmaster, and must bury it when it is killed."""
        with suppress(OSError, ValueError):
            os.waitpid(int(self._pid_file()[0]), os.WNOHANG)

    def _tell(self, told: str | None) -> str:
        line = self._last_lines(1)
        if line != told:
            self._progress(f"PostgreSQL: {line}")
        return line

    def _last_lines(self, count: int) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-count:])

    def _check_that_it_is_ours(self) -> None:
        if self._folder_it_serves() != str(self._data):
            raise ServerError(
                f"port {self.port} belongs to another server than {self._data}; stop it and try again"
            )

    def _folder_it_serves(self) -> str:
        while True:
            recovered = self._let_recover()
            try:
                with psycopg.connect(self.admin_dsn, connect_timeout=_CONNECT_SECONDS) as connection:
                    row = connection.execute("SELECT current_setting('data_directory')").fetchone()
            except psycopg.OperationalError as error:
                if recovered:  # between the end of the old processes and the recovery it is not to be asked
                    continue
                raise ServerError(
                    f"the database in {self.home} is up but does not let us in: {error}"
                ) from error
            assert row is not None
            return str(row[0])

    def _end(self) -> None:
        account = self._account()
        pg_ctl = self._program_for(account).bin / "pg_ctl"
        stop = ["stop", "-s", "-w", "-t", str(_STOP_SECONDS), "-D", str(self._data)]
        for mode in ("fast", "immediate"):
            if self.pid() is None or account.run([pg_ctl, *stop, "-m", mode])[0] == 0:
                return
        if self.pid() is not None:
            raise ServerError(f"PostgreSQL (process {self.pid()}) does not stop; see {self.log_file}")


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, wanted))
        return int(probe.getsockname()[1])
