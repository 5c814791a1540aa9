"""A record for each reason for which a record cannot be used (docs/wire-format.md)."""

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from console.chaos.item import FRAME_HEADERS, POISON, Item
from fleet.dead_letter import Reason

JSON_HEADERS = (("content-type", b"application/json"),)
GZIP_HEADERS = (*JSON_HEADERS, ("content-encoding", b"gzip"))

BOMB = gzip.compress(b"{" + b" " * (2 << 20) + b"}")
LONG_AGO_US = 400 * 86_400_000_000


def _said(good: Item, **more: Any) -> bytes:
    message = {
        "asset": good.asset,
        "boot": 9,
        "seq": good.seq,
        "ts": good.first_us,
        "values": {"motor_current": 1.5},
    }
    return json.dumps(message | more).encode()


RECIPES: dict[Reason, Callable[[Item], bytes]] = {
    Reason.TRUNCATED: lambda good: good.value[:-9],
    Reason.BAD_MAGIC_OR_CRC: lambda good: good.value[:-1] + bytes([good.value[-1] ^ 1]),
    Reason.OVERSIZE: lambda good: BOMB,
    Reason.BAD_JSON: lambda good: _said(good)[:-1] + b",",
    Reason.TOO_DEEP: lambda good: b"[" * 1000,
    Reason.BAD_UTF8_OR_NUL: lambda good: _said(good, asset="lift\0"),
    Reason.SCHEMA_INVALID: lambda good: _said(good, values=[1, 2]),
    Reason.UNSUPPORTED_SCHEMA: lambda good: _said(good, schema=9),
    Reason.NAN_OR_INF: lambda good: _said(good).replace(b"1.5", b"NaN"),
    Reason.NUMBER_OUT_OF_RANGE: lambda good: _said(good).replace(b"1.5", b"9" * 5000),
    Reason.TS_OUT_OF_RANGE: lambda good: _said(good, ts=good.first_us - LONG_AGO_US),
    Reason.UNKNOWN_ASSET: lambda good: _said(good, asset="nobody"),
    Reason.TENANT_MISMATCH: lambda good: _said(good, tenant="somebody"),
    Reason.UNKNOWN_SIGNAL_OR_UNIT: lambda good: _said(good, values={"colour": 1.5}),
    Reason.DUP_KEY_IN_OBJECT: lambda good: _said(good)[:-1] + f', "seq": {good.seq}}}'.encode(),
    Reason.NULL_KEY: lambda good: good.value,
}
"""From a good frame of the same machine. A conflict is not here: only the machine knows how to make it."""

BINARY = {Reason.TRUNCATED, Reason.BAD_MAGIC_OR_CRC, Reason.NULL_KEY, Reason.CONFLICT}
KEYS = {Reason.NULL_KEY: None, Reason.UNKNOWN_ASSET: b"nobody"}
REASONS = tuple(Reason)


def poisoned(good: Item, reason: Reason, conflicting: Callable[[Item], bytes]) -> Item:
    """A record that must become a dead letter with that reason, made from a frame that was sent before."""
    value = conflicting(good) if reason is Reason.CONFLICT else RECIPES[reason](good)
    headers = FRAME_HEADERS if reason in BINARY else JSON_HEADERS
    return replace(
        good,
        kind=f"{POISON}{reason}",
        key=KEYS.get(reason, good.key),
        value=value,
        headers=GZIP_HEADERS if reason is Reason.OVERSIZE else headers,
        sha256=hashlib.sha256(value).hexdigest(),
    )
