"""The proxy does to a connection what it is told to, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from console.chaos.proxy import HOST, Proxy


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """In front of a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as made:
        yield made


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said(proxy: Proxy, text: bytes) -> bytes:
    """What comes back for a text on a new connection, up to its end."""
    async with connected(proxy) as (reader, writer):
        writer.write(text)
        writer.write_eof()
        return await reader.read()


async def test_it_passes_everything_on_and_ends_as_its_ends_do(proxy: Proxy) -> None:
    text = bytes(range(256)) * 4000
    assert await said(proxy, text) == text


async def test_what_is_stalled_goes_on_when_it_is_healed(proxy: Proxy) -> None:
    proxy.stalled = True
    waiting = asyncio.create_task(said(proxy, b"hello"))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    proxy.heal()
    assert await waiting == b"hello"


async def test_one_way_loses_the_answers(proxy: Proxy) -> None:
    proxy.one_way = True
    assert await said(proxy, b"hello") == b""


@pytest.mark.parametrize("fault", ["refused", "cut_after", "cut_on"])
async def test_a_cut_is_a_reset(proxy: Proxy, fault: str) -> None:
    setattr(proxy, fault, {"refused": True, "cut_after": 5, "cut_on": b"COMMIT"}[fault])
    async with connected(proxy) as (reader, writer):
        writer.write(b"COMMIT")
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert proxy.cuts == (fault != "refused")


async def test_open_connections_can_be_reset(proxy: Proxy) -> None:
    async with connected(proxy) as (reader, writer):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
