"""State survives to the bit, and what is no state is refused with a reason."""

import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.state_bytes import names, pack, peek, unpack

SLOT = np.dtype([("since_us", "i8"), ("level", "f4", (3,)), ("on", "?")])
DTYPES = st.sampled_from([np.dtype(code) for code in ("f4", "f8", "i2", "i4", "i8", "u1", "?")] + [SLOT])
ARRAYS = DTYPES.flatmap(lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, min_side=0)))
STATES = st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4)

STATE = {"count": np.arange(3, dtype=np.int32), "slots": np.zeros(2, SLOT)}


@given(STATES)
def test_what_is_read_is_what_was_written(state: dict[str, NDArray[Any]]) -> None:
    saved = pack("a kind", state)
    found = unpack("a kind", saved, state)
    assert found.keys() == state.keys()
    for name, array in state.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()
        assert found[name].flags.writeable
    assert pack("a kind", found) == saved


def test_which_arrays_there_are() -> None:
    assert names(pack("a kind", STATE)) == STATE.keys()
    with pytest.raises(StateError, match="damaged"):
        names(pack("a kind", STATE)[:-1])


def test_the_layout_in_memory_does_not_matter() -> None:
    wide = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert pack("k", {"x": wide[:, ::2]}) == pack("k", {"x": wide[:, ::2].copy()})


@given(st.integers(0, 300), st.integers(0, 9), st.binary(max_size=9))
def test_damage_is_noticed(at: int, cut: int, put: bytes) -> None:
    saved = pack("k", STATE)
    damaged = saved[:at] + put + saved[at + cut :]
    assume(damaged != saved)
    with pytest.raises(StateError):
        unpack("k", damaged, STATE)


def headed(header: object, arrays: bytes = b"") -> bytes:
    """A state whose checksum is right and whose header is not."""
    said = json.dumps(header).encode()
    rest = struct.pack("<I", len(said)) + said + arrays
    return b"FLS1" + struct.pack("<I", zlib.crc32(rest)) + rest


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"PK\3\4",
        b"FLS1",
        headed([]),
        headed({"kind": "k", "arrays": {"count": ["|O", [1]]}}, bytes(8)),
        headed({"kind": "k", "arrays": {"count": ["<i4", [1 << 62]]}}),
        headed({"kind": "k", "arrays": {"count": ["<i4", [3]], "slots": ["<i4", [2]]}}, bytes(20)),
        headed({"kind": "k", "arrays": {}}, b"x"),
        pack("k", STATE)[:-1],
        pack("another", STATE),
        pack("k", STATE | {"more": np.zeros(1)}),
        pack("k", {"count": STATE["count"]}),
    ],
)
def test_what_is_no_such_state_is_refused(state: bytes) -> None:
    with pytest.raises(StateError, match="state"):
        unpack("k", state, STATE)


def test_one_number_can_be_looked_at() -> None:
    assert peek(pack("k", {"channels": np.array([7])}), "channels") == 7
    for state in (b"", pack("k", {}), pack("k", {"channels": np.zeros(0, np.int64)})):
        with pytest.raises(StateError, match="damaged"):
            peek(state, "channels")
