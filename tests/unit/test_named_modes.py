"""Each due row has the mode that its machine's episode was raised as, by then."""

import numpy as np
import pytest

from streams.named_modes import NamedModes, Naming

SLOT = np.array([0, 1, 0, 1, 0, 1], np.int32)
CHANGES = [Naming(1, 1, "worn"), Naming(2, 0, "hot"), Naming(4, 0, ""), Naming(5, 1, "hot")]
NAMED = ["", "worn", "hot", "worn", "", "hot"]


def test_a_change_counts_from_its_row_on_and_for_its_slot_alone() -> None:
    assert NamedModes().at(range(6), SLOT, CHANGES) == NAMED


@pytest.mark.parametrize("cut", range(7))
def test_cuts_and_saved_state_change_nothing(cut: int) -> None:
    first, second = NamedModes(), NamedModes()
    head = first.at(range(cut), SLOT, [change for change in CHANGES if change.row < cut])
    second.take(first.array())
    left = [Naming(c.row - cut, c.slot, c.mode) for c in CHANGES if c.row >= cut]
    assert head + second.at(range(6 - cut), SLOT[cut:], left) == NAMED


def test_what_changes_after_the_last_due_row_is_kept_and_a_repair_ends_it() -> None:
    modes = NamedModes()
    assert modes.at([0], SLOT, CHANGES) == [""]
    assert modes.at([0, 1], SLOT, []) == ["", "hot"]
    modes.renew(1)
    assert modes.at([1], SLOT, []) == [""]
