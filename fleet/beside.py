"""What runs beside the worker's two detectors, by pack: novel values and change points of slow channels.

Both see means over equal spans of time of the rows in which the machine is at work.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.novelty_rows import DELAY
from detectors.promised_level import HIGHEST, LOWEST
from fleet.asset import FleetError


@dataclass(frozen=True, slots=True)
class NovelValues:
    """Channels that are watched for values that they never showed (`detectors/novelty`).

    For single channels that move slowly or that no fault mode is known of, such as energy, counts or hourly
    temperatures. They are judged from the `baseline`-th mean on. The level of an episode is `on_score` at
    first, then the one that keeps the pack's promise.
    """

    channels: tuple[str, ...]
    every_s: float = 3600.0
    baseline: int = 240
    on_score: float = 4.0

    def __post_init__(self) -> None:
        _check_spans(self.channels, self.every_s)
        if self.baseline < 4 * DELAY:
            raise FleetError(f"novel values: a baseline of {4 * DELAY} means or more, not {self.baseline}")
        if not LOWEST <= self.on_score <= HIGHEST:
            raise FleetError(f"novel values: on_score is from {LOWEST} to {HIGHEST}, not {self.on_score:g}")


@dataclass(frozen=True, slots=True)
class ChangePoints:
    """Channels that are watched together for the instant at which they change (`detectors/mosum`).

    `windows` are the numbers of means that are compared before and behind each instant, `baseline` those that
    teach how much they differ anyway, `score` the -log10 p from which a change is told: as an event, and in
    the findings that follow it.
    """

    channels: tuple[str, ...]
    every_s: float = 3600.0
    baseline: int = 240
    windows: tuple[int, ...] = (6, 12, 24, 48)
    score: float = 6.0

    def __post_init__(self) -> None:
        _check_spans(self.channels, self.every_s)
        if min(self.windows, default=0) < 2 or self.baseline < 4 * max(self.windows) or self.score <= 0:
            raise FleetError(
                "change points: windows of 2 means or more, a baseline of 4 of the longest, a score above 0"
            )


Beside = NovelValues | ChangePoints


def _check_spans(channels: tuple[str, ...], every_s: float) -> None:
    if not channels or len(set(channels)) < len(channels) or every_s <= 0:
        raise FleetError("what runs beside the detectors needs channels, each once, and spans above 0 s")


def check_beside(watches: tuple[Beside, ...], known: Mapping[str, str], of: str) -> None:
    """Raise `FleetError` for a channel that is not measured or watched twice; known: kinds by channel."""
    seen = set[tuple[type, str]]()
    for watch in watches:
        for name in watch.channels:
            if known.get(name) != "measurement":
                raise FleetError(f"{of}: {name} is watched beside the detectors but not measured")
            if (type(watch), name) in seen:
                raise FleetError(f"{of}: {name} is watched twice in the same way")
            seen.add((type(watch), name))
