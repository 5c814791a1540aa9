"""What can go wrong with the local stack; every message says what to do."""


class LocalError(RuntimeError):
    """Base of the errors below."""


class MissingRequirements(LocalError):
    """System programs are missing; the message names them and the command that installs them."""


class SourceError(LocalError):
    """A source package cannot be fetched; the message holds apt's own words."""


class BuildError(LocalError):
    """TimescaleDB could not be built; the message ends with the compiler's words."""


class KafkaError(LocalError):
    """Kafka cannot be downloaded or started; the message ends with its log."""


class NotThere(LocalError):
    """There is no such stack, or it never ran."""
