"""The current of an elevator's door motor along the door's way, where rows are close enough to show it."""

import numpy as np

from streams.simulator.dynamics import Array, Flags

FINE_S = 1.0
"""Longest rows in which the way has parts; longer ones show a movement's mean."""

SHAPE = np.array([1.3, 0.8, 0.9])
"""Of its mean: the current in the thirds of a movement. The door is run up, travels and is run down."""

RESISTS = np.array([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])
"""How a fault's resistance lies in the thirds of the way, from closed to open: all over, or at one place."""


class DoorMotor:
    """One door's motor, and where its way will resist, should it become stiff."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.resists = RESISTS[rng.integers(len(RESISTS))]

    def shape(self, gone: Array, closing: Flags, step_s: float) -> tuple[Array, Array]:
        """The current as a multiple of its mean, and the fault as one of its mean; (n,) each.

        gone: (n,) share of the time of the movement that is on, 0 to 1.
        """
        if step_s > FINE_S:
            return np.ones(len(gone)), np.ones(len(gone))
        third = np.clip(3 * gone, 0, 2).astype(np.int64)
        return SHAPE[third], self.resists[np.where(closing, 2 - third, third)]
