"""The commit rule for itself, and the same checks on Faust's own rule, which they must find wanting."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from faust.transport.consumer import Consumer as StockConsumer
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st
from intervaltree import IntervalTree  # type: ignore[import-untyped]
from mode.utils.logging import CompositeLogger

from streams.transports.chunk_consumer import ChunkConsumer
from streams.transports.commit_rule import Delivery, Reading, Readings

PARTITION = TP("telemetry", 0)
OURS: Any = ChunkConsumer


class Rule(Protocol):
    """A commit rule at work on one partition."""

    async def deliver(self, offset: int) -> None: ...

    def ack(self, offset: int) -> None: ...

    async def commit(self, *, accepted: bool = True) -> int | None:
        """What is offered to the broker, None if nothing."""
        ...


class Ours:
    """The consumer's overrides on nothing but a readings."""

    def __init__(self, committed: int | None, first: int) -> None:
        self.state = SimpleNamespace(
            _readings=Readings(),
            app=SimpleNamespace(monitor=SimpleNamespace(on_tp_commit=lambda offsets: None)),
        )
        self.state._readings.open(PARTITION, first, committed or 0)
        self.deliveries: dict[int, Delivery] = {}

    async def deliver(self, offset: int) -> None:
        await OURS._add_gap(self.state, PARTITION, 0, offset)
        self.deliveries[offset] = self.state._readings.reading(PARTITION).deliver(offset + 1, 1)

    def ack(self, offset: int) -> None:
        self.deliveries[offset].ack()

    async def commit(self, *, accepted: bool = True) -> int | None:
        return await commit_with(OURS, self.state, accepted)


class Stock:
    """Faust 0.15.3's own methods on the state they read."""

    def __init__(self, committed: int | None, first: int) -> None:
        self.state = SimpleNamespace(
            _acked=defaultdict(list),
            _acked_index=defaultdict(set),
            _gap=defaultdict(IntervalTree),
            _committed_offset=defaultdict(lambda: committed),
            in_transaction=False,
            log=CompositeLogger(logging.getLogger("stock")),
            assignment=lambda: {PARTITION},
            app=SimpleNamespace(
                producer=SimpleNamespace(flush=self._nothing),
                tables=SimpleNamespace(on_commit=lambda offsets: None),
                monitor=SimpleNamespace(on_tp_commit=lambda offsets: None),
            ),
        )
        self.read = first - 1

    async def _nothing(self) -> None:
        pass

    async def deliver(self, offset: int) -> None:
        if offset - self.read > 1 and self.read:  # as Consumer._drain_messages does
            await StockConsumer._add_gap(self.state, PARTITION, self.read + 1, offset)
        self.read = offset

    def ack(self, offset: int) -> None:
        self.state._acked[PARTITION].append(offset)
        self.state._acked_index[PARTITION].add(offset)

    async def commit(self, *, accepted: bool = True) -> int | None:
        return await commit_with(StockConsumer, self.state, accepted)


async def commit_with(consumer: Any, state: SimpleNamespace, accepted: bool) -> int | None:
    """What the consumer class offers to a broker that accepts or refuses."""
    offset: int | None = consumer._new_offset(state, PARTITION)
    if offset is None or not consumer._should_commit(state, PARTITION, offset):
        return None

    async def answer(offsets: Mapping[TP, int]) -> bool:
        return accepted

    state._commit = answer
    await consumer._commit_offsets(state, {PARTITION: offset})
    return offset


class CommittedPastAHole(AssertionError):
    """An offset was offered although a record below it is still being worked on."""


class CommitForgotten(AssertionError):
    """The broker refused a commit and it is not offered again."""


async def check_holes(rule: Rule, delivered: Sequence[int], acked: Sequence[int]) -> None:
    for offset in delivered:
        await rule.deliver(offset)
    for offset in acked:
        rule.ack(offset)
    offered = await rule.commit()
    first_open = min(set(delivered) - set(acked))
    if offered is not None and offered > first_open:
        raise CommittedPastAHole(f"{offered} offered, {first_open} not acknowledged")


