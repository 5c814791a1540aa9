"""Plots as inline SVG: no script, no file beside the page."""

import io
import re
from datetime import timedelta

import matplotlib as mpl
import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from console.summary import Episode, Machine, Series
from forecasting.contract import Verdict

INK, ACCENT, WARN, BAND = "#33415c", "#2463a5", "#c2410c", "#9db8d9"

mpl.rcParams.update(
    {
        "svg.fonttype": "path",
        "svg.hashsalt": "faultline",  # equal input, equal bytes
        "font.size": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.grid": True,
        "grid.color": "#e5e9f0",
    }
)


def machine_svg(machine: Machine, threshold: float) -> str:
    """Score with its episodes, health with its forecast fan, and the channels of the worst episode."""
    channels = list(machine.channel_lines.items())
    rows = 2 + len(channels)
    figure = Figure(figsize=(9.2, 1.45 * rows), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=False, squeeze=False)[:, 0]
    _score(axes[0], machine, threshold)
    _health(axes[1], machine)
    for axis, (name, line) in zip(axes[2:], channels, strict=True):
        _line(axis, line, ACCENT)
        axis.set_ylabel(name)
        _shade(axis, machine.episodes)
    for axis in axes:
        axis.xaxis.set_major_formatter(dates.ConciseDateFormatter(axis.xaxis.get_major_locator()))
    return _svg(figure)


def _score(axis: Axes, machine: Machine, threshold: float) -> None:
    if machine.score_line is not None:
        _line(axis, machine.score_line, INK)
    axis.axhline(threshold, color=WARN, linewidth=0.8, linestyle="--")
    axis.set_ylabel("score (−log10 p)")
    axis.set_ylim(bottom=0)
    _shade(axis, machine.episodes)


def _health(axis: Axes, machine: Machine) -> None:
    axis.set_ylabel("health (%)")
    axis.set_ylim(0, 103)
    line = machine.health_line
    if line is None or not len(line.ts):
        return
    _line(axis, line, ACCENT)
    outlook = machine.condition
    if outlook is None or outlook.verdict != Verdict.ESTIMATE or outlook.p50_h is None:
        return
    start, level = line.ts[-1], float(line.value[-1])
    ends = [
        start + np.timedelta64(timedelta(hours=min(hours or 0.0, 1e5)))
        for hours in (outlook.p10_h, outlook.p50_h, outlook.p90_h)
    ]
    axis.fill([start, ends[0], ends[2]], [level, 0, 0], color=BAND, alpha=0.5, linewidth=0)
    axis.plot([start, ends[1]], [level, 0], color=ACCENT, linewidth=1, linestyle=":")


def _line(axis: Axes, line: Series, color: str) -> None:
    axis.plot(line.ts, line.value, color=color, linewidth=0.9)


def _shade(axis: Axes, episodes: tuple[Episode, ...]) -> None:
    right = axis.get_xlim()[1]
    for episode in episodes:
        end = dates.date2num(episode.end) if episode.end else right
        axis.axvspan(dates.date2num(episode.onset), end, color=WARN, alpha=0.12, linewidth=0)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    return re.sub(r"^.*?(?=<svg)", "", svg, flags=re.DOTALL)
