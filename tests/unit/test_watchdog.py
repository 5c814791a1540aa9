"""A partition that stands still ends the process; one that has nothing to do, or must wait, does not."""

import pytest
from faust.types import TP

from streams.transports.chunk_consumer import Progress
from streams.watchdog import SILENT_S, STUCK_S, Stuck, Watchdog

A, B = TP("telemetry.acme", 0), TP("telemetry.acme", 1)
NEVER = float("-inf")


def never(_: TP) -> float:
    return NEVER


def watch(watchdog: Watchdog, until: float, refused_at: float = NEVER, **seen: Progress | None) -> None:
    """Ask every five seconds up to `until`, with partitions a and b as they are seen."""
    now = watchdog._answered_at or 0.0
    progress = {{"a": A, "b": B}[name]: one for name, one in seen.items()}
    while now <= until:
        watchdog.check(progress, lambda _: refused_at, now)
        now += 5.0


def test_a_partition_that_stands_still_is_named_though_another_moves() -> None:
    watchdog = Watchdog()

    def work(seconds: int) -> None:
        for now in range(0, seconds, 5):
            watchdog.check({A: Progress(now, 1000), B: Progress(7, 8)}, never, float(now))

    with pytest.raises(Stuck, match=r"telemetry.acme\[1\]"):
        work(200)


def test_a_partition_without_a_backlog_may_stand_still() -> None:
    watch(Watchdog(), 10 * STUCK_S, a=Progress(7, 7))


def test_one_that_is_never_read_is_stuck_too() -> None:
    with pytest.raises(Stuck):
        watch(Watchdog(), 2 * STUCK_S, a=None)


def test_another_partitions_outage_is_no_excuse() -> None:
    watchdog = Watchdog()

    def work(seconds: int) -> None:
        for now in range(0, seconds, 5):
            refused_at = {A: now - 15.0, B: NEVER}
            watchdog.check({A: Progress(7, 8), B: Progress(7, 8)}, refused_at.__getitem__, float(now))

    with pytest.raises(Stuck, match=r"telemetry.acme\[1\]$"):
        work(200)


def test_waiting_for_the_database_is_no_standstill() -> None:
    watchdog = Watchdog()
    for now in range(0, int(3 * STUCK_S), 5):
        watchdog.check({A: Progress(7, 8)}, lambda _, at=now - 15.0: at, now=float(now))  # type: ignore[misc]
    with pytest.raises(Stuck):
        watch(watchdog, 5 * STUCK_S, refused_at=3 * STUCK_S, a=Progress(7, 8))


def test_a_silent_broker_starts_the_clock_anew_but_not_for_ever() -> None:
    watchdog = Watchdog()
    watchdog.check({A: Progress(7, 8)}, never, 0.0)
    for now in range(5, int(2 * STUCK_S), 5):
        watchdog.check_silence(float(now))
    watchdog.check({A: Progress(7, 8)}, never, 2 * STUCK_S)
    watchdog.check({A: Progress(7, 8)}, never, 2 * STUCK_S + 5)
    with pytest.raises(Stuck, match="has not answered"):
        watchdog.check_silence(2 * STUCK_S + 6 + SILENT_S)
