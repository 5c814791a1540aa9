"""What the score agent tells the forecast agent, over `health.<tenant>`, by way of the outbox."""

import json
from dataclasses import dataclass, field

CONTENT_TYPE = "application/vnd.faultline.health+json"


@dataclass(frozen=True, slots=True)
class HealthMessage:
    """Degradation levels of an asset at an instant: 0 is as new, 1 is the limit.

    `levels` maps what runs out (`condition`, or a wear counter's name) to its level.
    """

    asset_id: int
    ts_us: int
    levels: dict[str, float] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The message as JSON."""
        body = {"asset_id": self.asset_id, "ts_us": self.ts_us, "levels": self.levels}
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()

    @property
    def message_key(self) -> str:
        """Unique in the outbox: one message per asset and instant."""
        return f"health:{self.asset_id}:{self.ts_us}"


def decode(value: bytes) -> HealthMessage:
    """Read a message; raises `ValueError` for anything but what `encode` writes."""
    body = json.loads(value)
    try:
        levels = {str(name): float(level) for name, level in body["levels"].items()}
        return HealthMessage(int(body["asset_id"]), int(body["ts_us"]), levels)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a health message: {error!r}") from error
