"""Bearings run to failure on PRONOSTIA (Nectoux et al. 2012) from their waveforms: how early each is found.

Protocol: each block of .1 s, one in 10 s, becomes a row as the product makes it of a waveform, and the rows
go through the worker's detection, which knows nothing but the bearing's own first ten minutes. A bearing is
found at its first episode. The dummies see the same blocks: ISO 20816-3's limit of zone D, the 20 g at which
the rig was stopped, and the RMS beyond three standard deviations of its first ten minutes. The data have no
onset of damage, so early and false cannot be told apart; a bearing's end is its last block.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from console.bench.result import Reading
from console.bench.verticals.table import Flags, Floats, Outcome
from detectors.bearing import Bearing
from detectors.vibration_block import Block
from detectors.vibration_severity import Size, VibrationSeverity
from detectors.waveform import levels
from fleet.asset import Channel, EquipmentType
from fleet.measuring_point import MeasuringPoint, fault_at, lines_of, reduced
from fleet.vertical import Detection, VerticalPack
from streams.rows import Rows
from streams.scorer import Scorer

SETS = ("Learning_set", "Full_Test_Set")
RATE_HZ, BLOCK_S = 25_600.0, 10
SPEED = {"1": 1800.0, "2": 1650.0, "3": 1500.0}
"""r/min by the first digit of a bearing's name."""

BEARING = Bearing(13, 3.5, 25.6)
"""From memory of the paper of the data."""

G = 9.80665
STOPPED_AT = 20 * G
"""Peak in m/s² at which the rig was stopped."""

FIRST = 60
"""Blocks of ten minutes, which teach what is normal."""

IN_A_ROW = 10
"""Blocks for which a dummy must see it, as many as the worker's detection wants."""

POINT = MeasuringPoint(
    "housing",
    "speed",
    "bearing",
    (2000.0, 5000.0),
    velocity="velocity",
    envelope="envelope",
    lines=("bpfo", "bpfi", "bsf"),
    kurtosis="kurtosis",
)
CHANNELS = (
    Channel("speed", "r/min", 0, 10_000, "setpoint"),
    Channel("velocity", "mm/s", 0, 1_000),
    Channel("envelope", "m/s²", 0, 5_000),
    Channel("kurtosis", "1", 0, 10_000),
    *(Channel(name, "dB", -20, 120) for name in POINT.lines),
)
PACK = VerticalPack(EquipmentType("bearing-rig", CHANNELS), Detection(baseline_rows=FIRST), points=(POINT,))
NAMES = tuple(channel.name for channel in CHANNELS)

FINDERS = ("ours", "without_lines", "zone_d", "20_g", "own_rms")
COLUMNS = ("bearing", "life_min", "unusable", *(f"{name}_min" for name in FINDERS))
"""In minutes before the end, "" where it is not found."""

EARLY = 1 / 3
"""Of its life, up to which a bearing that is found may as well be running in."""


@dataclass(frozen=True, slots=True)
class Life:
    """One bearing's blocks. rows: (n, channels), NaN where a block was unusable; rms, peak: (n,) m/s²."""

    name: str
    rows: Floats
    rms: Floats
    peak: Floats


def run(folder: Path) -> Outcome:
    """All bearings there; raises `ValueError` for a folder of another form."""
    found = (path for name in SETS for path in (folder / name).glob("Bearing*_*"))
    paths = sorted(found, key=lambda path: path.name)
    if not paths:
        raise ValueError(f"{folder}: no folder {SETS[0]}/Bearing1_1 or the like there")
    rows = [_row(_life(path)) for path in paths]
    return Outcome(list(_readings(rows)), COLUMNS, rows)


def _life(path: Path) -> Life:
    files = sorted(path.glob("acc_*.csv"))
    if len(files) <= FIRST:
        raise ValueError(f"{path.name}: {len(files)} files acc_00001.csv and so on: more than {FIRST} teach")
    speed = SPEED[path.name.removeprefix("Bearing")[:1]]
    lines_hz = lines_of(BEARING.orders(), speed / 60)
    found = [_values(Block(G * _horizontal(file), RATE_HZ), speed, lines_hz) for file in files]
    rows, rms, peak = (np.array(each) for each in zip(*found, strict=True))
    return Life(path.name, rows, rms, peak)


