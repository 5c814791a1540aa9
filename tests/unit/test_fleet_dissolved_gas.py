"""IEC 60599 ratios and Duval's triangle 1, and what they add to a transformer's findings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.asset import FleetError
from fleet.catalog import packs
from fleet.dissolved_gas import (
    MEANS,
    Gases,
    GasFault,
    GasMonitor,
    duval_triangle_1,
    iec_60599_ratios,
)
from fleet.finding import Finding, read_finding
from fleet.limit_finding import read_limit
from fleet.vertical import VerticalPack

TRANSFORMER = packs()["transformer"]
PPM = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("methane", "acetylene", "ethylene", "fault"),
    [
        (98, 1, 1, "PD"),
        (97, 2, 1, "T1"),
        (80, 0, 20, "T1"),
        (76, 4, 20, "T1"),
        (79, 0, 21, "T2"),
        (47, 4, 49, "T2"),
        (50, 0, 50, "T3"),
        (35, 15, 50, "T3"),
        (0, 0, 100, "T3"),
        (75, 5, 20, "DT"),
        (34, 16, 50, "DT"),
        (31, 28, 41, "DT"),
        (87, 13, 0, "D1"),
        (0, 77, 23, "D1"),
        (0, 100, 0, "D1"),
        (63, 13, 24, "D2"),
        (47, 13, 40, "D2"),
        (30, 29, 41, "D2"),
        (0, 29, 71, "D2"),
    ],
)
def test_the_zones_of_the_triangle_have_the_published_corners(
    methane: float, acetylene: float, ethylene: float, fault: str
) -> None:
    assert duval_triangle_1(Gases(methane=methane, acetylene=acetylene, ethylene=ethylene)) == fault


@pytest.mark.parametrize(
    ("gases", "faults"),
    [
        (Gases(1000, 90, 100, 10, 0), ["PD"]),
        (Gases(1000, 300, 50, 100, 150), ["D1"]),
        (Gases(1000, 300, 50, 200, 300), ["D1", "D2"]),  # they overlap in the standard
        (Gases(1000, 300, 50, 200, 150), ["D2"]),
        (Gases(100, 200, 100, 90, 0), ["T1"]),
        (Gases(100, 200, 100, 300, 20), ["T2"]),
        (Gases(100, 200, 100, 500, 90), ["T3"]),
        (Gases(100, 60, 100, 100, 1), []),
    ],
)
def test_each_row_of_the_table_of_ratios_is_told_by_its_own_gases(gases: Gases, faults: list[str]) -> None:
    assert list(iec_60599_ratios(gases)) == faults


@given(st.lists(PPM, min_size=5, max_size=5))
def test_the_amount_of_gas_does_not_change_what_it_means(ppm: list[int]) -> None:
    gases, more = Gases(*ppm), Gases(*(2 * each for each in ppm))
    assert duval_triangle_1(more) == duval_triangle_1(gases)
    assert iec_60599_ratios(more) == iec_60599_ratios(gases)
    assert (duval_triangle_1(gases) is None) == (gases.methane + gases.ethylene + gases.acetylene == 0)


def test_unknown_gases_are_not_made_up() -> None:
    assert duval_triangle_1(Gases(methane=10, ethylene=20)) is None
    assert iec_60599_ratios(Gases(methane=200, hydrogen=100)) == ()
    assert iec_60599_ratios(Gases(0, 0, 0, 0, 0)) == ()


HOT = {"hydrogen": 100.0, "methane": 120.0, "ethane": 60.0, "ethylene": 300.0, "acetylene": 3.0}


def test_while_all_gases_are_typical_nothing_is_said() -> None:
    monitor = GasMonitor(tuple((gas, gas) for gas in HOT))
    assert monitor.read(HOT | {"ethylene": 279.0}) is None
    verdict = monitor.read(HOT)
    assert verdict
    assert (verdict.above, verdict.triangle, verdict.ratios) == (("ethylene",), GasFault.T3, (GasFault.T3,))
    hot_en, hot_zh = "T3 (overheating above 700 °C)", "T3（高于 700 °C 的过热）"
    assert verdict.sentence() == (
        f"Gases in oil, Duval triangle 1: {hot_en}; IEC 60599 ratios: {hot_en}",
        f"油中气体，Duval 三角形 1：{hot_zh}；IEC 60599 比值：{hot_zh}",
    )
    assert monitor.read({"ethylene": 300.0}) is None  # what it means is not known
    assert MEANS.keys() == set(GasFault)
    with pytest.raises(FleetError, match="no gas krypton"):
        GasMonitor((("krypton", "krypton"),))


def found(**actual: float) -> Finding:
    """A transformer that shows much hydrogen and a little of the others."""
    kind = TRANSFORMER.equipment_type
    shares, expected, shown = (np.zeros(len(kind.channels)) for _ in range(3))
    shares[kind.column("hydrogen")], shares[kind.column("ethylene")] = 0.8, 0.2
    for name, value in actual.items():
        shown[kind.column(name)] = value
    return read_finding(TRANSFORMER, shares, expected, shown)


def test_gases_above_typical_decide_between_modes_and_are_named_as_evidence() -> None:
    typical, hot = found(**HOT | {"ethylene": 100.0}), found(**HOT)
    before, after = (
        {mode.code: mode.belief for mode in each.modes}["thermal-fault"] for each in (typical, hot)
    )
    assert before < after
    assert [each.channel for each in typical.evidence] == ["hydrogen", "ethylene"]
    assert hot.evidence[-1].sentence_en.startswith("Gases in oil, Duval triangle 1: T3")
    thermal = next(mode for mode in hot.modes if mode.code == "thermal-fault")
    assert hot.evidence[-1].sentence_en in {reason.en for reason in thermal.speaks_for}
    arcing = next(mode for mode in hot.modes if mode.code == "partial-discharge")
    assert hot.evidence[-1].sentence_en in {reason.en for reason in arcing.speaks_against}


def test_a_gas_limit_that_is_passed_says_which_fault_the_gases_tell() -> None:
    limit = next(one for one in TRANSFORMER.limits if one.channel == "ethylene")
    kind = TRANSFORMER.equipment_type
    assert TRANSFORMER.gases
    said = read_limit(limit, kind.channels[kind.column("ethylene")], 300.0, TRANSFORMER.gases.read(HOT))
    assert [each.channel for each in said.evidence] == ["ethylene", ""]
    assert "T3" in said.evidence[1].sentence_zh


def test_a_monitor_goes_with_the_channels_of_an_older_type() -> None:
    older = TRANSFORMER.on(TRANSFORMER.equipment_type.first(len(TRANSFORMER.equipment_type.channels) - 2))
    assert older.gases
    assert older.gases.read(HOT) is None  # no triangle without methane
    thermal = next(mode for mode in older.fault_modes if mode.code == "thermal-fault")
    assert thermal.channels == ("ethylene", "hydrogen")
    with pytest.raises(FleetError, match="no channel 'methane'"):
        VerticalPack(older.equipment_type, gases=TRANSFORMER.gases)
