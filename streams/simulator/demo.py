"""The fleet of the demo: three customers, eight machines, six faults."""

from datetime import timedelta

from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.rating import Ratings
from streams.simulator.fault import OUT_OF_RANGE, STUCK, Fault
from streams.simulator.transformer import RATED_CURRENT

DURATION = timedelta(days=30)

LIFT: Ratings = {"brake_b10d": 4e6}
TRANSFORMER: Ratings = {"rated_current": RATED_CURRENT, "cooling": "ONAN", "loss_ratio": 6.0}
MILL: Ratings = {"spindle_bearing_dynamic": 25.0, "spindle_bearing_load": 3.0, "spindle_bearing_preload": 0.5}


def demo_fleet() -> Fleet:
    """Six elevators in two buildings, a transformer and a machine tool."""
    lifts = [
        Asset(0, "harbour", site, f"lift-{letter}", "elevator", f"Lift {letter.upper()}", LIFT)
        for site, letters in (("tower-1", "abcd"), ("tower-2", "ef"))
        for letter in letters
    ]
    return Fleet(
        (
            Tenant("harbour", "Harbour Properties"),
            Tenant("northgrid", "North Grid"),
            Tenant("precision", "Precision Parts"),
        ),
        (
            Site("harbour", "tower-1", "Tower One", "Asia/Shanghai", 31.2355, 121.5014),
            Site("harbour", "tower-2", "Tower Two", "Asia/Shanghai", 31.2337, 121.5055),
            Site("northgrid", "substation-7", "Substation 7", "Europe/Berlin", 52.6450, 13.2890),
            Site("precision", "hall-2", "Hall 2", "Europe/Berlin", 48.7420, 9.3110),
        ),
        (
            *lifts,
            Asset(0, "northgrid", "substation-7", "t1", "transformer", "Main transformer", TRANSFORMER),
            Asset(0, "precision", "hall-2", "mill-1", "machine-tool", "Milling centre 1", MILL),
        ),
        tuple(packs()[name].equipment_type for name in ("elevator", "transformer", "machine-tool")),
    )


def demo_faults() -> tuple[Fault, ...]:
    """Faults that begin in the middle of the demo; some machines reach functional failure within it."""
    return (
        Fault("lift-b", "door-drive", onset_h=14 * 24, failure_h=27 * 24),
        Fault("lift-d", "guide-wear", onset_h=16 * 24, failure_h=34 * 24),
        Fault("lift-e", STUCK, onset_h=26 * 24, failure_h=40 * 24, channel="motor_temperature"),
        Fault("lift-f", OUT_OF_RANGE, onset_h=20 * 24, failure_h=21 * 24, channel="brake_temperature"),
        Fault("t1", "cooling", onset_h=15 * 24, failure_h=32 * 24),
        Fault("mill-1", "spindle-bearing", onset_h=15 * 24, failure_h=28 * 24),
    )
