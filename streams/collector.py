"""Python's garbage collector in a process that handles records by the thousand."""

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 10
"""New objects between two looks at the young ones, those between looks at the middle-aged, and at the old."""


def settle() -> None:
    """Call when everything is imported and wired: what is there by now is never walked again.

    Records come by the thousand and leave by themselves, as they hold no cycles; with Python's own threshold
    of 700 the collector looks at each of them several times while they wait.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
