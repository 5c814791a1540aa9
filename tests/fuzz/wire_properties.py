"""What must hold for any record at all; shared by the hypothesis tests and the atheris harness."""

from collections.abc import Callable
from typing import Any

from fleet.dead_letter import Reason
from streams.wire.binary import decode_binary
from streams.wire.decode import decode_chunk
from streams.wire.frame import Frame, FrameError
from streams.wire.text import decode_json
from tests.fuzz import wire_reference
from tests.fuzz.wire_samples import REGISTRY, TENANT, Sent, meaning

BINARY = b"application/vnd.faultline.frame"
JSON = b"application/json"

FIRST = {Reason.OVERSIZE, Reason.TRUNCATED, Reason.BAD_MAGIC_OR_CRC, Reason.UNSUPPORTED_SCHEMA}
"""Reasons that are given before all others."""

IN_NUMBERS = {Reason.SCHEMA_INVALID, Reason.NAN_OR_INF}
"""What a chunk finds only after it has looked at whose frame it is."""

OF_ADMISSION = {
    Reason.NULL_KEY,
    Reason.SCHEMA_INVALID,
    Reason.TENANT_MISMATCH,
    Reason.UNKNOWN_ASSET,
    Reason.UNKNOWN_SIGNAL_OR_UNIT,
    Reason.TS_OUT_OF_RANGE,
}


def verdict(decode: Callable[[bytes], Frame], value: bytes) -> Frame | Reason:
    """The frame, or why there is none."""
    try:
        return decode(value)
    except FrameError as refused:
        return refused.reason


def reference_verdict(value: bytes) -> dict[str, Any] | Reason:
    """The same of the decoder that was written from the document."""
    try:
        return wire_reference.decode(value)
    except wire_reference.Unusable as unusable:
        return Reason(str(unusable))


def check_value(value: bytes, key: bytes | None) -> None:
    """Read the value as either encoding: alone, in a chunk and, if binary, by the reference decoder."""
    for content_type, decode in ((BINARY, decode_binary), (JSON, decode_json)):
        record = Sent(value, key, (("content-type", content_type),))
        said = verdict(decode, value)
        if isinstance(said, Frame):
            check_decoded(record, said)
        else:
            check_refused(record, said)
    check_reference(value)
    check_chunk_alone(Sent(value, key))


def check_reference(value: bytes) -> None:
    """The reference decoder takes the same frames; where order matters, it refuses for the same reason."""
    said, expected = verdict(decode_binary, value), reference_verdict(value)
    if isinstance(said, Frame) or isinstance(expected, dict):
        assert isinstance(said, Frame), (said, expected)
        assert repr(meaning(said)) == repr(expected)
    elif FIRST & {said, expected}:
        assert said == expected


def check_refused(record: Sent, reason: Reason) -> None:
    """A chunk refuses what the decoder refuses."""
    (reject,) = check_chunk_alone(record)
    possible = {reason} | (OF_ADMISSION if reason in IN_NUMBERS else set())
    assert reject in possible, (reject, reason)


def check_decoded(record: Sent, said: Frame) -> None:
    """A chunk takes what the decoder takes, if the frame belongs here."""
    expected = admission(record, said)
    assert check_chunk_alone(record) == ([] if expected is None else [expected])


def check_chunk_alone(record: Sent) -> list[Reason]:
    """The reason, if it is refused; its detail can be stored as text by any database."""
    decoded = decode_chunk([record], TENANT, REGISTRY)
    assert len(decoded.frames.record) + len(decoded.rejects) == 1
    assert all(reject.detail.isprintable() and len(reject.detail) < 400 for reject in decoded.rejects)
    return [reject.reason for reject in decoded.rejects]


def admission(record: Sent, said: Frame) -> Reason | None:
    """Why a well-formed frame may not come in, told once more and more slowly."""
    asset = next((a for a in REGISTRY.assets if (a.tenant, a.name) == (TENANT, said.asset)), None)
    if record.key is None:
        return Reason.NULL_KEY
    if record.key != said.asset.encode():
        return Reason.SCHEMA_INVALID
    if said.tenant not in {None, TENANT}:
        return Reason.TENANT_MISMATCH
    if asset is None:
        return Reason.UNKNOWN_ASSET
    known = {c.name: c.unit for c in REGISTRY.equipment_type(asset.equipment_type).channels}
    for channel, unit in zip(said.channels, said.units, strict=True):
        if unit not in {"", known.get(channel)} or channel not in known:
            return Reason.UNKNOWN_SIGNAL_OR_UNIT
    now, day = record.timestamp * 1000, 86_400_000_000
    inside = now - 30 * day <= said.ts_us.min() and said.ts_us.max() <= now + 600_000_000
    return None if inside else Reason.TS_OUT_OF_RANGE
