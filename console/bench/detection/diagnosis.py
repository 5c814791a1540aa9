"""Whether the right fault mode is named, on simulated machines that each have one.

Every fault mode of a pack befalls machines of its own, which go through the worker's detection twice: with
the pack, and with the pack without that mode, where the right answer is that the pattern is unknown. What
counts is the finding at the peak of each episode that begins after the fault.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from console.bench.detection.simulated import KINDS, START, blocks_of
from console.bench.result import Reading
from fleet.catalog import packs
from fleet.clock import microseconds
from fleet.finding import UNKNOWN
from fleet.vertical import FaultMode, VerticalPack
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.fault import Fault

SEED = 151
"""Chose nothing."""

ONSET_D, FAILURE_D = 5, 12

Said = dict[str, Any]
"""A finding, as it is stored."""


def readings(machines: int, tell: Callable[[str], None]) -> Iterator[Reading]:
    """Shares named rightly of every type, so many machines for each fault mode."""
    for kind in KINDS:
        yield from readings_of(kind, machines, tell)


def readings_of(kind: str, machines: int, tell: Callable[[str], None]) -> Iterator[Reading]:
    """Those of one type."""
    pack, known, unknown = packs()[kind], list[tuple[str, Said]](), list[Said]()
    for mode in pack.fault_modes:
        tell(f"{machines} machines of type {kind} with {mode.code}")
        blocks = list(_failing(kind, mode, machines))
        known += [(mode.code, said) for said in _said(pack, blocks)]
        others = tuple(one for one in pack.fault_modes if one is not mode)
        unknown += _said(replace(pack, fault_modes=others), blocks)
    yield from _shares(pack, known, unknown)


def _failing(kind: str, mode: FaultMode, machines: int) -> Iterator[Rows]:
    faults = [Fault(f"m-{i}", mode.code, 24.0 * ONSET_D, 24.0 * FAILURE_D) for i in range(machines)]
    return blocks_of(kind, machines, FAILURE_D, SEED, faults)


def _said(pack: VerticalPack, blocks: Sequence[Rows]) -> list[Said]:
    """The findings at the peaks of the machines' episodes."""
    scorer, onset_us = Scorer(pack), microseconds(START) + ONSET_D * 86_400_000_000
    rows = [
        row for block in blocks for row in scorer.score(block, lambda number: ("t", f"m-{number}")).episodes
    ]
    last = {row.episode_id: row for row in rows if row.kind == "machine" and row.onset_us >= onset_us}
    return [row.evidence for row in last.values()]


def _shares(
    pack: VerticalPack, known: Sequence[tuple[str, Said]], unknown: Sequence[Said]
) -> Iterator[Reading]:
    kind = pack.equipment_type.name
    first = [said["code"] == mode for mode, said in known]
    three = [mode in [one["code"] for one in said["modes"][:3]] for mode, said in known]
    by_channel = [_first_that_names(pack, said) == mode for mode, said in known]
    believed = [said["modes"][0]["belief"] if said["modes"] else 0.0 for _, said in known]
    not_known = [said["code"] == UNKNOWN.code for said in unknown]
    of = f"of {len(known)} episodes"
    rival = "first mode with the top channel"
    yield Reading(f"{kind}, right mode first", _mean(first), of, rival, _mean(by_channel))
    yield Reading(f"{kind}, right mode among three", _mean(three), of, "any three", 3 / len(pack.fault_modes))
    yield Reading(f"{kind}, belief in the first", _mean(believed), of, "share that is right", _mean(first))
    yield Reading(f"{kind}, mode not in the pack: unknown", _mean(not_known), of, "always a mode", 0.0)


def _first_that_names(pack: VerticalPack, said: Said) -> str:
    top = said["evidence"][0]["channel"] if said["evidence"] else ""
    return next((mode.code for mode in pack.fault_modes if top in mode.channels), UNKNOWN.code)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
