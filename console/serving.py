"""A platform as a process: the HTTP API beside the worker, until a signal or a failure."""

import asyncio
import signal
import socket
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import structlog
import typer
import uvicorn

from console.api import build_api
from console.api_parts import ApiParts
from console.databases import Databases
from console.logs import configure_logs
from console.mappings import load_mappings
from console.platform import FleetChanged, Platform, foundation, platform
from console.settings import Settings, SettingsError
from streams.heap import settle

T = TypeVar("T")

EXIT_RESTART = 70
"""Something happened that only a restart mends (sysexits' EX_SOFTWARE); a supervisor starts us again."""

GRACE_S = 10
"""Requests under way may take this long when the process is to end."""

log = structlog.get_logger()


def run_process(settings: Settings, port: int) -> None:
    """Run until SIGINT or SIGTERM; ends with `EXIT_RESTART` if the platform failed.

    When a tenant was added or removed it starts again by itself, to read the right topics. The port is taken
    before anything else, so that a second process on it disturbs nobody.
    """
    configure_logs(settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the event loop handles both
    with listen(settings.http_host, port) as listener, foundation(settings) as found:
        while True:
            try:
                return asyncio.run(_serve(settings, found, listener))
            except Exception as failure:  # noqa: BLE001 - the process ends here, whatever it was
                start_again_or_end(failure)


def start_again_or_end(failure: Exception) -> None:
    """Return if all that happened is that the fleet changed.

    Else raises the `SettingsError` that is in it, which people can mend and no restart does, or
    `typer.Exit` with `EXIT_RESTART`; everything else is logged.
    """
    errors = list(_leaves(failure))
    others = [error for error in errors if not isinstance(error, SettingsError | FleetChanged)]
    for error in others:
        log.error("ending: the supervisor should start this process again", error=repr(error))
    for error in errors:
        if isinstance(error, SettingsError):
            raise error from None
    if others:
        raise typer.Exit(EXIT_RESTART) from None
    log.info("starting again", because=str(errors[0]))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


async def _serve(settings: Settings, found: Databases, listener: socket.socket) -> None:
    async with platform(settings, found) as running:
        settle()  # walking what stays would stop the event loop for 0.15 s each time
        await beside(running.run(), serve_http(running, listener.dup()))


async def beside(work: Coroutine[Any, Any, None], main: Coroutine[Any, Any, T]) -> T:
    """The result of `main`, with `work` going on beside it until then; a failure of either ends both."""
    going_on, wanted = asyncio.create_task(work), asyncio.create_task(main)
    try:
        await asyncio.wait({going_on, wanted}, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            await going_on
        return await wanted
    finally:
        for task in (going_on, wanted):
            task.cancel()
        await asyncio.gather(going_on, wanted, return_exceptions=True)


def api_parts(running: Platform) -> ApiParts:
    """What the API needs of a platform."""
    return ApiParts(
        pool=running.pool,
        registry=running.registry,
        publisher=running.publisher,
        durable=running.worker.durable,
        limits=running.limits,
        mappings=load_mappings(running.settings.mapping_dir),
        clock=running.clock,
        problems=running.problems,
    )


async def serve_http(running: Platform, listener: socket.socket) -> None:
    """Serve the API on the socket until SIGINT, SIGTERM or cancellation; closes it."""
    config = uvicorn.Config(
        build_api(api_parts(running)),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn sees them too, and ends by itself
        asyncio.get_running_loop().add_signal_handler(number, log.info, "stopping")
    host, port = listener.getsockname()[:2]
    log.info("listening", host=host, port=port)
    with listener:
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises `SettingsError` if the port is taken."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise SettingsError(
            f"{host}:{port}: {error.strerror}: choose another FAULTLINE_HTTP_PORT (a worker: "
            "FAULTLINE_METRICS_PORT); 0 picks a free one"
        ) from error
