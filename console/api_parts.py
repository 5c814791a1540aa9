"""What the HTTP API is wired from."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from faust.types import TP

from console.mappings import Mappings
from fleet.clock import Clock
from storage.pool import Pool
from streams.publisher import Publisher
from streams.registry_cache import RegistryCache
from streams.wire.limits import Limits


@dataclass(frozen=True)
class ApiParts:
    """`durable` returns once a published record is safe; `problems` says what does not work, by part."""

    pool: Pool
    registry: RegistryCache
    publisher: Publisher
    durable: Callable[[TP, int], Awaitable[None]]
    limits: Limits
    mappings: Mappings
    clock: Clock
    problems: Callable[[], dict[str, str]]
