"""A frame: one asset, a block of instants, its channels. What the wire carries, whatever the encoding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet.dead_letter import Reason

EARLIEST_US = 0
"""1970-01-01 UTC."""
LATEST_US = 4_102_444_800_000_000
"""2100-01-01 UTC; instants lie before it. PostgreSQL would take the year 55840 of a wrong unit."""


class FrameError(ValueError):
    """Bytes or a frame that break the wire format; `reason` is the dead letter's, `detail` is for people."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, eq=False)
class Frame:
    """One record's content.

    tenant: None if it does not say. boot_id, seq: unsigned 64 bits. ts_us: (rows,) instants in microseconds
    since 1970 UTC, strictly increasing. units: as many as channels, "" where it does not say. values:
    (channels, rows) in those units. missing: (channels, rows), True where there is no value, None if there
    is one everywhere; a decoded frame has NaN in those places.
    """

    asset: str
    tenant: str | None
    boot_id: int
    seq: int
    ts_us: NDArray[np.int64]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    values: NDArray[np.float32]
    missing: NDArray[np.bool_] | None


def check(frame: Frame) -> None:
    """Raise `FrameError` if the frame is not one that can be sent."""
    _check_shape(frame)
    _check_instants(frame.ts_us)
    for name in (frame.asset, *frame.channels, *filter(None, (frame.tenant, *frame.units))):
        check_name(name)
    for name, number in (("boot id", frame.boot_id), ("sequence", frame.seq)):
        if not 0 <= number < 2**64:
            raise FrameError(
                Reason.NUMBER_OUT_OF_RANGE, f"the {name} {number} is not an unsigned 64-bit number"
            )
    finite = np.isfinite(frame.values)
    if not (finite if frame.missing is None else finite | frame.missing).all():
        raise FrameError(Reason.NAN_OR_INF, "a value is NaN or infinite; mark it as missing instead")


def _check_shape(frame: Frame) -> None:
    channels, rows = len(frame.channels), len(frame.ts_us)
    if not channels or not rows:
        raise FrameError(Reason.SCHEMA_INVALID, "a frame has at least one channel and one instant")
    if len(set(frame.channels)) < channels or len(frame.units) != channels:
        raise FrameError(Reason.SCHEMA_INVALID, "name each channel once and give it one unit, '' for none")
    for array in (frame.values, frame.missing):
        if array is not None and array.shape != (channels, rows):
            raise FrameError(
                Reason.SCHEMA_INVALID, f"{channels} channels, {rows} instants: {array.shape} does not fit"
            )


def _check_instants(ts_us: NDArray[np.int64]) -> None:
    if (np.diff(ts_us) <= 0).any():
        raise FrameError(Reason.SCHEMA_INVALID, "instants must be strictly increasing")
    check_span(int(ts_us[0]), int(ts_us[-1]))


def check_span(first_us: int, last_us: int) -> None:
    """Raise `FrameError` unless the instants can be a machine's."""
    if not EARLIEST_US <= first_us <= last_us < LATEST_US:
        raise FrameError(
            Reason.TS_OUT_OF_RANGE,
            f"instants {first_us} to {last_us} are not microseconds of the years 1970 to 2099",
        )


def check_name(name: str) -> None:
    """Raise `FrameError` unless the name is 1 to 255 bytes of UTF-8 without NUL."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise FrameError(Reason.BAD_UTF8_OR_NUL, f"{brief(name)} has a lone surrogate") from None
    if "\0" in name:
        raise FrameError(Reason.BAD_UTF8_OR_NUL, f"{brief(name)} has a NUL character")
    if not 1 <= size <= 255:
        raise FrameError(Reason.SCHEMA_INVALID, f"the name {brief(name)} is not 1 to 255 bytes long")


def brief(text: object) -> str:
    """A value for a message: cut, and escaped so that any database stores it."""
    return ascii(text)[:80]
