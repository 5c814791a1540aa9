"""What an operator has of it: events found, how late, and episodes about nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from console.bench.detection.series import Bools, runs


@dataclass(frozen=True, slots=True)
class EventView:
    """Pooled over files. `delay_rows` is the median over found events, None if none was."""

    events: int
    found: int
    false_episodes: int
    healthy_rows: int
    delay_rows: float | None


def event_view(pairs: Iterable[tuple[Bools, Bools]]) -> EventView:
    """Of (true, said) rows of each file: an event is a run of true rows, an episode one of said rows.

    An event is found by an episode that overlaps it. The delay counts from its first row, 0 if the episode
    was on already. An episode that overlaps no event is false.
    """
    events = false = healthy = 0
    delays = list[int]()
    for true, said in pairs:
        labelled, episodes = runs(true), runs(said)
        events += len(labelled)
        healthy += int((~true).sum())
        false += sum(not true[on:off].any() for on, off in episodes)
        for begin, end in labelled:
            seen = [max(on - begin, 0) for on, off in episodes if on < end and off > begin]
            delays += [min(seen)] if seen else []
    return EventView(events, len(delays), false, healthy, median(delays) if delays else None)
