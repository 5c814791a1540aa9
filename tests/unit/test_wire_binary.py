"""The binary encoding: what goes in comes out, and nothing else gets in."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from fleet.dead_letter import Reason
from streams.wire.binary import decode_binary, encode_binary
from streams.wire.frame import Frame, FrameError
from tests.fuzz import wire_reference
from tests.fuzz.wire_samples import ANY_FRAMES, T0, frame, meaning, sealed


@given(ANY_FRAMES)
def test_a_frame_comes_back_as_it_was(sent: Frame) -> None:
    data = encode_binary(sent)
    assert meaning(decode_binary(data)) == meaning(sent)
    assert wire_reference.decode(data) == meaning(sent)
    assert encode_binary(decode_binary(data)) == data


def test_missing_values_are_nan_and_the_mask_is_kept() -> None:
    missing = np.array([[False, True, False], [True, True, True]])
    decoded = decode_binary(encode_binary(frame(missing=missing)))
    assert decoded.missing is not None
    assert (decoded.missing == missing).all()
    assert (np.isnan(decoded.values) == missing).all()


def test_a_masked_value_may_be_anything_and_is_not_sent() -> None:
    values = np.full((2, 3), np.nan, np.float32)
    data = encode_binary(frame(values=values, missing=np.isnan(values)))
    assert data[-4 - 2 - 24 : -4 - 2] == bytes(24)


def test_a_reader_skips_header_fields_that_it_does_not_know() -> None:
    data = encode_binary(frame())
    (header,) = struct.unpack_from("<H", data, 6)
    (total,) = struct.unpack_from("<I", data, 8)
    grown = bytearray(data[:header] + b"later" * 8 + data[header:])
    struct.pack_into("<HI", grown, 6, header + 40, total + 40)
    assert meaning(decode_binary(sealed(bytes(grown)))) == meaning(frame())


@given(ANY_FRAMES)
def test_every_shorter_record_is_truncated(sent: Frame) -> None:
    data = encode_binary(sent)
    for size in range(0, len(data), 7):
        with pytest.raises(FrameError) as refused:
            decode_binary(data[:size])
        assert refused.value.reason == Reason.TRUNCATED


def test_every_flipped_bit_is_found() -> None:
    data = encode_binary(frame())
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError) as refused:
            decode_binary(bytes(flipped))
        assert refused.value.reason in {Reason.TRUNCATED, Reason.BAD_MAGIC_OR_CRC}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"ts_us": np.array([T0, T0, T0 + 1])}, Reason.SCHEMA_INVALID),
        ({"ts_us": np.array([-1, 0, 1])}, Reason.TS_OUT_OF_RANGE),
        ({"ts_us": np.array([], np.int64), "values": np.zeros((2, 0), np.float32)}, Reason.SCHEMA_INVALID),
        ({"values": np.zeros((2, 4), np.float32)}, Reason.SCHEMA_INVALID),
        ({"values": np.full((2, 3), np.inf, np.float32)}, Reason.NAN_OR_INF),
        ({"missing": np.zeros((3, 2), np.bool_)}, Reason.SCHEMA_INVALID),
        ({"channels": ("rpm", "rpm")}, Reason.SCHEMA_INVALID),
        ({"units": ("1/min",)}, Reason.SCHEMA_INVALID),
        ({"asset": ""}, Reason.SCHEMA_INVALID),
        ({"asset": "ü" * 128}, Reason.SCHEMA_INVALID),
        ({"units": ("\0", "")}, Reason.BAD_UTF8_OR_NUL),
        ({"channels": ("\ud800", "rpm")}, Reason.BAD_UTF8_OR_NUL),
        ({"seq": 2**64}, Reason.NUMBER_OUT_OF_RANGE),
        ({"boot_id": -1}, Reason.NUMBER_OUT_OF_RANGE),
    ],
)
def test_a_frame_that_breaks_the_format_is_not_encoded(other: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(FrameError) as refused:
        encode_binary(frame(**other))
    assert refused.value.reason == reason


def test_a_header_has_room_for_64_kib_of_names() -> None:
    names = tuple(f"{number:0255}" for number in range(300))
    wide = frame(1, channels=names, units=("",) * 300, values=np.zeros((300, 1), np.float32))
    with pytest.raises(FrameError, match="send fewer channels"):
        encode_binary(wide)
