"""A transformer's insulation as its monitor counts it and as a wear model does, from load and ambient."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fleet.rating import Ratings
from fleet.verticals.transformer import PACK
from streams.simulator.machine import DAY_S, Block
from streams.simulator.transformer import RATED_CURRENT
from streams.simulator.transformer import Transformer as Simulated
from streams.wear_counters import WearCounters

RATINGS: Ratings = {"rated_current": RATED_CURRENT, "cooling": "ONAN", "loss_ratio": 6.0}
MINUTES = 1440


def days(count: int) -> NDArray[np.float32]:
    """(count * 1440, channels): a healthy unit, a row a minute."""
    rng = np.random.default_rng(60076)
    unit, block = Simulated(rng), Block(np.arange(60.0, DAY_S + 60, 60.0), 6, 60.0, {})
    names = [channel.name for channel in PACK.equipment_type.channels]
    told = [unit.day(block, rng) for _ in range(count)]
    return np.concatenate([np.stack([day[name] for name in names], axis=1) for day in told]).astype(
        np.float32
    )


def count(counters: WearCounters, x: NDArray[np.float32], first: int = 0) -> NDArray[np.float64]:
    ts_us = (1 + first + np.arange(len(x))) * 60_000_000
    return counters.update(np.zeros(len(x), np.int32), ts_us, x)


def test_the_model_counts_what_the_monitor_counts() -> None:
    """From the load current and the ambient alone, within 1 % of the integral over the true hot spot."""
    x = days(5)
    counters = WearCounters(PACK)
    counters.rate([RATINGS])
    after = count(counters, x)
    names = [counter.name for counter in PACK.counters]
    assert names[-1] == "insulation-by-load"
    monitor = x[:, PACK.equipment_type.column("ageing_hours")].astype(np.float64)
    settled = MINUTES  # the simulated unit begins colder than its first load makes it
    told = monitor[-1] - monitor[settled]
    assert told > 0
    assert after[-1, -1] - after[settled, -1] == pytest.approx(told, rel=0.01)


def test_a_restart_goes_on_to_the_bit() -> None:
    x = days(1)
    whole, first, second = WearCounters(PACK), WearCounters(PACK), WearCounters(PACK)
    for counters in (whole, first):
        counters.rate([RATINGS])
    at_once = count(whole, x)
    count(first, x[:700])
    second.take(first.arrays(1), [RATINGS])
    assert count(second, x[700:], 700).tobytes() == at_once[700:].tobytes()


def test_counters_go_on_when_channels_are_added() -> None:
    short = PACK.equipment_type.first(12)  # without the monitor's own count
    narrow = WearCounters(PACK.on(short))
    narrow.rate([RATINGS])
    x = days(1)
    before = count(narrow, np.ascontiguousarray(x[:700, :12]))
    wide = narrow.widened(PACK, [RATINGS])
    after = count(wide, x[700:], 700)
    assert after.shape[1] == before.shape[1] + 1
    assert after[0, -1] >= before[-1, -1] > 0
