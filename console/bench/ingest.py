"""`faultline bench ingest`: Kafka through a real worker process into TimescaleDB."""

from collections.abc import Mapping

from console.bench.ingest_drain import disk, frames_drained, messages_drained
from console.bench.ingest_scale import growth, memory
from console.bench.ingest_soak import catch_up, sustained
from console.bench.ingest_workers import workers
from console.bench.trial import Measure

MEASURES: Mapping[str, Measure] = {
    "frames": frames_drained,
    "json": messages_drained,
    "disk": disk,
    "memory": memory,
    "growth": growth,
    "sustained": sustained,
    "catch_up": catch_up,
    "workers": workers,
}
