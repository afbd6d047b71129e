"""A linear layer before a softmax, fitted to labelled rows and drawn towards one that is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Array = npt.NDArray[np.float64]

PRIOR = 0.004
"""How strongly a layer is drawn towards what it was: see `fit_head`. What others give: docs/results/adaptation.md."""

BIAS_PRIOR = 0.03
"""The same for the bias: next to nothing, but enough that an emotion without rows keeps a finite one."""

_ITERATIONS = 300


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer.

    Attributes:
        weight: [K, D].
        bias: [K].
    """

    weight: Array
    bias: Array

    def logits(self, rows: npt.ArrayLike) -> Array:
        """[N, D] -> [N, K]."""
        result: Array = np.asarray(rows, dtype=np.float64) @ self.weight.T + self.bias
        return result


def fit_head(rows: Array, targets: npt.NDArray[np.int64], shares: Array, start: Head, *, prior: float = PRIOR) -> Head:
    """Multinomial logistic regression with a normal prior around a layer that is known.

    Minimised is the sum of the log-losses plus half of `prior`, times the mean squared length of a row, times the squared
    distance of the weights from those of `start`: the layer of highest posterior probability (Chelba and Acero, "Adaptation
    of Maximum Entropy Capitalizer: Little Data Can Help a Lot", EMNLP 2004). That is convex, so the result does not hang on
    where one begins; the length of the rows makes a prior mean the same for layers of every width.

    Args:
        rows: [N, D].
        targets: index of each row's emotion, [N].
        shares: how much each row counts, [N].
        start: towards which the layer is drawn; where N is 0, the result.
        prior: above 0; the larger, the nearer to `start`.
    """
    if not len(rows):
        return start
    n_emotions = len(start.bias)
    strength = prior * float((shares @ (rows**2).sum(axis=1)) / shares.sum())
    # Fewer rows than numbers in them: the change lies in the space that they span, where there is less to find.
    basis = np.linalg.qr(rows.T)[0] if len(rows) < rows.shape[1] else None
    inside, offset = rows if basis is None else rows @ basis, rows @ start.weight.T
    wanted = np.eye(n_emotions)[targets]

    def cost(point: Array) -> tuple[float, Array]:
        change, bias = point[:-n_emotions].reshape(n_emotions, -1), point[-n_emotions:]
        z = offset + inside @ change.T + bias
        z -= z.max(axis=1, keepdims=True)
        total = np.log(np.exp(z).sum(axis=1))
        away = bias - start.bias
        loss = shares @ (total - (z * wanted).sum(axis=1))
        penalty = 0.5 * strength * (change**2).sum() + 0.5 * BIAS_PRIOR * (away**2).sum()
        slope = (np.exp(z - total[:, None]) - wanted) * shares[:, None]
        of_change = slope.T @ inside + strength * change
        of_bias = slope.sum(axis=0) + BIAS_PRIOR * away
        scale = shares.sum()
        return (loss + penalty) / scale, np.concatenate([of_change.ravel(), of_bias]) / scale

    begin = np.concatenate([np.zeros(n_emotions * inside.shape[1]), start.bias])
    found = minimize(cost, begin, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS}).x
    change = found[:-n_emotions].reshape(n_emotions, -1)
    return Head(start.weight + (change if basis is None else change @ basis.T), found[-n_emotions:])
