"""What a life is learned from is what was told live: hours that were stored, and hours in messages."""

from itertools import pairwise

import numpy as np

from fleet.life_rows import LifeRows
from fleet.vertical import Detection, VerticalPack
from storage.life_rows import life_rows, past_rows
from storage.pool import Pool
from storage.rollup import run_due
from storage.sink import Sink
from streams.rows import Rows, Scored
from streams.scorer import Scorer
from tests.integration.storage_harness import PRESS, SECOND, T0, TOPIC, chunk

PACK = VerticalPack(PRESS, Detection(baseline_rows=50, health_tau_s=600.0, d_fail=20.0))
HOUR = 3600 * SECOND


def rows(n: int = 3000) -> Rows:
    """Two presses heard of every half minute or so, one of them not for some hours; a force that drifts."""
    rng = np.random.default_rng(11)
    ts_us = T0 + np.cumsum(rng.integers(1, 60, n)) * SECOND + rng.integers(0, SECOND, n)
    asset = np.arange(n, dtype=np.int32) % 2 + 1
    x = rng.normal([20.0, 5.0, 1e-4], [1.0, 0.2, 1e-5], (n, 3)).astype(np.float32)
    x[:, 0] += np.linspace(0.0, 15.0, n)
    x[rng.random((n, 3)) < 0.05] = np.nan
    x[n // 2 : n // 2 + 400, 1] = np.nan
    heard = (asset == 1) | (np.abs(np.arange(n) - n // 3) > 400)
    return Rows(asset[heard], np.sort(ts_us)[heard], x[heard])


def scored() -> list[Scored]:
    whole, scorer = rows(), Scorer(PACK)
    cuts = [*range(0, len(whole.ts_us), 700), len(whole.ts_us)]
    parts = [whole.take(slice(a, b)) for a, b in pairwise(cuts)]
    return [scorer.score(part, lambda _: ("acme", "press")) for part in parts]


async def store(pool: Pool, parts: list[Scored]) -> None:
    claim = await (sink := Sink(pool, "score")).claim(TOPIC, 0)
    for at, part in enumerate(parts):
        await sink.write(claim, chunk(at, at + 1, part.telemetry, health=part.health))


def told(parts: list[Scored], asset_id: int) -> LifeRows:
    messages = [one for part in parts for one in part.messages if one.asset_id == asset_id]
    return LifeRows.of(((one.ts_us, one.levels["condition"], one.means) for one in messages), 3)


def check_equal(stored: LifeRows, live: LifeRows) -> None:
    for name in ("ts_us", "level", "means"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(live, name))


async def test_hours_on_record_are_to_the_bit_those_that_were_told(pool: Pool) -> None:
    parts = scored()
    await store(pool, parts)
    while await run_due(pool):
        pass
    for asset_id in (1, 2):
        live = told(parts, asset_id)
        assert len(live.ts_us) >= 8
        assert np.isfinite(live.means).all(axis=1).any()
        assert np.isnan(live.means).any()
        check_equal(await life_rows(pool, asset_id, 3), live)
    gap = np.diff(told(parts, 2).ts_us) > 2 * HOUR
    assert np.isnan(told(parts, 2).means[1:][gap]).all(), "the hour before a gap's end was never heard of"


async def test_a_part_of_the_past_is_read_once_it_is_rolled_up(plain_pool: Pool) -> None:
    parts = scored()
    await store(plain_pool, parts)
    live = told(parts, 1)
    after_us, until_us = int(live.ts_us[2]), int(live.ts_us[-3])
    part = await past_rows(plain_pool, 1, 3, after_us, until_us)
    check_equal(part, live.take(slice(3, -2)))
    assert np.isfinite(part.means).any()
