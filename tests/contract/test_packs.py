"""Every shipped vertical pack keeps its promises, and the live code finds what its machines suffer from."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.segments import Take
from fleet import verticals
from fleet.asset import Asset, Channel, Fleet, Site, Tenant
from fleet.catalog import pack_of, packs
from fleet.fleet_file import parse_fleet
from fleet.segment import Feature, Segment
from fleet.sign import Urgency
from fleet.vertical import VerticalPack
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.fault import Fault
from streams.simulator.ride import SHAKES, WORN
from streams.simulator.sampled import SENSORS
from streams.simulator.simulate import simulate
from streams.simulator.source import MACHINES
from tests.contract.pack_suite import CHECKS, Check
from tests.contract.pack_trial import START, healthy, trial

KINDS = sorted(packs())
EVERY_FAULT = [(kind, mode.code) for kind in KINDS for mode in packs()[kind].fault_modes]

Values = NDArray[np.float64]


def test_the_shipped_packs_are_found_and_each_has_a_simulated_machine() -> None:
    assert KINDS == ["crane", "elevator", "excavator", "machine-tool", "transformer", "wind-turbine"]
    assert sorted(MACHINES) == KINDS
    assert SENSORS.keys() == {(kind, point.name) for kind in KINDS for point in packs()[kind].points}
    assert all(sensor.mode in modes_of(kind) for (kind, _), sensor in SENSORS.items())
    assert SHAKES.keys() == {(kind, ride.name) for kind in KINDS for ride in packs()[kind].rides}
    assert all(WORN in modes_of(kind) for kind, _ in SHAKES)


def modes_of(kind: str) -> set[str]:
    return {mode.code for mode in packs()[kind].fault_modes}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_a_shipped_pack_keeps_its_promise(kind: str, check: Check) -> None:
    check(packs()[kind])


def check_all(pack: VerticalPack) -> None:
    for check in CHECKS:
        check(pack)


# What the simulated machines show


@cache
def life(kind: str, mode: str = "", days: int = 7) -> dict[str, Values]:
    """Each channel of a machine that is healthy, or fails of `mode` from the second to the fourth day."""
    fleet = Fleet(
        (Tenant("t"),), (Site("t", "s"),), (Asset(0, "t", "s", "m", kind),), (packs()[kind].equipment_type,)
    )
    faults = [Fault("m", mode, 24.0, 72.0)] if mode else []
    frames = list(simulate(fleet, START, timedelta(days=days), 3, faults))
    values = np.concatenate([frame.values for frame in frames], axis=1).astype(float)
    return dict(zip(frames[0].channels, values, strict=True))


def of_waveforms(kind: str) -> set[str]:
    """Channels that only waveforms give, which these machines do not send: tests/unit/test_sampled.py."""
    shown = {
        name for point in packs()[kind].points for name in (point.envelope, point.kurtosis, *point.lines)
    } | {name for ride in packs()[kind].rides for name in ride.channels}
    return {name for name in shown if np.isnan(life(kind).get(name, np.zeros(1))).all()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_machine_stays_within_its_ranges_and_counts_up(kind: str) -> None:
    for channel in packs()[kind].equipment_type.channels:
        there = life(kind)[channel.name]
        there = there[~np.isnan(there)]
        if channel.name in of_waveforms(kind):
            assert not len(there)
            continue
        assert len(there) > 500
        assert channel.low <= there.min()
        assert there.max() <= channel.high
        if channel.kind == "counter":
            assert (np.diff(there) >= 0).all()
            assert there[-1] > there[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_machine_keeps_its_limits(kind: str) -> None:
    of_values = [limit for limit in packs()[kind].limits if not limit.since_new]
    for limit in of_values:  # a change is one of an operating mode: the live code is asked below
        values = life(kind)[limit.channel]
        beyond = values > limit.at if limit.above else values < limit.at
        assert beyond.mean() < 0.01, limit.name


@pytest.mark.parametrize(("kind", "mode"), EVERY_FAULT)
def test_every_fault_mode_shows_most_in_a_channel_it_names(kind: str, mode: str) -> None:
    pack, sound, faulty = packs()[kind], life(kind), life(kind, mode)
    named = next(each.channels for each in pack.fault_modes if each.code == mode)
    day = len(sound[named[0]]) // 7
    measured = [
        c.name
        for c in pack.equipment_type.channels
        if c.kind == "measurement" and c.name not in of_waveforms(kind)
    ]
    shift = {name: _shift(sound[name], faulty[name], slice(3 * day, None)) for name in measured}
    assert max(measured, key=lambda name: shift[name]) in named
    for channel, values in sound.items():
        np.testing.assert_array_equal(values[:day], faulty[channel][:day])


def _shift(sound: Values, faulty: Values, rows: slice) -> float:
    """Mean change by the fault, in standard deviations of the change within the sound days."""
    spread = np.nanstd(sound)
    return float(np.nanmean(np.abs(faulty[rows] - sound[rows])) / spread) if spread > 0 else 0.0


# What the live code makes of it


@pytest.mark.parametrize(("kind", "mode"), EVERY_FAULT)
def test_the_live_code_finds_every_fault_before_the_failure_and_names_it(kind: str, mode: str) -> None:
    found = trial(kind).since_onset(mode)
    assert found, "not found"
    assert found[0].onset_us < trial(kind).failure_us
    assert found[0].evidence["code"] == mode, [each.evidence["code"] for each in found]


@pytest.mark.parametrize("kind", KINDS)
def test_the_live_code_leaves_healthy_machines_alone(kind: str) -> None:
    outcome = trial(kind)
    raised = [(name, each.evidence["code"]) for name in healthy() for each in outcome.machine(name)]
    assert len(raised) <= 1, raised
    assert [each.detector for name in healthy() for each in outcome.limits(name)] == []


def test_a_cranes_load_spectrum_is_counted_from_its_lifts() -> None:
    values = life("crane", days=28)
    begun = np.diff(values["lifts"], prepend=values["lifts"][0]) > 0
    rows = np.stack([values[channel.name] for channel in packs()["crane"].equipment_type.channels], axis=1)
    ts_us = np.arange(len(rows)) * 60_000_000
    scored = Scorer(packs()["crane"]).score(
        Rows(np.zeros(len(rows), np.int32), ts_us, rows.astype(np.float32)), lambda _: ("t", "m")
    )
    counted = next(each.value for each in reversed(scored.wear) if each.counter == "load-spectrum")
    assert counted == pytest.approx(((values["hoist_load"][begun] / 100) ** 3).sum(), rel=0.02)


# A new pack


@pytest.fixture
def escalator(monkeypatch: pytest.MonkeyPatch) -> Iterator[VerticalPack]:
    """A pack whose file was put beside the shipped ones."""
    folder = Path(__file__).with_name("new_verticals")
    monkeypatch.setattr(verticals, "__path__", [*verticals.__path__, str(folder)])
    packs.cache_clear()
    yield packs()["escalator"]
    packs.cache_clear()
    sys.modules.pop("fleet.verticals.escalator")


def test_a_new_vertical_is_one_file(escalator: VerticalPack) -> None:
    check_all(escalator)
    fleet = parse_fleet(
        '[[tenant]]\nname = "t"\n[[site]]\ntenant = "t"\nname = "s"\n'
        '[[asset]]\ntenant = "t"\nsite = "s"\nname = "e1"\nequipment_type = "escalator"\n',
        "fleet.toml",
    )
    assert fleet.equipment_types == (escalator.equipment_type,)
    assert pack_of(fleet.equipment_types[0]) == escalator


def test_a_new_vertical_is_watched_without_another_change(escalator: VerticalPack) -> None:
    n, rng = 1200, np.random.default_rng(2)
    sound = np.array([1.0, 0.5, 0.0, 12.0, 45.0, 0.0])
    values = sound + rng.normal(0, [0, 0.01, 0.5, 0.4, 0.8, 0], (n, 6))
    values[:, 5] = 100 + np.arange(n) / 60
    values[800:, 2] -= 4.0
    values[1000:, 1] = 1.0
    rows = Rows(np.zeros(n, np.int32), np.arange(n) * 60_000_000, values.astype(np.float32))
    scored = Scorer(escalator).score(rows, lambda _: ("t", "e1"))
    raised = {(each.kind, each.evidence["code"]) for each in scored.episodes}
    assert {("machine", "handrail-slip"), ("limit", "limit-above")} <= raised
    assert scored.wear[-1].counter == "chain"


# The suite itself

PACK = packs()["crane"]
MODE, LIMIT, COUNTER = PACK.fault_modes[0], PACK.limits[0], PACK.wear[0]


def with_mode(**changes: Any) -> VerticalPack:
    return replace(PACK, fault_modes=(replace(MODE, signs=(), **changes), *PACK.fault_modes[1:]))


def with_limit(**changes: Any) -> VerticalPack:
    return replace(PACK, limits=(replace(LIMIT, **changes),))


def with_channel(channel: Channel) -> VerticalPack:
    kind = PACK.equipment_type
    return replace(PACK, equipment_type=replace(kind, channels=(*kind.channels, channel)))


def with_segment(channel: str, title_en: str, title_zh: str, modes: tuple[str, ...] = ()) -> VerticalPack:
    feature = Feature("mean", Take.MEAN, channel, title_en, title_zh)
    return replace(PACK, segments=(Segment("motion", "motion", (1,), (feature,), 100, modes=modes),))


def with_point(**changes: Any) -> VerticalPack:
    mill = packs()["machine-tool"]
    return replace(mill, points=(replace(mill.points[0], **changes),))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (with_mode(title_zh=""), "has no Chinese title"),
        (with_mode(title_en="Hoist 减速机"), "is not English"),
        (with_mode(check_zh="Check it."), "is not Chinese"),
        (with_mode(check_en="Check it"), "is no sentence"),
        (with_mode(failure_code=""), "has no ISO 14224 code"),
        (with_mode(parts_en=""), "names no parts"),
        (with_mode(parts_zh="Oil."), "parts of hoist-gear: Oil. is not Chinese"),
        (with_mode(), "hoist-gear: hoist_vibration goes where"),
        (
            replace(PACK, fault_modes=tuple(replace(mode, urgency=Urgency.NOW) for mode in PACK.fault_modes)),
            "all fault modes are as urgent",
        ),
        (with_mode(channels=()), "has no signs"),
        (with_mode(channels=("hoist_load",)), "not measured"),
        (with_mode(channels=PACK.fault_modes[1].channels), "the same signs"),
        (replace(PACK, fault_modes=(MODE, MODE, MODE)), "there twice"),
        (with_limit(source="experience"), "is no standard and no maker"),
        (with_limit(title_zh="Overload"), "is not Chinese"),
        (with_limit(deadband=0.0), "would chatter"),
        (replace(PACK, limits=()), "no limits"),
        (replace(PACK, wear=(replace(COUNTER, warning=COUNTER.limit),)), "warns at its end"),
        (replace(PACK, wear=(), modelled=()), "no wear counters"),
        (with_channel(Channel("x", "", 0, 1, title_en="X", title_zh="某")), "has no unit"),
        (with_channel(Channel("x", "A", 0, title_en="X", title_zh="某")), "has no upper end"),
        (with_channel(Channel("x", "A", high=1, title_en="X", title_zh="某")), "has no lower end"),
        (with_segment(MODE.channels[0], "Mean 电流", "电流"), "is not English"),
        (with_segment(MODE.channels[0], "Mean", "mean"), "is not Chinese"),
        (with_segment(MODE.channels[0], "Mean", "均值", ("rust",)), "no fault modes {'rust'}"),
        (with_segment("lifts", "Lifts", "起升次数"), "no fault mode shows in motion"),
        (with_point(velocity="spindle_envelope"), "spindle_envelope is in m/s², not in mm/s"),
        (with_point(speed="spindle_load"), "spindle_load is in %, not in r/min"),
        (
            replace(with_point(), fault_modes=packs()["machine-tool"].fault_modes[1:], segments=()),
            "spindle_bpfo is a sign of nothing",
        ),
        (with_point(kurtosis="spindle_bpfo"), "spindle_bpfo is in dB, not in 1"),
    ],
)
def test_the_suite_notices_a_pack_that_does_not(broken: VerticalPack, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_all(broken)


def test_a_counter_of_one_name_has_one_unit_in_all_packs() -> None:
    """The usage board adds up what has one name."""
    counters = {
        (each.name, each.unit)
        for pack in packs().values()
        for each in pack.equipment_type.channels
        if each.kind == "counter"
    }
    assert len(counters) == len({name for name, _ in counters})
