"""Ridge regression on features and on their likeness to stored examples (Nystroem kernel ridge).

Likeness is a Gaussian kernel as wide as the typical distance of two examples (Rasmussen and Williams 2006,
section 8.1, subset of regressors); the linear part carries the trend beyond them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernels import kernel

Floats = NDArray[np.float64]

MOST_CENTRES = 400
LINEAR = 0.1
"""Size of the linear features beside the kernel's, which lie in [0, 1]: smaller ones are shrunk more."""


@dataclass(frozen=True, slots=True)
class KernelRidge:
    """centre: (c, f). weight: (c + f + 1,), of kernels, features and the constant."""

    centre: Floats
    weight: Floats

    def predict(self, z: Floats) -> Floats:
        """(n,) from standardised features (n, f); what is said of a row does not depend on the others."""
        out = np.empty(len(z))
        _predict(np.ascontiguousarray(z), np.ascontiguousarray(self.centre.T), self.weight, out)
        return out


def fit_each(z: Floats, y: Floats, penalties: tuple[float, ...]) -> list[KernelRidge]:
    """A regression of y (n,) on standardised features (n, f) for each penalty, which is per row."""
    centre = z[np.linspace(0, len(z) - 1, min(MOST_CENTRES, len(z))).astype(int)]
    basis, mean = _basis(z, centre), float(y.mean())
    gram, target = basis.T @ basis, basis.T @ (y - mean)
    ridge = len(y) * np.eye(len(gram))
    weights = [np.linalg.solve(gram + penalty * ridge, target) for penalty in penalties]
    return [KernelRidge(centre, np.append(weight, mean)) for weight in weights]


def _basis(z: Floats, centre: Floats) -> Floats:
    squares = (z**2).sum(axis=1)[:, None] + (centre**2).sum(axis=1) - 2 * z @ centre.T
    return np.hstack([np.exp(-np.maximum(squares, 0.0) / (2 * z.shape[1])), LINEAR * z])


@kernel
def _predict(z: Floats, centre: Floats, weight: Floats, out: Floats) -> None:
    """`_basis` times the weights, row by row: products of whole matrices round otherwise with the number of
    rows."""
    features, centres = centre.shape
    for row in range(len(z)):
        squares = np.zeros(centres)
        said = weight[-1]
        for f in range(features):
            said += LINEAR * z[row, f] * weight[centres + f]
            for c in range(centres):
                off = z[row, f] - centre[f, c]
                squares[c] += off * off
        for c in range(centres):
            said += np.exp(-squares[c] / (2 * features)) * weight[c]
        out[row] = said
