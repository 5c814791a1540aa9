"""What could not be mapped: counted by name, with first and last instant and an example."""

from dataclasses import dataclass
from enum import StrEnum

MOST_NAMES = 256
"""Entries kept; a gateway that makes up names must not fill the memory."""

LONGEST = 120
"""Characters of a name or an example."""


class Problem(StrEnum):
    """Why a signal could not be mapped, and what to do about it."""

    UNKNOWN_MACHINE = "unknown_machine"
    """No asset has that name: add it, or an alias."""
    UNKNOWN_SIGNAL = "unknown_signal"
    """The mapping table does not know it: add a [signal] and what channel it is."""
    UNKNOWN_FAULT = "unknown_fault"
    """The mapping table does not know the code: add a [fault], or choose the regulator's table."""
    NO_CHANNEL = "no_channel"
    """The signal is known, but the machine's equipment type has no channel for it."""
    UNKNOWN_UNIT = "unknown_unit"
    """No conversion to the channel's unit: add the spelling to [units], or correct the signal's."""
    BAD_VALUE = "bad_value"
    """No number, no known code, or one that the sender marked as an error."""
    BAD_INSTANT = "bad_instant"
    """No instant of the years 1970 to 2099."""
    BAD_BLOCK = "bad_block"
    """A waveform that shows nothing, of that machine and measuring point: do as the detail says."""


@dataclass(slots=True)
class Entry:
    """One name with one problem. first_us, last_us: earliest and latest instant, None if none was read."""

    problem: Problem
    name: str
    count: int
    first_us: int | None
    last_us: int | None
    example: str
    detail: str


class Quarantine:
    """Counts by problem and name. `others` counts those for whose names there was no room."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Problem, str], Entry] = {}
        self.others = 0

    @property
    def total(self) -> int:
        """All that were quarantined."""
        return self.others + sum(entry.count for entry in self._entries.values())

    def entries(self) -> list[Entry]:
        """The most frequent first."""
        return sorted(self._entries.values(), key=lambda entry: (-entry.count, entry.problem, entry.name))

    def add(self, problem: Problem, name: str, ts_us: int | None, value: object, detail: str = "") -> None:
        """Count one."""
        self._take(Entry(problem, brief(name), 1, ts_us, ts_us, brief(value), detail))

    def merge(self, other: "Quarantine") -> None:
        """Count all that another has counted."""
        self.others += other.others
        for entry in other.entries():
            self._take(entry)

    def _take(self, new: Entry) -> None:
        known = self._entries.get((new.problem, new.name))
        if known is None and len(self._entries) >= MOST_NAMES:
            self.others += new.count
        elif known is None:
            self._entries[new.problem, new.name] = Entry(
                new.problem, new.name, new.count, new.first_us, new.last_us, new.example, new.detail
            )
        else:
            known.count += new.count
            known.example, known.detail = new.example, new.detail
            known.first_us = min(_read(known.first_us, new.first_us), default=None)
            known.last_us = max(_read(known.last_us, new.last_us), default=None)


def _read(*instants: int | None) -> list[int]:
    return [us for us in instants if us is not None]


def brief(value: object) -> str:
    """A name or value for people and any database: cut, without NUL and lone surrogates."""
    text = "" if value is None else str(value).replace("\0", "?")
    return text[:LONGEST].encode(errors="replace").decode()
