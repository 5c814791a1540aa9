"""What people read of a sensor that cannot be trusted, and of a clock."""

import pytest

from detectors.quality import FaultKind
from fleet.asset import Channel
from fleet.sensor_finding import read_clock_fault, read_sensor_fault

OIL = Channel("oil", "°C", -20, 180, title_en="Oil temperature", title_zh="油温")
IN_FAHRENHEIT = 1


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_of_fault_reads_in_english_and_chinese(kind: FaultKind) -> None:
    unit = IN_FAHRENHEIT if kind is FaultKind.OTHER_UNIT else None
    finding = read_sensor_fault(OIL, kind, 140.0, unit)
    assert finding.title_en.endswith(": Oil temperature")
    assert finding.title_zh.endswith("：油温")
    assert finding.check_en.endswith("the machine itself is not in question.")
    assert "设备本身未见异常" in finding.check_zh
    (evidence,) = finding.evidence
    assert evidence.channel == "oil"
    assert evidence.sentence_en.startswith("Oil temperature ")
    assert evidence.sentence_zh.startswith("油温")


def test_another_unit_is_named() -> None:
    (evidence,) = read_sensor_fault(OIL, "other_unit", 140.0, IN_FAHRENHEIT).evidence
    assert evidence.sentence_en == "Oil temperature goes on as before if it now reports °F: 140 °F"
    assert evidence.sentence_zh == "油温若改按 °F 理解则与此前一致：140 °F"


def test_a_silent_sensor_has_no_reading() -> None:
    (evidence,) = read_sensor_fault(OIL, "silent", None).evidence
    assert evidence.actual is None
    assert evidence.sentence_en == "Oil temperature is missing for longer than ever before"
    assert evidence.sentence_zh == "油温缺失时间超过以往"


def test_a_clock_that_went_back_names_no_channel() -> None:
    finding = read_clock_fault(3540.0)
    (evidence,) = finding.evidence
    assert (finding.code, evidence.channel, evidence.unit, evidence.actual) == ("clock-back", "", "s", 3540.0)
    assert "3540 s behind" in evidence.sentence_en
    assert "落后 3540 s" in evidence.sentence_zh
