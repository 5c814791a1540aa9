"""A fault file says who fails of what and when; what it says wrong is told with its line and the cure."""

from pathlib import Path

import pytest

from fleet.fleet_file import parse_fleet
from streams.simulator.demo import demo_fleet
from streams.simulator.fault import Fault
from streams.simulator.fault_file import parse_faults

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

GOOD = """
[[fault]]
asset = "lift-b"
mode = "door-drive"
onset_day = 14
days_to_failure = 12.5

[[fault]]
asset = "lift-b"
mode = "brake-drag"
onset_day = 0
days_to_failure = 3
severity = 0.8
"""


def test_days_become_hours_and_a_severity_that_is_not_said_is_the_usual() -> None:
    assert parse_faults(GOOD, "f.toml", demo_fleet()) == (
        Fault("lift-b", "door-drive", 336.0, 636.0),
        Fault("lift-b", "brake-drag", 0.0, 72.0, severity=0.8),
    )
    assert parse_faults("", "f.toml", demo_fleet()) == ()


@pytest.mark.parametrize(
    ("wrong", "by", "says"),
    [
        ("asset", "assets", r"f\.toml, line 2: unknown key 'assets': known keys are asset, mode, onset_day"),
        ('mode = "door-drive"\n', "", r"line 2: mode is missing: add `mode = \.\.\.`"),
        ('"lift-b"', '"lift-z"', r"line 2: the fleet has no asset 'lift-z': known are lift-a, lift-b"),
        (
            '"door-drive"',
            '"oil-leak"',
            r"line 2: asset lift-b: elevator has no .* known are door-drive, door",
        ),
        ('"brake-drag"', '"door-drive"', "line 8: asset lift-b has door-drive twice: remove one"),
        ("= 14", '= "soon"', "line 2: onset_day must be a number, not 'soon'"),
        ("= 14", "= -1", "line 2: asset lift-b: onset_day is 0 or more"),
        ("= 3\n", "= 0\n", "line 8: .* days_to_failure more than 0"),
        ("= 0.8", "= 2", "line 8: .* severity is above 0 and at most 1.5; 1 is usual"),
        ("= 0.8", "= true", "line 8: severity must be a number"),
        ('"brake-drag"', "7", "line 8: mode must be text in quotes, not 7"),
        ("= 14", "= ", r"f\.toml: not valid TOML: .*line 5"),
        ("[[fault]]\nasset", "[fault]\nasset", "f.toml: "),
        ("[[fault]]", "[[faults]]", r"a fault file has tables \[\[fault\]\] and nothing else"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_cure(wrong: str, by: str, says: str) -> None:
    assert wrong in GOOD
    with pytest.raises(ValueError, match=says):
        parse_faults(GOOD.replace(wrong, by, 1), "f.toml", demo_fleet())


def test_the_examples_fit_together() -> None:
    fleet = parse_fleet((EXAMPLES / "simulated-fleet.toml").read_text(), "simulated-fleet.toml")
    assert len({asset.equipment_type for asset in fleet.assets}) == 6
    faults = parse_faults((EXAMPLES / "faults.toml").read_text(), "faults.toml", fleet)
    assert [fault.mode for fault in faults] == ["door-drive", "brake-wear", "air-filter"]
