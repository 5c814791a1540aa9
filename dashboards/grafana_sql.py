"""What Grafana 9.4 makes of a dashboard's SQL before it sends it: macros and variables, quirks included."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

MIN_INTERVAL_MS = 60_000
"""Of every panel: a point each minute at the most."""

_STEPS_MS = (
    *((90_000, 60_000), (210_000, 120_000), (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000)),
    *((1_500_000, 1_200_000), (2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000)),
    *((16_200_000, 10_800_000), (32_400_000, 21_600_000), (86_400_000, 43_200_000)),
    *((604_800_000, 86_400_000), (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000)),
)
"""Below so many milliseconds to a point they are rounded to so many (`roundInterval` of grafana-data)."""

_YEAR_MS = 31_536_000_000


def expanded(
    sql: str,
    start: datetime,
    end: datetime,
    variables: Mapping[str, str | list[str]],
    points: int = 1000,
    timescale: bool = True,
) -> str:
    """The statement as the database gets it (pkg/tsdb/postgres/macros.go and templating's `sqlstring`).

    Raises `KeyError` for a variable without a value, `ValueError` for a macro that no dashboard of ours has.
    """
    ms = interval_ms(end - start, points)
    sql = re.sub(r"\$\{(\w+):sqlstring\}", lambda found: _sqlstring(variables[found[1]]), sql)
    sql = sql.replace("$__interval_ms", str(ms)).replace("$__interval", f"{ms // 1000}s")
    return re.sub(
        r"\$__(\w+)\(([^)]*)\)", lambda found: _macro(found[1], found[2], start, end, timescale), sql
    )


def interval_ms(span: timedelta, points: int) -> int:
    """Milliseconds between points when so many are shown over `span`, rounded as Grafana does."""
    exact = span / timedelta(milliseconds=1) / points
    return max(next((step for below, step in _STEPS_MS if exact < below), _YEAR_MS), MIN_INTERVAL_MS)


def _sqlstring(value: str | list[str]) -> str:
    values = value if isinstance(value, list) else [value]
    return ",".join("'" + each.replace("'", "''") + "'" for each in values)


def _macro(name: str, text: str, start: datetime, end: datetime, timescale: bool) -> str:
    said = [part.strip() for part in text.split(",")]
    instants = f"'{_rfc3339(start)}'", f"'{_rfc3339(end)}'"
    if name == "timeFilter":
        return f"{said[0]} BETWEEN {instants[0]} AND {instants[1]}"
    if name in {"timeFrom", "timeTo"}:
        return instants[name == "timeTo"]
    if name == "timeGroupAlias":
        return f'{_group(said, timescale)} AS "time"'
    raise ValueError(f"unknown macro $__{name}: use timeFilter, timeFrom, timeTo or timeGroupAlias")


def _group(said: list[str], timescale: bool) -> str:
    width = _seconds(said[1].strip("'"))
    if timescale:
        return f"time_bucket('{width:.3f}s',{said[0]})"
    return f"floor(extract(epoch from {said[0]})/{width:.0f})*{width:.0f}"


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if not match:
        raise ValueError(f"no interval {text!r}: write it as 90s, 5m, 1h or 1d")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
