"""A chunk: every record ends in one place, and how records are cut makes no difference."""

import gzip
import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.asset import Channel
from fleet.dead_letter import Reason
from fleet.registry import Registry
from streams.wire.binary import encode_binary
from streams.wire.decode import DecodedChunk, decode_chunk
from streams.wire.frame import Frame
from streams.wire.limits import Limits
from streams.wire.text import encode_json
from tests.fuzz.wire_samples import KNOWN_FRAMES, LIFT, PUMP, REGISTRY, T0, TENANT, Sent, frame, sealed

NO_RECORD = Sent(None)
BAD = st.sampled_from(
    [
        Sent(b""),
        Sent(b"hello"),
        Sent(b'{"asset":"pump-7"'),
        Sent(encode_binary(frame()), key=None),
        Sent(encode_binary(frame()), key=b"pump-9"),
        Sent(encode_binary(frame(asset="pump-8")), key=b"pump-8"),
        Sent(sealed(encode_binary(frame())[:-8] + b"\0\0\xc0\x7f" + bytes(4))),
        NO_RECORD,
        Sent(None, key=None),
    ]
)


def send(frame: Frame, encode: Any = encode_binary, **other: Any) -> Sent:
    return Sent(encode(frame), frame.asset.encode(), **other)


def decode(records: Sequence[Sent], registry: Registry = REGISTRY, **limits: Any) -> DecodedChunk:
    return decode_chunk(records, TENANT, registry, Limits(**limits))


def reasons(decoded: DecodedChunk) -> list[Reason]:
    return [reject.reason for reject in decoded.rejects]


GOOD = st.builds(send, KNOWN_FRAMES, st.sampled_from([encode_binary, encode_json]))
RECORDS = st.lists(GOOD | BAD, max_size=8)


def rows_of(decoded: DecodedChunk, first: int) -> list[Any]:
    """Everything about each record as plain data, with record numbers counted from `first`."""
    frames = decoded.frames
    said: list[Any] = []
    for i in range(len(frames.record)):
        block = decoded.blocks[frames.block[i]]
        rows = slice(frames.first_row[i], frames.first_row[i] + frames.rows[i])
        said.append(
            (
                first + int(frames.record[i]),
                block.equipment_type,
                [int(column[i]) for column in (frames.asset_id, frames.boot_id, frames.seq, frames.digest)],
                block.ts_us[rows].tolist(),
                block.values[rows].tobytes(),
            )
        )
    said += [(first + reject.record, *reject[1:]) for reject in decoded.rejects]
    return sorted(said + [(first + record,) for record in decoded.tombstones])


def test_more_cells_than_a_chunk_may_have_are_left_for_the_next_one() -> None:
    records = [send(frame(seq=seq)) for seq in range(5)]
    cells = len(frame().ts_us) * len(PUMP.channels)
    whole, at, found = decode(records), 0, list[Any]()
    while at < len(records):
        part = decode(records[at:], chunk_cells=2 * cells)
        assert part.records == min(2, len(records) - at)
        found += rows_of(part, at)
        at += part.records
    assert sorted(found) == rows_of(whole, 0)
    assert decode(records, chunk_cells=1).records == 1  # one is always taken


def message(**said: Any) -> bytes:
    body = {"asset": "pump-7", "ts": T0, "values": {"rpm": 1780.5, "oil_temp": None}} | said
    return json.dumps(body).encode()


MESSAGES = [
    Sent(message()),
    Sent(message(), key=None),
    Sent(message(), key=b"pump-9"),
    Sent(message(asset="pump-9", seq=3, boot=4, tenant=TENANT), key=b"pump-9"),
    Sent(message(asset="lift-1", values={"load": 320}), key=b"lift-1"),
    Sent(message(tenant="other")),
    Sent(message(asset="pump-8"), key=b"pump-8"),
    Sent(message(asset="nobody"), key=b"nobody"),
    Sent(message(values={"speed": 1})),
    Sent(message(units={"rpm": "1/min", "oil_temp": "°C"})),
    Sent(message(units={"rpm": "Hz"})),
    Sent(message(units={"load": "%"})),
    Sent(message(units={"rpm": 1})),
    Sent(message(units=None)),
    Sent(message(values={"rpm": [1, 2]}, step=1)),
    Sent(message(ts=T0 + 86_400_000_000)),
    Sent(message(ts=T0 + 86_400_000_000), headers=(("replay", b"1"),)),
    Sent(message(), timestamp=2**62),
    Sent(message(), timestamp=-(2**62)),
    Sent(message()[:-1]),
    Sent(None),
]
CONTENT = ("content-type", b"application/json")


@given(st.lists(st.sampled_from(MESSAGES), max_size=12))
def test_messages_in_plain_form_become_what_the_careful_reader_makes_of_them(sent: list[Sent]) -> None:
    plain = [replace(each, headers=(CONTENT, *each.headers)) for each in sent]
    careful = [
        replace(each, value=each.value + b" ", headers=(*each.headers, CONTENT, CONTENT))
        if each.value
        else each
        for each in sent
    ]
    assert rows_of(decode(plain), 0) == rows_of(decode(careful), 0)


