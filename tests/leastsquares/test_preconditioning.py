"""Preconditioners make the walk short, whatever the condition; what they need is foreseen."""

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, hstack, kron, vstack

from krylov_cases import gap, reference, sparse, with_condition
from surefoot.leastsquares import preconditioning
from surefoot.leastsquares.krylov import solve_operator
from surefoot.leastsquares.preconditioning import by_gram, by_lengths, by_sketch
from surefoot.leastsquares.system import prepare


def spectrum(A, preconditioner):
    """Eigenvalues of M^-1 A'A."""
    inverse = np.column_stack([preconditioner.solve(e) for e in np.eye(A.shape[1])])
    return np.sort(np.linalg.eigvals(inverse @ (A.T @ A)).real)


def chain(count, little=1e-3):
    """Differences of neighbours, and a little of each: A'A is tridiagonal, the condition of A about 2 / little."""
    ahead = diags_array([-np.ones(count - 1), np.ones(count - 1)], offsets=[0, 1], shape=(count - 1, count))
    return csr_array(vstack([ahead, diags_array(np.full(count, little))]))


def test_lengths_are_lengths():
    A = sparse(1, 40, 6).toarray() * 10.0 ** np.linspace(-5, 5, 6)
    assert by_lengths(prepare(A)).solve(np.ones(6)) == pytest.approx(1 / (A**2).sum(axis=0), rel=1e-13)


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e8, 1e12])
def test_a_sketch_leaves_a_small_condition_whatever_it_was(condition):
    A = with_condition(2, 2000, 30, condition) * 10.0 ** np.linspace(-3, 3, 30)
    found = by_sketch(prepare(csr_array(A)))
    assert found is not None
    upper = found.factor / np.sqrt((A**2).sum(axis=0)) ** -1  # R of A itself
    values = np.linalg.svd(A @ np.linalg.inv(upper), compute_uv=False)
    assert values[0] / values[-1] < 4
    unit = A / np.linalg.norm(A, axis=0)
    assert 0.1 < found.condition / np.linalg.cond(unit) < 30


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_a_sketch_with_zero_columns_and_a_penalty(ridge):
    A = sparse(3, 500, 12).toarray()
    A[:, 4] = 0
    found = by_sketch(prepare(csr_array(A), ridge=ridge))
    assert found is not None
    shown = np.delete(np.arange(12), 4)
    eigenvalues = spectrum(
        (A if not ridge else np.vstack([A, np.sqrt(ridge) * np.eye(12)]))[:, shown], Only(found, shown)
    )
    assert eigenvalues[-1] / eigenvalues[0] < 16


class Only:
    """A preconditioner restricted to some columns, for a zero column that is coupled to none."""

    def __init__(self, whole, shown):
        self.whole, self.shown = whole, shown

    def solve(self, s):
        full = np.zeros(12)
        full[self.shown] = s
        return self.whole.solve(full)[self.shown]


def test_a_sparse_factor_of_the_gram_matrix_within_its_foreseen_fill():
    A = chain(3000)
    found = by_gram(prepare(A))
    assert found is not None
    assert found.words.startswith("sparse factor")
    entries, foreseen = (int(word.replace(",", "")) for word in found.words.split() if word[0].isdigit())
    assert entries <= foreseen <= 3 * 3000
    b = np.random.default_rng(4).standard_normal(A.shape[0])
    by_factor, by_scale = solve_operator(A, b, method="gram"), solve_operator(A, b, method="lsmr")
    assert by_factor.steps <= 4 < 100 < by_scale.steps
    assert gap(by_factor.coef, by_scale.coef) < 1e-9
    chosen = solve_operator(A, b)
    assert "sparse factor" in chosen.method
    assert chosen.steps < 60


def test_a_dense_column_goes_last_and_does_not_fill_the_factor():
    A = hstack([csr_array(np.ones((2 * 3000 - 1, 1))), chain(3000)], format="csr")
    found = by_gram(prepare(A))
    assert found is not None
    entries = int(found.words.split()[4].replace(",", ""))
    assert entries < 5 * 3000


def test_a_grid_in_two_dimensions_agrees_with_dense_qr():
    one = diags_array([-np.ones(14), np.ones(14)], offsets=[0, 1], shape=(14, 15))
    eye = diags_array(np.ones(15))
    A = csr_array(vstack([kron(one, eye), kron(eye, one), 0.1 * diags_array(np.ones(225))]))
    b = np.random.default_rng(5).standard_normal(A.shape[0])
    assert gap(solve_operator(A, b, method="gram").coef, reference(A, b)) < 1e-11


def test_a_gram_matrix_that_does_not_fit_is_not_made(monkeypatch):
    monkeypatch.setattr(preconditioning, "MOST_FILL", 1000)
    assert by_gram(prepare(chain(3000))) is None
    assert by_gram(prepare(sparse(6, 30, 5).toarray())) is None  # dense: not its business
    assert by_gram(prepare(sparse(6, 5, 30))) is None  # wide: singular for certain


def test_auto_takes_the_sketch_where_the_condition_is_high():
    A = csr_array(with_condition(7, 20_000, 40, 1e10))
    b = np.random.default_rng(7).standard_normal(20_000)
    found = solve_operator(A, b)
    assert "sketch" in found.method
    assert found.reached
    assert found.steps < 150
