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

MOST_HOURS = 1e5

mpl.rcParams.update(
    {
        "svg.fonttype": "none",  # the page's own fonts, and a fifth of the bytes
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


def machine_svg(machine: Machine) -> str:
    """Score with its episodes, health with its forecast fan, and the channels of the worst episode.

    Empty for a machine that was never heard of.
    """
    if machine.score_line is None or not len(machine.score_line.ts):
        return ""
    channels = list(machine.channel_lines.items())
    rows = 2 + len(channels)
    height = 1.3 * rows + 0.35
    figure = Figure(figsize=(9.2, height))
    figure.subplots_adjust(left=0.045, right=0.99, top=1 - 0.2 / height, bottom=0.35 / height, hspace=0.32)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    axes[0].set_xlim(*_span(machine, machine.score_line))
    _score(axes[0], machine.score_line, machine.episodes)
    _health(axes[1], machine)
    for axis, (name, line) in zip(axes[2:], channels, strict=True):
        _line(axis, line, ACCENT)
        _name(axis, name)
        _shade(axis, machine.episodes)
    axes[-1].xaxis.set_major_formatter(dates.ConciseDateFormatter(axes[-1].xaxis.get_major_locator()))
    return _svg(figure)


def _span(machine: Machine, line: Series) -> tuple[np.datetime64, np.datetime64]:
    """All that was seen, and as much of the future as the forecast needs, up to half as long."""
    first, last = line.ts[0], line.ts[-1]
    ends = [end for end in _fan(machine) if end > last]
    return first, min(max([last, *ends]), last + (last - first) // 2)


def _fan(machine: Machine) -> list[np.datetime64]:
    """Instants at which the condition runs out with 10, 50 and 90 % probability, if it is estimated."""
    outlook, line = machine.condition, machine.health_line
    if outlook is None or outlook.verdict != Verdict.ESTIMATE or line is None or not len(line.ts):
        return []
    hours = (outlook.p10_h, outlook.p50_h, outlook.p90_h)
    return [line.ts[-1] + np.timedelta64(timedelta(hours=min(h or 0.0, MOST_HOURS))) for h in hours]


def _score(axis: Axes, line: Series, episodes: tuple[Episode, ...]) -> None:
    _line(axis, line, INK)
    _name(axis, "score (−log10 p)")
    axis.set_ylim(bottom=0)
    _shade(axis, episodes)


def _health(axis: Axes, machine: Machine) -> None:
    _name(axis, "health (%)")
    axis.set_ylim(0, 103)
    line = machine.health_line
    if line is None or not len(line.ts):
        return
    _line(axis, line, ACCENT)
    if ends := _fan(machine):
        start, level = line.ts[-1], float(line.value[-1])
        axis.fill([start, ends[0], ends[2]], [level, 0, 0], color=BAND, alpha=0.5, linewidth=0)
        axis.plot([start, ends[1]], [level, 0], color=ACCENT, linewidth=1, linestyle=":")


def _name(axis: Axes, text: str) -> None:
    axis.set_title(text, loc="left", fontsize=8, pad=3, color=INK)


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
    svg = re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), flags=re.DOTALL)
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
