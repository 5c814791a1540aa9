"""What a machine does again and again, judged whole: a trip, a door cycle, a program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detectors.baseline import FEWEST
from detectors.segments import Part, Take, Window
from fleet.asset import Channel, EquipmentType, FleetError, check_name


@dataclass(frozen=True, slots=True)
class Feature:
    """What is taken of a segment: a duration, a count, or something of a channel (:class:`Take`).

    `channel` is read; of a duration or a count it is what they speak of. A sign that a fault mode has in it
    is one in the feature too. With `codes` only rows with these codes of the segment's state channel count.
    With a `window`, which is for what is taken of a channel, only those so long after their code came on.
    """

    name: str
    take: Take
    channel: str
    title_en: str
    title_zh: str
    codes: tuple[int, ...] = ()
    window: Window | None = None

    def __post_init__(self) -> None:
        check_name("feature", self.name)
        if self.window is None:
            return
        if self.take in {Take.SECONDS, Take.TIMES, Take.LONGEST}:
            raise FleetError(
                f"feature {self.name}: a window is for what is taken of a channel, not {self.take}"
            )
        if self.window.after < 0 or not 0 <= self.window.from_s < self.window.until_s:
            raise FleetError(
                f"feature {self.name}: its window needs a code from 0 up and 0 <= from_s < until_s"
            )

    def of(self, channel: Channel) -> Channel:
        """The feature as a channel of its own, given its channel."""
        unit = {
            Take.SECONDS: "s",
            Take.LONGEST: "s",
            Take.TIMES: "1",
            Take.TOTAL: f"{channel.unit}·s",
        }.get(self.take, channel.unit)
        kind = "setpoint" if channel.kind == "setpoint" else "measurement"
        return Channel(self.name, unit, kind=kind, title_en=self.title_en, title_zh=self.title_zh)


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of rows in which the state channel `channel` has one of `codes`, and what is taken of it.

    A change from one code to another begins the next segment, unless they are `phases` of one. Rows more than
    `apart_s` from each other have no segments: what happened between them is not known. A longer one than
    `longest_s` is not judged. The first `baseline` of a machine teach what is normal for it, those that begin
    with each code apart: a day's at least, or the time of the day would look odd. The latest `span` or so
    count together, as the span of an EWMA has it, and a quarter of them in a row must be odd for an episode.
    Only the fault modes `modes` can show in it, all of the pack if there are none. `kept`: its features are
    stored, to be seen as trends; for those that come a few times a day.
    """

    name: str
    channel: str
    codes: tuple[int, ...]
    features: tuple[Feature, ...]
    baseline: int
    phases: bool = False
    apart_s: float = 3.0
    longest_s: float = 600.0
    span: int = 39
    modes: tuple[str, ...] = ()
    kept: bool = False

    def __post_init__(self) -> None:
        check_name("segment", self.name)
        names = [feature.name for feature in self.features]
        if not names or len(set(names)) < len(names):
            raise FleetError(f"segment {self.name}: needs features, each with a name of its own")
        if not self.codes or min(self.codes) < 0:
            raise FleetError(f"segment {self.name}: needs codes of {self.channel}, from 0 up")
        for feature in self.features:
            if strange := sorted(set(feature.codes) - set(self.codes)):
                raise FleetError(f"segment {self.name}: {feature.name} counts codes it has not: {strange}")
        if min(self.apart_s, self.longest_s, self.span) <= 0 or self.baseline < FEWEST:
            raise FleetError(
                f"segment {self.name}: needs times above 0, a span of 1 or more "
                f"and {FEWEST} segments or more to learn"
            )

    @property
    def weight(self) -> float:
        """Of the latest segment in the mean of the latest ones: that of an EWMA with this span."""
        return 2 / (self.span + 1)

    @property
    def persistence(self) -> int:
        """Segments in a row that must be odd before an episode begins."""
        return 1 + self.span // 4

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it needs."""
        return self.channel, *(feature.channel for feature in self.features)

    def parts(self, kind: EquipmentType) -> tuple[Part, ...]:
        """The features by the columns of the type."""
        return tuple(Part(one.take, kind.column(one.channel), one.codes, one.window) for one in self.features)

    def check(self, known: Mapping[str, str], given: Sequence[str]) -> None:
        """Raise `FleetError` if it does not fit a type whose channels are of these kinds, by name.

        given: the set-points of the type that say what other channels should be.
        """
        for name in self.channels:
            if name not in known:
                raise FleetError(f"segment {self.name}: no channel {name!r}")
            if known[name] == "setpoint" and name not in given:
                raise FleetError(
                    f"segment {self.name}: {name} is a set-point, so it must be given to be used"
                )
        if known[self.channel] != "state":
            raise FleetError(f"segment {self.name}: {self.channel} is a {known[self.channel]}, not a state")
