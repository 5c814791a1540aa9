"""All that is known about a class of machine: what it measures, how to watch it, how it wears and fails."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod

from detectors.promised_level import HIGHEST, LOWEST
from fleet.advice import AdviceRule
from fleet.asset import EquipmentType, FleetError, check_name
from fleet.beside import Beside, check_beside
from fleet.dissolved_gas import GasFault, GasMonitor
from fleet.measuring_point import MeasuringPoint
from fleet.modelled_wear import ModelledWear, RatedWear
from fleet.part_wear import PartWear
from fleet.rating import Rating, Ratings
from fleet.ride_point import RidePoint
from fleet.segment import Segment
from fleet.sign import Sign, Urgency
from fleet.standard_limit import StandardLimit

MOST_REGIMES = 16
"""Regimes that detectors tell apart."""

HEALTHY = 1.0
"""Deviation of healthy machines, about, in robust standard deviations."""


@dataclass(frozen=True, slots=True)
class Detection:
    """How a machine's scores become episodes and health; the defaults are engineering defaults.

    The same for rows and for each kind of segment, which keeps the promise for itself.

    An episode starts when the score (-log10 p) is above a level for `persistence` samples in a row, and ends
    once the score has been low again for `off_delay_s`: longer than the machine usually rests, or every night
    would split an episode. The level is `on_score` at first; as the machines are watched it moves to where
    they have `false_per_day` false episodes each. The first `baseline_rows` in each regime teach what is
    normal there. The deviation from normal, in robust standard deviations, is smoothed with the time constant
    `health_tau_s`; health is 100 % at none and 0 % at `d_fail`, the deviation at which such a machine no
    longer does its job. `idle` are the codes of the state channel at which the machine rests: such rows are
    stored, not judged, because a resting machine shows no fault and would seem to recover. `bands` divide the
    range of set-points: a regime is a code of the state channel and a band of each. Nor are rows judged until
    `settle_s` after a switch of them. `given` are set-points, such as load and weather, that say what the
    measurements should be: each machine's baseline holds how, and what is left is judged. `ambient` are
    those that measurements follow over hours: how they follow both, stored weeks of many machines tell
    (`detectors/surroundings_fit`). What runs `beside` the detectors has channels and spans of its own.
    """

    on_score: float = 3.0
    false_per_day: float = 0.005
    persistence: int = 10
    off_delay_s: float = 30.0
    baseline_rows: int = 300
    health_tau_s: float = 3600.0
    d_fail: float = 15.0
    idle: tuple[int, ...] = ()
    bands: tuple[tuple[str, tuple[float, ...]], ...] = ()
    settle_s: float = 0.0
    given: tuple[str, ...] = ()
    ambient: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()

    def __post_init__(self) -> None:
        times = self.off_delay_s, self.health_tau_s
        levels = self.on_score, self.false_per_day, self.d_fail
        if min(*levels, self.persistence, self.baseline_rows, *times) <= 0:
            raise FleetError("detection: every parameter must be above 0")
        if not LOWEST <= self.on_score <= HIGHEST:
            raise FleetError(f"detection: on_score is from {LOWEST} to {HIGHEST}, not {self.on_score:g}")
        if self.settle_s < 0:
            raise FleetError("detection: settle_s cannot be below 0")
        for name, edges in self.bands:
            if not edges or list(edges) != sorted(set(edges)):
                raise FleetError(f"detection: the bands of {name} need values that ascend")


@dataclass(frozen=True, slots=True)
class WearCounter:
    """Accumulated use against a limit, in `unit` (OPC UA LifetimeVariable: warning and limit value).

    Without `above` the reading of the counter channel is the use. With it the use is the hours during
    which `channel` is above that value.
    """

    name: str
    channel: str
    warning: float
    limit: float
    unit: str
    above: float | None = None
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        check_name("wear counter", self.name)
        if not 0 < self.warning <= self.limit:
            raise FleetError(f"wear counter {self.name}: need 0 < warning <= limit")
        if self.above is not None and self.unit != "h":
            raise FleetError(f"wear counter {self.name}: counts hours, so its unit is h, not {self.unit}")


Counted = tuple[WearCounter | ModelledWear, float]
"""A machine's wear counter and where it stands."""


