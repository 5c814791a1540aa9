"""The one judge of every fault run: the ledger against what the run left behind.

Pure: it is itself tested against planted faults, each of which it must name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.chaos.ledger import Entry, Outcome
from console.chaos.observed import Findings, FrameKey, Letter, Observed
from streams.topics import TELEMETRY

EXAMPLES = 3
"""Of each violation so many are spelled out."""

WORST_RECOVERY_S = 120.0
MOST_ERRORS_PER_MINUTE = 30.0


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: which rule, how often, and examples."""

    rule: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule}: {self.count} ({'; '.join(self.examples)})"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the ledger demands: frames that must (by place) and may be stored, and dead letters by place."""

    sure: Mapping[FrameKey, tuple[str, int, int]]
    possible: Mapping[FrameKey, str]
    letters: Mapping[tuple[str, int, int], Entry]
    possible_letters: Counter[tuple[str, str]]


def check(entries: Iterable[Entry], seen: Observed, reference: Findings) -> list[Violation]:
    """Every broken promise; none is the good answer. `reference` is what an undisturbed run found."""
    wanted = _expected(entries)
    found = []
    for rule, judge in RULES.items():
        broken = list(judge(wanted, seen, reference))
        if broken:
            found.append(Violation(rule, len(broken), tuple(broken[:EXAMPLES])))
    return found


def _expected(entries: Iterable[Entry]) -> Expected:
    sure: dict[FrameKey, tuple[str, int, int]] = {}
    possible: dict[FrameKey, str] = {}
    letters: dict[tuple[str, int, int], Entry] = {}
    maybe = Counter[tuple[str, str]]()
    for entry in entries:
        if entry.outcome == Outcome.FAILED:
            continue
        if entry.reason is not None and entry.acknowledged:
            letters[entry.topic, entry.partition, entry.offset] = entry
        elif entry.reason is not None:
            maybe[entry.topic, entry.reason] += 1
        else:
            key = entry.tenant, entry.asset, entry.seq
            possible[key] = entry.sha256
            if entry.acknowledged:
                sure.setdefault(key, (entry.topic, entry.partition, entry.offset))
    return Expected(sure, possible, letters, maybe)


def _lost(wanted: Expected, seen: Observed, _: Findings) -> Iterator[str]:
    """Acknowledged and good, passed by the stored position, and not there.

    What lies beyond the position is still in the log: late, not lost, and a matter of `accounting`.
    """
    for key, (topic, partition, offset) in wanted.sure.items():
        passed = offset < seen.positions.get((topic, partition), 0)
        if passed and (key not in seen.frames or key not in seen.content):
            yield _name(key)


def _invented(wanted: Expected, seen: Observed, _: Findings) -> Iterator[str]:
    """There, and nobody sent it."""
    for key in seen.frames.keys() | seen.content.keys():
        if key not in wanted.possible:
            yield _name(key)
    if seen.stray_rows:
        yield f"{seen.stray_rows} rows of telemetry that belong to no frame"


def _doubled(_: Expected, seen: Observed, __: Findings) -> Iterator[str]:
    """There more than once."""
    for key, times in seen.frames.items():
        if times > 1:
            yield f"{_name(key)}: {times} times"


def _content(wanted: Expected, seen: Observed, _: Findings) -> Iterator[str]:
    """There with other content than was sent."""
    for key, sha256 in seen.content.items():
        if key in wanted.possible and sha256 != wanted.possible[key]:
            yield f"{_name(key)} holds other values than were sent"
    if seen.missing_values:
        yield f"{seen.missing_values} values are missing or not a number"


def _tenant(wanted: Expected, seen: Observed, _: Findings) -> Iterator[str]:
    """There under a customer who did not send it."""
    sender = {sha256: key for key, sha256 in wanted.possible.items()}
    for key, sha256 in seen.content.items():
        owner = sender.get(sha256, key)
        if owner[0] != key[0]:
            yield f"{_name(key)} holds what {_name(owner)} sent"


def _dead_letters(wanted: Expected, seen: Observed, _: Findings) -> Iterator[str]:
    """A bad record that is not exactly one dead letter with its reason and bytes, or a good one that is."""
    times = Counter((letter.topic, letter.partition, letter.offset) for letter in seen.letters)
    for place, entry in wanted.letters.items():
        if times[place] != 1:
            yield f"{_at(place)} ({entry.reason}): {times[place]} dead letters"
    unsure = Counter(wanted.possible_letters)
    for letter in seen.letters:
        sent = wanted.letters.get((letter.topic, letter.partition, letter.offset))
        if sent is None:
            unsure[letter.topic, letter.reason] -= 1
            if unsure[letter.topic, letter.reason] < 0:
                yield f"{_place(letter)}: nobody sent a record that is {letter.reason} there"
        elif letter.reason != sent.reason:
            yield f"{_place(letter)}: {letter.reason} instead of {sent.reason}"
        elif letter.sha256 != sent.sha256:
            yield f"{_place(letter)}: other bytes were kept than were sent"


