"""Instants as gateways write them, with or without a zone, as text or as a number of some unit since 1970."""

import re
from datetime import UTC, datetime, tzinfo

from fleet.clock import microseconds
from streams.wire.frame import FrameError
from streams.wire.instant import parse_instant

SPANS = ((10**8, 41 * 10**8, 10**6), (10**11, 41 * 10**11, 10**3), (10**14, 41 * 10**14, 1))
"""Seconds, milliseconds, microseconds: from 1973 to 2099 no number can be meant in two of them."""

_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?", re.ASCII)
_NUMBER = re.compile(r"\d{9,16}", re.ASCII)


def instant_us(said: object, zone: tzinfo = UTC) -> int | None:
    """Microseconds since 1970 UTC; None if it is no instant. `zone`: of text that names none."""
    if isinstance(said, str):
        said = said.strip()
        if _LOCAL.fullmatch(said):
            return _local(said, zone)
        if _NUMBER.fullmatch(said):
            said = int(said)
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    return _text(said) if isinstance(said, str) else _number(said)


def _text(said: str) -> int | None:
    try:
        return parse_instant(said)
    except FrameError:
        return None


def _number(said: float) -> int | None:
    return next((int(said * us) for first, last, us in SPANS if first <= said < last), None)


def _local(said: str, zone: tzinfo) -> int | None:
    try:
        whole = datetime.fromisoformat(said[:19].replace(" ", "T")).replace(tzinfo=zone)
    except ValueError:
        return None
    return microseconds(whole.astimezone(UTC)) + int(said[20:26].ljust(6, "0"))
