"""The kernels bench: both engines do the same work, or there is no figure."""

import pytest

from console.bench import blocks, kernels
from console.bench.trial import BenchError


def nothing(_: str) -> None:
    pass


def test_it_shows_rows_per_second_beside_numpy_and_the_state() -> None:
    found = {reading.measure: reading for reading in kernels.readings(4, 60, nothing)}
    assert list(found) == ["t2_8", "t2_8_state", "t2_8_few", "t2_32", "t2_32_state", "t2_32_few"]
    assert all(reading.value > 0 for reading in found.values())
    assert found["t2_8"].rival_value is not None
    assert found["t2_8_state"].value > 4 * (8 * 8 + 2 * 8)


def test_engines_that_disagree_have_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "TOO_ODD", -1.0)  # NumPy's normal stands still
    with pytest.raises(BenchError, match="differs"):
        list(kernels.readings(16, 400, nothing))


def test_a_block_and_its_message_cost_something() -> None:
    block, message = blocks.readings(2)
    assert (block.measure, message.measure) == ("block_25600", "waveform_message_25600")
    assert min(block.value, message.value) > 0
    assert block.rival_value is not None