def test_messages_in_plain_form_count_towards_the_cells_of_a_chunk() -> None:
    records = [Sent(message(seq=seq)) for seq in range(5)]
    assert decode(records, chunk_cells=2 * len(PUMP.channels)).records == 2
    records[1] = send(frame(seq=1), encode_binary)
    records[2] = Sent(b"hello")
    cut = decode(records, chunk_cells=len(frame().ts_us) * len(PUMP.channels))
    assert (cut.records, len(cut.frames.record), cut.rejects) == (1, 1, [])
    cut = decode(records, chunk_cells=(len(frame().ts_us) + 2) * len(PUMP.channels))
    assert (cut.records, cut.frames.record.tolist()) == (4, [0, 1, 3])
    assert reasons(cut) == [Reason.BAD_MAGIC_OR_CRC]


@given(RECORDS)
def test_every_record_ends_in_exactly_one_place(records: list[Sent]) -> None:
    decoded = decode(records)
    rejected = [reject.record for reject in decoded.rejects]
    assert sorted([*decoded.frames.record, *rejected, *decoded.tombstones]) == list(range(len(records)))
    assert decoded.frames.record.tolist() == sorted(decoded.frames.record)
    assert rejected == sorted(rejected)
    assert decoded.tombstones == [at for at, record in enumerate(records) if record.value is None]


@given(RECORDS, st.sampled_from([1, 2, 7]))
def test_the_cut_into_chunks_makes_no_difference(records: list[Sent], size: int) -> None:
    pieces = [(at, decode(records[at : at + size])) for at in range(0, len(records), size)]
    assert [row for at, piece in pieces for row in rows_of(piece, at)] == rows_of(decode(records), 0)


@given(st.lists(KNOWN_FRAMES, max_size=6))
def test_blocks_hold_what_the_frames_said(frames: list[Frame]) -> None:
    decoded = decode([send(frame) for frame in frames])
    assert len(decoded.frames.record) == len(frames)
    assert sum(len(block.ts_us) for block in decoded.blocks) == sum(len(frame.ts_us) for frame in frames)
    for at, sent in enumerate(frames):
        block = decoded.blocks[decoded.frames.block[at]]
        kind = REGISTRY.equipment_type(block.equipment_type)
        mine = block.frame == at
        assert np.flatnonzero(mine)[0] == decoded.frames.first_row[at]
        assert block.ts_us[mine].tolist() == sent.ts_us.tolist()
        expected = np.full((len(sent.ts_us), len(kind.channels)), np.nan, np.float32)
        gone = np.zeros_like(sent.values, np.bool_) if sent.missing is None else sent.missing
        for channel, values in zip(sent.channels, np.where(gone, np.nan, sent.values), strict=True):
            expected[:, kind.column(channel)] = values
        assert np.array_equal(block.values[mine], expected, equal_nan=True)
        asset = REGISTRY.by_key(TENANT)[sent.asset.encode()]
        assert set(block.asset_id[mine]) == {asset.asset_id} == {decoded.frames.asset_id[at]}
        assert decoded.frames.seq[at].astype(np.uint64) == sent.seq
        assert decoded.frames.boot_id[at].astype(np.uint64) == sent.boot_id


def test_types_come_in_the_order_of_their_names_each_once() -> None:
    lift = frame(asset="lift-1", channels=("speed", "load"), units=("m/s", "kg"))
    decoded = decode([send(frame()), send(lift), send(frame())])
    assert [block.equipment_type for block in decoded.blocks] == ["lift", "pump"]
    assert decoded.frames.block.tolist() == [1, 0, 1]
    assert decoded.frames.first_row.tolist() == [0, 0, 3]
    assert decoded.blocks[1].frame.tolist() == [0, 0, 0, 2, 2, 2]


def digests(*frames: Frame, encode: Any = encode_binary, registry: Registry = REGISTRY) -> list[int]:
    decoded = decode([send(frame, encode) for frame in frames], registry)
    assert not decoded.rejects
    return [int(digest) for digest in decoded.frames.digest]


@given(KNOWN_FRAMES, st.randoms())
def test_the_digest_is_of_what_a_frame_says(sent: Frame, random: Any) -> None:
    order = random.sample(range(len(sent.channels)), len(sent.channels))
    other = replace(
        sent,
        tenant=None,
        channels=tuple(sent.channels[at] for at in order),
        units=("",) * len(order),
        values=sent.values[order],
        missing=None if sent.missing is None else sent.missing[order],
    )
    assert len({*digests(sent, other), *digests(sent, other, encode=encode_json)}) == 1


@given(KNOWN_FRAMES, st.data())
def test_another_value_instant_or_gap_is_another_digest(sent: Frame, data: st.DataObject) -> None:
    present = (
        np.argwhere(~sent.missing) if sent.missing is not None else np.argwhere(sent.values == sent.values)
    )
    later = replace(sent, ts_us=sent.ts_us + 1)
    others = [later]
    if len(present):
        place = tuple(data.draw(st.sampled_from(present.tolist())))
        values, missing = sent.values.copy(), np.zeros(sent.values.shape, np.bool_)
        values[place] = 1 if values[place] == 0 else -values[place]
        missing[place] = True
        others.append(replace(sent, values=values))
        others.append(replace(sent, missing=missing if sent.missing is None else missing | sent.missing))
    assert len(set(digests(sent, *others))) == len(others) + 1


