"""The JSON encoding: what goes in comes out, and Python's leniency does not."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.clock import from_microseconds
from fleet.dead_letter import Reason
from streams.wire.frame import LATEST_US, Frame, FrameError
from streams.wire.instant import parse_instant
from streams.wire.strict_json import parse
from streams.wire.text import decode_json, encode_json
from tests.fuzz.wire_samples import ANY_FRAMES, T0, meaning


def reading(**other: Any) -> bytes:
    return json.dumps({"asset": "pump-7", "ts": T0, "values": {"rpm": 1}} | other).encode()


def reason_for(data: bytes) -> Reason:
    with pytest.raises(FrameError) as refused:
        decode_json(data)
    return refused.value.reason


@given(ANY_FRAMES)
def test_a_frame_comes_back_as_it_was(sent: Frame) -> None:
    assert meaning(decode_json(encode_json(sent))) == meaning(sent)


@given(st.integers(0, LATEST_US - 1), st.sampled_from(["Z", "+00:00", "-00:00"]))
def test_an_instant_in_text_is_exact(instant: int, zone: str) -> None:
    text = from_microseconds(instant).replace(tzinfo=None).isoformat() + zone
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-25",
        "2026-02-25 06:13:20Z",
        "2026-02-25T06:13Z",
        "2026-02-25T06:13:20",
        "2026-02-25T06:13:20z",
        "2026-02-25T06:13:20,5Z",
        "2026-02-25T06:13:20.Z",
        "2026-02-25T06:13:20.1234567890Z",
        "2026-02-25T24:00:00Z",
        "2026-02-25T06:13:60Z",
        "2026-02-25T06:13:20+0100",
        "2026-02-25T06:13:20+24:00",
        "20260225T061320Z",
        "2026-W09-3T06:13:20Z",
        "٢٠٢٦-02-25T06:13:20Z",
        "0000-02-25T06:13:20Z",
        "now",
        "",
    ],
)
def test_there_is_one_form_of_text_for_an_instant(text: str) -> None:
    assert reason_for(reading(ts=text)) == Reason.SCHEMA_INVALID


def test_nesting_is_counted_before_it_is_followed() -> None:
    assert reason_for(b"[" * 100_000) == Reason.TOO_DEEP
    assert reason_for(b'{"values":' * 100_000) == Reason.TOO_DEEP
    assert reason_for(b"[" * 33 + b"]" * 33) == Reason.TOO_DEEP
    assert reason_for(b"[" * 32 + b"]" * 32) == Reason.SCHEMA_INVALID
    assert reason_for(b'{"a\\"' + b"[" * 40 + b'":1}') == Reason.SCHEMA_INVALID
    assert decode_json(reading(tenant="[{" * 40)).tenant == "[{" * 40


def test_quotation_marks_without_end_take_no_time() -> None:
    assert reason_for(b'["' + b'\\"[' * 300_000) == Reason.BAD_JSON


def test_equal_keys_among_many_take_no_time() -> None:
    many = ",".join(f'"{number}":0' for number in range(50_000))
    assert reason_for(b'{"values":{%s,"49999":0}}' % many.encode()) == Reason.DUP_KEY_IN_OBJECT


@pytest.mark.parametrize("digits", [39, 400, 4300, 5000, 100_000])
def test_an_integer_of_any_length_has_a_reason(digits: int) -> None:
    number = b"9" * digits
    assert reason_for(b'{"asset":"a","ts":0,"values":{"rpm":%s}}' % number) == Reason.NUMBER_OUT_OF_RANGE
    assert (
        reason_for(b'{"asset":"a","ts":0,"seq":%s,"values":{"rpm":1}}' % number) == Reason.NUMBER_OUT_OF_RANGE
    )
    step = b'{"asset":"a","ts":0,"step":%s,"values":{"rpm":[1]}}' % number
    assert reason_for(step) == Reason.NUMBER_OUT_OF_RANGE
    late = Reason.TS_OUT_OF_RANGE if digits <= 4300 else Reason.NUMBER_OUT_OF_RANGE
    assert reason_for(b'{"asset":"a","ts":%s,"values":{"rpm":1}}' % number) == late
    assert reason_for(b'{"asset":"a","ts":%s,"step":1e9,"values":{"rpm":[1,2]}}' % number) == late
    assert reason_for(b'{"schema":%s}' % number) in {Reason.UNSUPPORTED_SCHEMA, Reason.NUMBER_OUT_OF_RANGE}


@pytest.mark.parametrize("step", [1e-6, 0.1, 1 / 3, 86_400, 1e9])
def test_a_step_is_rounded_to_microseconds(step: float) -> None:
    decoded = decode_json(reading(ts=0, step=step, values={"rpm": [1, 2]}))
    assert decoded.ts_us.tolist() == [0, round(step * 1e6)]


@pytest.mark.parametrize("step", [0, -1, 9e-7, -1e300, "1", None, True, [1]])
def test_a_step_is_a_positive_number(step: object) -> None:
    assert reason_for(reading(step=step, values={"rpm": [1, 2]})) == Reason.SCHEMA_INVALID


def test_an_infinite_step_is_found() -> None:
    for step in (b"1e400", b"-1e400"):
        data = b'{"asset":"a","ts":0,"step":%s,"values":{"rpm":[1]}}' % step
        assert reason_for(data) == Reason.NAN_OR_INF


def test_values_are_rounded_to_the_nearest_float32_or_refused() -> None:
    largest = float(np.finfo(np.float32).max)
    assert decode_json(reading(values={"rpm": largest * (1 + 2**-26)})).values[0, 0] == largest
    assert reason_for(reading(values={"rpm": largest * (1 + 2**-24)})) == Reason.NUMBER_OUT_OF_RANGE
    assert decode_json(reading(values={"rpm": 1e-300})).values[0, 0] == 0


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(), st.lists))
def test_what_is_json_is_parsed_like_json(value: object) -> None:
    data = json.dumps(value, ensure_ascii=False).encode(errors="replace")
    if b"\\u0000" not in data:
        assert parse(data) == json.loads(data)


@pytest.mark.parametrize("escape", ["\\u0000", "\\uD800", "\\uDC00", "\\uDFFF\\uD800"])
@pytest.mark.parametrize("place", ['{"%s":1}', '["%s"]', '{"a":{"b":["x%s"]}}'])
def test_an_escape_cannot_smuggle_in_what_the_database_refuses(place: str, escape: str) -> None:
    with pytest.raises(FrameError) as refused:
        parse((place % escape).encode())
    assert refused.value.reason == Reason.BAD_UTF8_OR_NUL
    assert parse((place % escape.replace("\\", "\\\\")).encode())
