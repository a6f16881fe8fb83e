"""What a person may give for A: every format is one matrix, and what cannot be used is a sentence."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from krylov_cases import gap, reference, sparse
from surefoot.errors import DataError
from surefoot.leastsquares.krylov import solve_operator
from surefoot.leastsquares.operators import MatrixFree, Ridged, as_rows
from surefoot.leastsquares.system import prepare

A = sparse(1, 40, 6)
B = np.random.default_rng(1).standard_normal(40)
TRUTH = reference(A, B)


class Bare:
    """An operator with @ and .T only."""

    def __init__(self, matrix):
        self.matrix, self.shape = matrix, matrix.shape

    def __matmul__(self, x):
        return self.matrix @ x

    @property
    def T(self):
        return Bare(self.matrix.T)


@pytest.mark.parametrize("kind", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
@pytest.mark.parametrize("make", [sp.csr_array, sp.csr_matrix])
def test_every_sparse_format_is_the_same_matrix(kind, make):
    held = make(A).asformat(kind)
    before = held.toarray()
    assert gap(solve_operator(held, B).coef, TRUTH) < 1e-13
    assert np.array_equal(held.toarray(), before)


@pytest.mark.parametrize("made", [aslinearoperator(A), Bare(A), Bare(A.toarray())])
def test_operators_of_every_spelling(made):
    assert gap(solve_operator(made, B).coef, TRUTH) < 1e-12


def test_duplicates_are_summed_in_a_copy():
    entries = (np.array([1.0, 2.0, 1.0, 1.0]), np.array([0, 0, 1, 0]), np.array([0, 2, 3, 4]))
    held = sp.csr_array(entries, shape=(3, 2))
    found = solve_operator(held, [3.0, 1.0, 1.0])
    assert found.coef == pytest.approx([1.0, 1.0], rel=1e-13)
    assert held.nnz == 4


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.bool_, np.float32, np.uint16])
def test_other_numbers_are_converted_on_purpose(dtype):
    whole = sp.csr_array((np.array([[1, 2], [0, 1], [1, 0], [1, 1]]) != 0 if dtype is np.bool_ else
                          np.array([[1, 2], [0, 1], [1, 0], [1, 1]])).astype(dtype))  # fmt: skip
    b = np.array([1, 2, 3, 4], dtype=np.int32)
    for given in (whole, whole.toarray()):
        assert gap(solve_operator(given, b).coef, reference(whole.toarray().astype(float), b)) < 1e-14


def test_values_that_are_not_finite_are_named_by_row_and_column():
    broken = A.toarray()
    broken[7, 3] = np.nan
    for given in (broken, sp.csr_array(broken), sp.csc_array(broken)):
        with pytest.raises(DataError, match=r"A has nan in row 7, column 3"):
            solve_operator(given, B)
    huge = sp.csr_array(np.full((9, 1), 1e308))  # whose sum is not finite, and which is
    assert solve_operator(huge, np.full(9, 1e308)).coef == pytest.approx([1.0], rel=1e-14)
    with pytest.raises(DataError, match="b is inf in row 2"):
        solve_operator(A, np.where(np.arange(40) == 2, np.inf, B))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (A.astype(complex), "complex"),
        (A.toarray().astype(complex), "complex"),
        (np.array([["a"]]), "not numbers"),
        (np.ones(3), "1 dimension"),
        (sp.coo_array(np.ones(3)), "1 dimension"),
        ("matrix", "is no matrix and no operator"),
        (LinearOperator((3, 2), matvec=lambda x: np.ones(3), dtype=float), "no product A'y"),
        (type("Half", (), {"shape": (3, 2), "matvec": lambda self, x: x})(), "no product A'y"),
    ],
)
def test_what_is_no_real_matrix_is_a_sentence(given, words):
    with pytest.raises(DataError, match=words):
        solve_operator(given, np.ones(3))


@pytest.mark.parametrize("factor", [0.0, -1.0, 1.001])
def test_a_wrong_transpose_is_found(factor):
    wrong = LinearOperator(A.shape, matvec=lambda x: A @ x, rmatvec=lambda y: factor * (A.T @ y), dtype=float)
    with pytest.raises(DataError, match="is not the transpose"):
        solve_operator(wrong, B)


def test_a_transpose_with_one_wrong_entry_is_found():
    other = A.toarray()
    other[3, 2] += 1.0
    wrong = LinearOperator(A.shape, matvec=lambda x: A @ x, rmatvec=lambda y: other.T @ y, dtype=float)
    with pytest.raises(DataError, match="is not the transpose"):
        solve_operator(wrong, B)


def test_products_of_a_wrong_shape_or_not_finite():
    with pytest.raises(DataError, match="41"):
        as_rows(LinearOperator((40, 6), matvec=lambda x: np.ones(41), rmatvec=lambda y: np.ones(6), dtype=float))
    short = type("Short", (), {"shape": (40, 6), "matvec": lambda s, x: np.ones(41), "rmatvec": lambda s, y: y})()
    with pytest.raises(DataError, match="40 real numbers were expected"):
        as_rows(short)
    endless = type(
        "Endless", (), {"shape": (2, 2), "matvec": lambda s, x: np.array([1, np.inf]), "rmatvec": lambda s, y: y}
    )()
    with pytest.raises(DataError, match="position 1"):
        as_rows(endless)


def test_an_operator_that_spoils_its_argument_does_no_harm():
    class Careless:
        shape = A.shape

        def matvec(self, x):
            out = A @ x
            x[:] = np.nan
            return out

        def rmatvec(self, y):
            out = A.T @ y
            y *= 0
            return out

    assert gap(solve_operator(Careless(), B).coef, TRUTH) < 1e-12


def test_lengths_of_columns_that_nobody_can_see():
    scale = 10.0 ** np.linspace(-6, 6, 6)
    held = A.toarray() * scale
    held[:, 4] = 0
    estimated = MatrixFree(aslinearoperator(held)).column_squares()
    true = (held**2).sum(axis=0)
    assert estimated[4] == 0
    shown = true > 0
    assert np.all(estimated[shown] / true[shown] > 0.05)
    assert np.all(estimated[shown] / true[shown] < 5)
    found = solve_operator(aslinearoperator(held), B)
    assert found.undetermined == (4,)
    assert gap((found.coef * scale)[shown], reference(A.toarray()[:, shown], B)) < 1e-12


def test_the_penalty_below_is_what_it_would_be_if_formed():
    rng = np.random.default_rng(3)
    root = rng.uniform(0, 2, 6)
    rows, formed = Ridged(as_rows(A), root), np.vstack([A.toarray(), np.diag(root)])
    x, u = rng.standard_normal(6), rng.standard_normal(46)
    assert rows.shape == formed.shape
    assert rows.forward(x) == pytest.approx(formed @ x, rel=1e-13)
    assert rows.adjoint(u) == pytest.approx(formed.T @ u, rel=1e-13)
    assert rows.gram(x) == pytest.approx(formed.T @ (formed @ x), rel=1e-13)
    assert rows.column_squares() == pytest.approx((formed**2).sum(axis=0), rel=1e-13)
    moved = u.copy()
    back, squares = rows.sweep(x, moved, 0.25)
    assert moved == pytest.approx(formed @ x - 0.25 * u, rel=1e-12)
    assert back == pytest.approx(formed.T @ moved, rel=1e-12)
    assert squares == pytest.approx(moved @ moved, rel=1e-13)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"weights": np.ones(3)}, "A has 40 rows"),
        ({"weights": -np.ones(40)}, "a weight is not negative"),
        ({"weights": np.full(40, np.nan)}, "weights is nan in row 0"),
        ({"weights": ["a"] * 40}, "not real numbers"),
        ({"ridge": -1.0}, "finite number from 0 on"),
        ({"ridge": np.inf}, "finite number from 0 on"),
        ({"ridge": np.ones(3)}, "one for each of the 6 columns"),
        ({"ridge": "much"}, "one number"),
    ],
)
def test_weights_and_penalties_that_are_none(choice, words):
    with pytest.raises(DataError, match=words):
        prepare(A, **choice)
