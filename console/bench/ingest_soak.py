"""A producer, Kafka, PostgreSQL and a worker together on one machine for minutes.

Everything is seen from outside: when a message was made, which offset it got, and when the partition's row
in `sink_offset` was seen beyond that offset.
"""

import asyncio
import os
import time
from collections.abc import Generator
from contextlib import ExitStack

from console.bench.filling import Filler, filler
from console.bench.flow import Flow, quantile
from console.bench.plant import PATIENCE_S, SETTLED_S, Plant, Worker, plant, worker
from console.bench.result import Reading
from console.bench.telemetry import READINGS, SECOND_US, messages
from console.bench.trend import trend
from console.bench.trial import BenchError, Trial

TICK_S = 0.05
ASSETS = 1_000
NOMINAL = ASSETS / TICK_S
"""Messages per second: each machine sends at 20 Hz."""

SAMPLE_S = 0.1
OVERLOAD = 3
SETTLING = 0.2
"""Share of the time at the beginning that says nothing about a trend."""

SAW_S = 60.0
"""The lag is a saw of chunks, snapshots and rollups: samples nearer to each other are not independent."""

_STORED_ROWS = "select count(*) from telemetry"


def sustained(trial: Trial) -> Generator[list[Reading], None, None]:
    """20 000 messages per second for the trial's time: does it keep up, and how late is a message?"""
    with plant(trial.servers, ASSETS, READINGS) as site, worker(site) as running:
        running.ready()
        trial.tell(f"sustained: {trial.seconds:.0f} s")
        flow = asyncio.run(_flow(site, running, trial.seconds, 1))
        site.check_all_stored(flow.sent)
    instants, lag = flow.lag()
    settled = (instants > instants[0] + SETTLING * trial.seconds) & (instants <= flow.last_made)
    slope, error = trend(instants[settled], lag[settled], SAW_S)
    waits, counts = flow.waits()
    yield [
        Reading("sustained_rate", flow.sent / trial.seconds, "messages/s", goal=f">= {NOMINAL:,.0f}"),
        Reading("sustained_lag_slope", slope, "messages/s", goal="<= 0 within two standard errors"),
        Reading("sustained_lag_slope_error", error, "messages/s"),
        Reading("sustained_p50", quantile(waits, counts, 0.5), "s"),
        Reading("sustained_p99", quantile(waits, counts, 0.99), "s", goal="<= 5"),
    ]


def catch_up(trial: Trial) -> Generator[list[Reading], None, None]:
    """Three times as much for half of the trial's time, then nothing: is all of it stored, and how fast?

    A worker for each core, as one worker computes in one thread.
    """
    seconds = trial.seconds / 2
    with plant(trial.servers, ASSETS, READINGS) as site, ExitStack() as stack:
        running, *_ = [stack.enter_context(worker(site)) for _ in range(os.cpu_count() or 1)]
        running.ready(SETTLED_S)
        trial.tell(f"catch_up: {OVERLOAD} x overload for {seconds:.0f} s")
        flow = asyncio.run(_flow(site, running, seconds, OVERLOAD))
        site.check_all_stored(flow.sent)
        ((rows,),) = site.ask(_STORED_ROWS)
    overload = f">= {OVERLOAD * NOMINAL:,.0f}"
    yield [
        Reading("catch_up_overload", flow.sent / seconds, "messages/s", goal=overload),
        Reading("catch_up_backlog", flow.backlog, "messages"),
        Reading("catch_up_drain", flow.drain_rate, "messages/s", "nominal rate", NOMINAL, "ratio >= 3"),
        Reading("catch_up_lost", flow.sent - rows, "messages", goal="0"),
    ]


async def _flow(site: Plant, running: Worker, seconds: float, times: int) -> Flow:
    """Produce for so long, and watch until all of it is stored."""
    flow = Flow()
    async with filler(site.servers.kafka, site.topic) as to, asyncio.TaskGroup() as tasks:
        producing = tasks.create_task(_produce(site, to, seconds, times, flow))
        while not producing.done() or flow.unstored:
            flow.note_stored(time.perf_counter(), await asyncio.to_thread(running.offsets))
            if flow.unstored and flow.silence > PATIENCE_S:
                raise BenchError(f"{flow.unstored} messages are not stored and nothing moves any more")
            await asyncio.sleep(SAMPLE_S)
    return flow


async def _produce(site: Plant, to: Filler, seconds: float, times: int, flow: Flow) -> None:
    """Messages at a steady rate; less when the machine cannot make that many."""
    begun, start_us, tick = time.perf_counter(), int(time.time()) * SECOND_US, 0
    while (now := time.perf_counter()) < begun + seconds:
        step_us = TICK_S * SECOND_US / times
        instants = [start_us + int((tick * times + k) * step_us) for k in range(times)]
        flow.note_produced(now, await to.send(messages(site.assets, instants)))
        tick += 1
        await asyncio.sleep(max(0.0, begun + tick * TICK_S - time.perf_counter()))
