"""Quix Streams in an environment of its own in the cache: a rival is no dependency of the product."""

import hashlib
import sys
from pathlib import Path

from deploy.local.cache import default_cache, make_once
from deploy.local.command import run_telling
from deploy.local.errors import LocalError
from storage.server.launcher import Progress

_REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "bench-quix.txt"


class RivalMissing(LocalError):
    """The rival cannot be installed; the message ends with pip's words."""


def quix_python(progress: Progress) -> Path:
    """The Python of the rival's environment, made the first time (80 MB). Raises `RivalMissing`."""
    if not _REQUIREMENTS.exists():
        raise RivalMissing(f"{_REQUIREMENTS} is missing: run the benchmark from a source checkout")
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = default_cache() / f"bench-quix-{digest}"
    if not folder.exists():
        progress("installing Quix Streams (once)")
        make_once(folder, _install)
    return folder / "bin" / "python"


def _install(folder: Path) -> None:
    """Into a virtual environment that may be renamed, as nothing but its `python` is ever run."""
    base = str(Path(sys.base_prefix) / "bin" / "python3")  # our own environment has no pip
    pip = [base, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    pinned = ["--disable-pip-version-check", "--require-hashes", "-r", str(_REQUIREMENTS)]
    for command in ([base, "-m", "venv", "--without-pip", str(folder)], [*pip, *pinned]):
        code, end = run_telling(command, lambda _: None)
        if code != 0:
            raise RivalMissing(f"Quix Streams could not be installed (is PyPI reachable?):\n{end}")
