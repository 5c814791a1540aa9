"""Wakes those who wait for a change."""

import asyncio
from contextlib import suppress


class Pulse:
    """Wakes whoever waits at the moment.

    No beat is missed by who looks, then waits, and awaits nothing else in between.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def beat(self) -> None:
        """Wake them."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, at_most: float | None = None) -> None:
        """Sleep until the next beat, or for `at_most` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()
