"""One record of a load, and how its content is told from any other."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.topics import telemetry_topic

VALID, DUPLICATE, LATE = "valid", "duplicate", "late"
POISON = "poison:"

FRAME_HEADERS = (("content-type", b"application/vnd.faultline.frame"),)


@dataclass(frozen=True, slots=True)
class Item:
    """A record to send.

    `kind` is `valid`, `duplicate` (sent before), `late` (after its turn) or `poison:<reason>`. `sha256` is
    that of the content of a frame (:func:`content_sha256`), and of poison that of its bytes.
    """

    tenant: str
    asset: str
    seq: int
    kind: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    sha256: str
    first_us: int

    @property
    def topic(self) -> str:
        """Where it goes."""
        return telemetry_topic(self.tenant)


def content_sha256(ts_us: NDArray[np.int64], values: NDArray[np.float32]) -> str:
    """Of a frame's instants (rows,) and values (rows, channels): what stored rows must hash to."""
    return hashlib.sha256(ts_us.astype("<i8").tobytes() + values.astype("<f4").tobytes()).hexdigest()
