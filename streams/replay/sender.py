"""Sends frames to the log: at full speed or paced by their own clock, and again without harm.

A file under the same map always makes the same frames, and the platform drops a frame that it has. So
sending again after a failure is always right; the journal only spares the time.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from streams.replay.publisher import Publisher
from streams.replay.reader import Reading
from streams.topics import telemetry_topic
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame

HEADERS = (("content-type", b"application/vnd.faultline.frame"), ("replay", b"1"))
"""`replay` says that instants of long ago are meant, so the window of accepted instants does not apply."""

FLUSH_EVERY = 500
"""Frames between two notes in the journal."""


@dataclass
class Sent:
    """What has been sent so far. skipped: frames that an earlier run had sent; bytes: of the values."""

    frames: int = 0
    rows: int = 0
    samples: int = 0
    bytes: int = 0
    skipped: int = 0
    seconds: float = 0.0

    @property
    def samples_per_second(self) -> float:
        """The rate so far."""
        return self.samples / self.seconds if self.seconds > 0 else 0.0


class Journal:
    """Remembers in a folder how many frames of each reading are in the log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def sent(self, tenant: str, boot_id: int) -> int:
        """Frames that need not be sent again; 0 without a readable note."""
        try:
            note = json.loads(self._path(tenant, boot_id).read_text())
            return max(0, int(note["frames"]))
        except (OSError, ValueError, KeyError, TypeError):
            return 0  # sending again is always right

    def note(self, tenant: str, boot_id: int, frames: int) -> None:
        """Remember; a crash leaves the old note or the new one."""
        path = self._path(tenant, boot_id)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({"frames": frames}))
        fresh.replace(path)

    def _path(self, tenant: str, boot_id: int) -> Path:
        return self._folder / f"{tenant}-{boot_id:016x}.json"


class Pace:
    """Waits so that the frames' clock runs `speed` times as fast as the wall clock; None does not wait."""

    def __init__(
        self,
        speed: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if speed is not None and speed <= 0:
            raise ValueError(f"speed is {speed}: it must be above 0, 1 is real time")
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._began: tuple[int, float] | None = None

    def restart(self) -> None:
        """The next frame starts the clock: the gap before it is not waited out."""
        self._began = None

    def wait(self, frame: Frame) -> None:
        """Wait until the frame is complete by its own clock."""
        if self._speed is None:
            return
        instant = int(frame.ts_us[-1])
        first, began = self._began = self._began or (instant, self._clock())
        ahead = began + (instant - first) / 1e6 / self._speed - self._clock()
        if ahead > 0:
            self._sleep(ahead)


def publish(frames: Iterable[Frame], tenant: str, publisher: Publisher, sent: Sent) -> Iterator[Frame]:
    """Publish each frame under `tenant`, count it in `sent`, and yield it."""
    topic = telemetry_topic(tenant)
    for frame in frames:
        value = encode_binary(frame)
        publisher.publish(topic, frame.asset.encode(), value, HEADERS)
        sent.frames += 1
        sent.rows += len(frame.ts_us)
        sent.samples += frame.values.size - (0 if frame.missing is None else int(frame.missing.sum()))
        sent.bytes += len(value)
        yield frame


def send(
    readings: Sequence[Reading],
    tenant: str,
    publisher: Publisher,
    journal: Journal,
    resume: bool = False,
    pace: Pace | None = None,
    progress: Callable[[Sent], None] = lambda sent: None,
) -> Sent:
    """Send the readings in their order; with `resume` without the frames that the journal knows.

    `progress` hears after every `FLUSH_EVERY` frames and at the end of each reading. Raises `MapError` and
    `PublishError`.
    """
    pace = pace or Pace()
    sent, began = Sent(), time.monotonic()
    for reading in readings:
        pace.restart()
        known = journal.sent(tenant, reading.boot_id) if resume else 0
        frames = reading.frames()
        skipped = sum(1 for _ in islice(frames, known))
        sent.skipped += skipped
        for count, _ in enumerate(publish(_paced(frames, pace), tenant, publisher, sent), skipped + 1):
            if count % FLUSH_EVERY == 0:
                _settle(publisher, journal, tenant, reading, count)
                sent.seconds = time.monotonic() - began
                progress(sent)
        _settle(publisher, journal, tenant, reading, reading.tally.frames)
        sent.seconds = time.monotonic() - began
        progress(sent)
    return sent


def _paced(frames: Iterable[Frame], pace: Pace) -> Iterator[Frame]:
    for frame in frames:
        pace.wait(frame)
        yield frame


def _settle(publisher: Publisher, journal: Journal, tenant: str, reading: Reading, frames: int) -> None:
    """First the log, then the note: the journal never runs ahead."""
    publisher.flush()
    journal.note(tenant, reading.boot_id, frames)
