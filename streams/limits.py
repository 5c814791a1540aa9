"""A pack's limits over its machines: those of a value, and those of its change since the machine was new."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples
from detectors.limit_alarm import LimitAlarm, LimitEvent
from detectors.reference_level import ReferenceLevel
from fleet.vertical import VerticalPack

LimitPart = LimitAlarm | ReferenceLevel


class Limits:
    """The limits of one equipment type's machines. Events name them by their place in the pack."""

    def __init__(self, pack: VerticalPack) -> None:
        self._look_at(pack)
        self._alarm = LimitAlarm(len(pack.equipment_type.channels), self._of_values)
        self._references = ReferenceLevel(len(self._changes), pack.detection.baseline_rows)
        self._change_alarm = LimitAlarm(len(self._changes), self._of_changes)

    def _look_at(self, pack: VerticalPack) -> None:
        kind = pack.equipment_type
        values = [k for k, limit in enumerate(pack.limits) if not limit.since_new]
        changes = [k for k, limit in enumerate(pack.limits) if limit.since_new]
        self._places = values, changes
        self._changes = sorted({kind.column(pack.limits[k].channel) for k in changes})
        self._of_values = tuple(pack.limits[k].of_column(kind.column(pack.limits[k].channel)) for k in values)
        self._of_changes = tuple(
            pack.limits[k].of_column(self._changes.index(kind.column(pack.limits[k].channel)))
            for k in changes
        )

    def widen(self, pack: VerticalPack) -> None:
        """Go on with a pack whose type has channels added at its end, which have no reference."""
        self._look_at(pack)
        self._alarm.change(len(pack.equipment_type.channels), self._of_values)
        self._references.widen(len(self._changes))
        self._change_alarm.change(len(self._changes), self._of_changes)

    def check(self, samples: Samples, at_work: NDArray[np.bool_]) -> list[LimitEvent]:
        """What is passed and kept again, in the order of rows; only rows `at_work` (n,) tell of changes."""
        values, changes = self._places
        found = [replace(event, limit=values[event.limit]) for event in self._alarm.check(samples)]
        if changes:
            seen = np.where(at_work[:, None], samples.x[:, self._changes], np.nan)
            moved = replace(samples, x=self._references.update(replace(samples, x=seen)))
            found += [replace(event, limit=changes[event.limit]) for event in self._change_alarm.check(moved)]
        return sorted(found, key=lambda event: event.row)

    def renew(self, slot: int, at_us: int) -> list[LimitEvent]:
        """The machine was repaired then: what had changed is over, its next rows are its reference."""
        self._references.renew(slot)
        changes = self._places[1]
        return [replace(event, limit=changes[event.limit]) for event in self._change_alarm.renew(slot, at_us)]

    @property
    def parts(self) -> dict[str, LimitPart]:
        """What keeps a state of its own."""
        return {
            "limits": self._alarm,
            "references": self._references,
            "change_limits": self._change_alarm,
        }
