"""Reads a migration: SQL with sections that some servers cannot run.

    -- requires: apache
    ...  runs on a server with at least that capability: now, or once it has gained it
    -- else
    ...  runs once instead, on a server without it
    -- end

Everything outside such blocks runs everywhere. The line `-- no-transaction` marks a file whose sections,
one statement each, run outside a transaction; they must bear being run again.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from storage.capability import Capability
from storage.errors import MigrationError

_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_DIRECTIVE = re.compile(r"--\s*(requires:\s*(\w+)|else|end|no-transaction)\s*")


@dataclass(slots=True)
class Section:
    """SQL that needs a capability, and what to run once in its place where it is missing."""

    requires: Capability = Capability.PLAIN
    body: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)

    def sql_for(self, capability: Capability) -> str:
        """What to run on such a server; empty if nothing."""
        lines = self.body if capability >= self.requires else self.otherwise
        blank = all(not line.strip() or line.lstrip().startswith("--") for line in lines)
        return "" if blank else "\n".join(lines)


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One numbered step, forward only."""

    version: int
    name: str
    sha256: str
    transactional: bool
    sections: tuple[Section, ...]


def parse(file_name: str, text: str) -> MigrationFile:
    """Read a migration; raises `MigrationError` with file and line."""
    named = _FILE_NAME.fullmatch(file_name)
    if named is None:
        raise MigrationError(f"{file_name}: name a migration like 0007_what_it_does.sql")
    lines = text.splitlines()
    return MigrationFile(
        version=int(named[1]),
        name=named[2],
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        transactional=not any(_directive(line) == "no-transaction" for line in lines),
        sections=tuple(_sections(file_name, lines)),
    )


def _directive(line: str) -> str:
    found = _DIRECTIVE.fullmatch(line.strip())
    return found[1] if found else ""


def _sections(file_name: str, lines: Iterable[str]) -> list[Section]:
    sections = [Section()]
    inside = False
    target = sections[-1].body
    for number, line in enumerate(lines, 1):
        directive = _directive(line)
        opens = directive.startswith("requires")
        if (directive in {"else", "end"} and not inside) or (opens and inside):
            raise MigrationError(f"{file_name}: line {number}: `{line.strip()}` is out of place")
        if opens:
            sections.append(Section(_capability(file_name, number, directive)))
            inside, target = True, sections[-1].body
        elif directive == "else":
            target = sections[-1].otherwise
        elif directive == "end":
            sections.append(Section())
            inside, target = False, sections[-1].body
        else:
            target.append(line)
    if inside:
        raise MigrationError(f"{file_name}: `-- requires:` without `-- end`")
    return sections


def _capability(file_name: str, number: int, directive: str) -> Capability:
    name = directive.split(":")[1].strip()
    try:
        return Capability[name.upper()]
    except KeyError as error:
        known = ", ".join(capability.name.lower() for capability in Capability)
        raise MigrationError(
            f"{file_name}: line {number}: unknown capability {name!r}: use {known}"
        ) from error
