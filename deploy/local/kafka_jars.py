"""Apache Kafka's jars, from Maven Central into the cache."""

import hashlib
import logging
from pathlib import Path
from xml.etree import ElementTree

from deploy.local.cache import default_cache, make_once
from deploy.local.command import run_telling
from deploy.local.errors import KafkaError
from deploy.local.requirements import TO_GET_KAFKA, TO_RUN_KAFKA, require
from storage.server.launcher import Progress

log = logging.getLogger(__name__)

_POM = Path(__file__).with_name("pom.xml")


def kafka_version() -> str:
    """The version that the pom names."""
    space = "{http://maven.apache.org/POM/4.0.0}"
    version = ElementTree.parse(_POM).findtext(f".//{space}dependency/{space}version")  # noqa: S314 - our own file
    return version or "unknown"


def fetch_jars(cache: Path | None = None, *, install: bool = False, progress: Progress = log.info) -> Path:
    """The folder of Kafka's jars, downloaded the first time (44 MB).

    `install` lets root install Java and Maven. Raises `MissingRequirements` or `KafkaError`.
    """
    jars = _folder(cache or default_cache())
    require(TO_RUN_KAFKA if jars.exists() else TO_GET_KAFKA, install_them=install, progress=progress)
    if not jars.exists():
        make_once(jars, lambda half: _download(half, progress))
    return jars


def _folder(cache: Path) -> Path:
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    return cache / f"kafka-{kafka_version()}-{digest}"


def _download(jars: Path, progress: Progress) -> None:
    def tell(line: str) -> None:
        if "Downloading" in line and line.endswith(".jar"):
            progress(f"Kafka {kafka_version()}: {line.rsplit('/', 1)[-1]}")

    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
    code, end = run_telling(["mvn", "-B", "--strict-checksums", "-f", str(_POM), *goal], tell)
    if code != 0:
        raise KafkaError(f"Maven could not download Kafka (is Maven Central reachable?):\n{end}")
