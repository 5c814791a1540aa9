"""What load and weather explain of the channels of a type's machines, learned from stored weeks.

A channel follows its surroundings at once and with a lag. What is explained is linear in each of them, and in
the squares of those that are given, as losses go by the square of the load: now, and smoothed over `LAG_H`.
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.state_bytes import DAMAGE

Floats = NDArray[np.float64]

NAME = "surroundings"
"""What a fit is called among the models."""

LAG_H = 2.0
"""Time constant of what is smoothed: the oil of a transformer takes two to three hours (IEC 60076-7)."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A fit: m `channels` are explained by `given` and `ambient` ones, s of both.

    usual: (t,) medians of the terms in what was learned from, at which nothing is explained; the terms are
    the s surroundings and the squares of the given ones. slope: (m, 2, t), what a unit of a term makes of a
    channel, now and smoothed, in the channels' units.
    """

    channels: tuple[str, ...]
    given: tuple[str, ...]
    ambient: tuple[str, ...]
    usual: Floats
    slope: Floats

    @property
    def around(self) -> tuple[str, ...]:
        """The surroundings, given ones first."""
        return (*self.given, *self.ambient)

    def state(self) -> bytes:
        """All of it as JSON, equal bytes for equal fits."""
        names = {"channels": self.channels, "given": self.given, "ambient": self.ambient}
        numbers = {"usual": self.usual.tolist(), "slope": self.slope.tolist()}
        return json.dumps({"version": VERSION, **names, **numbers}).encode()

    @classmethod
    def read(cls, state: bytes) -> "Surroundings":
        """The inverse of `state`; raises `StateError`."""
        try:
            said = json.loads(state)
            if said["version"] != VERSION:
                raise ValueError(f"they are of version {said['version']}")
            channels, given, ambient = (tuple(said[name]) for name in ("channels", "given", "ambient"))
            width = 2 * len(given) + len(ambient)
            usual = np.array(said["usual"], np.float64).reshape(width)
            slope = np.array(said["slope"], np.float64).reshape(len(channels), 2, width)
        except DAMAGE as error:
            raise StateError(f"surroundings cannot be used, fit them again: {error}") from error
        return cls(channels, given, ambient, usual, slope)


def terms(around: Floats, given: int) -> Floats:
    """(n, t) terms of surroundings (n, s), of which the first are `given`."""
    return np.hstack([around, around[:, :given] ** 2])
