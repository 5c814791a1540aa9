"""XML as plain elements, from expat, which others may have written.

A document with a DTD is refused, and with it all entities: nothing is expanded, nothing is fetched
(CWE-611, CWE-776). So are one that is large, deep, or in very many elements. The package defusedxml would
refuse the same for ElementTree, but its last release is of 2021, and what it does is one handler of
expat's.
"""

from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError, ParserCreate

from streams.replay.toml_reader import MapError

MAX_DEPTH = 32
MAX_ELEMENTS = 200_000


@dataclass(slots=True)
class Element:
    """An element by its local name; attributes by their local names; text without white space around it."""

    tag: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def first(self, tag: str) -> "Element | None":
        """The first child of that name."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list["Element"]:
        """The children of that name."""
        return [child for child in self.children if child.tag == tag]


class _Builder:
    """Takes in what expat reports."""

    def __init__(self) -> None:
        self.root = Element("", {})
        self._open = [self.root]
        self._texts: list[list[str]] = [[]]
        self._elements = 0

    def doctype(self, *_: object) -> None:
        raise MapError("the XML has a DTD (<!DOCTYPE …>), which is not accepted: send it without one")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise MapError(f"the XML has more than {MAX_ELEMENTS} elements: send less at a time")
        if len(self._open) > MAX_DEPTH:
            raise MapError(
                f"the XML is nested deeper than {MAX_DEPTH} levels: it is no message of this format"
            )
        element = Element(_local(tag), {_local(name): value for name, value in attributes.items()})
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop()).strip()

    def text(self, data: str) -> None:
        self._texts[-1].append(data)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def parse_xml(data: bytes) -> Element:
    """The document's root; raises `MapError`."""
    builder, parser = _Builder(), ParserCreate()
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except MapError:
        raise
    except (ExpatError, ValueError, LookupError) as error:  # the latter two: encodings that Python has not
        raise MapError(f"not well-formed XML: {error}") from None
    return builder.root.children[0]
