"""A wear counter that a wear model keeps, from what channels of the machine say of its duty."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet.asset import EquipmentType, FleetError, check_name
from fleet.rating import Rating, Ratings
from forecasting.wear.contract import Quantity
from forecasting.wear.model import WearModel


@dataclass(frozen=True, slots=True)
class Reading:
    """A quantity of a duty, in its unit, is `factor` times what the channel reads, plus `offset`.

    per: the channel by whose reading that of the first is divided, as a feed is by the spindle's turns; where
    that is 0, the quotient is. untold: what the quantity is where the machine does not tell it.
    """

    channel: str
    factor: float = 1.0
    offset: float = 0.0
    per: str = ""
    untold: float | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it looks at."""
        return (self.channel, self.per) if self.per else (self.channel,)

    def of(self, kind: EquipmentType, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n,) from rows of the type's channels (n, channels), NaN where it is not known."""
        if self.untold is not None and self.channel not in {each.name for each in kind.channels}:
            return np.full(len(x), self.untold)
        said = x[:, kind.column(self.channel)].astype(np.float64)
        if self.per:
            by = x[:, kind.column(self.per)]
            said = np.where(by == 0, 0.0, said / np.where(by == 0, 1.0, by))
        found = said * self.factor + self.offset
        return found if self.untold is None else np.where(np.isnan(found), self.untold, found)


@dataclass(frozen=True, slots=True)
class ModelledWear:
    """Counts what `model` counts, against the limit of its lifetime.

    readings: for each quantity of the model's duty the channel that says it. used: what the part had behind
    it when the model began to count.
    """

    name: str
    model: WearModel
    readings: tuple[Reading, ...]
    title_en: str = ""
    title_zh: str = ""
    used: float = 0.0

    def __post_init__(self) -> None:
        check_name("wear counter", self.name)
        wanted = [quantity.name for quantity in self.model.duty]
        if len(self.readings) != len(wanted):
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

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it cannot do without."""
        needed = (reading.channels for reading in self.readings if reading.untold is None)
        return tuple(channel for channels in needed for channel in channels)

    @property
    def ratings(self) -> tuple[Rating, ...]:
        """None: it is the same for all machines."""
        return ()

    def missing(self, ratings: Ratings) -> tuple[str, ...]:
        """No rating is."""
        return ()

    def of(self, ratings: Ratings) -> "ModelledWear":
        """The counter of a machine with these ratings."""
        return self

    def duty(self, kind: EquipmentType, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, quantities) from rows of the type's channels (n, channels)."""
        found = np.column_stack([reading.of(kind, x) for reading in self.readings])
        # a quotient by next to nothing is beyond any range, and a row with such a one would count as not sent
        most = [one.high if reading.per else np.inf for reading, one in self._quantities()]
        return np.minimum(found, most)

    def check(self, known: Mapping[str, str]) -> None:
        """Raise `FleetError` if a channel's kind, by its name, is not what the model wants."""
        for reading, quantity in self._quantities():
            if quantity.counter and known[reading.channel] != "counter":
                raise FleetError(
                    f"wear counter {self.name}: {quantity.name} is a counter, {reading.channel} is not"
                )

    def _quantities(self) -> Iterable[tuple[Reading, Quantity]]:
        return zip(self.readings, self.model.duty, strict=True)


@dataclass(frozen=True, slots=True)
class RatedWear:
    """A wear counter of a part whose ratings are a machine's own: without them the machine has none.

    make: the model and its readings, from the ratings with their defaults. example: ratings of some machine,
    for tests and as a start, no default for any. used: the name of the rating that says what the part had
    behind it when the counting began, in the counter's unit; none if it is empty.
    """

    name: str
    ratings: tuple[Rating, ...]
    make: Callable[[Ratings], tuple[WearModel, tuple[Reading, ...]]]
    example: Ratings
    used: str
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        check_name("wear counter", self.name)
        if missing := self.missing(self.example):
            raise FleetError(f"wear counter {self.name}: its example needs {', '.join(missing)}")

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it cannot do without."""
        return self._made(self.example).channels

    def missing(self, ratings: Ratings) -> tuple[str, ...]:
        """The ratings that it needs and that are not among these."""
        return tuple(each.name for each in self.ratings if each.needed and each.name not in ratings)

    def of(self, ratings: Ratings) -> ModelledWear | None:
        """The counter of a machine with these ratings; raises `FleetError` for ratings that cannot be."""
        return None if self.missing(ratings) else self._made(ratings)

    def check(self, known: Mapping[str, str]) -> None:
        """Raise `FleetError` if a channel's kind, by its name, is not what the model wants."""
        self._made(self.example).check(known)

    def _made(self, ratings: Ratings) -> ModelledWear:
        given = {each.name: ratings.get(each.name, each.default) for each in self.ratings}
        try:
            model, readings = self.make({name: said for name, said in given.items() if said is not None})
        except ValueError as error:
            raise FleetError(f"wear counter {self.name}: {error}") from error
        used = float(given.get(self.used) or 0.0)
        return ModelledWear(self.name, model, readings, self.title_en, self.title_zh, used)
