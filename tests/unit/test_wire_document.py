"""docs/wire-format.md is true: its examples decode as it says, and a decoder written from it agrees."""

import json
import re
from pathlib import Path

import pytest

from fleet.dead_letter import Reason
from streams.wire.binary import decode_binary, encode_binary
from streams.wire.decode import decode_chunk
from streams.wire.text import decode_json
from tests.fuzz import wire_reference
from tests.fuzz.wire_samples import REGISTRY, TENANT, Sent, meaning

DOCUMENT = (Path(__file__).parents[2] / "docs" / "wire-format.md").read_text()
HEX = bytes.fromhex("".join(re.findall(r"^\| `((?:[0-9a-f]{2} ?)+)` \|", DOCUMENT, re.M)))
BLOCKS = re.findall(r"```json\n(.*?)```", DOCUMENT, re.S)
ROWS = re.findall(
    r"^\| `([a-z0-9_]+)` \| [^|]+ \| (?:`(.*)`)? ?\|$", DOCUMENT.split("## What cannot")[1], re.M
)


def test_the_binary_example_is_the_first_json_example() -> None:
    assert meaning(decode_binary(HEX)) == meaning(decode_json(BLOCKS[0].encode()))
    assert encode_binary(decode_json(BLOCKS[0].encode())) == HEX


@pytest.mark.parametrize("block", BLOCKS)
def test_the_platform_takes_the_json_examples(block: str) -> None:
    decoded = decode_chunk([Sent(block.encode())], TENANT, REGISTRY)
    assert not decoded.rejects
    assert len(decoded.frames.record) == 1


def test_the_document_names_every_reason() -> None:
    assert {reason for reason, _ in ROWS} == set(Reason)


@pytest.mark.parametrize(("reason", "example"), [row for row in ROWS if row[1]])
def test_an_example_is_refused_for_its_reason(reason: str, example: str) -> None:
    asset = json.loads(example)["asset"] if reason == "unknown_asset" else "pump-7"
    decoded = decode_chunk([Sent(example.encode(), asset.encode())], TENANT, REGISTRY)
    assert [reject.reason for reject in decoded.rejects] == [reason]


def test_a_decoder_written_from_the_document_reads_the_example() -> None:
    assert wire_reference.decode(HEX) == meaning(decode_binary(HEX))
