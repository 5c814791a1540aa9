"""What the score agent tells the forecast agent, over `health.<tenant>`, by way of the outbox."""

import json
import math
from dataclasses import dataclass, field

from streams.wire.frame import check_span
from streams.wire.strict_json import parse

CONTENT_TYPE = "application/vnd.faultline.health+json"


@dataclass(frozen=True, slots=True)
class HealthMessage:
    """Degradation levels of an asset at an instant: 0 is as new, 1 is the limit.

    `levels` maps what runs out (`condition`, or a wear counter's name) to its level. `mode` is the fault mode
    that the machine's finding named as it was raised, empty without one.
    """

    asset_id: int
    ts_us: int
    levels: dict[str, float] = field(default_factory=dict)
    mode: str = ""

    def encode(self) -> bytes:
        """The message as JSON."""
        body: dict[str, object] = {"asset_id": self.asset_id, "ts_us": self.ts_us, "levels": self.levels}
        if self.mode:
            body["mode"] = self.mode
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()

    @property
    def message_key(self) -> str:
        """Unique in the outbox: one message per asset and instant."""
        return f"health:{self.asset_id}:{self.ts_us}"


def decode(value: bytes) -> HealthMessage:
    """Read a message; raises `ValueError` for anything but what `encode` writes."""
    match parse(value):
        case {"asset_id": int(asset_id), "ts_us": int(ts_us), "levels": dict(levels), **rest}:
            mode = rest.get("mode", "")
            check_span(ts_us, ts_us)
            if 0 <= asset_id < 2**31 and all(map(_is_level, levels.values())) and isinstance(mode, str):
                return HealthMessage(asset_id, ts_us, levels, mode)
    raise ValueError("not a health message")


def _is_level(said: object) -> bool:
    return isinstance(said, float) and math.isfinite(said)
