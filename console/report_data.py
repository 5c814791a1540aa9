"""The summary from the database."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from console.advice import DAYS, advice_for
from console.summary import (
    URGENCY_TEXT,
    Episode,
    Intake,
    Likely,
    Machine,
    Outlook,
    Series,
    State,
    Summary,
    Text,
    state_of,
)
from fleet.asset import EquipmentType
from fleet.catalog import pack_of
from fleet.rating import Ratings
from fleet.registry import Registry
from fleet.segment_pack import channels_of
from fleet.sign import Urgency
from storage import queries, series
from storage.pool import Pool
from storage.registry import load_registry
from storage.rollup import run_due

EPISODES = 1000
ORDER = list(State)

CONDITION = Text("condition of the machine", "设备状态")

LINES = 3
"""Channels drawn beside the worst episode of a machine."""


async def build_summary(pool: Pool, now: datetime) -> Summary:
    """Everything the report shows, with the rollups brought up to date first."""
    while await run_due(pool):
        pass
    registry = await load_registry(pool)
    episodes, outlooks = defaultdict[int, list[Episode]](list), defaultdict[int, list[Outlook]](list)
    for found in await queries.recent_episodes(pool, limit=EPISODES):
        episodes[found.asset_id].append(_episode(found))
    for one in await queries.latest_forecasts(pool):
        kind = registry.asset_by_id(one.asset_id).equipment_type
        outlooks[one.asset_id].append(_outlook(one, registry.equipment_type(kind)))
    machines = [
        await _machine(pool, registry, one, episodes[one.asset_id], outlooks[one.asset_id])
        for one in await queries.fleet_now(pool)
    ]
    machines.sort(key=lambda m: (ORDER.index(m.state), 200.0 if m.health is None else m.health, m.name))
    return Summary(now, await _intake(pool), tuple(machines))


async def _intake(pool: Pool) -> Intake:
    records, stored = await queries.ingest_totals(pool), await queries.stored_totals(pool)
    return Intake(
        records.stored,
        records.duplicate,
        records.dead,
        stored.rows,
        stored.values,
        dict(records.dead_by_reason),
        stored.first,
        stored.last,
    )


async def _machine(
    pool: Pool,
    registry: Registry,
    now: queries.AssetNow,
    episodes: Sequence[Episode],
    outlooks: Sequence[Outlook],
) -> Machine:
    kind = registry.equipment_type(now.equipment_type)
    advised = await advice_for(pool, registry, registry.asset_by_id(now.asset_id), DAYS)
    machine = Machine(
        tenant=now.tenant,
        site=now.site,
        name=now.name,
        title=now.title,
        equipment_type=Text(kind.title_en or kind.name, kind.title_zh or kind.name),
        state=State.SILENT if now.ts is None else state_of(episodes),
        last_seen=now.ts,
        health=now.health,
        episodes=tuple(sorted(episodes, key=lambda e: e.end is not None)),  # those that are on come first
        advice=advised.advice if advised else (),
        outlooks=tuple(sorted(outlooks, key=lambda o: (o.target != "condition", o.target))),
        lacking=pack_of(kind).lacking(registry.asset_by_id(now.asset_id).ratings),
        assumed=_assumed(kind, registry.asset_by_id(now.asset_id).ratings, now.values or ()),
    )
    return machine if now.ts is None else await _with_lines(pool, machine, now.asset_id, kind, now.ts)


def _assumed(kind: EquipmentType, ratings: Ratings, latest: Sequence[float | None]) -> tuple[Text, ...]:
    """What counters of its parts go by that is not among the latest values (channels,), () for none yet."""
    parts = pack_of(kind).parts
    if not parts or not latest:
        return ()
    told = {channel.name for channel, value in zip(kind.channels, latest, strict=False) if value is not None}
    titles = {channel.name: (channel.title_en, channel.title_zh) for channel in kind.channels}
    return tuple(
        Text(
            f"{parts.wear.title_en}: {title_en} is not reported, so it counts as rated",
            f"{parts.wear.title_zh}：未上报{title_zh}，按额定值计算",
        )
        for each in parts.assumed(ratings, told)
        for title_en, title_zh in [titles.get(each.channel, (each.channel, each.channel))]
    )


def _episode(found: queries.Episode) -> Episode:
    said: Mapping[str, Any] = found.evidence
    return Episode(
        found.kind,
        found.onset,
        found.end,
        found.peak,
        found.peak_score,
        Text(said["title_en"], said["title_zh"]),
        Text(said["check_en"], said["check_zh"]),
        tuple(Text(e["sentence_en"], e["sentence_zh"]) for e in said["evidence"]),
        tuple(e["channel"] for e in said["evidence"]),
        _basis(said.get("basis")),
        tuple(map(_likely, said.get("modes", ()))),  # episodes of earlier versions have none
    )


def _basis(said: Mapping[str, Any] | None) -> Text | None:
    return None if said is None else Text(said["sentence_en"], said["sentence_zh"])


def _likely(said: Mapping[str, Any]) -> Likely:
    check, parts = (Text(said[f"{what}_en"], said[f"{what}_zh"]) for what in ("check", "parts"))
    speaks_for, against = (
        tuple(Text(reason["en"], reason["zh"]) for reason in said[which])
        for which in ("speaks_for", "speaks_against")
    )
    title, urgency = Text(said["title_en"], said["title_zh"]), URGENCY_TEXT[Urgency(said["urgency"])]
    return Likely(title, said["belief"], said["failure_code"], urgency, check, parts, speaks_for, against)


def _outlook(one: queries.LatestForecast, kind: EquipmentType) -> Outlook:
    titles = pack_of(kind).counter_titles(one.target)
    title = Text(*titles) if titles else CONDITION
    hours = (None, None, None) if one.before_repair else (one.p10_h, one.p50_h, one.p90_h)
    return Outlook(
        one.target, title, one.ts, one.verdict, *hours, one.basis, one.forecaster, one.before_repair
    )


async def _with_lines(
    pool: Pool, machine: Machine, asset_id: int, kind: EquipmentType, last: datetime
) -> Machine:
    """The machine with its lines over all of its telemetry of the last year."""
    end = last + timedelta(microseconds=1)
    coarse = await series.score_series(pool, asset_id, end - timedelta(days=366), end)
    start = coarse.ts[0].astype(datetime).replace(tzinfo=UTC)
    score = await series.score_series(pool, asset_id, start, end)
    health = await series.health_series(pool, asset_id, start, end + timedelta(hours=1))
    known = {channel.name: channel.unit for channel in kind.channels}
    named = machine.worst.channels if machine.worst else ()
    lines = {}
    for name in channels_of(pack_of(kind), named)[:LINES]:
        line = await series.telemetry_series(pool, asset_id, name, start, end)
        lines[f"{name} ({known[name]})"] = Series(line.ts, line.mean)
    return replace(
        machine,
        score_line=Series(score.ts, score.high),
        health_line=Series(health.ts, health.mean),
        channel_lines=lines,
    )
