"""Fault codes that machines report, kept as findings at once: a trapped passenger waits for no statistic."""

from collections.abc import Sequence
from dataclasses import asdict

from console.api_parts import ApiParts
from fleet.clock import from_microseconds
from fleet.event_finding import read_event
from fleet.finding import episode_id
from storage.chunk_result import EpisodeRow
from storage.events import EVENT, store_events
from streams.mappers.canonical import FaultEvent

VERSION = 1


async def keep_events(parts: ApiParts, tenant: str, events: Sequence[FaultEvent]) -> None:
    """Store those whose code has a title and whose instant telemetry could have too, each once.

    One that endangers people is on until somebody records what was done; others are over as they begin.
    """
    now, limits = parts.clock.now(), parts.limits
    known = [
        event
        for event in events
        if event.title_en and now - limits.past <= from_microseconds(event.ts_us) <= now + limits.future
    ]
    if known:
        mine = parts.registry.current.by_key(tenant)
        await store_events(
            parts.pool, [_row(tenant, mine[event.asset.encode()].asset_id, event) for event in known]
        )


def _row(tenant: str, asset_id: int, event: FaultEvent) -> EpisodeRow:
    finding = read_event(event.code, event.title_en, event.title_zh, event.safety, event.text)
    return EpisodeRow(
        episode_id=episode_id(tenant, event.asset, finding.code, VERSION, event.ts_us),
        asset_id=asset_id,
        kind=EVENT,
        detector=finding.code,
        onset_us=event.ts_us,
        end_us=None if event.safety else event.ts_us,
        peak_us=event.ts_us,
        peak_score=0.0,
        evidence=asdict(finding),
    )
