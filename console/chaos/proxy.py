"""A TCP proxy on loopback that can be slow, silent or broken, as networks are."""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
PIECE = 64 << 10
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on at once, so that closing sends RST and not FIN."""


class Proxy:
    """Passes bytes to `target_port`; each attribute is a fault that may be set at any time.

    `delay_s` before each piece. `bytes_per_s`: throttled. `stalled`: nothing is read any more, in both
    directions, and nobody is told. `one_way`: what the server says gets lost. `refused`: new connections are
    reset at once. `cut_after`: a connection is reset once so many bytes came from the client. `cut_on`: it is
    reset when the client says these bytes, after they have been passed on.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.stalled = self.one_way = self.refused = False
        self.cut_after: int | None = None
        self.cut_on: bytes | None = None
        self.cuts = 0
        """How often `cut_on` or `cut_after` struck."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()

    @property
    def port(self) -> int:
        """Where clients connect."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def heal(self) -> None:
        """Pass everything on again; what was stalled goes on."""
        self.delay_s, self.bytes_per_s = 0.0, None
        self.stalled = self.one_way = self.refused = False
        self.cut_after = self.cut_on = None

    def reset(self) -> None:
        """Reset every open connection."""
        for writer in list(self._open):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self.refused:
                raise ConnectionResetError("refused on purpose")
            await self._connect(reader, writer)
        except OSError:
            _reset(writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(HOST, self.target_port)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._upwards(reader, to_server))
                pumps.create_task(self._downwards(from_server, writer))
        except* OSError:
            _reset(to_server)
            raise ConnectionResetError("an end is gone, or it was cut on purpose") from None
        finally:
            to_server.close()

    async def _upwards(self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        passed = 0
        while data := await reader.read(PIECE):
            await self._hold_up(data)
            to_server.write(data)
            await to_server.drain()
            passed += len(data)
            if self._is_cut(data, passed):
                self.cuts += 1
                raise ConnectionResetError("cut on purpose")
        to_server.write_eof()

    async def _downwards(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await from_server.read(PIECE):
            await self._hold_up(data)
            if not self.one_way:
                writer.write(data)
                await writer.drain()
        writer.write_eof()

    def _is_cut(self, data: bytes, passed: int) -> bool:
        too_much = self.cut_after is not None and passed >= self.cut_after
        return too_much or (self.cut_on is not None and self.cut_on in data)

    async def _hold_up(self, data: bytes) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.bytes_per_s:
            await asyncio.sleep(len(data) / self.bytes_per_s)
        while self.stalled:  # noqa: ASYNC110 - a fault that is set from outside
            await asyncio.sleep(0.05)


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
