"""What a process tells Prometheus; every name is written here and nowhere else."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

RECORDS = Counter(
    "faultline_records_total",
    "Records by what became of them: stored, duplicate, dead, tombstone.",
    ["agent", "fate"],
    registry=REGISTRY,
)
SAMPLES = Counter(
    "faultline_samples_total", "Values stored, missing ones included.", ["agent"], registry=REGISTRY
)
CHUNK_SECONDS = Histogram(
    "faultline_chunk_seconds",
    "Time of a chunk from delivery to commit, by stage.",
    ["agent", "stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
LAG = Gauge(
    "faultline_lag_records", "Records not yet dealt with.", ["agent", "topic", "partition"], registry=REGISTRY
)
HALTED = Gauge(
    "faultline_partition_halted",
    "1 while a partition stands still on purpose.",
    ["agent", "topic", "partition"],
    registry=REGISTRY,
)
RETRIES = Counter(
    "faultline_retries_total", "Attempts that the database or broker refused.", ["agent"], registry=REGISTRY
)
WATCHED_DAYS = Counter(
    "faultline_watched_days_total",
    "Days that machines had a score, all together.",
    ["equipment_type"],
    registry=REGISTRY,
)
EPISODES = Counter(
    "faultline_episodes_total",
    "Episodes of machines that began by their rows, true or false.",
    ["equipment_type"],
    registry=REGISTRY,
)
QUARANTINED = Counter(
    "faultline_quarantined_total",
    "Signals of messages in field formats that could not be mapped.",
    ["format", "problem"],
    registry=REGISTRY,
)
OUTBOX_SENT = Counter("faultline_outbox_sent_total", "Messages sent from the outbox.", registry=REGISTRY)


def forget_partition(agent: str, topic: str, partition: int) -> None:
    """Say nothing more about a partition that is another worker's by now."""
    for gauge in (LAG, HALTED):
        with suppress(KeyError):
            gauge.remove(agent, topic, str(partition))
