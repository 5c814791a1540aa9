"""How long counters last: those that are read, timed, and kept by a model, at past and other loads."""

import numpy as np
import pytest

from fleet.asset import Channel, EquipmentType, FleetError
from fleet.catalog import packs
from fleet.modelled_wear import ModelledWear, Reading
from fleet.rating import Ratings
from fleet.vertical import WearCounter
from fleet.wear_outlook import CounterOutlook, Past, as_modelled, counter_outlook, headroom
from forecasting.contract import Verdict
from forecasting.wear.operations import Operations

KIND = EquipmentType("lift", (Channel("trips", "1", kind="counter"), Channel("speed", "m/s")))
DAYS = 21
HOURS = np.arange(DAYS * 24 + 1)

# each day 240 trips, and six hours on the way
PAST = Past(KIND, HOURS * 3_600_000_000, np.stack([HOURS * 10.0, np.where(HOURS % 24 < 6, 2.0, 0.0)], axis=1))

TRIPS = WearCounter("trips", "trips", 2400, 4800, "1")
RUNNING = WearCounter("running", "speed", 100, 160, "h", above=1.0)
BRAKE = ModelledWear("brake", Operations(4800.0), (Reading("trips"),))


def told(one: WearCounter | ModelledWear, value: float, *loads: float) -> CounterOutlook:
    return counter_outlook(as_modelled(one), PAST, value, loads or (1.0,))


@pytest.mark.parametrize(
    ("one", "value", "warning_d", "limit_d"),
    [(TRIPS, 0.0, 10, 20), (RUNNING, 40.0, 10, 20), (BRAKE, 2400.0, 6, 10)],
)
def test_a_counter_goes_on_as_it_did(
    one: WearCounter | ModelledWear, value: float, warning_d: float, limit_d: float
) -> None:
    (at,) = told(one, value).at
    for said, days in ((at.left.warning, warning_d), (at.left.limit, limit_d)):
        assert said.verdict is Verdict.ESTIMATE
        assert [said.p10_h, said.p50_h, said.p90_h] == pytest.approx([24 * days] * 3, rel=0.01)


def test_only_a_wear_model_says_what_another_load_does() -> None:
    assert [at.load for at in told(TRIPS, 0.0, 1.0, 1.1).at] == [1.0]
    assert [at.load for at in told(RUNNING, 0.0, 1.0, 1.1).at] == [1.0]
    usual, more = told(BRAKE, 0.0, 1.0, 1.25).at
    assert usual.left.limit.p50_h is not None
    assert more.left.limit.p50_h == pytest.approx(usual.left.limit.p50_h / 1.25, rel=0.01)
    assert more.left.limit.basis.endswith("at 125% of their load")


def test_a_load_beyond_the_model_is_refused() -> None:
    past = Past(TRANSFORMER, HOURS * 3_600_000_000, duty(800.0, 20.0))
    with pytest.raises(FleetError, match=r"insulation-by-load: at 400% .* ask for less"):
        counter_outlook(INSULATION, past, 0.0, (4.0,))


TRANSFORMER = packs()["transformer"].equipment_type
(RATED,) = packs()["transformer"].modelled
RATINGS: Ratings = {"rated_current": 800.0, "cooling": "ONAF", "loss_ratio": 6.0}
INSULATION = RATED.of(RATINGS) or BRAKE


def duty(current: float, ambient: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    x = np.full((len(HOURS), len(TRANSFORMER.channels)), np.nan)
    x[:, TRANSFORMER.column("load_current")] = current
    x[:, TRANSFORMER.column("ambient_temperature")] = ambient
    return x


def test_the_headroom_is_that_of_the_warmest_hour_of_the_last_day() -> None:
    x = duty(400.0, 20.0)
    x[-30, TRANSFORMER.column("ambient_temperature")] = 45.0
    x[-10, TRANSFORMER.column("ambient_temperature")] = 30.0
    room = headroom(INSULATION, Past(TRANSFORMER, HOURS * 3_600_000_000, x))
    assert room is not None
    assert room.ambient == 30.0
    assert list(room.hours) == [1.1, 1.2, 1.3]
    until = np.array([[1e9 if at is None else at for at in hours.values()] for hours in room.hours.values()])
    assert (np.diff(until, axis=0) <= 0).all()  # more load, sooner
    assert (np.diff(until, axis=1) > 0).all()  # a higher limit, later
    assert (until[:, 0] < 1).all()


def test_nothing_else_has_headroom_and_none_is_told_without_a_load() -> None:
    assert headroom(BRAKE, PAST) is None
    assert headroom(INSULATION, Past(TRANSFORMER, HOURS * 3_600_000_000, duty(np.nan, 20.0))) is None
