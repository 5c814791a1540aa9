"""What engines that hand over one record at a time compute of it, as fast as NumPy does that."""

from typing import Protocol

import numpy as np

ROWS, CHANNELS = 60, 16
"""Shape of a frame of the stream benchmark: float32, row after row."""


class Work(Protocol):
    """Takes one record's value at a time."""

    def __call__(self, value: bytes) -> None:
        """Take a value in."""
        ...

    @property
    def checksum(self) -> float:
        """A sum over all that was computed: equal work, equal sum."""
        ...


class Lengths:
    """Adds up the lengths of values."""

    def __init__(self) -> None:
        self.checksum = 0.0

    def __call__(self, value: bytes) -> None:
        """Take a value in."""
        self.checksum += len(value)


class Features:
    """Mean, mean square and peak of each channel of each frame; `checksum` is the sum of them all."""

    def __init__(self) -> None:
        self._sum = np.zeros(CHANNELS, np.float64)

    def __call__(self, value: bytes) -> None:
        """Take a frame in."""
        x = np.frombuffer(value, np.float32).reshape(ROWS, CHANNELS)
        mean = np.add.reduce(x) * np.float32(1 / ROWS)
        mean_square = np.einsum("ij,ij->j", x, x) * np.float32(1 / ROWS)
        peak = np.maximum.reduce(np.abs(x))
        self._sum += mean + mean_square + peak

    @property
    def checksum(self) -> float:
        """The sum over all frames, channels and features."""
        return float(self._sum.sum())


def chosen_work(measure: str) -> Work:
    """The work of a measure of the stream benchmark."""
    return Features() if measure == "frames" else Lengths()
