"""Loops compiled to machine code."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers, keeping its type; it runs without the interpreter lock.

    Floating-point order is kept (no fast-math), so results are the same on every run. Division by zero
    gives infinity or NaN, as in NumPy: a loop that could raise is not compiled to vector instructions.
    The machine code is kept beside the module, so that only the first process compiles. It is compiled
    anew when that module changes, not when another does: hand in what comes from elsewhere as an argument.
    """
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
