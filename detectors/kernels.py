"""Loops compiled to machine code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers, keeping its type; it runs without the interpreter lock.

    Floating-point order is kept (no fast-math), so results are the same on every run. Division by zero
    gives infinity or NaN, as in NumPy: a loop that could raise is not compiled to vector instructions.
    The machine code is kept beside the module, so that only the first process compiles. It is compiled
    anew when that module changes, or one whose kernels it imports; a constant from any other is to be handed
    in as an argument.
    """
    compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    if compiled is not function:  # as it is under NUMBA_DISABLE_JIT
        compiled._cache._cache_file._source_stamp = _stamp(function)  # numba's is of the own file alone
    return cast("F", compiled)


def _stamp(function: Callable[..., object]) -> list[tuple[str, int, int]]:
    """Time and size of the files that hold the function and the kernels that it can call."""
    stamp = []
    for file in sorted(_files(function)):
        found = Path(file).stat()
        stamp.append((Path(file).name, found.st_mtime_ns, found.st_size))
    return stamp


def _files(function: Any) -> set[str]:
    """The function's own file and those of the kernels imported there so far."""
    own = function.__code__.co_filename
    called = {each.py_func for each in function.__globals__.values() if hasattr(each, "py_func")}
    beyond = [_files(each) for each in called if each.__code__.co_filename != own]
    return {own}.union(*beyond)