def _accounting(_: Expected, seen: Observed, __: Findings) -> Iterator[str]:
    """A partition whose records are not all stored, duplicate, dead or tombstones, each once."""
    dead = Counter((letter.topic, letter.partition) for letter in seen.letters)
    for place, (begin, end) in seen.ends.items():
        tally = seen.tallies.get(place)
        counted = tally.total if tally else 0
        if counted != end - begin:
            yield f"{place[0]}[{place[1]}]: {counted} of {end - begin} records are accounted for"
        if tally and tally.dead != dead[place] and place[0].startswith(TELEMETRY):
            yield f"{place[0]}[{place[1]}]: {tally.dead} counted as dead, {dead[place]} kept"
        if end > begin and seen.positions.get(place) != end:
            position = seen.positions.get(place)
            yield f"{place[0]}[{place[1]}]: the position is {position}, the log ends at {end}"

    stored = sum(tally.stored for place, tally in seen.tallies.items() if place[0].startswith(TELEMETRY))
    if stored != sum(seen.frames.values()):
        yield f"{stored} frames counted as stored, {sum(seen.frames.values())} in the frame ledger"


def _outbox(_: Expected, seen: Observed, __: Findings) -> Iterator[str]:
    """Events without a message, messages without an event, and messages that were never sent."""
    yield from _differ(seen.health_keys, seen.findings.messages, "event", "message in the outbox")
    yield from _differ(seen.findings.messages, seen.told, "message in the outbox", "message in the log")
    if seen.unsent:
        yield f"{seen.unsent} messages were not sent"


def _findings(_: Expected, seen: Observed, reference: Findings) -> Iterator[str]:
    """Anything found that an undisturbed run does not find, and the other way round."""
    for what in ("scores", "episodes", "health", "forecasts", "wear", "messages"):
        ours, theirs = getattr(seen.findings, what), getattr(reference, what)
        yield from _differ(ours, theirs, f"{what} of this run", f"{what} of an undisturbed run")


def _state(_: Expected, seen: Observed, reference: Findings) -> Iterator[str]:
    """Detectors whose state is not to the bit that of an undisturbed run."""
    for place in sorted(seen.findings.states.keys() | reference.states.keys()):
        ours, theirs = seen.findings.states.get(place), reference.states.get(place)
        if ours != theirs:
            yield f"{place}: state {ours} instead of {theirs}"


def _liveness(_: Expected, seen: Observed, __: Findings) -> Iterator[str]:
    """Too long a way back to lag 0, or an endless loop of errors on it."""
    if seen.recovery_s > WORST_RECOVERY_S:
        yield f"back to lag 0 after {seen.recovery_s:.0f} s, at most {WORST_RECOVERY_S:.0f} s are allowed"
    if seen.errors_per_minute > MOST_ERRORS_PER_MINUTE:
        yield f"{seen.errors_per_minute:.0f} errors a minute in the logs"


RULES: dict[str, Callable[[Expected, Observed, Findings], Iterator[str]]] = {
    "lost": _lost,
    "invented": _invented,
    "doubled": _doubled,
    "content": _content,
    "tenant": _tenant,
    "dead letters": _dead_letters,
    "accounting": _accounting,
    "outbox": _outbox,
    "findings": _findings,
    "state": _state,
    "liveness": _liveness,
}


def _differ(ours: frozenset[str], theirs: frozenset[str], our_name: str, their_name: str) -> Iterator[str]:
    for only in sorted(ours - theirs):
        yield f"{our_name} without a {their_name}: {only[:160]}"
    for only in sorted(theirs - ours):
        yield f"{their_name} without a {our_name}: {only[:160]}"


def _name(key: FrameKey) -> str:
    tenant, asset, seq = key
    return f"{tenant}/{asset} frame {seq}"


def _at(place: tuple[str, int, int]) -> str:
    topic, partition, offset = place
    return f"{topic}[{partition}] offset {offset}"


def _place(letter: Letter) -> str:
    return _at((letter.topic, letter.partition, letter.offset))


def verdict(violations: Sequence[Violation]) -> str:
    """In one line."""
    return "; ".join(map(str, violations)) or "kept every promise"
