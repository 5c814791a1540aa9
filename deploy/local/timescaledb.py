"""TimescaleDB's Apache edition, compiled from Debian's source package against the wheel's PostgreSQL 16."""

import logging
import os
import platform
import re
import tempfile
from pathlib import Path

from deploy.local.apt_source import fetch_source
from deploy.local.cache import default_cache, make_once
from deploy.local.command import run_telling
from deploy.local.errors import BuildError
from deploy.local.requirements import TO_BUILD_TIMESCALEDB, require
from storage.server.launcher import Installation, Progress

log = logging.getLogger(__name__)

RELEASE = "trixie"  # the Debian release whose TimescaleDB supports PostgreSQL 16
POSTGRES_MAJOR = 16
_CMAKE_SETTINGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DAPACHE_ONLY=1",  # Debian's source has no other part
    "-DREGRESS_CHECKS=OFF",
    "-DTAP_CHECKS=OFF",
    "-DUSE_OPENSSL=0",
    "-DUSE_TELEMETRY=OFF",
    "-DWARNINGS_AS_ERRORS=OFF",
)


def timescaledb_version(installation: Installation) -> str:
    """The version of TimescaleDB in a tree that `build_timescaledb` made."""
    control = installation.root / "share" / "postgresql" / "extension" / "timescaledb.control"
    found = re.search(r"default_version = '([^']+)'", control.read_text())
    return found[1] if found else "unknown"


def built_timescaledb(cache: Path | None = None) -> Installation | None:
    """The tree of an earlier build for the wheel's present PostgreSQL, if the cache has one."""
    plain = Installation.wheel(POSTGRES_MAJOR)
    trees = sorted((cache or default_cache()).glob(f"timescaledb-*-{_key(plain)}"))
    return _with_timescaledb(trees[-1]) if trees else None


def build_timescaledb(
    cache: Path | None = None, *, install: bool = False, progress: Progress = log.info
) -> Installation:
    """PostgreSQL 16 with TimescaleDB, from the cache or built now (about 20 s).

    `install` lets root install the compiler. Raises `MissingRequirements`, `SourceError` or `BuildError`.
    """
    if (built := built_timescaledb(cache)) is not None:
        return built
    require(TO_BUILD_TIMESCALEDB, install_them=install, progress=progress)
    plain = Installation.wheel(POSTGRES_MAJOR)
    with tempfile.TemporaryDirectory(prefix="timescaledb-") as folder:
        progress("TimescaleDB: fetching Debian's source package")
        source = fetch_source("timescaledb", RELEASE, Path(folder) / "apt")
        tree = (cache or default_cache()) / f"{source.name}-{_key(plain)}"
        build = Path(folder) / "build"
        make_once(tree, lambda half: _compile(source, plain.copy_to(half / "site"), build, progress))
    return _with_timescaledb(tree)


def _key(plain: Installation) -> str:
    return f"{plain.label}-{platform.machine()}"


def _with_timescaledb(tree: Path) -> Installation:
    return Installation(tree.name, tree / "site", POSTGRES_MAJOR, preload=("timescaledb",))


def _compile(source: Path, postgres: Installation, build: Path, progress: Progress) -> None:
    def tell(line: str) -> None:
        if done := re.match(r"\[ *(\d*0)%\]", line):
            progress(f"TimescaleDB: compiling, {done[1]} %")

    config = f"-DPG_CONFIG={postgres.bin / 'pg_config'}"
    jobs = str(os.cpu_count() or 1)
    for command in (
        ["cmake", "-S", str(source), "-B", str(build), config, *_CMAKE_SETTINGS],
        ["cmake", "--build", str(build), "--target", "install", "--parallel", jobs],
    ):
        code, end = run_telling(command, tell)
        if code != 0:
            raise BuildError(f"TimescaleDB could not be built:\n{end}")
