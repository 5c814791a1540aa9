"""What a nameplate or data sheet says of one machine: ratings, by name, in their units."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fleet.asset import FleetError, check_name

Ratings = Mapping[str, float | str]
"""Numbers in the units of their ratings, and choices, by name."""


@dataclass(frozen=True, slots=True)
class Rating:
    """A number in `unit`, or one of `choices`.

    Numbers are above 0, or 0 where that is the default; `signed` ones may be any. needed: it is a machine's
    own, so without it there is no counter. default: what holds where it is not given; where there is none,
    whoever uses it says what holds.
    """

    name: str
    unit: str = "1"
    choices: tuple[str, ...] = ()
    signed: bool = False
    needed: bool = False
    default: float | str | None = None

    def __post_init__(self) -> None:
        check_name("rating", self.name)

    def read(self, said: object) -> float | str:
        """What a fleet file says of it: `"800 A"`, a plain number where the unit is 1, or a choice.

        Raises `FleetError`.
        """
        if self.choices:
            if said not in self.choices:
                raise FleetError(f"{self.name} is one of {', '.join(self.choices)}, not {said!r}")
            return str(said)
        number = self._number(said)
        if number is None or not math.isfinite(number):
            wanted = "a number" if self.unit == "1" else f'in {self.unit}, as "12 {self.unit}"'
            raise FleetError(f"{self.name} must be {wanted}, not {said!r}")
        if not (self.signed or number > 0 or number == self.default):
            raise FleetError(f"{self.name} must be above 0, not {said!r}")
        return number

    def _number(self, said: object) -> float | None:
        if self.unit == "1":
            return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None
        number, _, unit = str(said).strip().partition(" ")
        try:
            return float(number) if unit.strip() == self.unit else None
        except ValueError:
            return None
