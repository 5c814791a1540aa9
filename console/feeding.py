"""Feeding a platform from a command: through Kafka as any gateway would, or into the embedded one's log."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from console.databases import Databases
from console.output import err, fail
from console.platform import Platform, foundation, platform
from console.serving import beside
from console.settings import Settings
from streams.kafka_access import KafkaAccess
from streams.replay.publisher import BridgePublisher, KafkaPublisher, Publisher, PublishError
from streams.replay.sender import Sent, publish
from streams.wire.frame import Frame

T = TypeVar("T")

TELL_EVERY = 200


def progress_bar() -> Progress:
    """A bar for people, on stderr so that scripts can read stdout."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=err,
        transient=False,
    )


def send_through(settings: Settings, feed: Callable[[Publisher], T]) -> T:
    """Run `feed` with a publisher into the log: Kafka's, as any gateway would, or the embedded platform's.

    The embedded platform runs for as long as it takes until all of it is stored.
    """
    if settings.kafka_access is not None:
        return _through_kafka(settings.kafka_access, feed)
    with foundation(settings) as found:
        return asyncio.run(_through_embedded(settings, found, feed))


def _through_kafka(access: KafkaAccess, feed: Callable[[Publisher], T]) -> T:
    try:
        with closing(KafkaPublisher(access)) as publisher:
            result = feed(publisher)
            publisher.flush()
            return result
    except PublishError as error:
        fail(str(error))


async def _through_embedded(settings: Settings, found: Databases, feed: Callable[[Publisher], T]) -> T:
    async with platform(settings, found) as running:
        return await beside(running.run(), into_embedded(running, feed))


async def into_embedded(platform: Platform, feed: Callable[[Publisher], T]) -> T:
    """Run `feed` in a thread beside the running platform, then wait until all of it is stored."""
    bridge = BridgePublisher(platform.publisher, platform.worker.durable, asyncio.get_running_loop())
    with closing(bridge):
        result = await asyncio.to_thread(feed, bridge)
        await asyncio.to_thread(bridge.flush)
    await platform.drained()
    return result


def publish_all(
    frames: Iterable[Frame], publisher: Publisher, tell: Callable[[Sent], None] = lambda _: None
) -> Sent:
    """Publish frames that name their tenant, in their order; `tell` hears now and then."""
    sent = Sent()
    for frame in frames:
        for _ in publish([frame], frame.tenant or "", publisher, sent):
            if sent.frames % TELL_EVERY == 0:
                tell(sent)
    publisher.flush()
    tell(sent)
    return sent