@dataclass(frozen=True, slots=True)
class FaultMode:
    """A way to fail (ISO 14224 failure mode), the channels that betray it, and what to look at first.

    `signs` say how they do; a channel without one may go either way, with weight 1. `failure_code` is the
    standard's three letters (annex B; the packs have theirs from memory). `wear` names counters that make the
    mode likelier as they come to their end, `gases` the fault types that dissolved gases tell of it, `parts`
    is what to bring. `fails_at` is the deviation at which it is a functional failure, as `Detection.d_fail`
    is of the type; forecasts go by it once a finding names the mode.
    """

    code: str
    title_en: str
    title_zh: str
    channels: tuple[str, ...]
    check_en: str
    check_zh: str
    signs: tuple[Sign, ...] = ()
    failure_code: str = ""
    wear: tuple[str, ...] = ()
    gases: tuple[GasFault, ...] = ()
    parts_en: str = ""
    parts_zh: str = ""
    urgency: Urgency = Urgency.NEXT_SERVICE
    fails_at: float | None = None

    def __post_init__(self) -> None:
        check_name("fault mode", self.code)
        known = {sign.channel: sign for sign in self.signs}
        if strange := sorted(known.keys() - set(self.channels)):
            raise FleetError(
                f"fault mode {self.code}: signs of channels it does not name: {', '.join(strange)}"
            )
        if not re.fullmatch(r"([A-Z]{3})?", self.failure_code):
            raise FleetError(f"fault mode {self.code}: an ISO 14224 code has three capital letters")
        if self.fails_at is not None and not self.fails_at > HEALTHY:
            raise FleetError(
                f"fault mode {self.code}: fails_at is above {HEALTHY:g}, what healthy machines have"
            )
        object.__setattr__(self, "signs", tuple(known.get(name, Sign(name)) for name in self.channels))


