"""System programs that a local Kafka and TimescaleDB need, what they are for, and how to get them."""

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.command import run_telling
from deploy.local.errors import MissingRequirements
from storage.server.launcher import Progress

log = logging.getLogger(__name__)

JAVA_MAJOR = 17
ARCHIVE_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Requirement:
    """A program or file of the system: why it is needed and the Debian package that brings it."""

    name: str
    why: str
    package: str
    present: Callable[[], bool]


def _program(name: str, why: str, package: str) -> Requirement:
    return Requirement(name, why, package, lambda: shutil.which(name) is not None)


def _java_is_new_enough() -> bool:
    java = shutil.which("java")
    if java is None:
        return False
    answer = subprocess.run([java, "-version"], check=False, capture_output=True, text=True)  # noqa: S603
    version = re.search(r'version "(\d+)', answer.stderr)
    return version is not None and int(version[1]) >= JAVA_MAJOR


JAVA = Requirement(f"java {JAVA_MAJOR} or later", "runs Kafka", "default-jre-headless", _java_is_new_enough)
MAVEN = _program("mvn", "downloads Kafka's jars", "maven")
TO_RUN_KAFKA = (JAVA,)
TO_GET_KAFKA = (JAVA, MAVEN)
TO_BUILD_TIMESCALEDB = (
    _program("apt-get", "downloads TimescaleDB's source package", "apt"),
    _program("dpkg-source", "unpacks the source package", "dpkg-dev"),
    Requirement("Debian's keys", "verify the source package", "debian-archive-keyring", ARCHIVE_KEYS.is_file),
    _program("cmake", "configures the build of TimescaleDB", "cmake"),
    _program("make", "builds TimescaleDB", "make"),
    _program("gcc", "builds TimescaleDB", "build-essential"),
)
ALL = (*TO_GET_KAFKA, *TO_BUILD_TIMESCALEDB)


def missing(requirements: Iterable[Requirement] = ALL) -> list[Requirement]:
    """Those of the requirements that this machine lacks."""
    return [requirement for requirement in requirements if not requirement.present()]


def command_line(wanted: Iterable[Requirement]) -> str:
    """The line that installs them."""
    packages = " ".join(sorted({requirement.package for requirement in wanted}))
    return f"apt-get update && apt-get install --no-install-recommends -y {packages}"


def require(requirements: Iterable[Requirement], *, install_them: bool, progress: Progress) -> None:
    """Make sure of the requirements, installing what is missing if asked to; raises `MissingRequirements`."""
    lacking = missing(requirements)
    if lacking and install_them:
        install(lacking, progress)
    elif lacking:
        raise MissingRequirements(f"{_sentence(lacking)}; as root: {command_line(lacking)}")


def install(wanted: Sequence[Requirement], progress: Progress = log.info) -> None:
    """Install the packages with apt; raises `MissingRequirements` without root or when apt fails."""
    if os.geteuid() != 0:
        raise MissingRequirements(f"{_sentence(wanted)}; installing needs root: {command_line(wanted)}")
    for words in command_line(wanted).split(" && "):
        code, end = run_telling(["env", "DEBIAN_FRONTEND=noninteractive", *words.split()], progress)
        if code != 0:
            raise MissingRequirements(f"{_sentence(wanted)}; this failed: {words}\n{end}")
    if still := missing(wanted):
        raise MissingRequirements(f"{_sentence(still)} even after: {command_line(still)}")


def _sentence(lacking: Iterable[Requirement]) -> str:
    return "missing " + ", ".join(f"{r.name} ({r.why})" for r in lacking)


def main() -> int:
    """Say what is missing; as root with `--install`, install it. What stays missing, the tests name again."""

    def tell(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    try:
        require(ALL, install_them="--install" in sys.argv[1:] and os.geteuid() == 0, progress=tell)
    except MissingRequirements as error:
        tell(str(error))
        return 1 if os.environ.get("FAULTLINE_REQUIRE_ALL") == "1" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
