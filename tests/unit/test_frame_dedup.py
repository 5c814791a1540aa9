"""New, duplicate or conflict: exact, whatever the cut into chunks and whatever was stored before."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.frame_dedup import Fate, FrameDedup, Key, Sightings

Sighting = tuple[int, int, int, int, int]


def see(seq: int, offset: int, digest: int = 7, asset: int = 1, boot: int = 1) -> Sighting:
    return asset, boot, seq, digest, offset


class FakeLedger:
    """The ledger of stored frames, and the way a partition task asks it."""

    def __init__(self) -> None:
        self.rows: dict[Key, tuple[int, int]] = {}
        self.asked = 0

    def run(self, seen: FrameDedup, sightings: list[Sighting], again: bool = False) -> list[Fate]:
        columns = Sightings(*np.array(sightings, np.int64).reshape(-1, 5).T)
        strangers = seen.strangers(columns.asset_id)
        highest: dict[tuple[int, int], int] = {}
        for asset, boot, seq in self.rows:
            if asset in strangers:
                highest[asset, boot] = max(seq, highest.get((asset, boot), seq))
        seen.load(strangers, highest)
        doubt = seen.doubtful(columns, again)
        keys = columns.keys(doubt.which)
        self.asked += len(keys)
        known = {key: self.rows[key] for key in keys if key in self.rows}
        fates = [Fate(fate) for fate in seen.judge(columns, doubt, known, again).tolist()]
        if not again:
            new = (s for s, fate in zip(sightings, fates, strict=True) if fate is Fate.NEW)
            self.rows |= {s[:3]: (s[3], s[4]) for s in new}
        return fates


def test_growing_sequences_never_ask_the_ledger() -> None:
    ledger, seen = FakeLedger(), FrameDedup()
    for start in range(0, 30, 10):
        fates = ledger.run(seen, [see(seq, seq) for seq in range(start, start + 10)])
        assert fates == [Fate.NEW] * 10
    assert ledger.asked == 0


def test_the_same_frame_is_a_duplicate_and_another_with_its_number_a_conflict() -> None:
    ledger, seen = FakeLedger(), FrameDedup()
    assert ledger.run(seen, [see(5, 0), see(5, 1), see(5, 2, digest=8)]) == [
        Fate.NEW,
        Fate.DUPLICATE,
        Fate.CONFLICT,
    ]
    assert ledger.run(seen, [see(5, 3), see(5, 4, digest=8)]) == [Fate.DUPLICATE, Fate.CONFLICT]


def test_a_late_frame_that_was_never_stored_is_new() -> None:
    ledger, seen = FakeLedger(), FrameDedup()
    ledger.run(seen, [see(9, 0)])
    assert ledger.run(seen, [see(3, 1)]) == [Fate.NEW]


def test_a_restart_knows_what_was_stored() -> None:
    ledger = FakeLedger()
    ledger.run(FrameDedup(), [see(5, 0), see(6, 1)])
    assert ledger.run(FrameDedup(), [see(6, 2), see(7, 3)]) == [Fate.DUPLICATE, Fate.NEW]


def test_another_boot_counts_anew() -> None:
    ledger, seen = FakeLedger(), FrameDedup()
    ledger.run(seen, [see(9, 0, boot=1)])
    assert ledger.run(seen, [see(0, 1, boot=2), see(0, 2, boot=2)]) == [Fate.NEW, Fate.DUPLICATE]


frames = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(0, 6), st.integers(0, 1)), max_size=30
)


@given(frames, st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_no_cut_into_chunks_and_no_restart_changes_a_verdict(
    said: list[tuple[int, int, int, int]], cuts: list[int]
) -> None:
    log = [see(seq, i, digest, asset, boot) for i, (asset, boot, seq, digest) in enumerate(said)]
    whole = FakeLedger().run(FrameDedup(), log)
    ledger, seen, fates, at, turn = FakeLedger(), FrameDedup(), [], 0, 0
    while at < len(log):
        size = cuts[turn % len(cuts)]
        if turn % 3 == 2:
            seen = FrameDedup()  # a restart
        fates += ledger.run(seen, log[at : at + size])
        at, turn = at + size, turn + 1
    assert fates == whole


@given(frames)
def test_read_again_after_a_restart_exactly_what_was_new_counts(
    said: list[tuple[int, int, int, int]],
) -> None:
    log = [see(seq, i, digest, asset, boot) for i, (asset, boot, seq, digest) in enumerate(said)]
    ledger = FakeLedger()
    first = ledger.run(FrameDedup(), log)
    second = ledger.run(FrameDedup(), log, again=True)
    assert [f is Fate.NEW for f in second] == [f is Fate.NEW for f in first]
