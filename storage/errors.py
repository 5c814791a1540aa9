"""What storage refuses to do, as one tree; an unreachable database is `psycopg.OperationalError`."""


class StorageError(Exception):
    """The root of all refusals; the message says what to do."""


class Fenced(StorageError):
    """Another worker has claimed the partition: nothing was written, let the partition go."""


class OffsetMismatch(StorageError):
    """What is stored is not what the writer takes for stored: nothing was written, claim anew and read on."""


class MigrationError(StorageError):
    """A migration file that cannot be applied as it is."""


class RegistrationRefused(StorageError):
    """A fleet description that would change what stored values mean; nothing was registered."""
