"""One source package of another Debian release, fetched with an apt state of its own.

The system's apt is only asked for its mirror; its lists, sources and packages stay as they are. apt checks
the release's signature against Debian's keys and every file against the release.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.local.errors import SourceError
from deploy.local.requirements import ARCHIVE_KEYS

_FORMAT = "$(REPO_URI)|$(COMPONENT)|$(CREATED_BY)|$(ORIGIN)|$(LABEL)"
_MAIN_ARCHIVE = re.compile(r"(\S+)\|main\|Packages\|Debian\|Debian")


def fetch_source(package: str, release: str, folder: Path) -> Path:
    """Unpack the newest source of `package` in `release`, with Debian's patches; returns its folder.

    `folder` takes all files, apt's private lists included. Raises `SourceError`.
    """
    for part in ("lists/partial", "cache/archives/partial", "source"):
        (folder / part).mkdir(parents=True)
    sources = folder / "sources.list"
    options = _private_state(folder)
    sources.write_text(f"deb-src [signed-by={ARCHIVE_KEYS}] {_debian_mirror(folder)} {release} main\n")
    own = [*options, "-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=/dev/null"]
    _apt([*own, "update"], folder)
    _apt([*own, "source", package], folder / "source")
    return next(path for path in (folder / "source").iterdir() if path.is_dir())


def _private_state(folder: Path) -> list[str]:
    settings = (
        f"Dir::State::lists={folder / 'lists'}",
        f"Dir::Cache={folder / 'cache'}",
        "APT::Sandbox::User=",  # apt's download user could not write into our folder
        "Acquire::Languages=none",
        "Acquire::AllowInsecureRepositories=false",
        "APT::Get::AllowUnauthenticated=false",
    )
    return [word for setting in settings for word in ("-o", setting)]


def _debian_mirror(folder: Path) -> str:
    """This machine's Debian archive, by its lists or, if it has none, by private lists of its sources."""
    listing = _apt(["indextargets", "--format", _FORMAT], folder)
    if not _MAIN_ARCHIVE.search(listing):
        system = _private_state(folder)
        _apt([*system, "update"], folder)
        listing = _apt([*system, "indextargets", "--format", _FORMAT], folder)
    found = _MAIN_ARCHIVE.search(listing)
    if found is None:
        raise SourceError("apt of this machine knows no Debian archive; TimescaleDB is built on Debian only")
    return found[1]


def _apt(words: Sequence[str], folder: Path) -> str:
    command = ["apt-get", "-q", *words]
    environment = os.environ | {"LC_ALL": "C"}
    result = subprocess.run(  # noqa: S603 - our own argument list
        command,
        check=False,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        raise SourceError(f"apt-get failed: {result.stderr.strip()}")
    return result.stdout
