"""Our consumer: a Faust agent on the chunk transport, with one compiled loop over a whole chunk."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from console.bench.meter import Meter
from console.bench.per_record import CHANNELS, ROWS
from detectors.kernels import kernel
from streams.heap import settle
from streams.record import Record
from streams.transports.app import ChunkApp
from streams.transports.chunk_stream import chunks


class ChunkLengths:
    """Adds up the lengths of values."""

    def __init__(self) -> None:
        self.checksum = 0.0

    def __call__(self, records: Sequence[Record]) -> None:
        """Take a chunk in."""
        self.checksum += sum([len(record.value or b"") for record in records])


class ChunkFeatures:
    """Mean, mean square and peak of each channel of each frame; `checksum` is the sum of them all."""

    def __init__(self) -> None:
        self.checksum = 0.0
        self._compute(np.zeros((1, ROWS, CHANNELS), np.float32))  # compiled before the first record

    def __call__(self, records: Sequence[Record]) -> None:
        """Take a chunk in."""
        values = np.frombuffer(b"".join([record.value or b"" for record in records]), np.float32)
        self.checksum += self._compute(values.reshape(-1, ROWS, CHANNELS))

    def _compute(self, frames: NDArray[np.float32]) -> float:
        features = np.zeros((3, len(frames), CHANNELS), np.float32)
        compute_features(frames, features)
        return float(features.sum(dtype=np.float64))


@kernel
def compute_features(frames: NDArray[np.float32], features: NDArray[np.float32]) -> None:
    """Mean, mean square and peak: features (3, n, channels), zero before, of frames (n, rows, channels)."""
    share = np.float32(1.0 / frames.shape[1])
    for i in range(len(frames)):
        for r in range(frames.shape[1]):
            for k in range(frames.shape[2]):
                x = frames[i, r, k]
                features[0, i, k] += share * x
                features[1, i, k] += share * x * x
                features[2, i, k] = max(features[2, i, k], abs(x))


async def consume(bootstrap: str, topic: str, records: int, measure: str) -> None:
    """Read the topic from its start and print what it took."""
    meter, work = Meter(records), ChunkFeatures() if measure == "frames" else ChunkLengths()
    app = ChunkApp(f"bench-{uuid4().hex}", f"faultline+kafka://{bootstrap}")
    done = asyncio.Event()

    @app.agent(app.chunk_topic(topic), name="bench", concurrency=1)  # type: ignore[untyped-decorator]
    async def bench(stream: Any) -> None:
        async for chunk, ack in chunks(stream):
            work(chunk.records)
            ack()
            if meter.add(len(chunk.records)):
                done.set()

    settle()
    serving = asyncio.create_task(app.serve())
    await done.wait()
    meter.tell(work.checksum)
    serving.cancel()
    await asyncio.wait({serving})


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
