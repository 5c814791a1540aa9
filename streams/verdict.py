"""What detectors said of the rows that were judged, asked for by all rows and channels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Scores


@dataclass(frozen=True, slots=True)
class Verdict:
    """Scores of the rows that were judged and the channels that are measured.

    judged: (n,) bool, measured: (channels,) bool. Few ask about all rows and channels, and spreading the
    scores over them costs more than a detector.
    """

    scores: Scores
    judged: NDArray[np.bool_]
    measured: NDArray[np.bool_]

    def column(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """A value for each row (n,), of one for each row that was judged."""
        if len(values) == len(self.judged):
            return values
        whole = np.full(len(self.judged), fill, values.dtype)
        whole[self.judged] = values
        return whole

    def row(self, values: NDArray[np.float32], i: int, fill: float) -> NDArray[np.float32]:
        """A value for each channel (channels,) of row i."""
        whole = np.full(len(self.measured), fill, np.float32)
        if self.judged[i]:
            whole[self.measured] = values[self._place(i), : np.count_nonzero(self.measured)]
        return whole

    def shown(self, i: int) -> int:
        """Rows of its own that the machine had shown at row i, as in `Scores`."""
        return int(self.scores.shown[self._place(i)]) if self.judged[i] else -1

    def _place(self, i: int) -> int:
        return int(np.count_nonzero(self.judged[:i]))
