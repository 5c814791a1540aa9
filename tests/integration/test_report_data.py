"""The report of what is in the database: an episode's fault modes and a machine's advice."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from console.report import html
from console.report_data import build_summary
from fleet.catalog import packs
from fleet.finding import read_finding
from storage.bootstrap import WRITER
from storage.chunk_result import EpisodeRow
from storage.pool import open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.simulator.demo import demo_fleet
from tests.integration.storage_harness import T0, TOPIC, chunk
from tests.integration.test_advice_command import store


def worn_tool(asset_id: int) -> EpisodeRow:
    """An episode of a machine tool whose spindle and feed load rose."""
    pack = packs()["machine-tool"]
    shares, expected, actual = (np.zeros(len(pack.equipment_type.channels)) for _ in range(3))
    for name, share in (("spindle_load", 0.6), ("feed_axis_load", 0.3), ("spindle_vibration", 0.1)):
        column = pack.equipment_type.column(name)
        shares[column], expected[column], actual[column] = share, 20.0, 35.0
    evidence = json.loads(json.dumps(asdict(read_finding(pack, shares, expected, actual))))
    return EpisodeRow(UUID(int=6), asset_id, "machine", "t2-knn-5", T0, None, T0, 9.0, evidence)


def without_modes(row: EpisodeRow) -> EpisodeRow:
    """As an earlier version stored it."""
    evidence = {key: value for key, value in row.evidence.items() if key != "modes"}
    return replace(row, episode_id=UUID(int=7), evidence=evidence)


async def test_the_report_ranks_fault_modes_and_says_what_could_be_saved(plain_database: Database) -> None:
    async with open_pool(plain_database.dsn(WRITER)) as pool:
        await store(pool)
        (mill,) = [one for one in (await load_registry(pool)).assets if one.name == "mill-1"]
        episode = worn_tool(mill.asset_id)
        sink = Sink(pool, "findings")
        episodes = [episode, without_modes(episode)]
        await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, episodes=episodes))
        summary = await build_summary(pool, datetime(2026, 3, 5, tzinfo=UTC))
    (machine,) = (one for one in summary.machines if one.name == "mill-1")
    assert sorted(len(one.modes) > 0 for one in machine.episodes) == [False, True]
    (first, *_) = next(one.modes for one in machine.episodes if one.modes)
    assert (first.title.en, first.urgency.zh) == ("Tool worn or chipped", "立即检查")
    assert first.belief > 0.9
    assert "switch-off" in {each.name for each in machine.advice}
    page = html(summary)
    for words in ("Spindle load is up (60 % of the anomaly)", "刀片或备用刀具。", "Switch hydraulics"):
        assert words in page


async def test_the_report_says_what_a_tools_life_goes_by_unseen(plain_database: Database) -> None:
    """The machine does not report the depth of cut, to which its ratings give an exponent."""
    fleet = demo_fleet()
    tool = {"tool_diameter": 16.0, "tool_n": 0.25, "tool_constant": 900.0, "tool_depth_exponent": 0.15}
    assets = tuple(
        replace(each, ratings={**each.ratings, **tool}) if each.name == "mill-1" else each
        for each in fleet.assets
    )
    async with open_pool(plain_database.dsn(WRITER)) as pool:
        await store(pool)
        await register(pool, replace(fleet, assets=assets))
        summary = await build_summary(pool, datetime(2026, 3, 5, tzinfo=UTC))
    said = {machine.name: machine.assumed for machine in summary.machines}
    (depth,) = said.pop("mill-1")
    assert depth.en == "Tool: Depth of cut is not reported, so it counts as rated"
    assert depth.zh == "刀具：未上报切削深度，按额定值计算"
    assert not any(said.values())
