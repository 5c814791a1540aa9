"""Room for rows to learn from comes and goes with the machines that learn."""

import numpy as np

from detectors.cells import FEW_BUFFERS, MAX_REGIMES, Cells


def test_room_for_learning_is_given_back_and_what_others_collect_stays() -> None:
    rng = np.random.default_rng(0)
    baseline, fleet = 30, range(MAX_REGIMES, MAX_REGIMES + 200)
    cells = Cells.of(np.zeros(2, np.bool_), baseline)
    cells.add(len(fleet))
    rows = rng.normal(size=(len(fleet), baseline, 2)).astype(np.float32)
    for cell, seen in zip(fleet, rows, strict=True):
        buffer = cells.collect(cell)
        cells.buffers[buffer] = seen
        cells.filled[cell] = baseline
    most = len(cells.buffers)
    done = fleet[::2]
    for cell in done:
        cells.complete(cell, 0.05)
    for cell in fleet[1:180:2]:
        cells.complete(cell, 0.05)
    still = fleet[181::2]
    assert len(cells.buffers) < most / 4
    assert all(np.array_equal(cells.buffers[cells.buffer_of[c]], rows[c - MAX_REGIMES]) for c in still)
    again = cells.collect(done[0])
    assert again not in cells.buffer_of[list(still)]
    for cell in (*still, done[0]):
        cells.complete(cell, 0.05)
    assert len(cells.buffers) <= FEW_BUFFERS
