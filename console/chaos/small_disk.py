"""A file system of its own for the database, so that it can run full without harm to the machine."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = 12 << 30
"""Bytes; the image is sparse, it takes what is written."""

KEPT_FREE = 4 << 20
BALLAST = "ballast"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A mounted folder, gone afterwards; None where we may not mount (root and a loop device are needed)."""
    image, mounted = folder / "disk.img", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE)
    try:
        _run("mkfs.ext4", "-q", str(image))
        _run("mount", "-o", "loop", str(image), str(mounted))
    except (OSError, subprocess.CalledProcessError):
        image.unlink()
        yield None
        return
    try:
        mounted.chmod(0o711)  # for the account that the database runs under
        yield mounted
    finally:
        _run("umount", "--lazy", str(mounted))
        image.unlink()


def fill(disk: Path) -> None:
    """Leave next to nothing free."""
    free = os.statvfs(disk)
    with (disk / BALLAST).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - KEPT_FREE)


def make_room(disk: Path) -> None:
    """Undo `fill`."""
    with suppress(FileNotFoundError):
        (disk / BALLAST).unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own lists
