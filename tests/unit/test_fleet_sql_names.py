"""Names in SQL are what people expect, fit, and are never the same for two things."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.sql_names import LONGEST, TAKEN, column, stem

NAMES = st.from_regex(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?", fullmatch=True)


def test_usual_names_stay_what_they_are() -> None:
    assert stem("machine-tool") == "machine_tool"
    assert column("car_load") == "car_load"
    assert column("car_load", "max") == "car_load:max"
    assert column("score") == "score_"
    assert stem("machine_tool") != stem("machine-tool") != stem("machine.tool")


@given(NAMES, NAMES)
def test_two_types_have_two_stems_that_fit(one: str, other: str) -> None:
    assert len(f"telemetry_{stem(one)}") <= LONGEST
    assert (stem(one) == stem(other)) == (one == other)


OF = st.sampled_from(["", "min", "max"])


@given(st.tuples(NAMES, OF), st.tuples(NAMES, OF))
def test_two_columns_have_two_names_that_fit_and_are_not_taken(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert len(column(*one)) <= LONGEST
    assert column(*one) not in TAKEN
    assert (column(*one) == column(*other)) == (one == other)
