"""What the stream layer refuses to go on with."""


class PartitionStopped(RuntimeError):
    """A record waits in a partition that stands still on purpose: it will not be stored before a restart."""

    def __init__(self, topic: str, partition: int, why: str) -> None:
        super().__init__(
            f"{topic}[{partition}] stopped: {why}; see `faultline deadletters list`, mend the cause, "
            "start again"
        )


class TopicError(RuntimeError):
    """Topics cannot be made; the message names the brokers and the cure."""
