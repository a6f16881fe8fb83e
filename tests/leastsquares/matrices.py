"""Matrices of a chosen condition, and exact answers to hold solvers against."""

from __future__ import annotations

import numpy as np
from flint import arb, arb_mat, ctx


def of_condition(rng, rows, columns, condition, residual):
    """``A`` with singular values from 1 down to 1/condition, and b at a relative distance from its columns."""
    left = np.linalg.qr(rng.standard_normal((rows, columns)))[0]
    right = np.linalg.qr(rng.standard_normal((columns, columns)))[0]
    matrix = (left * np.geomspace(1, 1 / condition, columns)) @ right.T
    b = matrix @ rng.standard_normal(columns)
    away = rng.standard_normal(rows)
    away -= left @ (left.T @ away)
    return matrix, b + residual * np.linalg.norm(b) * away / np.linalg.norm(away)


def exact(matrix, b):
    """The minimiser for the doubles as they are, to the last digit of a double."""
    with ctx.workprec(500):
        A = arb_mat([[arb(float(value)) for value in row] for row in matrix])
        y = arb_mat([[arb(float(value))] for value in b])
        x = (A.transpose() * A).solve(A.transpose() * y)
        return np.array([float(x[j, 0].mid()) for j in range(A.ncols())])


def error(found, truth):
    """Relative to the length of the truth."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
