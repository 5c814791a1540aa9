"""The rival: Quix Streams, run by the Python of its own environment."""

import sys
from uuid import uuid4

from quixstreams import Application

from console.bench.meter import Meter
from console.bench.per_record import chosen_work
from streams.heap import settle


def consume(bootstrap: str, topic: str, records: int, measure: str) -> None:
    """Read the topic from its start and print what it took."""
    meter, work = Meter(records), chosen_work(measure)
    app = Application(
        broker_address=bootstrap,
        consumer_group=f"bench-{uuid4().hex}",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="WARNING",
    )

    def take(value: bytes) -> None:
        work(value)
        if meter.add(1):
            app.stop()

    app.dataframe(app.topic(topic, value_deserializer="bytes", key_deserializer="bytes")).update(take)
    settle()
    app.run()
    meter.tell(work.checksum)


if __name__ == "__main__":
    consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
