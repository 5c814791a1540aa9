"""The registry as last read, read again when a record names an asset that it does not know."""

import time
from collections.abc import Awaitable, Callable

from fleet.registry import Registry

LEAST_AGE_S = 1.0
"""Unknown names cannot make us ask the database more often than this."""


class RegistryCache:
    """Keeps `current`; an asset that was added a moment ago is found without a restart."""

    def __init__(self, load: Callable[[], Awaitable[Registry]]) -> None:
        self._load = load
        self._read_at = float("-inf")
        self.current = Registry((), (), ())

    async def refresh(self) -> bool:
        """Read again unless that was done a moment ago; whether it was read."""
        if time.monotonic() - self._read_at < LEAST_AGE_S:
            return False
        self.current = await self._load()
        self._read_at = time.monotonic()
        return True
