"""JSON messages, and what in them is a value."""

from collections.abc import Iterator
from typing import Any

from streams.replay.toml_reader import MapError
from streams.wire.frame import FrameError
from streams.wire.strict_json import parse

MOST_COMMAS = 400_000
"""What is between two of them takes some hundred bytes once it is read."""


def parse_json(data: bytes) -> Any:
    """The JSON value in UTF-8 bytes; raises `MapError`."""
    if data.count(b",") > MOST_COMMAS:
        raise MapError(f"the JSON has more than {MOST_COMMAS} values: send less at a time")
    try:
        return parse(data)
    except FrameError as error:
        raise MapError(f"not a JSON message: {error.detail}") from None


def objects(data: bytes) -> Iterator[dict[str, Any]]:
    """The JSON object, or the objects of an array; raises `MapError` for anything else."""
    document = parse_json(data)
    for number, each in enumerate(document if isinstance(document, list) else [document]):
        if not isinstance(each, dict):
            raise MapError(f"message {number} is no JSON object: send an object or an array of objects")
        yield each


def plain(value: object) -> tuple[float | str | None, str]:
    """A JSON value as a signal's, and what is wrong with it."""
    if value is None or isinstance(value, str):
        return value, ""
    if isinstance(value, bool | int | float):
        try:
            return float(value), ""
        except OverflowError:
            return None, "beyond any number"
    return None, "no number or text"


def known(name: object) -> str | None:
    """A name that is a text or a whole number, as text."""
    if isinstance(name, str) and name.strip():
        return name.strip()
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else None
