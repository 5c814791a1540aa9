"""A fleet description becomes rows, again and again, and never changes what stored values mean."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fleet.asset import Asset, Channel, EquipmentType, Fleet, Site, Tenant
from fleet.rating import Ratings
from storage.bootstrap import WRITER
from storage.errors import RegistrationRefused
from storage.pool import Pool, open_pool
from storage.registry import Change, load_registry, register
from storage.server.database import Database
from tests.integration.storage_harness import LIFT, PRESS, ask, contents, small_fleet

NOTHING = Change(0, 0)


@pytest.fixture
async def pool(plain_database: Database) -> AsyncIterator[Pool]:
    async with open_pool(plain_database.dsn(WRITER)) as opened:
        yield opened


def with_press(press: EquipmentType) -> Fleet:
    return replace(small_fleet(), equipment_types=(press, LIFT))


async def test_what_is_registered_comes_back(pool: Pool) -> None:
    fleet = small_fleet()
    report = await register(pool, fleet)
    assert (report.tenants, report.channels, report.assets) == (Change(1, 0), Change(4, 0), Change(3, 0))
    assert str(report).startswith("1 tenants added; 1 sites added; 2 equipment types added")
    found = await load_registry(pool)
    assert found.tenants == ("acme",)
    assert [replace(asset, asset_id=0) for asset in found.assets] == list(fleet.assets)
    assert found.equipment_type("press") == PRESS
    assert found.equipment_type("lift") == LIFT


async def test_bounds_without_end_come_back(pool: Pool) -> None:
    kind = EquipmentType(
        "k", (Channel("c", "1", 0), Channel("d", "%", -1.5, 2.5, "state", 0.1, "en", "中文"))
    )
    await register(pool, Fleet((), (), (), (kind,)))
    assert (await load_registry(pool)).equipment_type("k") == kind


async def test_again_changes_nothing(plain_database: Database, pool: Pool) -> None:
    await register(pool, small_fleet())
    before = contents(plain_database)
    report = await register(pool, small_fleet())
    assert {report.tenants, report.sites, report.equipment_types, report.channels, report.assets} == {NOTHING}
    assert str(report) == "nothing new"
    assert contents(plain_database) == before


async def test_a_site_that_moves_is_changed_and_one_that_does_not_is_not(
    plain_database: Database, pool: Pool
) -> None:
    where = "select latitude, longitude from site"
    await register(pool, small_fleet())
    for place, changed in (((31.2, 121.5), 1), ((31.2, 121.5), 0), ((31.2, 121.6), 1), ((None, None), 1)):
        fleet = replace(small_fleet(), sites=(Site("acme", "hall", "", "UTC", *place),))
        report = await register(pool, fleet)
        assert report.sites == Change(0, changed)
        assert ask(plain_database, where) == [place]


async def test_what_is_new_is_added_and_what_is_described_otherwise_is_changed(pool: Pool) -> None:
    await register(pool, small_fleet())
    press = EquipmentType(
        "press",
        (replace(PRESS.channels[0], high=500.0), *PRESS.channels[1:], Channel("noise", "dB")),
        "Press",
    )
    fleet = replace(
        with_press(press),
        tenants=(Tenant("acme", "Acme Ltd"), Tenant("bolt")),
        sites=(Site("acme", "hall", timezone="Asia/Shanghai"), Site("acme", "yard")),
        assets=(replace(small_fleet().assets[0], site="yard"), Asset(0, "acme", "yard", "p3", "press")),
    )
    report = await register(pool, fleet)
    assert (report.tenants, report.sites, report.assets) == (Change(1, 1), Change(1, 1), Change(1, 1))
    assert (report.equipment_types, report.channels) == (Change(0, 1), Change(1, 1))
    found = await load_registry(pool)
    assert found.equipment_type("press") == press
    assert [(a.name, a.site) for a in found.assets] == [
        ("p1", "yard"),
        ("p2", "hall"),
        ("l1", "hall"),
        ("p3", "yard"),
    ]


async def test_only_what_is_new_is_added_where_nothing_known_is_to_change(
    plain_database: Database, pool: Pool
) -> None:
    """Files say which machines there are, and no more."""
    p1, *others = small_fleet().assets
    hall = Site("acme", "hall", "Hall 1", "Asia/Shanghai", 31.2, 121.5)
    rated = replace(p1, title="Press 1", ratings={"rated_force": 25.5})
    known = Fleet((Tenant("acme", "Acme Ltd"),), (hall,), (rated, *others), (PRESS, LIFT))
    await register(pool, known)
    told = Fleet(
        (Tenant("acme"), Tenant("bolt")),
        (Site("acme", "hall"), Site("acme", "yard")),
        (replace(p1, site="yard"), Asset(0, "acme", "yard", "p9", "press")),
        (PRESS,),
    )
    report = await register(pool, told, only_new=True)
    assert (report.tenants, report.sites, report.assets) == (Change(1, 0), Change(1, 0), Change(1, 0))
    found = {asset.name: asset for asset in (await load_registry(pool)).assets}
    assert (found["p1"].site, found["p1"].title, found["p1"].ratings) == ("hall", "Press 1", rated.ratings)
    assert found["p9"].site == "yard"
    place = "select title, timezone, latitude from site where name = 'hall'"
    assert ask(plain_database, place) == [("Hall 1", "Asia/Shanghai", 31.2)]
    with pytest.raises(RegistrationRefused, match="register the machine under a new name"):
        await register(pool, replace(told, assets=(replace(p1, equipment_type="lift"),)), only_new=True)


async def test_the_ratings_of_a_machine_come_back_and_may_change(pool: Pool) -> None:
    p1, *others = small_fleet().assets
    told: tuple[Ratings, ...] = ({"rated_force": 25.5, "drive": "servo"}, {"rated_force": 30.0}, {})
    for ratings in told:
        fleet = replace(small_fleet(), assets=(replace(p1, ratings=ratings), *others))
        await register(pool, fleet)
        assert (await load_registry(pool)).by_key("acme")[b"p1"].ratings == ratings
        assert (await register(pool, fleet)).assets == NOTHING


FORCE, SPEED, TEMPERATURE = PRESS.channels


@pytest.mark.parametrize(
    ("channels", "says"),
    [
        (
            (replace(FORCE, unit="N"), SPEED, TEMPERATURE),
            "channel force (column 0) is stored in 'kN' but described in 'N'",
        ),
        ((SPEED, FORCE, TEMPERATURE), "channel force (column 0) is described at column 1"),
        ((FORCE, SPEED), "channel temperature (column 2) is stored but no longer described"),
        (
            (FORCE, replace(SPEED, name="velocity"), TEMPERATURE),
            "channel speed (column 1) is stored but no longer",
        ),
        (
            (Channel("new", "1"), FORCE, SPEED, TEMPERATURE),
            "channel force (column 0) is described at column 1",
        ),
    ],
)
async def test_a_change_of_what_stored_values_mean_is_refused(
    plain_database: Database, pool: Pool, channels: tuple[Channel, ...], says: str
) -> None:
    await register(pool, small_fleet())
    before = contents(plain_database)
    with pytest.raises(RegistrationRefused) as refusal:
        await register(pool, replace(with_press(EquipmentType("press", channels)), tenants=(Tenant("new"),)))
    assert says in str(refusal.value)
    assert "add" in str(refusal.value)
    assert contents(plain_database) == before


async def test_an_asset_cannot_become_another_machine(pool: Pool) -> None:
    await register(pool, small_fleet())
    turned = replace(small_fleet().assets[0], equipment_type="lift")
    with pytest.raises(RegistrationRefused, match="acme/p1 is stored as press but described as lift"):
        await register(pool, replace(small_fleet(), assets=(turned,)))
