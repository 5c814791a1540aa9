"""The heap of a process that handles records by the thousand: when it is walked, what of it is given back."""

import ctypes
import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 10
"""New objects between two looks at the young ones, those between looks at the middle-aged, and at the old."""

_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def settle() -> None:
    """Call when everything is imported and wired: what is there by now is never walked again.

    Records come by the thousand and leave by themselves, as they hold no cycles; with Python's own threshold
    of 700 the collector looks at each of them several times while they wait.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


async def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc, `man malloc_trim`).

    The arrays of a chunk are larger than what glibc takes from the system one by one once it has seen some of
    them, so what the busiest moment needed stays: 100 MB. Letting it return each array at once
    (M_TRIM_THRESHOLD) costs decoding a third of its speed.
    """
    if _malloc_trim is not None:
        _malloc_trim(0)
