"""What Grafana 9.4 makes of a dashboard's SQL before it sends it: macros and variables, quirks included."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta


def expanded(
    sql: str,
    start: datetime,
    end: datetime,
    variables: Mapping[str, str | list[str]],
    points: int = 1000,
    timescale: bool = True,
) -> str:
    """The statement as the database gets it (pkg/tsdb/postgres/macros.go and templating's `sqlstring`)."""
    interval = max((end - start) / points, timedelta(minutes=1))
    ms = int(interval / timedelta(milliseconds=1))
    sql = re.sub(r"\$\{(\w+):sqlstring\}", lambda found: _sqlstring(variables[found[1]]), sql)
    sql = sql.replace("$__interval_ms", str(ms)).replace("$__interval", f"{ms // 1000}s")
    return re.sub(
        r"\$__(\w+)\(([^)]*)\)", lambda found: _macro(found[1], found[2], start, end, timescale), sql
    )


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
    raise ValueError(f"unknown macro {name}")


def _group(said: list[str], timescale: bool) -> str:
    width = _seconds(said[1].strip("'"))
    if timescale:
        return f"time_bucket('{width:.3f}s',{said[0]})"
    return f"floor(extract(epoch from {said[0]})/{width:.0f})*{width:.0f}"


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    assert match, text
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
