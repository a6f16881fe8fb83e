"""Problems that several tests of the iterative methods share."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, random_array


def sparse(seed, rows, columns, density=0.3):
    """A sparse matrix with normal entries and no empty column."""
    rng = np.random.default_rng(seed)
    A = random_array((rows, columns), density=density, rng=rng, data_sampler=rng.standard_normal, format="csr")
    dense = A.toarray()
    at = rng.integers(0, rows, columns)
    dense[at, np.arange(columns)] += 1.0
    return csr_array(dense)


def with_condition(seed, rows, columns, condition):
    """A dense matrix with singular values from 1 down to 1 / condition."""
    rng = np.random.default_rng(seed)
    left, _ = np.linalg.qr(rng.standard_normal((rows, columns)))
    right, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
    return left * np.logspace(0, -np.log10(condition), columns) @ right.T


def reference(A, b, weights=None):
    """The coefficients by a dense QR."""
    dense = A.toarray() if hasattr(A, "toarray") else A
    root = np.ones(len(b)) if weights is None else np.sqrt(weights)
    return np.linalg.lstsq(dense * root[:, None], b * root, rcond=None)[0]


def gap(one, other):
    """Relative distance."""
    return np.linalg.norm(one - other) / max(np.linalg.norm(other), np.finfo(float).tiny)
