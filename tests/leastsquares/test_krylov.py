"""The iterative methods land on the answer of a direct one, and say truthfully how near."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator

from exact import solve as solve_exactly
from krylov_cases import gap, reference, sparse, with_condition
from surefoot.errors import DataError
from surefoot.leastsquares.krylov import solve_each, solve_operator, solve_system
from surefoot.leastsquares.preconditioning import Toolbox
from surefoot.leastsquares.rank import ROUNDOFF
from surefoot.leastsquares.system import prepare

SEEDS = st.integers(0, 2**32 - 1)
LAWS = settings(max_examples=30, deadline=None)


def smallest_backward_error(A, b, x):
    """The exact value in floating point, relative to |A|_F (Walden, Karlson, Sun 1995, for changes of A only)."""
    r = b - A @ x
    size = np.linalg.norm(r) / np.linalg.norm(x)
    beyond = np.eye(len(b)) - np.outer(r, r) / (r @ r)
    smallest = np.linalg.svd(np.hstack([A, size * beyond]), compute_uv=False)[-1]
    return min(size, smallest) / np.linalg.norm(A)


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "sketch"])
@pytest.mark.parametrize("condition", [1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12])
@pytest.mark.parametrize("residual", [0.0, 1e-3, 1e2])
def test_the_error_is_what_the_backward_error_allows(method, condition, residual):
    A = with_condition(1, 60, 6, condition)
    rng = np.random.default_rng(2)
    b = A @ rng.standard_normal(6) + residual * rng.standard_normal(60)
    found = solve_operator(csr_array(A), b, method=method)
    exact = solve_exactly(A, b)
    truth = np.array([float(c) for c in exact.coef])
    length = float(np.sqrt(float(exact.residual_ss)))
    # First-order perturbation bound (Bjorck 1996, theorem 1.4.6, p. 31) with |E| = backward error times |A|_F.
    spread = np.linalg.norm(A) * max(found.backward_error, ROUNDOFF)
    bound = spread * condition * (np.linalg.norm(truth) + condition * length)
    assert np.linalg.norm(found.coef - truth) <= 4 * bound
    assert found.backward_error < 1e-14


@pytest.mark.parametrize("condition", [1, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("target", [1e-4, 1e-8, 1e-12])
@pytest.mark.parametrize("method", ["lsmr", "cg", "sketch"])
def test_the_backward_error_said_is_not_below_the_smallest_there_is(condition, target, method):
    A = with_condition(3, 50, 5, condition)
    b = A @ np.arange(1.0, 6.0) + np.random.default_rng(4).standard_normal(50)
    found = solve_operator(A, b, method=method, target=target)
    assert found.reached == (found.backward_error <= target)
    assert found.reached
    true = smallest_backward_error(A, b, found.coef)
    assert true <= max(3 * found.backward_error, 4 * ROUNDOFF)


@LAWS
@given(SEEDS, st.integers(20, 80), st.integers(1, 12), st.sampled_from(["auto", "lsmr", "cg", "gram", "sketch"]))
def test_sparse_dense_and_operator_agree(seed, rows, columns, method):
    A = sparse(seed, rows, columns)
    b = np.random.default_rng(seed).standard_normal(rows)
    truth = reference(A, b)
    bound = 1e-13 * np.linalg.cond(A.toarray()) ** 2
    assert gap(solve_operator(A, b, method=method).coef, truth) < bound
    if method != "gram":
        assert gap(solve_operator(A.toarray(), b, method=method).coef, truth) < bound
    if method in ("auto", "lsmr", "cg"):
        assert gap(solve_operator(aslinearoperator(A), b, method=method).coef, truth) < bound


@LAWS
@given(SEEDS)
def test_the_order_of_rows_does_not_matter(seed):
    A, rng = sparse(seed, 60, 8), np.random.default_rng(seed)
    b, order = rng.standard_normal(60), rng.permutation(60)
    one, other = solve_operator(A, b), solve_operator(csr_array(A.toarray()[order]), b[order])
    assert gap(other.coef, one.coef) < 1e-13 * np.linalg.cond(A.toarray()) ** 2


@LAWS
@given(SEEDS, st.sampled_from(["auto", "lsmr", "cg", "gram", "sketch"]))
def test_the_units_of_columns_do_not_matter(seed, method):
    A, rng = sparse(seed, 60, 8).toarray(), np.random.default_rng(seed)
    b, scale = rng.standard_normal(60), 2.0 ** rng.integers(-60, 60, 8)
    one, other = solve_operator(csr_array(A), b, method=method), solve_operator(csr_array(A * scale), b, method=method)
    assert gap(other.coef * scale, one.coef) < 1e-12 * np.linalg.cond(A) ** 2
    assert other.steps <= one.steps + 40  # not a matter of the units either, as it would be without scaling


@LAWS
@given(SEEDS)
def test_a_duplicated_row_is_a_weight_of_two_and_a_weight_of_zero_no_row(seed):
    A, rng = sparse(seed, 60, 8).toarray(), np.random.default_rng(seed)
    b, counts = rng.standard_normal(60), rng.integers(0, 3, 60)
    counts[:30] = 1
    A[:8] += 3 * np.eye(8)
    repeated = np.repeat(np.arange(60), counts)
    one = solve_operator(csr_array(A[repeated]), b[repeated])
    for given_A in (csr_array(A), A, aslinearoperator(A)):
        other = solve_operator(given_A, b, weights=counts)
        assert gap(other.coef, one.coef) < 1e-13 * np.linalg.cond(A[repeated]) ** 2
        assert other.residual_length == pytest.approx(one.residual_length, rel=1e-12)


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "gram", "sketch"])
@pytest.mark.parametrize("rows", [15, 60])
def test_ridge_is_rows_below(method, rows):
    A, rng = sparse(5, rows, 20), np.random.default_rng(5)
    b, penalty = rng.standard_normal(rows), rng.uniform(0.1, 2, 20)
    below = np.vstack([A.toarray(), np.diag(np.sqrt(penalty))])
    found = solve_operator(A, b, ridge=penalty, method=method)
    assert gap(found.coef, reference(below, np.r_[b, np.zeros(20)])) < 1e-13
    assert found.residual_length == pytest.approx(np.linalg.norm(b - A @ found.coef), rel=1e-13)
    assert found.norm == "the only one"


@LAWS
@given(SEEDS, st.integers(2, 12), st.sampled_from(["auto", "lsmr", "cg"]))
def test_a_wide_matrix_has_the_shortest_answer(seed, rows, method):
    A, b = sparse(seed, rows, 30, 0.6), np.random.default_rng(seed).standard_normal(rows)
    truth = np.linalg.pinv(A.toarray()) @ b
    for given_A in (A, A.toarray(), aslinearoperator(A)):
        found = solve_operator(given_A, b, method=method)
        assert gap(found.coef, truth) < 1e-13 * np.linalg.cond(A.toarray()) ** 2
        assert "smallest length" in found.norm


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "sketch"])
def test_dependent_columns_and_the_shortest_of_many_answers(method):
    rng = np.random.default_rng(2)
    A = sparse(2, 300, 30, 0.2).toarray()
    A = np.column_stack([A, A[:, 0] + A[:, 1], A[:, 2] - 3 * A[:, 5]]) * 10.0 ** rng.uniform(-2, 2, 32)
    b = rng.standard_normal(300)
    unit = A / np.linalg.norm(A, axis=0)
    scaled = solve_operator(csr_array(A), b, method=method)
    # Single precision sees slightly other rows, so the smallest length has six digits only, and the answer says so.
    assert gap(scaled.coef * np.linalg.norm(A, axis=0), np.linalg.pinv(unit, rcond=1e-11) @ b) < 1e-5
    assert "columns at length one" in scaled.norm
    shortest = solve_operator(csr_array(A), b, method=method, minimum_norm=True)
    assert gap(shortest.coef, np.linalg.pinv(A, rcond=1e-11) @ b) < 1e-10
    assert shortest.backward_error < 1e-14
    assert "of all minimisers" in shortest.norm


def test_dependent_columns_of_a_nearly_consistent_system_do_not_lead_the_walk_astray():
    A = sparse(3, 200, 20).toarray()
    A = np.column_stack([A, A[:, 0] + A[:, 1]])
    b = A @ np.ones(21) + 1e-6 * np.random.default_rng(3).standard_normal(200)
    truth = np.linalg.pinv(A, rcond=1e-11) @ b
    for method in ("auto", "lsmr", "cg", "sketch"):
        found = solve_operator(csr_array(A), b, method=method, minimum_norm=True)
        assert gap(found.coef, truth) < 1e-8
        assert f"{found.backward_error:.1e}" in found.stop
        assert np.linalg.norm(solve_operator(csr_array(A), b, method=method).coef) < 10


def test_a_singular_gram_matrix_is_refused_because_its_walk_could_end_anywhere():
    A = sparse(2, 50, 5).toarray()
    A = csr_array(np.column_stack([A, A[:, 0] + A[:, 1]]))
    with pytest.raises(DataError, match="flat valley"):
        solve_operator(A, np.ones(50), method="gram")
    with pytest.raises(DataError, match="as many rows as columns"):
        solve_operator(csr_array([[1.0, 2.0, 3.0]]), [6.0], method="gram")
    assert np.linalg.norm(solve_operator(A, np.ones(50)).coef) < 10


def test_zero_columns_zero_rows_and_equal_columns():
    A = sparse(7, 40, 6).toarray()
    A[:, 2], A[5] = 0, 0
    A = np.column_stack([A, A[:, 0]])
    b = np.random.default_rng(7).standard_normal(40)
    found = solve_operator(csr_array(A), b)
    assert found.undetermined == (2,)
    assert found.coef[2] == 0
    assert found.coef[0] == pytest.approx(found.coef[6], rel=1e-12)
    assert gap(found.coef, reference(A, b)) < 1e-12


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "sketch"])
def test_nothing_to_walk(method):
    for A, b in [
        (csr_array((5, 3)), np.ones(5)),
        (csr_array((0, 3)), np.ones(0)),
        (csr_array((3, 0)), np.ones(3)),
        (csr_array([[1.0], [1.0]]), [1.0, -1.0]),
        (sparse(1, 9, 2), np.zeros(9)),
    ]:
        found = solve_operator(A, b, method=method)
        assert not found.coef.any()
        assert found.backward_error == 0
        assert found.steps == 0
        assert "nothing to walk" in found.stop


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "sketch"])
def test_one_row_one_column_and_explicit_zeros(method):
    assert solve_operator(csr_array([[2.0]]), [6.0], method=method).coef == pytest.approx([3.0], rel=1e-15)
    column = solve_operator(csr_array(np.ones((5, 1))), np.arange(5.0), method=method)
    assert column.coef == pytest.approx([2.0], rel=1e-15)
    if method != "sketch":
        row = solve_operator(csr_array([[1.0, 2.0, 3.0]]), [6.0], method=method)
        assert row.coef == pytest.approx(np.array([1, 2, 3]) * 6 / 14, rel=1e-14)
    A = csr_array(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]))
    A.data[0:1] = 1.0
    held = csr_array((np.r_[A.data, 0.0], np.r_[A.indices, 1], np.array([0, 1, 3, 6])), shape=(3, 2))
    assert solve_operator(held, [1.0, 3.0, 5.0], method=method).coef == pytest.approx([1.0, 2.0], rel=1e-13)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "gram", "sketch"])
def test_sizes_whose_squares_overflow_or_vanish(size, method):
    A, b = sparse(8, 50, 5), np.random.default_rng(8).standard_normal(50)
    truth = reference(A, b)
    assert gap(solve_operator(A * size, b * size, method=method).coef, truth) < 1e-13
    assert gap(solve_operator(A * size, b, method=method).coef * size, truth) < 1e-13
    assert gap(solve_operator(A, b * size, method=method).coef / size, truth) < 1e-13


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "gram", "sketch"])
def test_graded_columns_over_the_whole_range_of_doubles(method):
    A, b = sparse(9, 80, 11).toarray(), np.random.default_rng(9).standard_normal(80)
    grades = 10.0 ** np.linspace(-300, 300, 11)
    found = solve_operator(csr_array(A * grades), b * 1e3, method=method)
    assert gap(found.coef * grades / 1e3, reference(A, b)) < 1e-13


@pytest.mark.parametrize("method", ["auto", "lsmr", "sketch"])
def test_one_sparse_row_of_very_high_leverage(method):
    A, rng = sparse(10, 100, 8).toarray(), np.random.default_rng(10)
    A[3] = 0
    A[3, :3] = [1e8, 2e8, -1e8]
    b = rng.standard_normal(100)
    found = solve_operator(csr_array(A), b, method=method)
    truth = np.array([float(c) for c in solve_exactly(A, b).coef])
    assert found.reached
    assert gap(found.coef, truth) < 1e-7


def test_several_right_hand_sides_share_their_tools():
    A, rng = csr_array(with_condition(11, 200, 15, 1e9)), np.random.default_rng(11)
    B = rng.standard_normal((200, 3))
    tools = Toolbox(prepare(A))
    found = solve_each(tools, B, method="sketch")
    assert tools.sketch is tools.sketch
    for k in range(3):
        assert np.array_equal(found[k].coef, solve_operator(A, B[:, k], method="sketch").coef)
    with pytest.raises(DataError, match="columns of a matrix"):
        solve_each(tools, B[:, 0])


@pytest.mark.parametrize("method", ["lsmr", "cg"])
def test_the_callback_hears_every_step_and_the_truth(method):
    A, b = sparse(12, 300, 40), np.random.default_rng(12).standard_normal(300)
    heard = []
    found = solve_operator(A, b, method=method, report=heard.append)
    assert [progress.step for progress in heard] == list(range(1, found.steps + 1))
    assert all(progress.method == method for progress in heard)
    assert heard[-1].seconds <= found.seconds
    halfway = solve_operator(A, b, method=method, max_steps=5)
    assert halfway.backward_error == pytest.approx(heard[4].backward_error, rel=0.5)

    def stop(progress):
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        solve_operator(A, b, method=method, report=stop)


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "sketch"])
def test_a_budget_of_steps_or_seconds_gives_a_point_and_says_so(method):
    A = with_condition(13, 400, 60, 1e6)
    b = np.random.default_rng(13).standard_normal(400)
    found = solve_operator(A, b, method=method, max_steps=7)
    assert found.steps == 7
    assert not found.reached
    assert "budget of 7 steps" in found.stop
    assert found.residual_length < np.linalg.norm(b)
    assert found.residual_length == pytest.approx(np.linalg.norm(b - A @ found.coef), rel=1e-13)
    timed = solve_operator(A, b, method=method, seconds=1e-9)
    assert "budget of 1e-09 seconds" in timed.stop
    assert timed.steps <= 1
    assert solve_operator(A, b, method=method, max_steps=0).coef.any() == np.False_


@pytest.mark.parametrize("method", ["auto", "lsmr", "cg", "sketch"])
def test_ctrl_c_keeps_the_best_point(method):
    A = with_condition(14, 400, 60, 1e6)
    b = np.random.default_rng(14).standard_normal(400)

    def press(progress):
        if progress.step == 6:
            raise KeyboardInterrupt

    found = solve_operator(A, b, method=method, report=press)
    assert "Ctrl-C after 6 steps" in found.stop
    assert not found.reached
    assert 0 < found.residual_length < np.linalg.norm(b)
    assert found.residual_length == pytest.approx(np.linalg.norm(b - A @ found.coef), rel=1e-13)


def test_ctrl_c_inside_a_product_of_the_user():
    A = with_condition(15, 100, 10, 1e3)

    class Slow:
        shape, calls = A.shape, 0

        def matvec(self, x):
            Slow.calls += 1
            if Slow.calls == 9:
                raise KeyboardInterrupt
            return A @ x

        def rmatvec(self, y):
            return A.T @ y

    found = solve_operator(Slow(), np.ones(100))
    assert "Ctrl-C" in found.stop
    assert np.isfinite(found.backward_error)


def test_stagnation_is_said_with_its_level():
    A = with_condition(16, 200, 20, 1e4)
    b = A @ np.ones(20)

    class Noisy:
        shape = A.shape

        def matvec(self, x):
            return (A @ x).astype(np.float32)

        def rmatvec(self, y):
            return (A.T @ y).astype(np.float32)

    found = solve_operator(Noisy(), b + np.random.default_rng(1).standard_normal(200))
    assert not found.reached
    assert f"stays at {found.backward_error:.1e}" in found.stop
    assert 1e-12 < found.backward_error < 1e-5


def test_a_system_that_is_consistent_to_rounding():
    A = sparse(17, 100, 10)
    x = np.arange(1.0, 11.0)
    found = solve_operator(A, A @ x)
    assert found.reached
    assert found.coef == pytest.approx(x, rel=1e-13)
    assert found.residual_length < 1e-13


def test_choices_that_make_no_sense_are_sentences():
    A, b = sparse(18, 20, 3), np.ones(20)
    tools = Toolbox(prepare(A))
    for choice, words in [
        ({"method": "qr"}, "no method 'qr'"),
        ({"target": 2.0}, "between 0 and 1"),
        ({"max_steps": -1}, "from 0 on"),
        ({"seconds": 0}, "positive time"),
    ]:
        with pytest.raises(DataError, match=words):
            solve_system(tools, b, **choice)
    with pytest.raises(DataError, match="entries are at hand"):
        solve_operator(aslinearoperator(A), b, method="sketch")


@pytest.mark.alone
def test_a_large_sparse_problem_beats_lsmr_of_scipy_at_the_same_backward_error():
    from time import perf_counter

    from scipy.sparse.linalg import lsmr

    rng, (rows, columns) = np.random.default_rng(20), (400_000, 20_000)
    places = rng.integers(0, columns, rows * 10).astype(np.int32)
    A = csr_array((rng.standard_normal(rows * 10), places, np.arange(rows + 1) * 10), shape=(rows, columns))
    A.sum_duplicates()
    b = A @ rng.standard_normal(columns) + rng.standard_normal(rows)

    def backward_error(x):
        r = b - A @ x
        return np.linalg.norm(A.T @ r) / (np.linalg.norm(A.data) * np.linalg.norm(r))

    def timed(solve):
        start = perf_counter()
        x = solve()
        return perf_counter() - start, x

    size = lsmr(A, b, atol=0, btol=0, conlim=0, maxiter=12)[5]
    tolerance = 0.9e-14 * np.linalg.norm(A.data) / size
    theirs, ours = [], []
    for _ in range(5):
        seconds, x = timed(lambda: lsmr(A, b, atol=tolerance, btol=0, conlim=0)[0])
        assert backward_error(x) < 1e-14
        theirs.append(seconds)
        seconds, x = timed(lambda: solve_operator(A, b, target=1e-14).coef)
        assert backward_error(x) < 1e-14
        ours.append(seconds)
    assert min(ours) < 0.7 * min(theirs)  # about 0.5 on two processors; room for neighbours


@pytest.mark.parametrize("ridge", [0.0, 2.0])
def test_what_was_seen_at_the_answer_is_handed_on(ridge):
    rng = np.random.default_rng(77)
    A, b, weights = sparse(77, 60, 8), rng.standard_normal(60), rng.uniform(0, 2, 60)
    weights[:3] = 0.0
    found = solve_operator(A, b, weights=weights, ridge=ridge, target=0.05)  # stopped early: a slope to be seen
    rows = np.vstack([A.toarray() * np.sqrt(weights)[:, None], np.sqrt(ridge) * np.eye(8)])
    right = np.concatenate([b * np.sqrt(weights), np.zeros(8)])
    slope = rows.T @ (right - rows @ found.coef) / np.linalg.norm(rows, axis=0)
    assert np.linalg.norm(slope) > 1e-6
    np.testing.assert_allclose(found.slope, slope, atol=1e-13)
    np.testing.assert_allclose(found.response_length, np.linalg.norm(right), rtol=1e-14)


def sides(seed, A, count):
    """Right-hand sides that end at different steps: zeros, in the range, along one column, noise, of all sizes."""
    rng = np.random.default_rng(seed)
    rows, columns = A.shape
    B = rng.standard_normal((rows, count)) + A @ rng.standard_normal((columns, count))
    B[:, 0] = 0.0
    B[:, 1] = A @ rng.standard_normal(columns)
    B[:, 2] = A.toarray()[:, 0]
    B[:, 3] *= 1e200
    B[:, 4] *= 1e-200
    return B


@pytest.mark.parametrize("options", [{}, {"ridge": 2.0}, {"weights": True}, {"max_steps": 3}, {"target": 1e-6}])
def test_right_hand_sides_that_share_passes_are_answered_as_if_alone(options):
    A = sparse(90, 400, 30)
    B = sides(90, A, 20)
    weights = np.random.default_rng(90).uniform(0, 2, 400) if options.pop("weights", False) else None
    system = prepare(A, weights, options.pop("ridge", 0.0))
    together = solve_each(Toolbox(system), B, **options)
    for k, found in enumerate(together):
        alone = solve_system(Toolbox(system), B[:, k], **options)
        assert (found.reached, found.method) == (alone.reached, alone.method)
        assert abs(found.steps - alone.steps) <= 2  # sums in another order
        reached = 1e-12 if found.reached and found.target < 1e-15 else 1e-5  # single precision in another order
        np.testing.assert_allclose(found.coef, alone.coef, rtol=0, atol=reached * (np.abs(alone.coef).max() or 1))
        assert found.backward_error <= max(found.target, 2 * alone.backward_error)


def test_sides_of_nearly_dependent_columns_go_on_alone():
    A = csr_array(with_condition(91, 300, 20, 1e6))
    B = np.random.default_rng(91).standard_normal((300, 8))
    for k, found in enumerate(solve_each(Toolbox(prepare(A)), B)):
        assert found.reached and "then" in found.method
        wanted = np.linalg.lstsq(A.toarray(), B[:, k])[0]
        assert gap(found.coef, wanted) < 1e-8


def test_ctrl_c_on_a_shared_pass_keeps_the_best_points():
    A = csr_array(with_condition(92, 300, 20, 100.0))
    B = np.random.default_rng(92).standard_normal((300, 8))

    def press(seen):
        if seen.step == 3:
            raise KeyboardInterrupt

    for found in solve_each(Toolbox(prepare(A)), B, report=press):
        assert "Ctrl-C" in found.stop and not found.reached and found.backward_error < 0.5


def test_an_error_of_the_callback_is_passed_on():
    def fail(seen):
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        solve_each(
            Toolbox(prepare(sparse(93, 300, 20))), np.random.default_rng(93).standard_normal((300, 8)), report=fail
        )


def test_one_pass_serves_all_sides(monkeypatch):
    from surefoot.leastsquares.rowblocks import RowBlocks

    passes, gram = [], RowBlocks.gram

    def counted(self, p):
        passes.append(p.shape[1] if p.ndim == 2 else 1)
        return gram(self, p)

    monkeypatch.setattr(RowBlocks, "gram", counted)
    A = sparse(94, 400, 30)
    found = solve_each(Toolbox(prepare(A)), np.random.default_rng(94).standard_normal((400, 16)))
    steps = [one.steps for one in found]
    assert sum(passes) == sum(steps) and len(passes) <= 1.5 * max(steps) and max(passes) == 16
