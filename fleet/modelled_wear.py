"""A wear counter that a wear model keeps, from what channels of the machine say of its duty."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.asset import FleetError, check_name
from forecasting.wear.model import WearModel


@dataclass(frozen=True, slots=True)
class ModelledWear:
    """Counts what `model` counts, against the limit of its lifetime.

    channels: for each quantity of the model's duty the channel that says it, and what its readings are
    multiplied with to be in the quantity's unit: 1 over the rated current makes a load factor of a current.
    """

    name: str
    model: WearModel
    channels: tuple[tuple[str, float], ...]
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        check_name("wear counter", self.name)
        wanted = [quantity.name for quantity in self.model.duty]
        if len(self.channels) != len(wanted):
            raise FleetError(f"wear counter {self.name}: needs a channel for each of {', '.join(wanted)}")

    @property
    def warning(self) -> float:
        """Where the counter warns."""
        return self.model.lifetime.warning

    @property
    def limit(self) -> float:
        """Where the part's life ends."""
        return self.model.lifetime.limit

    @property
    def unit(self) -> str:
        """What it counts in."""
        return self.model.lifetime.unit

    def check(self, known: Mapping[str, str]) -> None:
        """Raise `FleetError` if a channel's kind, by its name, is not what the model wants."""
        for (channel, _), quantity in zip(self.channels, self.model.duty, strict=True):
            if quantity.counter and known[channel] != "counter":
                raise FleetError(f"wear counter {self.name}: {quantity.name} is a counter, {channel} is not")