@dataclass(frozen=True, slots=True)
class VerticalPack:
    """An equipment type with its detection parameters, wear counters, fault modes and limits.

    `modelled` are the counters that a wear model keeps, beside those that are read or timed; those that are
    rated are there for the machines whose ratings are known. `gases` tells where gases dissolved in oil are
    reported, and `advice` is what such machines can save. `segments` are judged whole, beside the rows.
    `power` is the channel of the machine's electrical power in kW, if it has one: energy is made of it.
    `points` are where vibration is sampled, if somebody does, and `rides` where that of whole trips is.
    `parts` are what a machine takes up in turn, each with a counter of its own.
    `impulsive` are the measured channels whose isolated jumps are the machine's doing, such as a count in a
    cycle, a peak or a current at a start: they are no spikes there (`detectors/quality`).
    """

    equipment_type: EquipmentType
    detection: Detection = Detection()
    wear: tuple[WearCounter, ...] = ()
    fault_modes: tuple[FaultMode, ...] = ()
    limits: tuple[StandardLimit, ...] = ()
    modelled: tuple[ModelledWear | RatedWear, ...] = ()
    gases: GasMonitor | None = None
    advice: tuple[AdviceRule, ...] = ()
    segments: tuple[Segment, ...] = ()
    power: str | None = None
    points: tuple[MeasuringPoint, ...] = ()
    parts: PartWear | None = None
    impulsive: tuple[str, ...] = ()
    rides: tuple[RidePoint, ...] = ()

    def __post_init__(self) -> None:
        known = {channel.name: channel.kind for channel in self.equipment_type.channels}
        self._check_channels("wear counter", ((w.name, w.channel) for w in self.wear), known)
        hints = ((mode.code, name) for mode in self.fault_modes for name in mode.channels)
        self._check_channels("fault mode", hints, known)
        self._check_modes(known)
        if self.gases:
            self._check_channels("gas", self.gases.channels, known)
        read = ((rule.name, name) for rule in self.advice for name in rule.channels)
        self._check_channels("advice", read, known)
        sampled = ((point.name, name) for point in self.points for name in (point.speed, *point.channels))
        self._check_channels("measuring point", sampled, known)
        ridden = ((ride.name, name) for ride in self.rides for name in ride.channels)
        self._check_channels("measuring point", ridden, known)
        self._check_segments(known)
        self._check_limits(known)
        self._check_bands(known)
        check_beside(self.detection.beside, known, self.equipment_type.name)
        self._check_impulsive(known)
        if self.detection.idle and "state" not in known.values():
            raise FleetError(f"{self.equipment_type.name}: idle codes need a channel of kind state")
        self._check_counters(known)
        self._check_power(known)

    def on(self, equipment_type: EquipmentType) -> "VerticalPack":
        """The pack as far as it fits the type as it is registered, which may have fewer channels by now."""
        known = frozenset(channel.name for channel in equipment_type.channels)
        return replace(
            self,
            equipment_type=equipment_type,
            wear=tuple(counter for counter in self.wear if counter.channel in known),
            fault_modes=self._modes_on(known),
            limits=tuple(limit for limit in self.limits if limit.channel in known),
            modelled=tuple(one for one in self.modelled if known.issuperset(one.channels)),
            advice=tuple(rule for rule in self.advice if known.issuperset(rule.channels)),
            segments=tuple(one for one in self.segments if known.issuperset(one.channels)),
            power=self.power if self.power in known else None,
            points=tuple(one for one in self.points if known.issuperset((one.speed, *one.channels))),
            parts=self.parts if self.parts and known.issuperset(self.parts.channels) else None,
            impulsive=tuple(name for name in self.impulsive if name in known),
            rides=tuple(one for one in self.rides if known.issuperset(one.channels)),
            gases=self.gases
            and replace(self.gases, channels=tuple(one for one in self.gases.channels if one[1] in known)),
            detection=replace(
                self.detection,
                bands=tuple(band for band in self.detection.bands if band[0] in known),
                given=tuple(name for name in self.detection.given if name in known),
                ambient=tuple(name for name in self.detection.ambient if name in known),
                beside=tuple(one for one in self.detection.beside if known.issuperset(one.channels)),
            ),
        )

    def _modes_on(self, known: frozenset[str]) -> tuple[FaultMode, ...]:
        """The fault modes whose first channel is there, without the channels and counters that are not."""
        kept = {one.name for one in self.wear if one.channel in known}
        kept |= {one.name for one in self.modelled if known.issuperset(one.channels)}
        return tuple(
            replace(
                mode,
                channels=tuple(name for name in mode.channels if name in known),
                signs=tuple(sign for sign in mode.signs if sign.channel in known),
                wear=tuple(name for name in mode.wear if name in kept),
            )
            for mode in self.fault_modes
            if known.issuperset(mode.channels[:1])
        )

    @property
    def codes(self) -> int:
        """How many codes the state channel has, 1 without one; those from the last one up are told as it."""
        highest = [channel.high for channel in self.equipment_type.channels if channel.kind == "state"]
        return int(min(highest[0], MOST_REGIMES - 1)) + 1 if highest else 1

    @property
    def counters(self) -> tuple[WearCounter | ModelledWear | RatedWear, ...]:
        """All wear counters, those of models last."""
        return (*self.wear, *self.modelled)

    @property
    def ratings(self) -> Mapping[str, Rating]:
        """The ratings that wear models and measuring points want of a machine, by name."""
        of_parts = (self.parts.wear,) if self.parts else ()
        rated = (*self.modelled, *of_parts, *self.points, *self.rides)
        return {rating.name: rating for one in rated for rating in one.ratings}

    def counter_titles(self, name: str) -> tuple[str, str] | None:
        """What people call a counter, in English and Chinese; None if it is none of the pack's."""
        known = {one.name: (one.title_en, one.title_zh) for one in self.counters}
        return known.get(name) or (self.parts.titles(name) if self.parts else None)

    @property
    def of_waveforms(self) -> frozenset[str]:
        """The channels that blocks of vibration become; many machines send none."""
        channels = [*(one.channels for one in self.points), *(one.channels for one in self.rides)]
        return frozenset(name for each in channels for name in each)

    def point(self, name: str) -> MeasuringPoint | None:
        """The measuring point of that name on a bearing."""
        return next((point for point in self.points if point.name == name), None)

    def ride(self, name: str) -> RidePoint | None:
        """The measuring point of that name on a car."""
        return next((ride for ride in self.rides if ride.name == name), None)

    def lacking(self, ratings: Ratings) -> Mapping[str, tuple[str, ...]]:
        """The counters that a machine with these ratings has not, each with the ratings that it needs."""
        missing = {one.name: one.missing(ratings) for one in self.modelled}
        if self.parts:
            missing[self.parts.wear.name] = self.parts.missing(ratings)
        return {name: names for name, names in missing.items() if names}

    def read_ratings(self, said: Mapping[str, object]) -> Ratings:
        """A machine's ratings, from what a fleet file says of each; raises `FleetError`."""
        read = {name: self._rating(name).read(value) for name, value in said.items()}
        for one in self.modelled:
            one.of(read)
        for point in self.points:
            point.orders(read)
        if self.parts:
            self.parts.check_ratings(read)
        return read

    def _rating(self, name: str) -> Rating:
        kind, known = self.equipment_type.name, self.ratings
        rating = known.get(name) or (self.parts.rating(name) if self.parts else None)
        if rating is None:
            wanted = f"known are {', '.join(known)}" if known else "it has none"
            raise FleetError(f"{kind} has no rating {name!r}: {wanted}")
        return rating

    def _check_counters(self, known: Mapping[str, str]) -> None:
        names = [counter.name for counter in self.counters]
        if self.parts:
            names.append(self.parts.wear.name)
            self._check_channels(
                "wear counter", ((self.parts.wear.name, name) for name in self.parts.channels), known
            )
            self.parts.check(known)
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise FleetError(f"{self.equipment_type.name}: wear counters there twice: {', '.join(twice)}")
        for counter in self.wear:
            if counter.above is None and known[counter.channel] != "counter":
                raise FleetError(f"wear counter {counter.name}: {counter.channel} is no counter, say `above`")
        for one in self.modelled:
            self._check_channels("wear counter", ((one.name, name) for name in one.channels), known)
            one.check(known)

    def _check_power(self, known: Mapping[str, str]) -> None:
        if self.power is None:
            return
        self._check_channels("power", [("power", self.power)], known)
        unit = self.equipment_type.channels[self.equipment_type.column(self.power)].unit
        if unit != "kW" or known[self.power] == "counter":
            raise FleetError(f"{self.equipment_type.name}: {self.power} is no power in kW")

    def _check_impulsive(self, known: Mapping[str, str]) -> None:
        self._check_channels("impulsive", ((name, name) for name in self.impulsive), known)
        if others := [name for name in self.impulsive if known[name] != "measurement"]:
            raise FleetError(
                f"{self.equipment_type.name}: only what is measured is checked for spikes, "
                f"so {', '.join(others)} cannot be impulsive"
            )

    def _check_segments(self, known: Mapping[str, str]) -> None:
        names = [segment.name for segment in self.segments]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise FleetError(f"{self.equipment_type.name}: segments there twice: {', '.join(twice)}")
        for segment in self.segments:
            segment.check(known, self.detection.given)

    def _check_modes(self, known: Mapping[str, str]) -> None:
        counters = {counter.name for counter in self.counters}
        for mode in self.fault_modes:
            if strange := sorted(set(mode.wear) - counters):
                raise FleetError(f"fault mode {mode.code}: no wear counter {', '.join(strange)}")
            if any(sign.codes for sign in mode.signs) and "state" not in known.values():
                raise FleetError(f"fault mode {mode.code}: signs with codes need a channel of kind state")

    def _check_bands(self, known: Mapping[str, str]) -> None:
        bands = self.detection.bands
        self._check_channels("band", ((name, name) for name, _ in bands), known)
        given, ambient = self.detection.given, self.detection.ambient
        self._check_channels("given", ((name, name) for name in given), known)
        self._check_channels("ambient", ((name, name) for name in ambient), known)
        if twice := sorted({*given} & {*ambient}):
            raise FleetError(f"{self.equipment_type.name}: both given and ambient: {', '.join(twice)}")
        roles = [(name, "has bands") for name, _ in bands]
        roles += [(name, "is given") for name in given] + [(name, "is ambient") for name in ambient]
        for name, role in roles:
            if known[name] != "setpoint":
                raise FleetError(f"{self.equipment_type.name}: {name} {role} but is a {known[name]}")
        if (regimes := self.codes * prod(len(edges) + 1 for _, edges in bands)) > MOST_REGIMES:
            raise FleetError(
                f"{self.equipment_type.name}: codes and bands make {regimes} regimes, {MOST_REGIMES} fit"
            )

    def _check_limits(self, known: Iterable[str]) -> None:
        self._check_channels("limit", ((limit.name, limit.channel) for limit in self.limits), known)
        names = [limit.name for limit in self.limits]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise FleetError(f"{self.equipment_type.name}: there twice: {', '.join(twice)}")
        for limit in self.limits:
            limit.check(self.equipment_type.channels[self.equipment_type.column(limit.channel)])

    def _check_channels(self, kind: str, references: Iterable[tuple[str, str]], known: Iterable[str]) -> None:
        for name, channel in references:
            if channel not in known:
                raise FleetError(f"{self.equipment_type.name}: {kind} {name} names no channel {channel!r}")
