"""Loops compiled to machine code."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers, keeping its type and the order of its sums."""
    return cast("F", numba.njit(cache=True, nogil=True)(function))
