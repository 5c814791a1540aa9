"""What the score agent tells the forecast agent, over `health.<tenant>`, by way of the outbox."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from fleet.asset import MAX_CHANNELS
from streams.wire.frame import check_span
from streams.wire.strict_json import parse

CONTENT_TYPE = "application/vnd.faultline.health+json"


@dataclass(frozen=True, slots=True)
class HealthMessage:
    """Degradation levels of an asset at an instant: 0 is as new, 1 is the limit.

    `levels` maps what runs out (`condition`, or a wear counter's name) to its level. `means` are those of the
    channels over the hour before that of the instant, in the order of columns, None where nothing is to be
    trusted. `mode` is the fault mode that the machine's finding named as it was raised, empty without one. A
    message of an earlier release has neither, and one of that release is not troubled by them.
    """

    asset_id: int
    ts_us: int
    levels: dict[str, float] = field(default_factory=dict)
    means: tuple[float | None, ...] = ()
    mode: str = ""

    def encode(self) -> bytes:
        """The message as JSON."""
        body: dict[str, object] = {"asset_id": self.asset_id, "ts_us": self.ts_us, "levels": self.levels}
        body["means"] = self.means
        if self.mode:
            body["mode"] = self.mode
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()

    @property
    def message_key(self) -> str:
        """Unique in the outbox: one message per asset and instant."""
        return f"health:{self.asset_id}:{self.ts_us}"


def decode(value: bytes) -> HealthMessage:
    """Read a message; raises `ValueError` for anything but what `encode` writes or once wrote."""
    match parse(value):
        case {"asset_id": int(asset_id), "ts_us": int(ts_us), "levels": dict(levels), **more}:
            check_span(ts_us, ts_us)
            means, mode = _means(more.get("means", [])), more.get("mode", "")
            sound = 0 <= asset_id < 2**31 and all(map(_is_number, levels.values()))
            if sound and means is not None and isinstance(mode, str):
                return HealthMessage(asset_id, ts_us, levels, means, mode)
    raise ValueError("not a health message")


def _means(said: Any) -> tuple[float | None, ...] | None:
    """The means, None if they cannot be such."""
    if not isinstance(said, list) or len(said) > MAX_CHANNELS:
        return None
    return tuple(said) if all(mean is None or _is_number(mean) for mean in said) else None


def _is_number(said: object) -> bool:
    return isinstance(said, float) and math.isfinite(said)
