"""TOML tables that are read key by key, so that what nobody read is an error with its place."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


class MapError(ValueError):
    """A map or a file under it that cannot be used; the message says what to change."""


class Table:
    """A table of a map; `where` is its place for errors."""

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        self._where = where
        self._values = dict(values)
        self._read: list[str] = []

    def error(self, message: str) -> MapError:
        """An error in this table."""
        return MapError(f"{self._where}: {message}")

    def text(self, key: str, default: str | None = None) -> str:
        """The text under `key`; without a default it must be there."""
        value = self._get(key, default)
        if value is None:
            raise self.error(f'{key} is missing: add `{key} = "..."`')
        return str(self._typed(key, value, str, "text in quotes"))

    def number(self, key: str, default: float) -> float:
        """The number under `key`."""
        return float(self._typed(key, self._get(key, default), int | float, "a number"))

    def count(self, key: str, default: int) -> int:
        """The whole number from 1 under `key`."""
        value = int(self._typed(key, self._get(key, default), int, "a whole number"))
        if value < 1:
            raise self.error(f"{key} must be 1 or more, not {value}")
        return value

    def boolean(self, key: str) -> bool:
        """The truth under `key`, false if it is not there."""
        value = self._get(key, False)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false, not {value!r}")
        return value

    def instant(self, key: str) -> datetime | None:
        """The instant under `key`, UTC."""
        value = self._get(key, None)
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise self.error(f"{key} must be an instant with its zone, such as 2020-01-01T00:00:00Z")
        return value.astimezone(UTC)

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """The list of texts under `key`."""
        values = self._typed(key, self._get(key, list(default)), list, "a list of texts")
        return tuple(str(self._typed(key, value, str, "a list of texts")) for value in values)

    def numbers(self, key: str) -> dict[str, float]:
        """The table from text to number under `key`."""
        values = self._typed(key, self._get(key, {}), dict, "a table such as { Start = 1, End = 2 }")
        return {
            name: float(self._typed(key, value, int | float, "numbers")) for name, value in values.items()
        }

    def table(self, key: str) -> "Table":
        """The table under `key`, empty if it is not there."""
        return Table(
            f"{self._where}: [{key}]", self._typed(key, self._get(key, {}), dict, f"a table [{key}]")
        )

    def tables(self, key: str) -> list["Table"]:
        """The tables under `key`, at least one."""
        found = self._typed(key, self._get(key, []), list, f"tables [[{key}]]")
        if not found:
            raise self.error(f"no [[{key}]]: add one for each {key}")
        places = ((f"{self._where}: [[{key}]] number {n}", values) for n, values in enumerate(found, 1))
        return [Table(where, self._typed(key, values, dict, f"tables [[{key}]]")) for where, values in places]

    def done(self) -> None:
        """Raise `MapError` if a key has not been read."""
        if unknown := sorted(set(self._values) - set(self._read)):
            raise self.error(f"unknown key {unknown[0]!r}: known keys are {', '.join(sorted(self._read))}")

    def _get(self, key: str, default: Any) -> Any:
        self._read.append(key)
        return self._values.get(key, default)

    def _typed(self, key: str, value: Any, kind: Any, what: str) -> Any:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.error(f"{key} must be {what}, not {value!r}")
        return value
