"""Making a cluster: all of it or nothing, with a password that only its maker can read."""

import secrets
import shutil
from pathlib import Path

from storage.errors import StorageError
from storage.server.account import Account
from storage.server.binaries import Installation

SUPERUSER = "postgres"


class ServerError(StorageError):
    """A database server of ours that cannot be started, reached or stopped; the message says what to do."""


def create_cluster(installation: Installation, account: Account, home: Path) -> None:
    """Make `home/data` and `home/passfile`; a cluster that a crash left half made is thrown away.

    The superuser's password is random and lives in the passfile, which has libpq's format and mode 0600.
    Raises `ServerError`.
    """
    half = home / "data.new"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    account.own(half)
    password = secrets.token_urlsafe(24)
    write_secret(home / "passfile", f"*:*:*:{SUPERUSER}:{password}\n")
    _initdb(installation, account, half, password)
    half.rename(home / "data")


def _initdb(installation: Installation, account: Account, data: Path, password: str) -> None:
    handover = data.with_name("password.new")  # initdb takes a password only from a file
    write_secret(handover, password)
    account.own(handover)
    try:
        code, output = account.run(
            [
                installation.bin / "initdb",
                f"--pgdata={data}",
                f"--username={SUPERUSER}",
                f"--pwfile={handover}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--data-checksums",
            ]
        )
    finally:
        handover.unlink()
    if code != 0:
        raise ServerError(f"initdb failed in {data}: {output.strip()}")


def write_secret(path: Path, text: str) -> None:
    """Make or replace, at once, a file that only we can read."""
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(text)
    half.replace(path)
