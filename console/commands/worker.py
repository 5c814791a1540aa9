"""`faultline worker`: one more worker on the same Kafka."""

from console.serving import run_process
from console.settings import SettingsError, load_settings

EXAMPLE = "Example: FAULTLINE_KAFKA=127.0.0.1:9092 FAULTLINE_DATABASE=… faultline worker"


def worker() -> None:
    """Run one more worker on the same Kafka; it takes its share of the partitions."""
    settings = load_settings()
    if settings.kafka is None:
        raise SettingsError("a worker needs Kafka: set kafka, or `faultline serve` for all in one")
    run_process(settings, settings.metrics_port)
