"""Where downloads and builds are kept for the next run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2]


def default_cache() -> Path:
    """`.cache` of a source checkout; of an installed package `faultline` in the user's cache folder."""
    if (_PROJECT / "pyproject.toml").is_file():
        return _PROJECT / ".cache"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "faultline"


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """A new folder that becomes `target` when the block ends well, and vanishes when it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}.half-"))
    try:
        yield half
        half.chmod(0o755)
        half.rename(target)
    finally:
        shutil.rmtree(half, ignore_errors=True)
