"""Where a server keeps its files: in the data root, or linked from it when its account cannot get there."""

import hashlib
import os
import shutil
from pathlib import Path

from storage.server.account import Account

ELSEWHERE = Path("/var/lib/faultline")


def open_home(data_root: Path, name: str, account: Account) -> Path:
    """The folder `data_root/name`, made if it is missing, which `account` can enter.

    What root keeps to itself (/root, a private temporary folder) is closed to the server's account, and
    opening it would be wrong. Then the folder lies in /var/lib/faultline and `data_root/name` is a link to
    it. Raises `OSError` when neither place will do.
    """
    link = data_root / name
    if not link.exists():
        data_root.mkdir(parents=True, exist_ok=True)
        _make(link) if account.can_enter(data_root) else _make_elsewhere(link)
    home = link.resolve()
    if not (account.can_enter(home) and os.access(home, os.W_OK)):
        raise PermissionError(f"{home} is closed to us or to the account {account.name} of the server")
    return home


def remove_home(data_root: Path, name: str) -> None:
    """Delete the folder, and the link to it if it lies elsewhere."""
    link = data_root / name
    shutil.rmtree(link.resolve(), ignore_errors=True)
    link.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _make_elsewhere(link: Path) -> None:
    key = hashlib.sha256(os.fsencode(link.absolute())).hexdigest()[:12]
    home = ELSEWHERE / f"{link.name}-{key}"
    _make(ELSEWHERE)
    _make(home)
    link.unlink(missing_ok=True)  # a link whose target was deleted
    link.symlink_to(home)