def _horizontal(file: Path) -> Floats:
    """(n,) acceleration in g, of hour, minute, second, microsecond, horizontal and vertical."""
    text = file.read_text().replace(";", ",").replace("\n", ",")
    try:
        return np.fromstring(text.rstrip(","), sep=",").reshape(-1, 6)[:, 4]
    except ValueError as error:
        raise ValueError(f"{file.name}: there are not six numbers a line: {error}") from error


def _values(block: Block, speed: float, lines_hz: Sequence[float]) -> tuple[list[float], float, float]:
    shown = {} if fault_at(POINT, block, lines_hz) else reduced(POINT, block, lines_hz)
    level = levels(block.samples)
    row = [{"speed": speed, **shown}.get(name, np.nan) for name in NAMES]
    return row, float(level.rms), float(level.peak)


def _row(life: Life) -> tuple[object, ...]:
    """As `COLUMNS`."""
    velocity, rms = life.rows[:, NAMES.index("velocity")], life.rms
    own = float(rms[:FIRST].mean() + 3 * rms[:FIRST].std())
    zone_d = VibrationSeverity(Size.MEDIUM, flexible=False).boundaries[2]
    levels_alone = np.where(np.isin(NAMES, POINT.lines), np.nan, life.rows)
    found = (
        _ours(life.rows),
        _ours(levels_alone),
        _stays(velocity > zone_d, IN_A_ROW),
        _stays(life.peak > STOPPED_AT, 1),
        _stays(rms > own, IN_A_ROW),
    )
    left = ["" if at is None else _minutes(len(rms) - at) for at in found]
    return life.name, _minutes(len(rms)), int(np.isnan(velocity).sum()), *left


def _minutes(blocks: int) -> str:
    return f"{blocks * BLOCK_S / 60:.1f}"


def _ours(values: Floats) -> int | None:
    """The block at which the worker's detection raises the first episode; values: (n, channels)."""
    ts_us = np.arange(len(values), dtype=np.int64) * BLOCK_S * 1_000_000
    rows = Rows(np.zeros(len(values), np.int32), ts_us, values.astype(np.float32))
    told = Scorer(PACK).score(rows, lambda _: ("t", "b")).episodes
    raised = [each.peak_us for each in told if each.kind == "machine"]
    return int(np.searchsorted(ts_us, raised[0])) if raised else None


def _stays(beyond: Flags, blocks: int) -> int | None:
    """The block at which it has been beyond for so many in a row."""
    in_a_row = 0
    for at, is_beyond in enumerate(beyond.tolist()):
        in_a_row = in_a_row + 1 if is_beyond else 0
        if in_a_row == blocks:
            return at
    return None


def _readings(rows: Sequence[Sequence[object]]) -> Iterator[Reading]:
    of = f"of {len(rows)}"
    ours = _left(rows, 0)
    for k, dummy in enumerate(FINDERS[1:], 1):
        theirs = _left(rows, k)
        yield Reading(f"found, and by {dummy}", len(ours) / len(rows), of, dummy, len(theirs) / len(rows))
        middles = [float(np.median(each[:, 0])) if len(each) else 0.0 for each in (ours, theirs)]
        yield Reading(f"lead time, and by {dummy}", middles[0], "minutes, median", dummy, middles[1])
        early = [float((each[:, 0] > (1 - EARLY) * each[:, 1]).sum()) / len(rows) for each in (ours, theirs)]
        yield Reading(f"in the first third, and by {dummy}", early[0], of, dummy, early[1])


def _left(rows: Sequence[Sequence[object]], finder: int) -> Floats:
    """(found, 2) minutes before the end at which it found, and the whole life."""
    at = COLUMNS.index(f"{FINDERS[finder]}_min")
    found = [(float(str(row[at])), float(str(row[1]))) for row in rows if row[at] != ""]
    return np.array(found, np.float64).reshape(-1, 2)