def test_a_channel_without_values_and_the_sign_of_zero_say_nothing() -> None:
    plain = frame(channels=("rpm",), units=("",), values=np.zeros((1, 3), np.float32))
    missing = np.array([[False] * 3, [True] * 3])
    wider = frame(values=-np.zeros((2, 3), np.float32), missing=missing)
    assert len(set(digests(plain, wider))) == 1


@given(KNOWN_FRAMES)
def test_new_columns_of_the_catalogue_change_no_digest(sent: Frame) -> None:
    grown = [replace(kind, channels=(*kind.channels, Channel("new", "V"))) for kind in (PUMP, LIFT)]
    later = Registry(REGISTRY.tenants, REGISTRY.assets, tuple(grown))
    assert digests(sent) == digests(sent, registry=later)


def test_the_digest_is_the_one_that_the_ledger_already_holds() -> None:
    values = np.array([[7, 8], [0, 0], [1, 2]], np.float32)
    missing = np.array([[False, False], [True, True], [False, True]])
    sent = frame(2, channels=("load", "oil_temp", "rpm"), units=("",) * 3, values=values, missing=missing)
    rows = struct.pack("<3q", 2, T0, T0 + 1_000_000)
    rpm, load = struct.pack("<ifI", 0, 1, 0x7FC00000), struct.pack("<iff", 2, 7, 8)
    assert digests(sent) == [int.from_bytes(sha256(rows + rpm + load).digest()[:8], "little", signed=True)]


def test_a_chunk_of_nothing_is_empty() -> None:
    for records in ([], [NO_RECORD], [Sent(b"")]):
        decoded = decode(records)
        assert not len(decoded.frames.record)
        assert decoded.blocks == ()


def test_unknown_assets_are_named_for_a_second_try() -> None:
    strangers = [send(frame(asset=name)) for name in ("pump-8", "pump-1", "pump-8")]
    decoded = decode([send(frame()), *strangers])
    assert decoded.unknown_assets == {"pump-8", "pump-1"}
    assert reasons(decoded) == [Reason.UNKNOWN_ASSET] * 3


@pytest.mark.parametrize(
    ("shift_us", "accepted"),
    [
        (-30 * 86_400_000_000, True),
        (-30 * 86_400_000_000 - 1, False),
        (600_000_000 - 2_000_000, True),
        (600_000_000 - 2_000_000 + 1, False),
    ],
)
def test_the_window_is_about_the_brokers_timestamp(shift_us: int, accepted: bool) -> None:
    sent = frame(ts_us=T0 + shift_us + 1_000_000 * np.arange(3))
    assert reasons(decode([send(sent)])) == ([] if accepted else [Reason.TS_OUT_OF_RANGE])
    assert reasons(decode([send(sent, headers=[("replay", b"1")])])) == []
    assert reasons(decode([send(sent)], past=timedelta.max, future=timedelta.max)) == []
    moved = send(sent, timestamp=(T0 + shift_us) // 1000)
    assert reasons(decode([moved])) == []
    wide = decode([send(sent)], past=timedelta(days=31), future=timedelta(hours=1))
    assert reasons(wide) == []


def test_a_record_may_be_compressed() -> None:
    packed = Sent(gzip.compress(encode_json(frame())), headers=[("content-encoding", b"gzip")])
    assert reasons(decode([packed])) == []
    assert decode([packed]).frames.digest.tolist() == digests(frame())


def test_the_content_type_decides_if_there_is_one() -> None:
    spaced = b" " + encode_json(frame())
    assert reasons(decode([Sent(spaced)])) == [Reason.BAD_MAGIC_OR_CRC]
    assert (
        reasons(decode([Sent(spaced, headers=[("content-type", b"Application/JSON; charset=utf-8")])])) == []
    )
    assert reasons(
        decode([Sent(encode_binary(frame()), headers=[("content-type", b"application/json")])])
    ) == [Reason.BAD_UTF8_OR_NUL]


def test_the_size_is_checked_before_anything_else() -> None:
    data = encode_binary(frame())
    assert reasons(decode([Sent(data)], max_bytes=len(data))) == []
    assert reasons(decode([Sent(data)], max_bytes=len(data) - 1)) == [Reason.OVERSIZE]
    assert reasons(decode([Sent(b"x" * 100)], max_bytes=99)) == [Reason.OVERSIZE]
    assert reasons(decode([Sent(data)], max_rows=2)) == [Reason.OVERSIZE]
    text = json.dumps({"asset": "pump-7", "pad": "x" * 2000}).encode()
    packed = Sent(gzip.compress(text), headers=[("content-encoding", b"gzip")])
    assert reasons(decode([packed], max_bytes=2000)) == [Reason.OVERSIZE]
    assert reasons(decode([packed], max_bytes=3000)) == [Reason.SCHEMA_INVALID]
