"""What most frames of a type have in common, read once: tenant, channel names, units."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from fleet.asset import MAX_CHANNELS
from fleet.dead_letter import Reason
from streams.wire.frame import FrameError, brief, check_name

REMEMBERED = 4096
"""Layouts kept. Frames repeat a few; with more than this reading is slower, not wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Tenant (None: not said), channel names and units ("": not said). Compared by identity, for speed."""

    tenant: str | None
    channels: tuple[str, ...]
    units: tuple[str, ...]


def layout_of(tenant: str | None, channels: tuple[str, ...], units: tuple[str, ...]) -> Layout:
    """The one object with this content; units are as many as channels. Raises `FrameError`.

    One with more channels than any type has, which never comes in, is made anew each time: it may be large.
    """
    make = _remembered if len(channels) <= MAX_CHANNELS else _layout
    return make(tenant, channels, units)


def _layout(tenant: str | None, channels: tuple[str, ...], units: tuple[str, ...]) -> Layout:
    for name in (*channels, *filter(None, (tenant, *units))):
        check_name(name)
    if not channels:
        raise FrameError(Reason.SCHEMA_INVALID, "there is no channel")
    if twice := first_repeated(channels):
        raise FrameError(Reason.SCHEMA_INVALID, f"channel {brief(twice)} is there twice")
    return Layout(tenant, channels, units)


_remembered = lru_cache(REMEMBERED)(_layout)


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that was there before."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


@lru_cache(REMEMBERED)
def parse_layout(channels: int, data: bytes) -> Layout:
    """Read the header from the tenant on; what follows the last unit is ignored. Raises `FrameError`."""
    texts, at = [], 0
    for _ in range(1 + 2 * channels):
        text, at = parse_text(data, at)
        texts.append(text)
    return layout_of(texts[0] or None, tuple(texts[1::2]), tuple(texts[2::2]))


def parse_text(data: bytes, at: int) -> tuple[str, int]:
    """The text at `at`, a length byte and UTF-8, and where it ends. Raises `FrameError`."""
    end = at + 1 + data[at] if at < len(data) else at + 1
    if end > len(data):
        raise FrameError(Reason.SCHEMA_INVALID, "the header ends within the layout")
    try:
        return data[at + 1 : end].decode(), end
    except UnicodeDecodeError:
        raise FrameError(Reason.BAD_UTF8_OR_NUL, "a name or unit is not UTF-8") from None


def pack_texts(texts: Iterable[str]) -> bytes:
    """Texts as they are on the wire: a length byte and UTF-8 each."""
    return b"".join(bytes([len(text)]) + text for text in (text.encode() for text in texts))
