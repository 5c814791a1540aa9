"""Episodes as rows to store: of machines, limits, shifts, sensors and clocks, each with what explains it.

An episode keeps its id from its onset to its end, and a sensor's or clock's the finding of its onset.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.clock import ClockFault
from detectors.episodes import EpisodeEvent
from detectors.limit_alarm import LimitEvent
from detectors.quality import SensorFault
from fleet.finding import ROWS, Finding, basis_of, episode_id, gas_verdict, read_finding
from fleet.limit_finding import read_limit
from fleet.relearning_finding import read_relearning
from fleet.sensor_finding import read_clock_fault, read_sensor_fault
from fleet.shift_finding import read_shift
from fleet.vertical import Counted, VerticalPack
from storage.chunk_result import EpisodeRow
from streams.verdict import Verdict

Channels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Subject:
    """The machine that an episode is about."""

    asset_id: int
    tenant: str
    name: str


class EpisodeBook:
    """Rows of episodes, and the findings of those that are on.

    `version` is part of every id, `judged` what a machine is judged by, as :func:`basis_of` has it.
    """

    def __init__(self, pack: VerticalPack, version: int, judged: tuple[str, str] = ROWS) -> None:
        self.pack = pack
        self._judged = judged
        self._version = version
        self._findings: dict[str, dict[str, Any]] = {}

    def read(self, verdict: Verdict, i: int, worn: Sequence[Counted], code: int | None) -> Finding:
        """What the score of row i says about the machine.

        worn: its wear counters that are known, code: that of the state channel, there too, None if unknown.
        """
        scores, row = verdict.scores, verdict.row
        return read_finding(
            self.pack,
            row(scores.contribution, i, 0.0),
            row(scores.expected, i, np.nan),
            row(scores.observed, i, np.nan),
            basis_of(verdict.shown(i), self.pack.detection.baseline_rows, self._judged),
            worn,
            code,
        )

    def of_machine(
        self, event: EpisodeEvent, about: Subject, judge: str, finding: Finding | None
    ) -> EpisodeRow:
        """An episode that a score raised, with what is found now; None once it is over."""
        spell = event.onset_us, event.end_us
        peak = event.peak_us, event.peak_score
        return self._row(about, "machine", judge, f"{judge}-{self._version}", spell, peak, finding)

    def of_sensor(self, fault: SensorFault, about: Subject, reading: float) -> EpisodeRow:
        """A sensor's fault, at that reading, NaN for none."""
        channel = self.pack.equipment_type.channels[fault.channel]
        finding = read_sensor_fault(channel, fault.kind, None if np.isnan(reading) else reading, fault.unit)
        return self._fault(fault, about, f"quality-{fault.kind}-{channel.name}", finding)

    def of_clock(self, fault: ClockFault, about: Subject) -> EpisodeRow:
        """A clock that went back."""
        return self._fault(fault, about, "quality-clock", read_clock_fault(fault.back_us / 1e6))

    def of_limit(self, event: LimitEvent, about: Subject, values: Channels | None = None) -> EpisodeRow:
        """A limit that was passed; the finding says how far.

        values: (channels,) the machine's at that row, NaN where unknown, None if a repair ends it; if it is
        a gas's limit, what all gases say as it is passed is evidence too.
        """
        limit, kind = self.pack.limits[event.limit], self.pack.equipment_type
        is_gas = self.pack.gases is not None and limit.channel in dict(self.pack.gases.channels).values()
        begins = event.end_us is None
        gas = gas_verdict(self.pack, values) if is_gas and begins and values is not None else None
        finding = read_limit(limit, kind.channels[kind.column(limit.channel)], event.peak, gas)
        spell, peak = (event.onset_us, event.end_us), (event.peak_us, 0.0)
        return self._row(about, "limit", limit.name, limit.name, spell, peak, finding)

    def of_shift(
        self,
        at_us: int,
        about: Subject,
        jumped: bool,
        before: Channels,
        after: Channels,
        scale: Channels,
        named: str = "",
    ) -> EpisodeRow:
        """A normal that moved: over when it is told; the finding says from where to where.

        `named`: of which judge it is the normal, if not of that of the rows.
        """
        finding = read_shift(self.pack.equipment_type.channels, jumped, before, after, scale)
        detector = f"{named}-{finding.code}" if named else finding.code
        return self._row(about, "shift", named or "shift", detector, (at_us, at_us), (at_us, 0.0), finding)

    def of_relearning(self, at_us: int, about: Subject, fit: int) -> EpisodeRow:
        """A machine that learns its normal anew under a fit of what surroundings explain, 0 for none."""
        finding = read_relearning(fit)
        return self._row(about, "shift", finding.code, finding.code, (at_us, at_us), (at_us, 0.0), finding)

    def of_change(self, since_us: int, told_us: int, about: Subject, finding: Finding) -> EpisodeRow:
        """A change point: over when it is told."""
        named = f"{finding.code}-{finding.evidence[0].channel}"
        spell, peak = (since_us, told_us), (since_us, 0.0)
        return self._row(about, "shift", named, named, spell, peak, finding)

    def _fault(
        self, fault: SensorFault | ClockFault, about: Subject, detector: str, finding: Finding
    ) -> EpisodeRow:
        found = finding if fault.end_us is None else None
        spell, peak = (fault.onset_us, fault.end_us), (fault.onset_us, 0.0)
        return self._row(about, "sensor", detector, detector, spell, peak, found)

    def _row(
        self,
        about: Subject,
        kind: str,
        named: str,
        detector: str,
        spell: tuple[int, int | None],
        peak: tuple[int, float],
        finding: Finding | None,
    ) -> EpisodeRow:
        """A row for onset and end, instant and height of the peak; without a finding that of the onset."""
        onset_us, end_us = spell
        name = episode_id(about.tenant, about.name, named, self._version, onset_us)
        if finding is not None:
            said = _plain(finding)
            if end_us is not None and name.hex in self._findings:  # a limit's: what else was said stays
                said["evidence"] += self._findings[name.hex]["evidence"][1:]
            self._findings[name.hex] = said
        evidence = self._findings[name.hex]
        if end_us is not None:
            del self._findings[name.hex]
        return EpisodeRow(
            episode_id=name,
            asset_id=about.asset_id,
            kind=kind,
            detector=detector,
            onset_us=onset_us,
            end_us=end_us,
            peak_us=peak[0],
            peak_score=peak[1],
            evidence=evidence,
        )

    def array(self) -> NDArray[np.uint8]:
        """The findings of the episodes that are on."""
        return np.frombuffer(json.dumps(self._findings, sort_keys=True).encode(), np.uint8)

    def take(self, array: NDArray[np.uint8]) -> None:
        """Go on from what `array` gave."""
        self._findings = json.loads(array.tobytes())


def _plain(finding: Finding) -> dict[str, Any]:
    """The finding as JSON will have it, so that a restart changes nothing."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(finding)))
    return found
