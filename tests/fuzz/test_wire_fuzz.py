"""Any bytes at all: a frame or a reason, the same one from every decoder."""

import json
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.wire.binary import encode_binary
from streams.wire.frame import Frame
from streams.wire.text import KEYS, encode_json
from tests.fuzz.wire_properties import check_value
from tests.fuzz.wire_samples import KNOWN_FRAMES, sealed

ODD_NUMBERS = st.sampled_from([0, 1, 2, 3, 7, 84, 255, 2**16 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1])
FIELDS = st.sampled_from([("B", 4), ("B", 5), ("H", 6), ("I", 8), ("I", 12), ("Q", 32), ("Q", 40), ("H", 48)])
TOKENS = rb"""{ } [ ] " , : \ - NaN -Infinity 1e999 \u0000 \ud800 null true "ts" """.split()
ODD_TOKENS = st.sampled_from([*TOKENS, b" ", b"\0", b"\xff", b"\xef\xbb\xbf", b"9" * 5000])

ODD_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["pump-7", "acme"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["rpm", "oil_temp", *sorted(KEYS)]), inner, max_size=4)
    ),
    max_leaves=6,
)


def edited(data: bytes, at: int, cut: int, put: bytes) -> bytes:
    at %= len(data) + 1
    return data[:at] + put + data[at + cut :]


@given(st.binary(max_size=200), st.sampled_from([b"", b"FLT1", b"FLT1\x01\0", b"{", b'{"asset":']))
def test_any_bytes(data: bytes, start: bytes) -> None:
    check_value(start + data, b"pump-7")


@given(KNOWN_FRAMES, st.integers(0, 10**4), st.integers(0, 9), st.binary(max_size=9), st.booleans())
def test_binary_with_bytes_changed_under_a_good_crc(
    sent: Frame, at: int, cut: int, put: bytes, same_size: bool
) -> None:
    data = edited(encode_binary(sent), at, len(put) if same_size else cut, put)
    check_value(sealed(data), sent.asset.encode())


@given(KNOWN_FRAMES, FIELDS, ODD_NUMBERS)
def test_binary_with_a_header_field_changed(sent: Frame, field: tuple[str, int], number: int) -> None:
    data = bytearray(encode_binary(sent))
    kind, at = field
    struct.pack_into(f"<{kind}", data, at, number % 2 ** (8 * struct.calcsize(kind)))
    check_value(sealed(bytes(data)), sent.asset.encode())


@given(KNOWN_FRAMES, st.integers(0, 10**4), st.integers(0, 9), st.binary(max_size=3) | ODD_TOKENS)
def test_json_with_bytes_changed(sent: Frame, at: int, cut: int, put: bytes) -> None:
    check_value(edited(encode_json(sent), at, cut, put), sent.asset.encode())


@given(KNOWN_FRAMES, st.dictionaries(st.sampled_from(sorted(KEYS)), ODD_JSON, max_size=3), st.booleans())
def test_json_with_other_values_in_its_keys(sent: Frame, other: dict[str, Any], only: bool) -> None:
    said = other if only else json.loads(encode_json(sent)) | other
    check_value(json.dumps(said).encode(errors="surrogatepass"), sent.asset.encode())


@given(KNOWN_FRAMES, st.sampled_from([None, b"", b"pump-7", b"pump-9", b"lift-1", b"\xff"]))
def test_a_good_frame_under_any_key(sent: Frame, key: bytes | None) -> None:
    check_value(encode_binary(sent), key)
    check_value(encode_json(sent), key)
