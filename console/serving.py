"""A platform as a process: the HTTP API beside the worker, until a signal or a failure."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog
import typer
import uvicorn

from console.api import build_api
from console.api_parts import ApiParts
from console.logs import configure_logs
from console.platform import Platform, platform
from console.settings import Settings

T = TypeVar("T")

EXIT_RESTART = 70
"""Something happened that only a restart mends (sysexits' EX_SOFTWARE); a supervisor starts us again."""

log = structlog.get_logger()


def run_process(settings: Settings, port: int) -> None:
    """Run until SIGINT or SIGTERM; ends with `EXIT_RESTART` if the platform failed."""
    configure_logs(settings)
    try:
        asyncio.run(_serve(settings, port))
    except* (OSError, RuntimeError) as failures:
        for failure in failures.exceptions:
            log.error("ending: the supervisor should start this process again", error=repr(failure))
        raise typer.Exit(EXIT_RESTART) from None


async def _serve(settings: Settings, port: int) -> None:
    async with platform(settings) as running:
        await beside(running.run(), serve_http(running, port))


async def beside(work: Coroutine[Any, Any, None], main: Coroutine[Any, Any, T]) -> T:
    """The result of `main`, with `work` going on beside it until then; a failure of `work` ends both."""
    async with asyncio.TaskGroup() as tasks:
        going_on = tasks.create_task(work)
        result = await main
        going_on.cancel()
    return result


def api_parts(running: Platform) -> ApiParts:
    """What the API needs of a platform."""
    return ApiParts(
        pool=running.pool,
        registry=running.registry,
        publisher=running.publisher,
        durable=running.durable,
        limits=running.limits,
        clock=running.clock,
        problems=running.problems,
    )


async def serve_http(running: Platform, port: int) -> None:
    """Serve the API until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        build_api(api_parts(running)),
        host=running.settings.http_host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn sees them too, and ends by itself
        asyncio.get_running_loop().add_signal_handler(number, log.info, "stopping")
    await server.serve()
