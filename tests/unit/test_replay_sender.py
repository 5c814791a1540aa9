import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest
from faust.types import TP

from streams.errors import PartitionStopped
from streams.publisher import Headers
from streams.replay.mapping import parse_map
from streams.replay.publisher import BridgePublisher, PublishError
from streams.replay.reader import Reading, plan
from streams.replay.sender import FLUSH_EVERY, Journal, Pace, Sent, send
from streams.wire.binary import decode_binary

MAP = """
rows_per_frame = 1
[time]
column = "t"
format = "s"
[asset]
name = "pump-1"
[equipment_type]
name = "pump"
[[channel]]
column = "Flow"
name = "flow"
unit = "L/min"
"""


class Log:
    """A broker that can be told to fail after some records; only what was flushed is durable."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.records: list[tuple[str, bytes, bytes, Headers]] = []
        self.flushed = 0
        self.fails_after = fails_after

    def publish(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        if len(self.records) == self.fails_after:
            raise PublishError("the broker went away")
        self.records.append((topic, key, value, headers))

    def flush(self) -> None:
        self.flushed = len(self.records)

    @property
    def numbers(self) -> list[int]:
        return [decode_binary(value).seq for _, _, value, _ in self.records]


def readings(folder: Path, rows: int) -> list[Reading]:
    path = folder / "a.csv"
    path.write_text("t,Flow\n" + "".join(f"{t},{t % 7}\n" for t in range(1, rows + 1)))
    return plan(parse_map(MAP, "m"), [path])


def test_frames_are_sent_as_replayed_records_of_the_tenant(tmp_path: Path) -> None:
    log, heard = Log(), []
    sent = send(
        readings(tmp_path, 3),
        "acme",
        log,
        Journal(tmp_path / "state"),
        progress=lambda s: heard.append(s.frames),
    )
    topic, key, value, headers = log.records[0]
    assert (topic, key) == ("telemetry.acme", b"pump-1")
    assert dict(headers) == {"content-type": b"application/vnd.faultline.frame", "replay": b"1"}
    assert decode_binary(value).values.tolist() == [[1.0]]
    assert (sent.frames, sent.rows, sent.samples, sent.skipped) == (3, 3, 3, 0)
    assert sent.bytes == sum(len(value) for _, _, value, _ in log.records)
    assert (heard, log.flushed) == ([3], 3)


def test_resuming_after_a_failure_sends_the_rest_and_no_gap(tmp_path: Path) -> None:
    total, journal = 2 * FLUSH_EVERY + 10, Journal(tmp_path / "state")
    broken = Log(fails_after=FLUSH_EVERY + 7)
    with pytest.raises(PublishError, match="went away"):
        send(readings(tmp_path, total), "acme", broken, journal)
    rest = Log()
    sent = send(readings(tmp_path, total), "acme", rest, journal, resume=True)
    assert broken.numbers[: broken.flushed] + rest.numbers == list(range(total))
    assert (sent.skipped, sent.frames) == (FLUSH_EVERY, total - FLUSH_EVERY)


def test_what_was_sent_completely_is_not_sent_again_when_resuming(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")
    send(readings(tmp_path, 5), "acme", Log(), journal)
    again, other = Log(), Log()
    assert send(readings(tmp_path, 5), "acme", again, journal, resume=True).skipped == 5
    assert again.records == []
    send(readings(tmp_path, 5), "other", other, journal, resume=True)
    assert len(other.records) == 5


def test_without_resuming_the_same_records_are_sent_again(tmp_path: Path) -> None:
    journal, first, second = Journal(tmp_path / "state"), Log(), Log()
    send(readings(tmp_path, 5), "acme", first, journal)
    send(readings(tmp_path, 5), "acme", second, journal)
    assert first.records == second.records


def test_a_damaged_journal_only_costs_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")
    send(readings(tmp_path, 5), "acme", Log(), journal)
    (note,) = (tmp_path / "state").iterdir()
    for damage in ("", "{", "[]", '{"frames": "many"}', '{"frames": -3}'):
        note.write_text(damage)
        log = Log()
        send(readings(tmp_path, 5), "acme", log, journal, resume=True)
        assert len(log.records) == 5


def test_pacing_waits_out_the_frames_own_time_but_not_the_gaps_between_files(tmp_path: Path) -> None:
    now, naps = [100.0], []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    for name, first in (("a", 1), ("b", 1_000_000)):
        (tmp_path / f"{name}.csv").write_text(f"t,Flow\n{first},1\n{first + 10},1\n{first + 30},1\n")
    files = plan(parse_map(MAP, "m"), [tmp_path / "a.csv", tmp_path / "b.csv"])
    send(files, "acme", Log(), Journal(tmp_path / "s"), pace=Pace(20.0, lambda: now[0], sleep))
    assert naps == pytest.approx([0.5, 1.0, 0.5, 1.0])


def test_a_speed_that_stands_still_is_refused() -> None:
    with pytest.raises(ValueError, match="it must be above 0"):
        Pace(0.0)


def test_the_rate_is_samples_by_seconds() -> None:
    assert Sent(samples=100, seconds=4.0).samples_per_second == 25
    assert Sent(samples=100).samples_per_second == 0


class AsyncLog:
    """An event loop's publisher; a record has landed once its second await is over."""

    def __init__(self) -> None:
        self.landed: list[bytes] = []
        self.safe: list[int] = []

    async def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> Awaitable[tuple[int, int]]:
        async def land() -> tuple[int, int]:
            self.landed.append(value)
            return 0, len(self.landed)

        return land()

    async def close(self) -> None:
        pass

    async def durable(self, tp: TP, offset: int) -> None:
        self.safe.append(offset)


