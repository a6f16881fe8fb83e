"""Bowls with a known spectrum, for walks to be tested on."""

from __future__ import annotations

import numpy as np


def with_singular_values(singular, rows=None, residual=0.0, seed=0):
    """A with these singular values in random directions, x, and b = A x + a residual of that relative length."""
    rng = np.random.default_rng(seed)
    singular = np.asarray(singular, float)
    n = len(singular)
    m = rows or 2 * n + 3
    left, _ = np.linalg.qr(rng.standard_normal((m, n)))
    right, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A, x = (left * singular) @ right.T, rng.standard_normal(n)
    b = A @ x
    if residual:
        rest = rng.standard_normal(m)
        rest -= left @ (left.T @ rest)
        b = b + rest * (residual * np.linalg.norm(b) / np.linalg.norm(rest))
    return A, b, x


def diagonal(curvatures, start):
    """A bowl ``sum c_j z_j^2 / 2`` around a minimiser, such that the walk from the origin begins at ``-start`` from it.

    ``Hessian = 2 A'A = diag(curvatures)``, minimiser ``-start``.
    """
    A = np.diag(np.sqrt(np.asarray(curvatures, float) / 2))
    return A, A @ (-np.asarray(start, float))


def largest_curvature(A):
    """Of ``|b - A x|^2``."""
    return 2 * float(np.linalg.svd(A, compute_uv=False)[0]) ** 2
