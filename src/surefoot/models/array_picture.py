"""The numbers behind the pictures of a fit of arrays: the residual at a right angle, the walks of compared roads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.leastsquares.solution import Solution
from surefoot.models.perpendicular import perpendicular
from surefoot.models.picture import Picture
from surefoot.models.walked import descents, walked_bowl

if TYPE_CHECKING:
    from surefoot.models.array_fit import ArrayFit


def gather_arrays(fit: ArrayFit, solution: Solution | None) -> Picture:
    """Collect what can be drawn: with a penalty or constraints the residual stands at no right angle on the columns.

    Parameters
    ----------
    fit : ArrayFit
        Of one right-hand side.
    solution : Solution or None
        Of its triangle; None where it has none, as after an iteration.
    """
    free = solution is not None and not fit.task.ridge and fit.multipliers is None
    angle = perpendicular(solution, fit.names, _constant(fit, solution)) if free and solution is not None else None
    bowl = walked_bowl(fit.roads, solution, fit.names) if fit.roads is not None and solution is not None else None
    return Picture(
        None, None, None, float("nan"), angle, bowl, descents(fit.roads) if fit.roads is not None else ()
    )  # fmt: skip


def _constant(fit: ArrayFit, solution: Solution) -> np.ndarray | None:
    """Direction of a constant column in the coordinates of the triangle."""
    matrix = fit.task.matrix
    if not fit.task.is_dense or not len(matrix):
        return None
    for k, j in enumerate(solution.kept):
        if matrix[0, j] != 0 and bool(np.all(matrix[:, j] == matrix[0, j])):
            return solution.upper[:, k]
    return None


__all__ = ["gather_arrays"]
