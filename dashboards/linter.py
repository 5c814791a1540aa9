"""What every dashboard must keep to, as Grafana would show it: the faults of its JSON, in words."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from dashboards.board import TAG, WIDTH, Dashboard
from dashboards.panel import Json, Kind
from dashboards.source import UID
from dashboards.text import Language

LARGEST = 200_000
"""Bytes of a dashboard."""

IN_VIEW = 12
"""Most panels before one has to scroll: two screens of 1080 pixels are 48 units high."""

SCREEN = 24
"""Units of height that are seen at once."""

_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_CODE = re.compile(r"[A-Z][A-Z0-9-]* · ")
_PLAIN_VARIABLE = re.compile(r"\$(?!__)(\w+)|\$\{(?!__)(\w+)(?::(?!sqlstring)\w+)?\}")
_COLORS = re.compile(
    r"(text|transparent|(super-light-|light-|semi-dark-|dark-)?(red|orange|yellow|green|blue|purple))"
)
_UNITS = re.compile(
    r"short|none|string|percent|s|m|h|ms|celsius|kelvin|amp|volt|kvolt|watt|kwatt|kwatth|hertz|velocityms|accMS2|"
    r"locale|pressurebar|pressurekpa|litre|masskg|masst|lengthm|lengthmm|lengthkm|rotrpm|ppm|dateTimeFromNow|"
    r"dateTimeAsLocal|decbytes|cps|suffix:.+"
)


def faults(boards: Sequence[Dashboard]) -> list[str]:
    """What is wrong with any of them, in either language, and between them; none is the good answer."""
    found = [f"{uid}: there {times} times" for uid, times in _uids(boards).items() if times > 1]
    known = set(_uids(boards))
    for board in boards:
        for language in Language:
            dashboard = board.json(language)
            found += [f"{dashboard['uid']}: {said}" for said in _of(dashboard, known)]
        found += [f"{board.code}: {said}" for said in _between_languages(board)]
    return found


def _uids(boards: Sequence[Dashboard]) -> Counter[str]:
    return Counter(board.uid(language) for board in boards for language in Language)


def _of(dashboard: Json, known: set[str]) -> Iterator[str]:
    if not _UID.fullmatch(dashboard["uid"]):
        yield "a uid has 1 to 40 of A-Z, a-z, 0-9, - and _"
    if not _CODE.match(dashboard["title"]):
        yield f"the title {dashboard['title']!r} does not begin with a code in ASCII"
    if TAG not in dashboard["tags"]:
        yield f"it does not carry the tag {TAG}"
    if len(json.dumps(dashboard)) > LARGEST:
        yield f"it is larger than {LARGEST} bytes"
    yield from _grid(dashboard["panels"])
    for panel in dashboard["panels"]:
        for said in _panel(panel):
            yield f"{panel['title']}: {said}"
    yield from _variables(dashboard)
    yield from _links(dashboard, known)


def _grid(panels: Sequence[Json]) -> Iterator[str]:
    for number, times in Counter(panel["id"] for panel in panels).items():
        if times > 1:
            yield f"panel id {number} is there {times} times"
    cells = Counter[tuple[int, int]]()
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > WIDTH or min(place["w"], place["h"]) < 1:
            yield f"{panel['title']}: does not fit into {WIDTH} columns"
        cells.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    if any(times > 1 for times in cells.values()):
        yield "panels overlap"
    if sum(panel["gridPos"]["y"] < SCREEN for panel in panels) > IN_VIEW:
        yield f"more than {IN_VIEW} panels are seen at once"


def _panel(panel: Json) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] not in {kind.plugin for kind in Kind}:
        yield f"the panel type {panel['type']} is not one of those that we use"
    if not panel["description"]:
        yield "has no description"
    if not defaults.get("noValue"):
        yield "does not say what is shown without data"
    if panel["datasource"]["uid"] != UID or any(t["datasource"]["uid"] != UID for t in panel["targets"]):
        yield f"asks another data source than {UID}"
    if panel["type"] == Kind.LINES and "decimals" in defaults:
        yield "with decimals Grafana writes its text for no data between the numbers of a line's axis"
    if panel["type"] == Kind.STATES and defaults["color"]["mode"] == "thresholds":
        yield "with colours by thresholds Grafana writes their ranges instead of the words of states"
    for layer in panel["options"].get("layers", []):
        if layer["config"]["style"]["text"]["mode"] != "field":
            yield "a marker says by its colour alone what it means: give it a label"
    for said in (defaults, *_properties(panel)):
        yield from _shown(said)


def _properties(panel: Json) -> Iterator[Json]:
    for override in panel["fieldConfig"]["overrides"]:
        yield {each["id"]: each["value"] for each in override["properties"]}


def _shown(said: Json) -> Iterator[str]:
    if "unit" in said and not _UNITS.fullmatch(said["unit"]):
        yield f"Grafana has no unit {said['unit']!r}"
    steps = said.get("thresholds", {}).get("steps", [])
    values = [step["value"] for step in steps]
    if steps and (values[0] is not None or values[1:] != sorted(set(values[1:]))):
        yield f"thresholds do not ascend from a base: {values}"
    colors = [step["color"] for step in steps]
    colors += [said["color"]["fixedColor"]] if "fixedColor" in said.get("color", {}) else []
    colors += [each["color"] for one in said.get("mappings", []) for each in one["options"].values()]
    if wrong := [color for color in colors if not _COLORS.fullmatch(color)]:
        yield f"colours are Grafana's names, for both themes: {', '.join(wrong)}"


def _variables(dashboard: Json) -> Iterator[str]:
    known = {each["name"] for each in dashboard["templating"]["list"]}
    for statement in statements(dashboard):
        for match in _PLAIN_VARIABLE.finditer(statement):
            if "sqlstring" not in match.group():
                yield f"{match.group()} is not quoted: write it with :sqlstring"
        for name in re.findall(r"\$\{(\w+):sqlstring\}", statement):
            if name not in known:
                yield f"there is no variable {name}"


def statements(dashboard: Json) -> list[str]:
    """All SQL of a dashboard as stored: panels, variables, annotations."""
    return [
        *(target["rawSql"] for panel in dashboard["panels"] for target in panel["targets"]),
        *(each["query"] for each in dashboard["templating"]["list"]),
        *(each["target"]["rawSql"] for each in dashboard["annotations"]["list"]),
    ]


def _links(dashboard: Json, known: set[str]) -> Iterator[str]:
    """Each link leads to a dashboard that is there and takes the time range along."""
    text = json.dumps(dashboard, ensure_ascii=False)
    for url in re.findall(r'"url": "(/d/[^"]+)"', text):
        uid, _, query = url.removeprefix("/d/").partition("?")
        pattern = re.escape(uid).replace(re.escape("${__data.fields.equipment_type}"), "[a-z0-9-]+")
        if not any(re.fullmatch(pattern, each) for each in known):
            yield f"the link {url} leads nowhere"
        if query and "${__url_time_range}" not in query:
            yield f"the link {url} loses the time range"


def _between_languages(board: Dashboard) -> Iterator[str]:
    """Both languages have the same panels at the same places, and no word of one is in the other."""
    en, zh = (board.json(language) for language in (Language.EN, Language.ZH))
    if [(p["id"], p["type"], p["gridPos"]) for p in en["panels"]] != [
        (p["id"], p["type"], p["gridPos"]) for p in zh["panels"]
    ]:
        yield "its languages have different panels"
    for panel in en["panels"]:
        if re.search(r"[\u4e00-\u9fff]", panel["title"] + panel["description"]):
            yield f"{panel['title']}: Chinese in the English dashboard"
    for panel in zh["panels"]:
        if not re.search(r"[\u4e00-\u9fff]", panel["description"]):
            yield f"{panel['title']}: no Chinese in the description"
