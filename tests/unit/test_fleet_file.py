from pathlib import Path

import pytest

from console.fleet_file import load_fleet
from fleet.asset import Asset, FleetError, Site
from fleet.fleet_file import parse_fleet

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fleet.toml"

SMALL = """
[[tenant]]
name = "harbour"

[[site]]
tenant = "harbour"
name = "tower-1"
timezone = "Asia/Shanghai"

[[asset]]
tenant = "harbour"
site = "tower-1"
name = "lift-a"
equipment_type = "elevator"
"""

TYPE = """
[[equipment_type]]
name = "pump"
[[equipment_type.channel]]
name = "flow"
unit = "L/min"
low = 0
high = 10.5
kind = "measurement"
"""


def test_the_example_is_a_fleet() -> None:
    fleet = load_fleet(EXAMPLE)
    names = ["lift-a", "sump-pump-1", "crane-1", "digger-1", "t1", "wt-1"]
    assert [asset.name for asset in fleet.assets] == names
    kinds = ["sump-pump", "elevator", "crane", "excavator", "transformer", "wind-turbine"]
    assert [kind.name for kind in fleet.equipment_types] == kinds
    assert fleet.equipment_types[0].channels[1].high == 40


def test_a_fleet_has_what_the_file_says() -> None:
    fleet = parse_fleet(SMALL, "f")
    assert fleet.assets == (Asset(0, "harbour", "tower-1", "lift-a", "elevator"),)
    assert fleet.sites == (Site("harbour", "tower-1", timezone="Asia/Shanghai"),)
    assert [kind.name for kind in fleet.equipment_types] == ["elevator"]


PLACED = SMALL.replace('"Asia/Shanghai"', '"Asia/Shanghai"\nlatitude = 31.2\nlongitude = 121.5')


def test_a_site_may_say_where_it_is() -> None:
    (site,) = parse_fleet(PLACED.replace("121.5", "121"), "f").sites
    assert (site.latitude, site.longitude) == (31.2, 121.0)


def test_a_declared_type_stands_with_its_channels() -> None:
    fleet = parse_fleet(SMALL.replace('"elevator"', '"pump"') + TYPE, "f")
    (pump,) = fleet.equipment_types
    (flow,) = pump.channels
    assert (flow.name, flow.unit, flow.low, flow.high) == ("flow", "L/min", 0, 10.5)


RATED = (
    SMALL
    + """
[asset.ratings]
brake_b10d = 4_000_000
"""
)


def test_a_machine_has_the_ratings_that_stand_below_it() -> None:
    assert parse_fleet(RATED, "f").assets[0].ratings == {"brake_b10d": 4e6}


def test_the_same_asset_name_may_stand_in_two_tenants() -> None:
    other = SMALL.replace("harbour", "other")
    assert len(parse_fleet(SMALL + other, "f").assets) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = [", "f: not valid TOML"),
        ("[[assets]]\nname = 'x'", r"f: unknown table \[\[assets\]\]"),
        ("[tenant]\nname = 'x'", "double brackets"),
        ("tenant = ['x']", r"\[\[tenant\]\] number 1: must be a table"),
        (SMALL.replace("site =", "sites ="), r"\[\[asset\]\] number 1: unknown key 'sites': known keys are"),
        (SMALL.replace('equipment_type = "elevator"', ""), "equipment_type is missing: add"),
        (SMALL.replace('"lift-a"', "7"), "name must be text in quotes, not 7"),
        (SMALL.replace('"lift-a"', '"Lift A"'), r"number 1: asset 'Lift A': use 1 to 64 characters"),
        (
            SMALL.replace('"elevator"', '"elevater"'),
            "unknown equipment type 'elevater': known are crane, ",
        ),
        (SMALL.replace('site = "tower-1"', 'site = "tower-2"'), r"has no site 'tower-2': add a \[\[site\]\]"),
        (SMALL.replace("Asia/Shanghai", "Asia/Shangri-La"), "unknown timezone 'Asia/Shangri-La'"),
        (SMALL.replace("Asia/Shanghai", "../etc"), "unknown timezone"),
        (
            PLACED.replace("31.2", "91"),
            r"\[\[site\]\] number 1: site tower-1: latitude 91 is not between -90",
        ),
        (PLACED.replace("121.5", "-180.5"), "longitude -180.5 is not between -180 and 180 degrees"),
        (PLACED.replace("31.2", "nan"), "latitude nan is not between"),
        (PLACED.replace("latitude = 31.2", ""), "latitude is missing: give both or neither"),
        (PLACED.replace("longitude = 121.5", ""), "longitude is missing: give both or neither"),
        (PLACED.replace("31.2", "'31 N'"), "latitude must be a number, not '31 N'"),
        (RATED.replace("brake_b10d", "brake"), r"\[\[asset\]\] number 1: elevator has no rating 'brake'"),
        (RATED.replace("4_000_000", "'many'"), "brake_b10d must be a number, not 'many'"),
        (SMALL + "ratings = 4", r"write them as a table \[asset.ratings\]"),
        (RATED.replace('"elevator"', '"pump"') + TYPE, "ratings: pump has nothing that wants them"),
        (SMALL + SMALL, "tenant harbour is there twice"),
        (SMALL + SMALL.split("\n\n")[2], "asset harbour/lift-a is there twice"),
        (SMALL.split("\n\n", 1)[1], r"no tenant 'harbour': add a \[\[tenant\]\]"),
        (SMALL + TYPE.replace("pump", "elevator"), "elevator is a shipped equipment type"),
        (SMALL + TYPE + TYPE, "equipment type pump is there twice"),
        (SMALL + TYPE.replace("0\n", "'0'\n"), "channel 1: low must be a number"),
        (SMALL + TYPE.replace("0\n", "20\n"), r"must be below high"),
        (SMALL + TYPE.replace("measurement", "measure"), "kind is measurement, setpoint, counter or state"),
        (SMALL + "[[equipment_type]]\nname = 'p'\nchannel = []", "has 0 channels"),
        (SMALL + "[[equipment_type]]\nname = 'p'\nchannel = 'x'", "write each channel as a table"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_cure(text: str, message: str) -> None:
    with pytest.raises(FleetError, match=message) as caught:
        parse_fleet(text, "f")
    assert str(caught.value).startswith("f: ")
    assert str(caught.value).count("[[asset]]") <= 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes("[[tenant]]\nname = 'Jürgen'".encode("latin-1"))
    for path in (latin, tmp_path / "nowhere.toml"):
        with pytest.raises(FleetError, match=f"{path.name}: cannot be read"):
            load_fleet(path)
