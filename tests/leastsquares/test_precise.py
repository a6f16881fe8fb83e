"""The look in about 20 digits, against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from surefoot.leastsquares.passes import opened
from surefoot.leastsquares.precise import precise_look


def exact_gradient(matrix, b, x):
    residual = [
        Fraction(float(y)) - sum(Fraction(float(a)) * Fraction(float(c)) for a, c in zip(row, x, strict=True))
        for row, y in zip(matrix, b, strict=True)
    ]
    return [
        sum((Fraction(float(a)) * r for a, r in zip(column, residual, strict=True)), Fraction(0)) for column in matrix.T
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("rows", "columns"), [(300, 5), (1000, 3), (40, 30)])
def test_a_gradient_that_cancels_keeps_many_more_digits(rows, columns, seed):
    """At the minimiser the gradient is all cancellation: there the ordinary look has no digit, this one has several."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns)) * np.exp(rng.standard_normal(columns))
    b = rng.standard_normal(rows) * 100
    x = np.linalg.lstsq(matrix, b, rcond=None)[0]
    scale = np.exp2(np.round(np.log2(np.linalg.norm(matrix, axis=0))))
    truth = np.array([float(value) for value in exact_gradient(matrix, b, x)])
    with opened(matrix, b[:, None]) as rows_:
        plain = rows_.look(x[:, None]).gradient[:, 0]
        found = precise_look(rows_, scale, (x * scale)[:, None])
    precise = found.gradient[:, 0] * scale
    noise = 1.1e-16 * np.linalg.norm(matrix, axis=0) * np.linalg.norm(b)
    assert np.max(np.abs(precise - truth) / noise) < 1e-3
    assert np.max(np.abs(precise - truth)) < np.max(np.abs(plain - truth))
    assert found.squares[0] == pytest.approx(np.sum((b - matrix @ x) ** 2), rel=1e-13)


def test_zeros_and_no_rows():
    for matrix, b in ((np.zeros((5, 2)), np.ones((5, 1))), (np.zeros((0, 2)), np.zeros((0, 1)))):
        with opened(matrix, b) as rows:
            found = precise_look(rows, np.ones(2), np.ones((2, 1)))
        assert np.all(found.gradient == 0) and found.squares[0] == len(b)


def test_threads_and_blocks_give_the_same_digits():
    rng = np.random.default_rng(3)
    matrix, b = rng.standard_normal((60_000, 8)), rng.standard_normal((60_000, 2))
    x = np.linalg.lstsq(matrix, b, rcond=None)[0]
    with opened(matrix, b) as rows:
        many = precise_look(rows, np.ones(8), x)
        again = precise_look(rows, np.ones(8), x)
    assert np.array_equal(many.gradient, again.gradient), "the order of the sums does not depend on the threads"
