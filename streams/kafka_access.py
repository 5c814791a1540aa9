"""Where Kafka is, and how it lets us in: TLS, and SASL with a name and a password."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faust import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """`servers` are host:port,host:port.

    With `tls` the brokers' certificates have to name their hosts and to come from the authority in the file
    `ca`, or else from one that the system trusts. A `user` is let in by SASL with this `mechanism`.
    """

    servers: str
    tls: bool = False
    ca: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = "SCRAM-SHA-512"

    @property
    def options(self) -> dict[str, Any]:
        """What aiokafka's clients and kafka-python's take alike."""
        protocol = ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT")
        found: dict[str, Any] = {"bootstrap_servers": self.servers.split(","), "security_protocol": protocol}
        if self.tls:
            found["ssl_context"] = self._context()
        if self.user:
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return found

    @property
    def credentials(self) -> CredentialsT | None:
        """The same for a Faust app; None where nothing is asked for."""
        context = self._context() if self.tls else None
        if self.user:
            return SASLCredentials(
                username=self.user, password=self.password, ssl_context=context, mechanism=self.mechanism
            )
        return SSLCredentials(context) if context else None

    @property
    def doubts(self) -> str:
        """What to look at when it does not answer; the clients say the same whatever keeps them out."""
        asked = ["is it up, and does FAULTLINE_KAFKA name it?"]
        if self.tls:
            asked.append("Do its certificates name its hosts, and come from FAULTLINE_KAFKA_CA?")
        if self.user:
            asked.append("Are FAULTLINE_KAFKA_USER, _PASSWORD and _MECHANISM right?")
        return " ".join(asked)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)
