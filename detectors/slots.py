"""Arrays indexed by slot: how they grow, and what may come in beside them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples

NEVER = np.iinfo(np.int64).min
"""An instant that stands for none."""


def grown(array: NDArray[Any], length: int, fill: Any) -> NDArray[Any]:
    """`array` if it has `length` rows, else a copy of at least twice its length, filled up with `fill`."""
    if length <= len(array):
        return array
    longer = np.zeros((max(length, 2 * len(array), 8), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    if isinstance(fill, np.ndarray) or fill != 0:  # else what is not used yet takes no memory
        longer[len(array) :] = fill
    return longer


def wider(array: NDArray[Any], axis: int, length: int, fill: Any) -> NDArray[Any]:
    """`array` with `length` entries along `axis`, the new ones filled; raises `ValueError` if it has more."""
    more = length - array.shape[axis]
    if more < 0:
        raise ValueError(f"{array.shape[axis]} channels cannot become {length}: they are only added")
    shape = [more if at == axis else size for at, size in enumerate(array.shape)]
    return np.concatenate([array, np.full(shape, fill, array.dtype)], axis=axis)


def plain(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The array as kernels are compiled for; a copy only if it is read-only, strided or of another type."""
    return np.require(array, dtype, ["C", "W"])


def check_rows(slot: NDArray[np.int32], *columns: NDArray[Any]) -> int:
    """The number of slots that the rows reach; raises `ValueError` for lengths or slots that cannot be."""
    if slot.ndim != 1 or any(len(column) != len(slot) for column in columns):
        raise ValueError(f"slot and {len(columns)} other columns must have one entry for each row")
    if len(slot) and slot.min() < 0:
        raise ValueError(f"slots count from 0, got {slot.min()}")
    return int(slot.max()) + 1 if len(slot) else 0


def check_samples(samples: Samples, channels: int) -> int:
    """The number of slots that the samples reach; raises `ValueError` for shapes that cannot be."""
    if samples.x.ndim != 2 or samples.x.shape[1] != channels:
        raise ValueError(f"x must be (rows, {channels}), got {samples.x.shape}")
    if len(samples.regime) and samples.regime.min() < 0:
        raise ValueError(f"regimes count from 0, got {samples.regime.min()}")
    return check_rows(samples.slot, samples.ts_us, samples.regime, samples.x)
