"""How a fault mode shows in a channel (ISO 13379-1: symptom), and how soon somebody should look."""

from dataclasses import dataclass
from enum import StrEnum

from fleet.asset import FleetError


class Way(StrEnum):
    """Where a channel goes, against what is expected of a healthy machine."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"


class Urgency(StrEnum):
    """How soon to look; in a list of fault modes it goes with the mode, not with how likely it is."""

    NOW = "now"
    DAYS = "days"
    NEXT_SERVICE = "next-service"


@dataclass(frozen=True, slots=True)
class Sign:
    """A channel, the way it goes, and its part of the anomaly beside the mode's other signs (`weight`).

    With `codes` it shows only while the state channel has one of them.
    """

    channel: str
    way: Way = Way.EITHER
    weight: float = 1.0
    codes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.weight < float("inf"):
            raise FleetError(f"sign {self.channel}: weight is above 0, not {self.weight:g}")

    def shows(self, code: int | None) -> bool:
        """Whether it can show at that code of the state channel; None is unknown."""
        return not self.codes or code is None or code in self.codes


def up(channel: str, weight: float = 1.0, codes: tuple[int, ...] = ()) -> Sign:
    """A channel that rises."""
    return Sign(channel, Way.UP, weight, codes)


def down(channel: str, weight: float = 1.0, codes: tuple[int, ...] = ()) -> Sign:
    """A channel that falls."""
    return Sign(channel, Way.DOWN, weight, codes)
