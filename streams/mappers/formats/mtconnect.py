"""MTConnect streams: what an agent answers to `/current` or `/sample`, in XML (MTConnect 1.3 to 2.x).

A signal is called by component and type, `Rotary[S1].RotaryVelocity`, with a sub-type other than ACTUAL
behind a colon. UNAVAILABLE is a value that is missing. Observations are taken in the order of their
sequence numbers, and the header's `nextSequence` is where the next `/sample?from=` goes on; it counts
within its `instanceId`.
"""

from collections.abc import Iterator

from streams.mappers.instants import instant_us
from streams.mappers.message import Event, Mapper, Position, Said, Signal
from streams.mappers.table import MappingTable
from streams.mappers.xml_tree import Element, parse_xml
from streams.replay.toml_reader import MapError

UNAVAILABLE = "UNAVAILABLE"
FAULTS = {"Fault", "Warning"}
EXECUTED = "Path.ProgramInExecution"
"""Made of Execution and Program: which program is being executed, 0 for none. It is the operating mode."""
RUNNING = "ACTIVE"


def read(data: bytes, table: MappingTable) -> Said:
    """One document of any number of devices; raises `MapError`, also for an agent's error."""
    root = parse_xml(data)
    if root.tag == "MTConnectError":
        raise MapError(_error(root))
    if root.tag != "MTConnectStreams":
        raise MapError(f"<{root.tag}> is no MTConnectStreams document: send what /current or /sample answers")
    for device in (device for streams in root.all("Streams") for device in streams.all("DeviceStream")):
        machine = device.attributes.get("name") or device.attributes.get("uuid") or ""
        mine: list[Signal] = []
        seen = sorted(_observations(device), key=lambda each: _sequence(each[1]))
        for component, observation in seen:
            if observation.tag in FAULTS:
                yield _event(machine, component, observation)
            elif _category(observation):
                mine.append(_signal(machine, component, observation))
        yield from mine
        yield from _executed(mine)
    yield Position(_position(root))


def _error(root: Element) -> str:
    found = [error for errors in root.all("Errors") for error in errors.all("Error")] + root.all("Error")
    code = found[0].attributes.get("errorCode", "") if found else ""
    said = f"the agent answered with an error, {code} {found[0].text if found else ''}".strip()
    gone = (
        ": it no longer has these sequence numbers; begin again with /current"
        if code == "OUT_OF_RANGE"
        else ""
    )
    return f"{said}{gone or ': send what /current or /sample answers'}"


def _observations(device: Element) -> Iterator[tuple[Element, Element]]:
    for component in device.all("ComponentStream"):
        for category in component.children:
            for observation in category.children:
                yield component, observation


def _sequence(observation: Element) -> int:
    return _whole(observation.attributes.get("sequence")) or 0


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None


def _category(observation: Element) -> bool:
    """Whether it is a sample or an event; conditions that are normal say nothing."""
    return observation.tag not in {"Normal", "Unavailable"}


def _signal(machine: str, component: Element, observation: Element) -> Signal:
    said = observation.attributes
    value, problem = (None if observation.text == UNAVAILABLE else observation.text), ""
    if observation.children or "sampleCount" in said:
        value, problem = None, "a table or time series, not one value"
    return Signal(
        machine, _name(component, observation), instant_us(said.get("timestamp")), value, "", problem
    )


def _name(component: Element, observation: Element) -> str:
    kind, place = component.attributes.get("component", ""), component.attributes.get("name", "")
    sub = observation.attributes.get("subType", "ACTUAL")
    name = f"{kind}[{place}].{observation.tag}" if place else f"{kind}.{observation.tag}"
    return name if sub == "ACTUAL" else f"{name}:{sub}"


def _event(machine: str, component: Element, condition: Element) -> Event:
    said = condition.attributes
    kind = said.get("type", condition.tag)
    code = said.get("nativeCode") or said.get("nativecode") or kind
    where = component.attributes.get("name", component.attributes.get("component", ""))
    text = f"{condition.tag} {kind} {where}: {condition.text}"
    return Event(machine, instant_us(said.get("timestamp")), code, code, text)


def _executed(signals: list[Signal]) -> Iterator[Signal]:
    """The program in execution after each change; missing while either is unknown."""
    running: str | float | None = None
    program: str | float | None = None
    for signal in signals:
        if signal.name.endswith(".Program"):
            program = signal.value
        elif signal.name.endswith(".Execution"):
            running = signal.value
        else:
            continue
        now = (program if running == RUNNING else "0") if running is not None else None
        yield Signal(signal.machine, EXECUTED, signal.ts_us, now)


def _position(root: Element) -> dict[str, int]:
    header = root.first("Header")
    said = header.attributes if header else {}
    pairs = (("instance_id", "instanceId"), ("next_sequence", "nextSequence"))
    return {ours: number for ours, name in pairs if (number := _whole(said.get(name))) is not None}


MAPPER = Mapper("mtconnect", "MTConnect streams (XML)", read)
