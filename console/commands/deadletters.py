"""`faultline deadletters`: records that could not be used, and sending them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from console.command_database import with_database
from console.databases import databases
from console.feeding import send_through
from console.output import fail, out, print_json, print_table, tell
from console.settings import Settings, load_settings
from fleet.dead_letter import Reason
from storage.dead_letters import (
    KeptLetter,
    letters,
    mark_replayed,
    one_letter,
    unsent_ids,
    unsent_letters,
)
from streams.replay.publisher import Publisher

app = typer.Typer(no_args_is_help=True, help="Records that could not be used: look at them, send them again.")

MOST = 100_000
"""Letters in one list."""

PAGE = 1000
"""Letters that are sent again and marked together: 64 MB at most."""

NAMED = 20
"""Numbers in one sentence."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Why = Annotated[Reason | None, typer.Option(help="Only those with this reason.")]
Topic = Annotated[str | None, typer.Option(help="Only those of this topic.")]


@app.command("list", epilog="Example: faultline deadletters list --reason unknown_asset")
def list_letters(
    reason: Why = None,
    topic: Topic = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Show dead letters, newest first."""
    found = with_database(load_settings(), lambda pool: letters(pool, reason, topic, limit=limit))
    if as_json:
        print_json([_plain(letter) for letter in found])
        return
    header = ["id", "arrived (UTC)", "topic", "offset", "reason", "what is wrong", "sent again"]
    print_table(f"{len(found)} dead letters", header, [_row(letter) for letter in found])


@app.command(epilog="Example: faultline deadletters show 17")
def show(
    number: Annotated[int, typer.Argument(help="The dead letter's id, from the list.")], as_json: Json = False
) -> None:
    """Show one dead letter with its bytes."""
    letter = with_database(load_settings(), lambda pool: one_letter(pool, number))
    if letter is None:
        fail(f"no dead letter {number}: `faultline deadletters list` shows their ids")
    if as_json:
        print_json(_plain(letter))
        return
    for name, value in _plain(letter).items():
        out.print(f"[bold]{name}[/]:", Text(str(value)), highlight=False, soft_wrap=True)


@app.command(
    epilog="Example: faultline deadletters replay --reason unknown_asset   (after `faultline assets add`)"
)
def replay(
    number: Annotated[
        list[int] | None, typer.Argument(help="Ids to send again; none: all that match.")
    ] = None,
    reason: Why = None,
    topic: Topic = None,
    as_json: Json = False,
) -> None:
    """Send dead letters through the log again, oldest first, after the cause is mended; each of them once.

    Ends with code 1 if some could not be sent. What comes back as a dead letter is a new one.
    """
    settings, numbers = load_settings(), number or []
    sent, cut = 0, list[int]()
    with databases(settings, tell, migrate=False):  # keeps an embedded server from page to page
        wanted = with_database(settings, lambda pool: unsent_ids(pool, reason, topic, numbers))
        for at in range(0, len(wanted), PAGE):
            page = _send_page(settings, wanted[at : at + PAGE])
            sent += page.sent
            cut += page.cut
    if as_json:
        print_json({"sent": sent, "cut": cut})
    else:
        out.print(f"{sent} sent again; what is still wrong with them shows in the list")
    _complain(sorted(set(numbers) - set(wanted)), cut)


@dataclass(frozen=True, slots=True)
class _Page:
    """What became of a page: how many were sent, and which are larger than what is kept of them."""

    sent: int
    cut: list[int]


def _send_page(settings: Settings, ids: Sequence[int]) -> _Page:
    found = with_database(settings, lambda pool: unsent_letters(pool, ids))
    whole = [letter for letter in found if letter.whole]
    if whole:
        _send(settings, whole)
    return _Page(len(whole), [letter.id for letter in found if not letter.whole])


def _complain(absent: Sequence[int], cut: Sequence[int]) -> None:
    """End with an error that names what could not be sent, if anything."""
    said = []
    if absent:
        said.append(f"not there, or sent again before: {_named(absent)}")
    if cut:
        said.append(f"larger than the 64 KiB kept of them, so their gateway must send them: {_named(cut)}")
    if said:
        fail("; ".join(said))


def _named(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(map(str, ids[:NAMED])) + more


def _send(settings: Settings, found: Sequence[KeptLetter]) -> None:
    """First the log, then the mark: a crash between sends some again, which the platform drops."""

    def feed(publisher: Publisher) -> None:
        for letter in found:
            publisher.publish(letter.topic, letter.key or b"", letter.value, letter.headers)
        publisher.flush()

    send_through(settings, feed)
    with_database(settings, lambda pool: mark_replayed(pool, [letter.id for letter in found]))


def _row(letter: KeptLetter) -> tuple[object, ...]:
    again = f"{letter.replayed_at:%Y-%m-%d %H:%M}" if letter.replayed_at else ""
    place = f"{letter.topic}[{letter.partition}]"
    return (
        letter.id,
        f"{letter.created_at:%Y-%m-%d %H:%M:%S}",
        place,
        letter.offset,
        letter.reason,
        letter.detail,
        again,
    )


def _plain(letter: KeptLetter) -> dict[str, object]:
    """As JSON can say it: bytes as text where they are, else in hexadecimal."""
    return {
        "id": letter.id,
        "consumer": letter.consumer,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "key": None if letter.key is None else _text(letter.key),
        "size": letter.size,
        "headers": {name: _text(value) for name, value in letter.headers},
        "recorded_at": letter.recorded_at,
        "created_at": letter.created_at,
        "replayed_at": letter.replayed_at,
        "value": _text(letter.value),
    }


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"0x{data.hex()}"
    return text if text.isprintable() else f"0x{data.hex()}"
