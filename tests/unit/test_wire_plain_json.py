"""The quick reader of plain messages says what the careful one says, or nothing."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.wire.bodies import unpack
from streams.wire.frame import FrameError
from streams.wire.layout import Layout
from streams.wire.limits import Limits
from streams.wire.plain_json import _layout, read_plain
from streams.wire.text import read_json
from tests.fuzz.wire_samples import Sent

HEADERS = (("content-type", b"application/json"),)

NAMES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=8
)
READINGS = st.one_of(
    st.none(),
    st.integers(-(10**17), 10**17),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1000, 1000).map(lambda x: round(x, 3)),
)
INSTANTS = st.one_of(
    st.integers(-5, 5 * 10**15),
    st.datetimes().map(lambda t: t.isoformat() + "Z"),
    st.sampled_from(
        [
            "2026-02-29T00:00:00Z",
            "2024-02-29T23:59:59.123456789Z",
            "1970-01-01T00:00:00.0Z",
            "2026-03-01T24:00:00Z",
        ]
    ),
)
MESSAGES = st.fixed_dictionaries(
    {"asset": NAMES, "ts": INSTANTS, "values": st.dictionaries(NAMES, READINGS, max_size=5)},
    optional={
        "boot": st.integers(0, 2**64),
        "seq": st.integers(0, 2**64),
        "schema": st.integers(0, 2),
        "tenant": NAMES,
        "units": st.dictionaries(NAMES, st.text(max_size=3) | st.none(), max_size=3),
    },
)
SPACES = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])
ODD = st.sampled_from(
    [b"", b"0", b"-", b".", b"e5", b"E+400", b'"', b"{", b"}", b",", b"null", b"\\", b"\xc3\xa9", b"\0", b" "]
)


Said = tuple[Layout, int, int, int, bytes]


def all_plain(records: Sequence[Sent], **limits: Any) -> dict[int, Said]:
    """Layout, boot id, sequence, instant and values of the messages in plain form by their record's index."""
    found = read_plain(records, Limits(**limits))
    said = {}
    for index, layout, seq, boot, ts, first, channels in zip(
        *(column.tolist() for column in found.columns), strict=True
    ):
        values = found.singles[first : first + channels].tobytes()
        said[index] = found.layouts[layout], boot, seq, ts, values
    return said


def sent(value: bytes) -> Sent:
    """With the key that its asset asks for."""
    try:
        asset = json.loads(value)["asset"].encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        asset = b"p"
    return Sent(value, asset, HEADERS)


def plain(value: bytes, **limits: Any) -> Said | None:
    return all_plain([sent(value)], **limits).get(0)


def careful(value: bytes) -> Said | None:
    try:
        packed = read_json(value)
        frame = unpack(packed)
    except FrameError:
        return None
    assert packed.asset.encode() == sent(value).key
    return packed.layout, packed.boot_id, packed.seq, packed.first_us, frame.values.tobytes()


@given(MESSAGES, SPACES, st.randoms())
@example({"asset": "a", "ts": 5, "values": {"x": -0.0, "y": 1e22, "z": 3.5e38}}, (",", ":"), None)
def test_it_says_the_same_as_the_careful_reader(message: dict[str, Any], spaces: Any, shuffle: Any) -> None:
    keys = sorted(message)
    if shuffle is not None:
        shuffle.shuffle(keys)
    value = json.dumps({key: message[key] for key in keys}, separators=spaces).encode()
    found = plain(value)
    assert found is None or found == careful(value)


@given(MESSAGES, st.integers(0, 400), st.integers(0, 5), ODD | st.binary(max_size=3))
def test_damaged_messages_are_left_to_the_careful_reader_or_read_as_it_does(
    message: dict[str, Any], at: int, cut: int, put: bytes
) -> None:
    value = json.dumps(message).encode()
    at %= len(value)
    damaged = value[:at] + put + value[at + cut :]
    found = plain(damaged)
    assert found is None or found == careful(damaged)


PLAIN = [
    b'{"asset":"pump-7","ts":1772000000000000,"values":{"rpm":1780,"oil_temp":71.25}}',
    b' {"ts": "2026-02-25T06:13:20.5Z" ,"values" : {"rpm":-1.5e-3, "oil":null}, "asset":"p", "seq":3}'[1:],
    b'{"asset":"p","tenant":"acme","schema":1,"boot":7,"ts":0,"values":{"a":0,"b":-0,"c":-0.0}}\n',
    '{"units":{"t":"°C", "x":""},"asset":"p","ts":0,"values":{"t":21.5,"x":1}}'.encode(),
]


@pytest.mark.parametrize("value", PLAIN)
def test_what_producers_send_is_plain(value: bytes) -> None:
    found = plain(value)
    assert found is not None
    assert found == careful(value)


@pytest.mark.parametrize(
    "value",
    [
        b'{"asset":"p","asset":"q","ts":0,"values":{"a":1}}',
        b'{"asset":"p","ts":0,"values":{"a":1,"b":2,"a":3}}',
        b'{"asset":"p","ts":0,"values":{"a":[1]}}',
        b'{"asset":"p","ts":0,"values":{"a":1e400}}',
        b'{"asset":"p","ts":0,"values":{"a":NaN}}',
        b'{"asset":"p","ts":0,"values":{}}',
        b'{"asset":"p","ts":0,"values":{"a":1},"units":{"b":"K"}}',
        b'{"asset":"p","ts":0,"values":{"a":1},"units":{"a":"K","a":"K"}}',
        b'{"asset":"p","ts":0,"values":{"a":1},"units":null}',
        b'{"asset":"p\\n","ts":0,"values":{"a":1}}',
        b'{"asset":"p","ts":0,"values":{"a":1}}x',
        b'{"asset":"p","ts":0,"values":{"a":1}',
    ],
)
def test_what_is_not_plain_is_left_to_the_careful_reader(value: bytes) -> None:
    assert plain(value) is None


def test_a_message_of_more_channels_than_any_type_has_is_left_to_the_careful_reader() -> None:
    for count, is_plain in ((64, True), (65, False), (30_000, False)):
        values = {f"c{k}": 1 for k in range(count)}
        assert (plain(json.dumps({"asset": "p", "ts": 0, "values": values}).encode()) is not None) == is_plain


def test_large_layouts_are_not_remembered() -> None:
    before = _layout.cache_info().currsize
    for number in range(5):
        unit = f"{number}" + 70_000 * "x"
        message = {"asset": "p", "ts": 0, "values": {"a": 1}, "units": {"a": unit}}
        assert plain(json.dumps(message).encode()) is None
    assert _layout.cache_info().currsize == before


def test_each_message_of_a_chunk_is_read_by_itself() -> None:
    records = [sent(value) for value in (PLAIN[0], b"{", PLAIN[1], b"", PLAIN[2])]
    records += [Sent(None), Sent(PLAIN[0], headers=(("content-encoding", b"gzip"),)), Sent(PLAIN[0])]
    found = all_plain(records)
    assert sorted(found) == [0, 2, 4, 7]
    assert [found[k] for k in (0, 2, 4, 7)] == [careful(PLAIN[k]) for k in (0, 1, 2, 0)]
    assert plain(PLAIN[0], max_bytes=20) is None
    assert not all_plain([Sent(PLAIN[0], b"pump-8"), Sent(PLAIN[0], None)])
