"""Bounds on S'A'AS hold against exact arithmetic, and against a BLAS that errs as much as it may."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

import exact
from surefoot.proof import scaled_rows, spectrum
from surefoot.proof.rounding import UNIT, gamma
from surefoot.proof.scaled_rows import scale_rows
from surefoot.proof.spectrum import Pairwise, Plain, Sliced, from_gram, from_product, gram_matrix

SEEDS = st.integers(0, 2**32 - 1)


def rows_of(A):
    """The problem with A as it is: its largest entries are just below one, so that no scaling takes place."""
    return scale_rows(A, np.zeros((len(A), 1)), None, 0.0)


def hard(rng, m, n, decades):
    """Columns that nearly cancel, and the S that shows it."""
    A = rng.uniform(-0.6, 0.6, (m, n))
    A[:, -1] = A[:, :-1] @ rng.uniform(-0.5, 0.5, n - 1) + 10.0**-decades * rng.uniform(-0.4, 0.4, m)
    A[0] = np.where(rng.random(n) < 0.5, 0.9, -0.9)
    S = np.linalg.inv(np.linalg.qr(A, mode="r"))
    return A, S


def frobenius(matrix):
    return sum((Fraction(int(v.p), int(v.q)) ** 2 for v in matrix.entries()), Fraction(0))


def positive_semidefinite(matrix):
    """By leading minors, of a matrix that is in general position."""
    n = matrix.nrows()
    parts = [fmpq_mat(k, k, [matrix[i, j] for i in range(k) for j in range(k)]) for k in range(1, n + 1)]
    return all(part.det() >= 0 for part in parts)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 7), st.floats(0, 15), st.sampled_from([Plain, Sliced]))
def test_errors_of_the_product_are_below_their_bound(seed, n, decades, road):
    rng = np.random.default_rng(seed)
    A, S = hard(rng, 12, n, decades)
    rows = rows_of(A)
    factor = road(S, rows)
    B = np.vstack([factor.multiply(block) for block in rows.weighted()])
    wrong = exact.matrix(B.T) - exact.matrix(A.T) * exact.matrix(S.T)
    columns = np.linalg.norm(A, axis=0) * (1 + 1e-12)
    bound = factor.error(columns) + 4 * UNIT * np.linalg.norm(B) * (1 + 1e-12)
    assert frobenius(wrong) <= Fraction(bound) ** 2
    if road is Sliced:
        assert bound < 1e-14 + 1e-5 * Plain(S, rows).error(columns)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 5), st.floats(0, 14), st.booleans())
def test_the_spectrum_is_within_its_bounds(seed, n, decades, short):
    rng = np.random.default_rng(seed)
    A, S = hard(rng, 13, n, decades)
    with pytest.MonkeyPatch.context() as patch:
        if short:
            patch.setattr(scaled_rows, "_FEWEST", 3)
            patch.setattr(scaled_rows, "_MOST", 4)
        rows = rows_of(A)
        found = [from_gram(*gram_matrix(rows), S), *(from_product(rows, S, road(S, rows)) for road in (Plain, Sliced))]
    product = exact.matrix(A.T) * exact.matrix(S.T)
    G = product.transpose() * product
    eye = exact.matrix(np.eye(n))
    for bounds in found:
        if bounds.full_rank:
            assert positive_semidefinite(G - eye * exact.rationals([bounds.smallest])[0])
        if math.isfinite(bounds.largest):
            assert positive_semidefinite(eye * exact.rationals([bounds.largest])[0] ** 2 - G)
        for bound, column in zip(bounds.columns, A.T, strict=True):
            assert Fraction(float(bound)) ** 2 >= sum(Fraction(float(v)) ** 2 for v in column)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 40), st.integers(1, 6))
def test_errors_of_the_gram_matrix_are_below_their_bound(seed, m, n):
    rng = np.random.default_rng(seed)
    A = rng.uniform(-1, 1, (m, n)) * 10.0 ** rng.uniform(-8, 0, (m, 1))
    A[::2] = np.roll(-A[::2], 1, axis=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scaled_rows, "_FEWEST", 2)
        patch.setattr(scaled_rows, "_MOST", 2)
        rows = rows_of(A)
        gram, columns, depth = gram_matrix(rows)
        scaled = np.vstack(list(rows.weighted()))
    truth = exact.matrix(scaled.T).transpose() * exact.matrix(scaled.T)
    for i in range(n):
        for j in range(n):
            wrong = abs(exact._fraction(truth[i, j]) - Fraction(float(gram[i, j])))
            assert wrong <= Fraction(gamma(depth)) * Fraction(float(columns[i])) * Fraction(float(columns[j]))


def test_no_term_passes_through_more_additions_than_the_depth():
    for count in (1, 2, 3, 7, 8, 9, 100):
        tree = Pairwise()
        for _ in range(count):
            tree.add(_Counted(0).reshape())
        assert _Counted.most(tree) <= tree.depth


class _Counted:
    """A stand-in for a matrix that counts the additions behind it."""

    def __init__(self, additions):
        self.additions = additions

    def reshape(self):
        return self

    def __add__(self, other):
        return _Counted(max(self.additions, getattr(other, "additions", 0)) + 1)

    __radd__ = __add__
    __array_ufunc__ = None

    @staticmethod
    def most(tree):
        return tree.total(1).additions


# A BLAS that errs as much as it may, in the direction that would hide that the columns are dependent.


class _Erring(Plain):
    """The product that an arithmetic with errors of ``share gamma_n |A||S|`` could give."""

    share = 0.99

    def multiply(self, block):
        reach = np.abs(block) @ np.abs(self.S)
        signs = np.where(np.arange(len(block)) % 2, 1.0, -1.0)[:, None] * [0.0, 1.0]
        return block @ self.S + self.share * gamma(len(self.S)) * reach * signs


@pytest.mark.parametrize("length", [0.6, 0.8, 1.0, 1.02])
def test_equal_columns_made_different_by_rounding_are_not_believed(length):
    """A = [v, v], S = [[1, -t], [0, t]]: AS = [v, 0], and the rounding of size gamma_2 2t can stand for a column."""
    v = np.full(4, 0.5)
    A = np.column_stack([v, v])
    t = length / (0.99 * gamma(2) * 2)
    S = np.array([[1.0, -t], [0.0, t]])
    rows = rows_of(A)
    scale = 2.0 ** rows.column_exponents[0]
    factor = _Erring(S * scale, rows)
    found = from_product(rows, S * scale, factor)
    assert abs(found.gramian[1, 1] - length**2) < 1e-6  # the erring product does look independent
    assert abs(found.gramian[0, 1]) < 1e-6
    assert not found.full_rank


def test_a_gram_matrix_that_errs_as_much_as_it_may_is_not_believed():
    """A = [v, v]: its Gram matrix plus a rounding of gamma_d on the diagonal looks independent."""
    v = np.full(400, 0.75)
    rows = rows_of(np.column_stack([v, v]))
    gram, columns, depth = gram_matrix(rows)
    for share in (0.5, 0.9, 0.99):
        size = share * gamma(depth) * gram[0, 0]
        erring = gram + size * np.eye(2)
        S = np.linalg.inv(np.linalg.cholesky(erring)).T
        looks = S.T @ erring @ S
        assert np.abs(looks - np.eye(2)).max() < 0.5
        assert not from_gram(erring, columns, depth, S).full_rank


def test_two_products_with_S_that_err_as_much_as_they_may_are_not_believed():
    """H = fl(S'(C S)) is itself rounded: an S so large that its rounding alone could be the identity proves nothing."""
    v = np.full(4, 0.5)
    rows = rows_of(np.column_stack([v, v]))
    gram, columns, _ = gram_matrix(rows)
    t = math.sqrt(0.5 / (gamma(4) * 4)) / columns[0]

    class Gram(np.ndarray):
        def __matmul__(self, other):
            return (np.asarray(self) @ other).view(Rounded)

    class Rounded(np.ndarray):
        def __rmatmul__(self, other):
            reach = np.abs(other) @ np.abs(gram) @ np.abs(other.T)
            return np.asarray(other) @ np.asarray(self) + np.diag([0.0, 0.99 * gamma(4) * reach[1, 1]])

        __array_priority__ = 100.0

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            if ufunc is np.matmul and inputs[1] is self:
                return self.__rmatmul__(inputs[0])
            return getattr(ufunc, method)(*(np.asarray(part) for part in inputs), **kwargs)

    S = np.array([[1.0 / math.sqrt(gram[0, 0]), -t], [0.0, t]])
    found = from_gram(gram.view(Gram), columns, 0, S)
    assert found.gramian[1, 1] > 0.4  # the erring arithmetic does make it look independent
    assert not found.full_rank


def test_the_gram_matrix_of_the_product_may_err_as_well(monkeypatch):
    """fl(B'B) may be off by gamma_d |B|_F^2: with many rows in a block that alone can be the difference."""
    B = np.array([[1.0], [0.0]])
    rows = rows_of(B * 0.75)
    monkeypatch.setattr(spectrum, "gamma", lambda terms: 0.3 if terms > 2 else gamma(terms))
    S = np.array([[1.0 / 0.75]])
    assert 0.6 < from_product(rows, S, Plain(S, rows)).smallest <= 0.7


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_the_true_product_may_be_longer_or_shorter_than_the_computed_one(monkeypatch, factor):
    """With errors of a tenth allowed and made, B = factor A S has length one, and A S has length 1 / factor."""
    monkeypatch.setattr(spectrum, "gamma", lambda terms: 0.101)

    class Erring(Plain):
        def multiply(self, block):
            return factor * (block @ self.S)

    A = np.array([[0.75], [0.5], [0.0]])
    rows, S = rows_of(A), np.array([[1.0 / (factor * np.linalg.norm(A))]])
    found = from_product(rows, S, Erring(S, rows))
    assert abs(found.gramian[0, 0] - 1.0) < 1e-12
    assert found.smallest <= factor**-2 <= found.largest**2


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 400), st.integers(1, 20))
def test_slices_multiply_without_error(seed, longest, extra):
    rng = np.random.default_rng(seed)
    bits = spectrum.slice_bits(longest)
    A, T = rng.uniform(-1, 1, (extra, longest)), rng.uniform(-1, 1, (longest, 2))
    first, second = spectrum.on_grid(A, bits, 1.0), spectrum.on_grid(T, bits, 1.0)
    rest = spectrum.on_grid(A - first, 2 * bits, 1.0)
    for left in (first, rest):
        truth = exact.matrix(left.T) * exact.matrix(second.T)
        assert exact.matrix((left @ second).T) == truth
    assert exact.matrix((A - first).T) == exact.matrix(A.T) - exact.matrix(first.T)
    assert np.abs(A - first).max() <= 2.0 ** -(bits + 1)


@pytest.mark.parametrize("decades", [2, 7, 9, 12, 14])
def test_own_candidates_close(decades):
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal(shape))[0] for shape in ((500, 10), (10, 10)))
    A = (left * np.geomspace(1, 10.0**-decades, 10)) @ right.T
    for S in (None, np.eye(10), np.linalg.inv(np.linalg.qr(A, mode="r"))):
        found = spectrum.prove_spectrum(rows_of(A), S)
        assert found.full_rank
        assert found.smallest > 0.5
