"""What records may ask of the platform."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """The most bytes (also decompressed) and rows of a record, and its window around the broker's clock.

    `chunk_cells` is how many cells (rows times columns of the equipment type) are decoded at once, which take
    some hundred bytes each on their way: a kilobyte of gzip can legally hold four million.
    """

    max_bytes: int = 2**20
    max_rows: int = 2**16
    chunk_cells: int = 2**18
    past: timedelta = timedelta(days=30)
    future: timedelta = timedelta(minutes=10)


DEFAULT = Limits()
