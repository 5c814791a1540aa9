"""What storage refuses to do, as one tree; an unreachable database is `psycopg.OperationalError`."""


class StorageError(Exception):
    """The root of all refusals; the message says what to do."""


class Fenced(StorageError):
    """Another worker has claimed the partition: nothing was written, let the partition go."""


class OffsetMismatch(StorageError):
    """The chunk begins below what is already stored: nothing was written, read on from the claim."""


class MigrationError(StorageError):
    """A migration file that cannot be applied as it is."""


class RegistrationRefused(StorageError):
    """A fleet description that would change what stored values mean; nothing was registered."""
