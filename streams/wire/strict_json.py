"""JSON as RFC 8259 and PostgreSQL mean it, from Python's decoder, which takes more.

It would take NaN and Infinity, turn 1e400 into infinity (that one is left for the caller to find), keep the
last of two equal keys, nest up to the recursion limit, and make lone surrogates and NUL, which PostgreSQL
stores in no text.
"""

import json
from typing import Any, NoReturn

import numpy as np

from fleet.dead_letter import Reason
from streams.wire.frame import FrameError, brief
from streams.wire.kernels import deepest
from streams.wire.layout import first_repeated

MAX_DEPTH = 32


def parse(data: bytes) -> Any:
    """The JSON value in UTF-8 bytes; raises `FrameError` with the reason."""
    text = _decode(data)
    _check_depth(data)
    value = _scan(text.strip(" \t\n\r"))
    if "\\u" in text:
        _check_strings(value)
    return value


def _scan(text: str) -> Any:
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise FrameError(Reason.BAD_JSON, f"{error.msg}: character {error.pos}") from None
    except FrameError:
        raise
    except ValueError:  # of int(), for more than sys.get_int_max_str_digits() digits
        raise FrameError(Reason.NUMBER_OUT_OF_RANGE, "an integer has too many digits") from None
    if end < len(text):
        raise FrameError(Reason.BAD_JSON, f"extra data at character {end}")
    return value


def _decode(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FrameError(Reason.BAD_UTF8_OR_NUL, f"not UTF-8 from byte {error.start} on") from None
    if "\0" in text:
        raise FrameError(Reason.BAD_UTF8_OR_NUL, "a NUL character")
    return text


def _check_depth(data: bytes) -> None:
    brackets = data.count(b"[") + data.count(b"{")  # not fewer than levels, and fast
    if brackets > MAX_DEPTH and deepest(np.frombuffer(data, np.uint8)) > MAX_DEPTH:
        raise FrameError(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")


def _check_strings(value: Any) -> None:
    """Find what an escape sequence can smuggle in: NUL and lone surrogates."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key)
            _check_strings(item)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)
    elif isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise FrameError(Reason.BAD_UTF8_OR_NUL, f"{brief(value)} has a NUL or a lone surrogate")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = first_repeated(name for name, _ in pairs)
        raise FrameError(Reason.DUP_KEY_IN_OBJECT, f"key {brief(twice)} is there twice")
    return members


def _constant(name: str) -> NoReturn:
    raise FrameError(Reason.NAN_OR_INF, f"{name} is not a JSON number; send null for a missing value")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
