"""`faultline serve` and `faultline worker`: the platform as processes."""

import typer

from console.serving import run_process
from console.settings import SettingsError, load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: FAULTLINE_HTTP_PORT=8080 faultline serve")(serve)
    app.command(epilog="Example: FAULTLINE_KAFKA=127.0.0.1:9092 FAULTLINE_DATABASE=… faultline worker")(
        worker
    )


def serve() -> None:
    """Run the HTTP API with a worker beside it; without Kafka and database settings all is embedded."""
    settings = load_settings()
    run_process(settings, settings.http_port)


def worker() -> None:
    """Run one more worker on the same Kafka; it takes its share of the partitions."""
    settings = load_settings()
    if settings.kafka is None:
        raise SettingsError(
            "a worker needs Kafka: set kafka, or run `faultline serve` for all in one process"
        )
    run_process(settings, settings.metrics_port)
