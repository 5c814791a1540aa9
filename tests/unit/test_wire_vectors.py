"""The golden vectors: every encoder and decoder, byte for byte."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleet.asset import Asset, Channel, EquipmentType
from fleet.dead_letter import Reason
from fleet.registry import Registry
from streams.wire.binary import decode_binary, encode_binary
from streams.wire.decode import DecodedChunk, decode_chunk
from streams.wire.frame import Frame
from streams.wire.text import decode_json, encode_json
from tests.fuzz import wire_reference
from tests.fuzz.wire_samples import Sent, meaning

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "wire-vectors.json").read_text())
FRAMES = VECTORS["frames"]
WORDS = ("asset", "tenant", "boot", "seq", "ts_us", "channels", "units", "values")

REGISTRY = Registry(
    (VECTORS["tenant"],),
    tuple(
        Asset(number, VECTORS["tenant"], "site", name, kind)
        for number, (name, kind) in enumerate(VECTORS["assets"].items())
    ),
    tuple(
        EquipmentType(name, tuple(Channel(channel, unit) for channel, unit in channels.items()))
        for name, channels in VECTORS["types"].items()
    ),
)


def named(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def said(vector: dict[str, Any]) -> dict[str, Any]:
    return {word: vector[word] for word in WORDS}


def frame_of(vector: dict[str, Any]) -> Frame:
    missing = np.array([[value is None for value in column] for column in vector["values"]])
    return Frame(
        vector["asset"],
        vector["tenant"],
        vector["boot"],
        vector["seq"],
        np.array(vector["ts_us"], np.int64),
        tuple(vector["channels"]),
        tuple(vector["units"]),
        np.array(vector["values"], np.float32),
        missing if missing.any() else None,
    )


def value_of(vector: dict[str, str]) -> bytes:
    return vector["text"].encode() if "text" in vector else bytes.fromhex(vector["hex"])


def send(value: bytes, vector: dict[str, Any], key: str | None, **headers: str) -> Sent:
    head = [(name.replace("_", "-"), text.encode()) for name, text in headers.items()]
    return Sent(value, None if key is None else key.encode(), head, VECTORS["timestamp_ms"])


def decode(*records: Sent) -> DecodedChunk:
    return decode_chunk(records, VECTORS["tenant"], REGISTRY)


@pytest.mark.parametrize("vector", FRAMES, ids=named)
def test_a_frame_is_encoded_to_its_bytes(vector: dict[str, Any]) -> None:
    assert encode_binary(frame_of(vector)).hex() == vector["binary"]
    assert encode_json(frame_of(vector)).decode() == vector["json"]


@pytest.mark.parametrize("vector", FRAMES, ids=named)
def test_its_bytes_say_what_the_frame_says(vector: dict[str, Any]) -> None:
    assert meaning(decode_binary(bytes.fromhex(vector["binary"]))) == said(vector)
    assert meaning(decode_json(vector["json"].encode())) == said(vector)
    assert wire_reference.decode(bytes.fromhex(vector["binary"])) == said(vector)


@pytest.mark.parametrize("vector", FRAMES, ids=named)
def test_a_chunk_takes_every_encoding_as_the_same_frame(vector: dict[str, Any]) -> None:
    binary, text = "application/vnd.faultline.frame", "application/json"
    values = [(bytes.fromhex(vector["binary"]), binary), (vector["json"].encode(), text)]
    values += [(value_of(other), text if "text" in other else binary) for other in vector["also"]]
    decoded = decode(*[send(value, vector, vector["asset"], content_type=kind) for value, kind in values])
    assert not decoded.rejects
    assert len(decoded.frames.record) == len(values)
    assert len(set(decoded.frames.digest.tolist())) == 1
    assert set(decoded.frames.boot_id.tolist()) == {np.uint64(vector["boot"]).astype(np.int64)}


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=named)
def test_what_is_invalid_is_refused_for_its_reason(vector: dict[str, Any]) -> None:
    headers = {name.replace("-", "_"): text for name, text in vector.get("headers", {}).items()}
    decoded = decode(send(value_of(vector), vector, vector.get("key", "pump-7"), **headers))
    assert [(reject.record, reject.reason) for reject in decoded.rejects] == [(0, vector["reason"])]
    assert not decoded.blocks
    assert decoded.rejects[0].detail.isprintable()


def test_there_is_a_vector_for_every_reason_that_decoding_gives() -> None:
    assert {vector["reason"] for vector in VECTORS["invalid"]} == set(Reason) - {Reason.CONFLICT}


def test_different_frames_have_different_digests() -> None:
    records = [send(bytes.fromhex(vector["binary"]), vector, vector["asset"]) for vector in FRAMES]
    assert len(set(decode(*records).frames.digest.tolist())) == len(FRAMES)
