"""Time as an object, so that a test or a replay can turn the hands."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time as an aware UTC datetime."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is set."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """The instant last set."""
        return self.instant


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exactly (no float in between)."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_microseconds(us: int) -> datetime:
    """The inverse of :func:`microseconds`."""
    seconds, rest = divmod(us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
