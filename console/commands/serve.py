"""`faultline serve`: the HTTP API with a worker beside it."""

from console.serving import run_process
from console.settings import load_settings

EXAMPLE = "Example: FAULTLINE_HTTP_PORT=8080 faultline serve"


def serve() -> None:
    """Run the HTTP API with a worker beside it; without Kafka and database settings all is embedded."""
    settings = load_settings()
    run_process(settings, settings.http_port)
