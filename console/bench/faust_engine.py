"""Stock Faust: one event per record, as it comes out of the box."""

import asyncio
import sys
from typing import Any
from uuid import uuid4

import faust

from console.bench.meter import Meter
from console.bench.per_record import chosen_work
from streams.heap import settle


async def consume(bootstrap: str, topic: str, records: int, measure: str) -> None:
    """Read the topic from its start and print what it took."""
    meter, work = Meter(records), chosen_work(measure)
    app = faust.App(
        f"bench-{uuid4().hex}",
        broker=f"kafka://{bootstrap}",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        datadir=".",
    )
    done = asyncio.Event()

    @app.agent(app.topic(topic, value_serializer="raw"), name="bench")  # type: ignore[untyped-decorator]
    async def bench(stream: Any) -> None:
        async for value in stream:
            work(value)
            if meter.add(1):
                done.set()

    settle()
    await app.start()
    await done.wait()
    meter.tell(work.checksum)
    await app.stop()


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
