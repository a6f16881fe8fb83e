"""Passes over rows: the same sums however the rows are shared out, and gradients that round little."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from surefoot.leastsquares.passes import GROUP, MANY_COLUMNS, Rows, opened, shared_out
from surefoot.leastsquares.precise import precise_look


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (0, 3),
        (1, 1),
        (GROUP, 4),
        (GROUP + 1, 4),
        (3 * GROUP - 1, 300),
        (9_000, 20),
        (6_000, 300),
        (50, MANY_COLUMNS + 9),
    ],
)
def test_sums_do_not_depend_on_who_works(rows, columns):
    rng = np.random.default_rng(rows)
    matrix, right, x = rng.standard_normal((rows, columns)), rng.standard_normal((rows, 2)), np.ones((columns, 2))
    plain = Rows(matrix, right)
    with opened(matrix, right) as chosen, shared_out(plain) as shared:
        for held in (plain, chosen, shared):
            total, start = held.gram()
            np.testing.assert_allclose(total, matrix.T @ matrix, atol=1e-10)
            np.testing.assert_allclose(start.gradient, matrix.T @ right, atol=1e-10)
            residual = right - matrix @ x
            for seen in (held.look(x), precise_look(held, np.ones(columns), x)):
                np.testing.assert_allclose(seen.gradient, matrix.T @ residual, atol=1e-9)
                np.testing.assert_allclose(seen.squares, np.sum(residual**2, axis=0))
            upper = np.triu(rng.standard_normal((columns, columns)))
            product = matrix @ upper
            np.testing.assert_allclose(held.preconditioned_gram(upper), product.T @ product, atol=1e-8 * columns)


def test_what_is_summed_in_groups_rounds_less_than_one_long_sum():
    """A gradient that vanishes but for rounding, held against fractions: what conditions squared make errors of."""
    ours, plainly = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        column, residual = rng.standard_normal((2, 20_000))
        residual -= column * (column @ residual) / (column @ column)
        exact = sum(
            (Fraction(float(a)) * Fraction(float(r)) for a, r in zip(column, residual, strict=True)), Fraction(0)
        )
        rows = Rows(np.tile(column[:, None], (1, 4)), residual[:, None])
        with opened(rows.matrix, rows.right) as held:
            ours.append(abs(held.look(np.zeros((4, 1))).gradient[0, 0] - float(exact)))
        one_by_one = 0.0
        for term in column * residual:
            one_by_one += term
        plainly.append(abs(one_by_one - float(exact)))
    assert np.mean(ours) < np.mean(plainly) / 3