async def test_a_thread_can_send_into_an_event_loops_broker(tmp_path: Path) -> None:
    log = AsyncLog()
    bridge = BridgePublisher(log, log.durable, asyncio.get_running_loop())
    sent = await asyncio.to_thread(send, readings(tmp_path, 7), "acme", bridge, Journal(tmp_path / "state"))
    assert [decode_binary(value).seq for value in log.landed] == list(range(7))
    assert sent.frames == 7
    assert log.safe[-1] == 7  # what the journal remembers is in the database


class Stopped(AsyncLog):
    """Its partition stands still: nothing becomes safe any more."""

    async def durable(self, tp: TP, offset: int) -> None:
        raise PartitionStopped("telemetry.acme", 0, "a test")


async def test_the_journal_does_not_remember_what_never_became_safe(tmp_path: Path) -> None:
    journal, first = Journal(tmp_path / "state"), Stopped()
    bridge = BridgePublisher(first, first.durable, asyncio.get_running_loop())
    with pytest.raises(PartitionStopped):
        await asyncio.to_thread(send, readings(tmp_path, 7), "acme", bridge, journal)
    log = AsyncLog()
    again = BridgePublisher(log, log.durable, asyncio.get_running_loop())
    resumed = await asyncio.to_thread(send, readings(tmp_path, 7), "acme", again, journal, True)
    assert (resumed.frames, resumed.skipped) == (7, 0)


class Away(AsyncLog):
    """Its reader is gone: nothing becomes safe, and nobody says so."""

    async def durable(self, tp: TP, offset: int) -> None:
        await asyncio.Event().wait()


async def test_a_thread_does_not_wait_for_a_platform_that_has_ended() -> None:
    log = Away()
    bridge = BridgePublisher(log, log.durable, asyncio.get_running_loop())
    bridge.publish("telemetry.acme", b"p1", b"abc", [])
    waiting = asyncio.create_task(asyncio.to_thread(bridge.flush))
    await asyncio.sleep(0.1)
    bridge.close()
    with pytest.raises(PublishError, match="has ended"):
        await waiting
    with pytest.raises(PublishError, match="has ended"):
        await asyncio.to_thread(bridge.publish, "telemetry.acme", b"p1", b"abc", [])
