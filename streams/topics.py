"""Topic names, written out in one place, and their creation."""

import contextlib
from collections.abc import Iterable

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streams.errors import TopicError
from streams.kafka_access import KafkaAccess

TELEMETRY = "telemetry."
HEALTH = "health."
LOG_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}


CONNECT_WITHIN_MS = 10_000


def telemetry_topic(tenant: str) -> str:
    """Where a tenant's frames come in."""
    return TELEMETRY + tenant


def health_topic(tenant: str) -> str:
    """Where the score agent tells the forecast agent about a tenant's machines."""
    return HEALTH + tenant


def tenant_of(topic: str) -> str:
    """The tenant that a topic belongs to: the topic, which Kafka's ACLs guard, and no payload says so."""
    return topic.split(".", 1)[1]


def topics_of(tenants: Iterable[str]) -> list[str]:
    """Every topic of these tenants."""
    return [topic for tenant in tenants for topic in (telemetry_topic(tenant), health_topic(tenant))]


def create_topics(access: KafkaAccess, topics: Iterable[str], partitions: int) -> list[str]:
    """Create the topics that are missing; returns them. Blocking: call it before or beside the loop.

    Timestamps are the broker's (`LogAppendTime`), so that no producer can widen the window of accepted
    instants, and the window is the same when a record is read again. Raises `TopicError`.
    """
    try:
        with contextlib.closing(connect(access)) as admin:
            missing = sorted(set(topics) - set(admin.list_topics()))
            for name in missing:
                with contextlib.suppress(TopicAlreadyExistsError):  # another worker was faster
                    admin.create_topics([NewTopic(name, partitions, -1, topic_configs=LOG_APPEND_TIME)])
    except KafkaError as error:
        raise TopicError(
            f"Kafka at {access.servers}: {error}: {access.doubts} `faultline stack up` starts one"
        ) from error
    return missing


def connect(access: KafkaAccess) -> KafkaAdminClient:
    """A client for topics, to be closed; raises `KafkaError` after ten seconds without an answer."""
    return KafkaAdminClient(**access.options, bootstrap_timeout_ms=CONNECT_WITHIN_MS)
