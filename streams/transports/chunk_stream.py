"""The one way an agent reads: whole chunks, acknowledged by hand."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from streams.record import Chunk

Ack = Callable[[], None]
"""Says that a chunk is stored. Any order, any time, from the event loop; too late means nothing happens."""


async def chunks(stream: Any) -> AsyncIterator[tuple[Chunk, Ack]]:
    """The chunks of a Faust stream, each with the function that acknowledges it.

    Several chunks may be out at once; the transport bounds their bytes. After a rebalance or a seek Faust
    restarts nothing: the iteration goes on, first chunks of the new reading next. Chunks of an ended reading
    that were still in a buffer are passed over, and acknowledging one does nothing.
    """
    async for event in stream.noack().events():
        if not event.message.delivery.reading.closed:
            yield event.value, _acknowledger(event)


def _acknowledger(event: Any) -> Ack:
    def ack() -> None:
        event.ack()

    return ack
