"""Instants in text: the one form of RFC 3339 that every producer can write."""

import re
from datetime import UTC, datetime, timedelta

from fleet.dead_letter import Reason
from streams.wire.frame import FrameError, brief

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# datetime.fromisoformat takes more than RFC 3339 (week dates, no zone, hour 24), and more with each version
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def parse_instant(said: object) -> int:
    """Microseconds since 1970 UTC of an integer, or of text with a zone; digits beyond are cut.

    Raises `FrameError`.
    """
    if type(said) is int:
        if not -(2**63) <= said < 2**63:
            raise FrameError(Reason.TS_OUT_OF_RANGE, "an instant is beyond 64 bits")
        return said
    if type(said) is not str or not _RFC3339.fullmatch(said):
        raise FrameError(
            Reason.SCHEMA_INVALID,
            f"{brief(said)} is no instant: send integer microseconds or like 2026-03-01T12:34:56.5Z",
        )
    try:
        return (datetime.fromisoformat(said) - _EPOCH) // _MICROSECOND
    except ValueError as error:
        raise FrameError(Reason.SCHEMA_INVALID, f"{brief(said)} is no instant: {error}") from None
