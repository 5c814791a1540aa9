"""A TCP relay in front of a database, which a test can listen to and cut."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Wire:
    """The relay: `dsn` leads through it, `sent` is what clients have said."""

    def __init__(self, dsn: str) -> None:
        self._target = dsn
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0
        self.sent = bytearray()
        self.breaks_at: Callable[[bytes], bool] = lambda _: False
        """Whether the connection breaks at a piece that a client sends; no answer comes back after it."""
        self.deliver_last = True
        """Whether the server still gets that piece."""

    def dsn(self, direct: str) -> str:
        """The same conninfo by way of the relay."""
        return make_conninfo(direct, host="127.0.0.1", port=self.port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side, or the test, ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        server = int(str(conninfo_to_dict(self._target)["port"]))
        upstream, to_upstream = await asyncio.open_connection("127.0.0.1", server)
        answers = asyncio.create_task(_relay(upstream, writer))
        try:
            while piece := await reader.read(65536):
                self.sent += piece
                broken = self.breaks_at(piece)
                if broken:
                    answers.cancel()
                if self.deliver_last or not broken:
                    to_upstream.write(piece)
                    await to_upstream.drain()
                if broken:
                    return
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            answers.cancel()
            writer.close()
            to_upstream.close()

    async def end(self) -> None:
        """Cut what is still connected."""
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def wire(dsn: str) -> AsyncIterator[Wire]:
    """A relay to the server of that conninfo."""
    relay = Wire(dsn)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        await relay.end()
