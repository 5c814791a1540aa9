"""Replayed frames in a real broker's log."""

from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer

from streams.kafka_access import KafkaAccess
from streams.replay.mapping import parse_map
from streams.replay.publisher import KafkaPublisher, PublishError
from streams.replay.reader import plan
from streams.replay.sender import HEADERS, Journal, send
from streams.topics import create_topics, telemetry_topic
from streams.wire.binary import decode_binary

MAP = """
rows_per_frame = 2
[time]
column = "t"
format = "s"
[asset]
name = "pump-{cell}"
column = "unit"
[equipment_type]
name = "pump"
[[channel]]
column = "Flow"
name = "flow"
unit = "L/min"
"""


def test_every_frame_is_in_the_log_in_its_assets_order(kafka: str, tmp_path: Path) -> None:
    tenant = f"t{uuid4().hex[:8]}"
    create_topics(KafkaAccess(kafka), [telemetry_topic(tenant)], 3)
    path = tmp_path / "a.csv"
    path.write_text("unit,t,Flow\n" + "".join(f"{n % 5},{n},{n}\n" for n in range(1, 101)))
    readings = plan(parse_map(MAP, "m"), [path])
    publisher = KafkaPublisher(KafkaAccess(kafka))
    try:
        sent = send(readings, tenant, publisher, Journal(tmp_path / "state"))
    finally:
        publisher.close()
    consumer = KafkaConsumer(
        telemetry_topic(tenant),
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
    )
    try:
        records = [next(consumer) for _ in range(sent.frames)]
    finally:
        consumer.close()
    frames = [decode_binary(record.value) for record in records]
    for asset in {frame.asset for frame in frames}:
        numbers = [frame.seq for frame in frames if frame.asset == asset]
        assert numbers == list(range(10))
    assert sorted(value for frame in frames for value in frame.values[0]) == list(range(1, 101))
    assert {record.key.decode() for record in records} == {f"pump-{n}" for n in range(5)}
    assert {tuple(record.headers) for record in records} == {HEADERS}


def test_a_topic_that_is_not_there_is_an_error(kafka: str) -> None:
    publisher = KafkaPublisher(KafkaAccess(kafka), max_block_ms=500)
    try:
        with pytest.raises(PublishError, match=r"topic telemetry\.nobody"):
            publisher.publish("telemetry.nobody", b"pump-1", b"x", HEADERS)
    finally:
        publisher.close()
