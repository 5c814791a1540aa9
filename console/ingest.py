"""Telemetry over HTTP: judged exactly as if it had come over Kafka, answered when it is durable."""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from faust.types import TP

from console.api_parts import ApiParts
from fleet.clock import microseconds
from streams.topics import telemetry_topic
from streams.wire.binary import decode_binary
from streams.wire.decode import DecodedChunk, decode_chunk
from streams.wire.frame import FrameError
from streams.wire.text import decode_json

MAX_BODY = 8 << 20
MAX_MESSAGES = 10_000
DURABLE_WITHIN_S = 60.0
BINARY = "application/vnd.faultline.frame"


@dataclass(frozen=True, slots=True)
class Posted:
    """A message on its way to becoming a record."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


async def ingest(parts: ApiParts, tenant: str, request: Request) -> JSONResponse:
    """Take in one message or an array of them.

    200: all are durable; 207: those that are not rejected are; 422: none was usable. Raises `HTTPException`
    for what is no request at all, and whatever the log or the database says while it is away.
    """
    body = await read_body(request)
    now_ms = microseconds(parts.clock.now()) // 1000
    accepted, rejected = await take_in(
        parts, tenant, _messages(body, request.headers.get("content-type", ""), now_ms)
    )
    status = 200 if not rejected else 207 if accepted else 422
    return JSONResponse({"accepted": accepted, "rejected": rejected}, status)


async def read_body(request: Request) -> bytes:
    """The request's body; raises `HTTPException` 413 if it is too large."""
    chunks = bytearray()
    async for part in request.stream():
        chunks += part
        if len(chunks) > MAX_BODY:
            raise HTTPException(413, f"a request carries at most {MAX_BODY >> 20} MiB: send smaller batches")
    return bytes(chunks)


def _messages(body: bytes, content_type: str, now_ms: int) -> list[Posted]:
    """The request's messages as raw bytes, so that each is judged exactly as if it had come over Kafka."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BINARY:
        return [posted_at(0, now_ms, body, BINARY)]
    if kind not in {"application/json", ""}:
        raise HTTPException(415, f"send application/json or {BINARY}, not {kind}")
    raws = _elements(body) if body.lstrip()[:1] == b"[" else [body]
    if len(raws) > MAX_MESSAGES:
        raise HTTPException(413, f"an array carries at most {MAX_MESSAGES} messages")
    return [posted_at(i, now_ms, raw, "application/json") for i, raw in enumerate(raws)]


def _elements(body: bytes) -> list[bytes]:
    """The raw text of each element of a JSON array; raises `HTTPException` 400 for anything else."""
    try:
        text, decoder = body.decode(), json.JSONDecoder()
        at = _skip(text, text.index("[") + 1)
        elements: list[bytes] = []
        while elements or not text.startswith("]", at):
            _, end = decoder.raw_decode(text, at)
            elements.append(text[at:end].encode())
            at = _skip(text, end)
            if not text.startswith(",", at):
                break
            at = _skip(text, at + 1)
        _check_end(text, at)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"not a JSON array: {error}") from error
    return elements


def _check_end(text: str, at: int) -> None:
    if not text.startswith("]", at):
        raise ValueError(f"expected , or ] at character {at}")
    if _skip(text, at + 1) < len(text):
        raise ValueError(f"nothing may follow the ] at character {at}")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def posted_at(index: int, now_ms: int, raw: bytes, content_type: str) -> Posted:
    """A message as it came at that moment, in milliseconds since 1970."""
    return Posted(index, now_ms, _key(raw, content_type), raw, (("content-type", content_type.encode()),))


def _key(raw: bytes, content_type: str) -> bytes:
    """The asset's name; empty for what cannot be read, which the chunk decoder will then reject."""
    try:
        frame = decode_binary(raw) if content_type == BINARY else decode_json(raw)
    except FrameError:
        return b""
    return frame.asset.encode()


async def take_in(parts: ApiParts, tenant: str, posted: list[Posted]) -> tuple[int, list[dict[str, Any]]]:
    """Judge the messages and send the good ones; how many are durable then, and the others with reasons."""
    rejected: list[dict[str, Any]] = []
    landing: list[Awaitable[None]] = []
    async with asyncio.timeout(DURABLE_WITHIN_S):
        while posted:
            decoded = await _decode(parts, tenant, posted)
            landing += [
                await _send(parts, tenant, posted[record]) for record in decoded.frames.record.tolist()
            ]
            rejected += [
                {"index": posted[each.record].offset, "reason": str(each.reason), "detail": each.detail}
                for each in decoded.rejects
            ]
            posted = posted[decoded.records :]
        await asyncio.gather(*landing)
    return len(landing), rejected


async def _decode(parts: ApiParts, tenant: str, posted: list[Posted]) -> DecodedChunk:
    decoded = decode_chunk(posted, tenant, parts.registry.current, parts.limits)
    if decoded.unknown_assets and await parts.registry.refresh():
        decoded = decode_chunk(posted, tenant, parts.registry.current, parts.limits)
    return decoded


async def _send(parts: ApiParts, tenant: str, message: Posted) -> Awaitable[None]:
    topic = telemetry_topic(tenant)
    place = await parts.publisher.send(topic, message.key, message.value, message.headers)

    async def durable() -> None:
        partition, offset = await place
        await parts.durable(TP(topic, partition), offset)

    return durable()
