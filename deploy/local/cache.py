"""Where downloads and builds are kept for the next run."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from storage.file_lock import locked

_PROJECT = Path(__file__).resolve().parents[2]


def default_cache() -> Path:
    """`.cache` of a source checkout; of an installed package `faultline` in the user's cache folder."""
    if (_PROJECT / "pyproject.toml").is_file():
        return _PROJECT / ".cache"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "faultline"


def make_once(target: Path, make: Callable[[Path], None]) -> None:
    """Let `make` fill a new folder, which becomes `target` if that ends well and vanishes if it does not.

    Other processes that want it too wait, and make nothing.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_name(f"{target.name}.lock")):
        if target.exists():
            return
        half = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}.half-"))
        try:
            make(half)
            half.chmod(0o755)
            half.rename(target)
        finally:
            shutil.rmtree(half, ignore_errors=True)
