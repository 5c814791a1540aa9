"""A wear counter for each of the parts that a machine takes up in turn, as the tools of a magazine."""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

from fleet.asset import FleetError
from fleet.modelled_wear import ModelledWear, RatedWear, Reading
from fleet.rating import Rating, Ratings


@dataclass(frozen=True, slots=True)
class PartWear:
    """What `wear` counts, for each part by its number; where nothing turns or moves, nothing may wear.

    number: the channel that says which part is in use, from 1, 0 for none. used: the channel in which the
    machine says how much of that one is used up, in percent; where it falls the part is a new one. A rating
    holds for all of a machine's parts, one with `_7` behind its name for number 7 alone.
    """

    wear: RatedWear
    number: str
    used: str

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it cannot do without."""
        return *self.wear.channels, self.number, self.used

    def rating(self, name: str) -> Rating | None:
        """The rating of that name, of all parts or of one."""
        return {each.name: each for each in self.wear.ratings}.get(re.sub(r"_[1-9][0-9]*$", "", name))

    def ratings_of(self, ratings: Ratings, number: int) -> Ratings:
        """The ratings of a part, from those of its machine."""
        own = {each.name: ratings.get(f"{each.name}_{number}") for each in self.wear.ratings}
        return {**ratings, **{name: said for name, said in own.items() if said is not None}}

    def named(self, counter: ModelledWear, number: int) -> ModelledWear:
        """The counter of the part of that number."""
        titles = f"{counter.title_en} {number}", f"{counter.title_zh} {number}"
        return replace(counter, name=f"{counter.name}_{number}", title_en=titles[0], title_zh=titles[1])

    def titles(self, counter: str) -> tuple[str, str] | None:
        """English and Chinese of a part's counter, None for another counter."""
        number = re.fullmatch(rf"{re.escape(self.wear.name)}_([1-9][0-9]*)", counter)
        return (f"{self.wear.title_en} {number[1]}", f"{self.wear.title_zh} {number[1]}") if number else None

    def missing(self, ratings: Ratings) -> tuple[str, ...]:
        """The ratings without which no part of the machine has a counter."""
        if any(not self.wear.missing(mine) for mine in self._said(ratings)):
            return ()
        return self.wear.missing(ratings)

    def assumed(self, ratings: Ratings, told: Container[str]) -> tuple[Reading, ...]:
        """What is taken as said because the machine tells only these channels, of any of its parts."""
        counters = (self.wear.of(mine) for mine in self._said(ratings))
        readings = (reading for one in counters if one for reading in one.readings)
        found = (each for each in readings if each.untold is not None and each.channel not in told)
        return tuple(dict.fromkeys(found))

    def check_ratings(self, ratings: Ratings) -> None:
        """Raise `FleetError` for ratings that cannot be."""
        for mine in self._said(ratings):
            self.wear.of(mine)

    def check(self, known: Mapping[str, str]) -> None:
        """Raise `FleetError` if a channel's kind, by its name, is not what is wanted."""
        self.wear.check(known)
        if known[self.number] != "state":
            raise FleetError(
                f"wear counter {self.wear.name}: {self.number} says which part, so it is a state"
            )

    def _said(self, ratings: Ratings) -> Iterator[Ratings]:
        """The ratings of all parts, and of each that has some of its own."""
        yield ratings
        ends = (re.search(r"_([1-9][0-9]*)$", name) for name in ratings)
        for number in sorted({int(end[1]) for end in ends if end}):
            yield self.ratings_of(ratings, number)
