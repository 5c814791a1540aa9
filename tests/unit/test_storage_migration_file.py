"""Sections, and what is refused."""

import pytest

from storage.capability import Capability
from storage.errors import MigrationError
from storage.migration_file import parse

TWO_WAYS = """\
-- what it is for
create table a ();
-- requires: apache
hypertable;
-- else
brin;
-- end
grant;
"""


def run_on(text: str, capability: Capability) -> list[str]:
    sections = parse("0001_x.sql", text).sections
    return [sql for section in sections if (sql := section.sql_for(capability))]


@pytest.mark.parametrize(
    ("capability", "middle"),
    [(Capability.PLAIN, "brin;"), (Capability.APACHE, "hypertable;"), (Capability.COMMUNITY, "hypertable;")],
)
def test_a_server_runs_what_it_can(capability: Capability, middle: str) -> None:
    first, second, third = run_on(TWO_WAYS, capability)
    assert "create table a ();" in first
    assert (second, third) == (middle, "grant;")


def test_without_an_else_nothing_runs_instead() -> None:
    assert run_on("-- requires: community\ncagg;\n-- end\n", Capability.APACHE) == []


def test_the_number_and_the_name_come_from_the_file_name() -> None:
    file = parse("0042_what_it_does.sql", "select 1;")
    assert (file.version, file.name, file.transactional) == (42, "what_it_does", True)


def test_no_transaction_is_said_in_a_line_of_its_own() -> None:
    assert not parse("0001_x.sql", "-- no-transaction\ncreate index concurrently i on a (b);").transactional


def test_any_change_changes_the_digest() -> None:
    assert parse("0001_x.sql", "select 1;").sha256 != parse("0001_x.sql", "select 1; ").sha256


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("1_x.sql", "", "name a migration like"),
        ("0001_x.sql", "-- else\n", "line 1: `-- else` is out of place"),
        ("0001_x.sql", "\n-- end\n", "line 2: `-- end` is out of place"),
        ("0001_x.sql", "-- requires: apache\n-- requires: apache\n-- end", "line 2"),
        (
            "0001_x.sql",
            "-- requires: oracle\n-- end",
            "unknown capability 'oracle': use plain, apache, community",
        ),
        ("0001_x.sql", "-- requires: apache\n", "without `-- end`"),
    ],
)
def test_a_bad_file_is_refused_with_place_and_cure(name: str, text: str, says: str) -> None:
    with pytest.raises(MigrationError, match=r".*") as caught:
        parse(name, text)
    assert says in str(caught.value)
    assert name in str(caught.value)