async def check_refusal(rule: Rule) -> None:
    for offset in (10, 11):
        await rule.deliver(offset)
        rule.ack(offset)
    assert await rule.commit(accepted=False) == 12
    await rule.deliver(12)  # not acknowledged: all there is to commit is what was refused
    if await rule.commit() != 12:
        raise CommitForgotten


HOLES = {
    "first of three in flight": (10, [10, 11, 12], [11, 12]),
    "fresh group": (None, [0, 1, 2, 3, 4, 5], [5]),
    "committed 0": (0, [0, 1, 2, 3], [1, 2, 3]),
    "compacted offsets": (3, [3, 4, 9, 10], [3, 4, 10]),
}
holes = pytest.mark.parametrize(("committed", "delivered", "acked"), HOLES.values(), ids=HOLES.keys())


@holes
async def test_nothing_is_committed_past_a_hole(
    committed: int | None, delivered: list[int], acked: list[int]
) -> None:
    await check_holes(Ours(committed, delivered[0]), delivered, acked)


@holes
async def test_the_check_finds_fausts_own_rule_committing_past_a_hole(
    committed: int | None, delivered: list[int], acked: list[int]
) -> None:
    with pytest.raises(CommittedPastAHole):
        await check_holes(Stock(committed, delivered[0]), delivered, acked)


async def test_a_refused_commit_is_offered_again() -> None:
    await check_refusal(Ours(10, 10))


async def test_the_check_finds_faust_booking_a_refused_commit() -> None:
    with pytest.raises(CommitForgotten):
        await check_refusal(Stock(10, 10))


def test_an_unknown_commit_is_brought_to_the_start() -> None:
    reading = Reading(start=7, committed=None)
    assert reading.committable() == 7
    reading.book(7)
    assert reading.committable() is None


def test_a_chunk_must_lead_onwards() -> None:
    reading = Reading(start=7)
    with pytest.raises(ValueError, match="read up to 7"):
        reading.deliver(7, 1)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.integers(1, 5)),  # so far ahead: holes and chunks of any length
        st.tuples(st.just("ack"), st.integers(0, 30)),  # any chunk ever delivered, again or late too
        st.tuples(st.just("seek"), st.integers(0, 20)),
        st.tuples(st.just("revoke"), st.just(0)),
        st.tuples(st.just("commit"), st.integers(0, 1)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_happens_the_commit_stays_below_the_first_open_chunk_and_ends_at_the_end(
    steps: list[tuple[str, int]],
) -> None:
    readings = Readings()
    readings.open(PARTITION, 0)
    ever: list[Delivery] = []
    current: list[tuple[int, Delivery]] = []  # of this reading: where each chunk begins, the chunk

    def committable() -> int | None:
        reading = readings.reading(PARTITION)
        return reading.committable() if reading else None

    for step, number in steps:
        reading = readings.reading(PARTITION)
        if step == "deliver" and reading:
            current.append((reading.position, reading.deliver(reading.position + number, number)))
            ever.append(current[-1][1])
        elif step == "ack" and ever:
            ever[number % len(ever)].ack()
        elif step == "seek":
            readings.open(PARTITION, number)
            current = []
        elif step == "revoke":
            readings.close(PARTITION)
            current = []
        elif step == "commit" and reading and number and (offset := committable()) is not None:
            reading.book(offset)

        still_open = [(begin, delivery) for begin, delivery in current if not delivery.acked]
        offered = committable()
        assert offered is None or not still_open or offered <= still_open[0][0]
        assert readings.unacked_bytes == sum(delivery.size for _, delivery in still_open)

    for delivery in reversed(ever):
        delivery.ack()
    if last := readings.reading(PARTITION):
        if (offset := last.committable()) is not None:
            last.book(offset)
        assert last._committed == last.position
    assert readings.unacked_bytes == 0
