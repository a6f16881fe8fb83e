"""Walks on bowls: the geometry of each, what they cost, where they end and what they say of it."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowls import with_singular_values
from surefoot.descent.bowl import Bowl
from surefoot.descent.curvatures import Curvatures, measure
from surefoot.descent.directions import ConjugateGradients, HeavyBall, SteepestDescent
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.loop import Budget, walk
from surefoot.descent.rows import Sizes
from surefoot.descent.steps import FixedRate
from surefoot.descent.stop import Reason, Stop
from surefoot.errors import ModelError

CG, STEEPEST, EXACT = ConjugateGradients(), SteepestDescent(), ExactStep()


def bowl_of(singular, residual=0.0, seed=0, **more):
    A, b, x = with_singular_values(singular, residual=residual, seed=seed, **more)
    return Bowl.of_arrays(A, b), A, b, x


def known(A):
    singular = np.linalg.svd(A, compute_uv=False)
    return Curvatures(2 * singular[0] ** 2, 2 * singular[-1] ** 2)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 9), st.floats(2, 300), st.integers(0, 2**32 - 1))
def test_successive_steps_of_an_exact_line_search_are_perpendicular(n, condition, seed):
    bowl, *_ = bowl_of(np.geomspace(1, 1 / condition, n), residual=0.3, seed=seed)
    walked = walk(bowl, STEEPEST, EXACT, budget=Budget(40))
    above = walked.trace["steepness"] > 1e6 * walked.stop.tolerance
    angles = walked.trace["angle"][above][2:]
    assert np.all(np.abs(np.cos(np.radians(angles))) <= 1e-6)
    if len(angles):
        assert angles == pytest.approx(90, abs=1e-4)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 8), st.floats(1, 20), st.integers(0, 2**32 - 1))
def test_conjugate_gradients_need_no_more_steps_than_columns(n, condition, seed):
    bowl, A, b, _ = bowl_of(np.geomspace(1, 1 / condition, n), residual=0.5, seed=seed)
    truth = np.linalg.lstsq(A, b, rcond=None)[0]
    # Rounding disturbs the conjugacy of the later directions, and a step or two make up for it.
    for steps, error in ((n, 1e-5), (n + 2, 1e-9)):
        walked = walk(bowl, CG, EXACT, budget=Budget(steps))
        assert np.linalg.norm(walked.x - truth) <= error * np.linalg.norm(truth)


def test_few_different_curvatures_need_as_few_steps():
    bowl, _, _, x = bowl_of([1.0] * 20 + [0.5] * 20 + [0.1] * 20, seed=4)
    walked = walk(bowl, CG, EXACT, budget=Budget(3))
    assert np.linalg.norm(walked.x - x) <= 1e-12 * np.linalg.norm(x)


@pytest.mark.parametrize("condition", [10.0, 30.0, 100.0])
def test_conjugate_gradients_beat_steepest_descent_by_about_the_root_of_the_condition(condition):
    """Of the Hessian, whose root is the condition of the columns."""
    bowl, *_ = bowl_of(np.geomspace(1, 1 / condition, 200), seed=7)
    steps = [walk(bowl, way, EXACT, tolerance=1e-5, budget=Budget(10**6)).steps for way in (CG, STEEPEST)]
    assert condition / 8 <= steps[1] / steps[0] <= 3 * condition


@pytest.mark.parametrize("step", [EXACT, FixedRate(0.4)], ids=["exact", "rate"])
@pytest.mark.parametrize("way", [CG, STEEPEST, HeavyBall(0.3)], ids=lambda way: way.name)
def test_each_step_is_one_pass(way, step):
    A, b, _ = with_singular_values([1, 0.8, 0.5, 0.4, 0.3, 0.2], residual=0.1)
    count = 0

    def rows():
        nonlocal count
        count += 1
        for k in range(len(b)):
            yield A[k : k + 1], b[k : k + 1], None

    bowl = Bowl.of_blocks(rows, 6)
    before = count
    walked = walk(bowl, way, step, budget=Budget(4))
    # One for the start, and one each.
    assert walked.steps == 4 and count - before == 1 + 4 == walked.passes
    done = walk(bowl, way, step)
    # A gradient that an exact step carried over is evaluated before it ends a walk.
    if way is not STEEPEST or step is not EXACT:
        assert done.stop.reason is Reason.NOISE
    assert done.steps + 1 <= done.passes <= done.steps + 3


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.booleans(), st.sampled_from([CG, STEEPEST, FixedRate(0.9)]))
def test_a_stream_walks_as_memory_does_whatever_the_batches(rows, scaled, how):
    A, b, _ = with_singular_values([1, 0.7, 0.4, 0.3], rows=37, residual=0.5, seed=11)
    way, step = (STEEPEST, FixedRate(0.5)) if isinstance(how, FixedRate) else (how, EXACT)

    def stream():
        for at in range(0, len(b), rows):
            yield A[at : at + rows], b[at : at + rows], None

    walks = [walk(bowl, way, step) for bowl in (Bowl.of_arrays(A, b, scaled=scaled),
                                                Bowl.of_blocks(stream, 4, scaled=scaled))]  # fmt: skip
    few = min(len(one.trace) for one in walks[:2])
    first, second = (one.trace["value"][:few] for one in walks)
    assert second == pytest.approx(first, rel=1e-10)
    assert walks[1].x == pytest.approx(walks[0].x, rel=1e-12)


def test_permuted_columns_walk_the_same_way():
    bowl, A, b, _ = bowl_of(np.geomspace(1, 0.02, 6), residual=1.0, seed=2)
    order = [3, 1, 5, 0, 2, 4]
    for way, step in ((CG, EXACT), (STEEPEST, EXACT), (STEEPEST, FixedRate(0.7))):
        one, other = (walk(at, way, step, budget=Budget(10)) for at in (bowl, Bowl.of_arrays(A[:, order], b)))
        assert other.trace["value"] == pytest.approx(one.trace["value"], rel=1e-10)
        assert other.x == pytest.approx(one.x[order], rel=1e-7)


def test_on_scaled_columns_the_units_of_a_column_change_nothing():
    _, A, b, _ = bowl_of(np.geomspace(1, 0.05, 5), residual=1.0, seed=8)
    units = np.array([1.0, 1e6, 1e-6, 3.0, 1e-300])
    one, other = (walk(Bowl.of_arrays(rows, b, scaled=True), CG, EXACT, budget=Budget(5)) for rows in (A, A * units))
    assert other.trace["value"] == pytest.approx(one.trace["value"], rel=1e-8)
    bowls = [Bowl.of_arrays(rows, b, scaled=True) for rows in (A, A * units)]
    coef = [bowl.to_coefficients(walked.x) for bowl, walked in zip(bowls, (one, other), strict=True)]
    assert coef[1] * units == pytest.approx(coef[0], rel=1e-6)


# Where the coefficients themselves stay in the range of a double.
SCALES = [
    (columns, response)
    for columns in (1e-300, 1e-160, 1e160, 1e300)
    for response in (1e-300, 1.0, 1e300)
    if 1e-290 < response / columns < 1e290
]


@pytest.mark.parametrize(("columns", "response"), SCALES)
@pytest.mark.parametrize("scaled", [False, True])
def test_scales_from_one_end_of_the_doubles_to_the_other(columns, response, scaled):
    A, b, x = with_singular_values([1.0, 0.5, 0.2], residual=0.2, seed=5)
    size = response / columns
    A, b = A * columns, b * response
    for way, step in ((CG, EXACT), (STEEPEST, EXACT)):
        bowl = Bowl.of_arrays(A, b, scaled=scaled)
        walked = walk(bowl, way, step)
        assert walked.stop.reason is Reason.NOISE
        assert bowl.to_coefficients(walked.x) / size == pytest.approx(x, rel=1e-12)


def test_zero_columns_zero_rows_and_a_response_of_zeros():
    _, A, b, _ = bowl_of([1, 0.5], residual=0.3)
    wide = np.column_stack([A, np.zeros(len(A))])
    for scaled in (False, True):
        walked = walk(Bowl.of_arrays(wide, b, scaled=scaled), CG, EXACT)
        assert walked.stop.reason is Reason.NOISE and walked.x[2] == 0.0
        still = walk(Bowl.of_arrays(A, np.zeros(len(A)), scaled=scaled), CG, EXACT)
        assert still.stop.reason is Reason.NOISE and still.steps == 0 and not np.any(still.x)
    empty = walk(Bowl.of_arrays(np.zeros((4, 2)), np.ones(4), scaled=True), CG, EXACT)
    assert empty.steps == 0 and empty.here.value == 4.0


def test_a_walk_that_starts_at_the_solution_stays_there():
    A, b, _ = with_singular_values([1, 0.5, 0.1], residual=0.3)
    truth = np.linalg.lstsq(A, b, rcond=None)[0]
    for way, step in ((CG, EXACT), (STEEPEST, EXACT), (STEEPEST, FixedRate(0.5))):
        walked = walk(Bowl.of_arrays(A, b), way, step, start=truth)
        assert walked.stop.reason is Reason.NOISE
        assert walked.x == pytest.approx(truth, rel=1e-13)


@pytest.mark.parametrize("shape", [(3, 8), (8, 8), (20, 8)], ids=["wide", "square", "tall"])
def test_of_many_minimisers_the_walk_from_the_origin_reaches_the_shortest(shape):
    rng = np.random.default_rng(12)
    A = rng.standard_normal((shape[0], 3)) @ rng.standard_normal((3, 8))
    b = rng.standard_normal(shape[0])
    for way, step in ((CG, EXACT), (STEEPEST, EXACT), (STEEPEST, FixedRate(1 / (2 * np.linalg.norm(A, 2) ** 2)))):
        walked = walk(Bowl.of_arrays(A, b), way, step, budget=Budget(100_000))
        shortest = np.linalg.pinv(A) @ b
        assert walked.x == pytest.approx(shortest, abs=1e-8 * np.linalg.norm(shortest))


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 20), st.floats(1, 1e3), st.sampled_from([0.0, 1e-6, 1.0]), st.integers(0, 2**32 - 1))
def test_at_the_noise_floor_the_gradient_is_no_larger_than_a_few_times_what_qr_leaves(n, condition, residual, seed):
    bowl, A, b, _ = bowl_of(np.geomspace(1, 1 / condition, n), residual=residual, seed=seed, rows=3 * n)
    walked = walk(bowl, CG, EXACT)
    assert walked.stop.reason in (Reason.NOISE, Reason.STALLED)
    assert walked.passes <= walked.steps + 5
    extended = A.astype(np.longdouble)

    def left(x):
        return float(np.linalg.norm(np.asarray(extended.T @ (b - extended @ x), float)))

    q, r = np.linalg.qr(A)
    formula = np.linalg.solve(r, q.T @ b)
    # What the backward stability of QR promises; by luck it may leave less.
    reach = np.linalg.norm(b) + np.linalg.norm(A, axis=0) @ np.abs(formula)
    rounding = 2.0**-53 * np.linalg.norm(A) * reach
    assert left(walked.x) <= 8 * max(left(formula), rounding)
    error = np.linalg.norm(A @ (walked.x - formula)) / np.linalg.norm(b)
    assert error <= 1e-13 * max(1, condition)


@pytest.mark.parametrize("residual", [0.0, 1e-6, 1.0])
@pytest.mark.parametrize("way", [CG, STEEPEST], ids=lambda way: way.name)
@pytest.mark.parametrize("singular", [[1, 1e-12], np.geomspace(1, 1e-12, 5), np.geomspace(1, 1e-12, 40)],
                         ids=["two", "five", "forty"])  # fmt: skip
def test_no_walk_claims_to_have_arrived_at_condition_1e12(singular, way, residual):
    bowl, A, _, x = bowl_of(singular, residual=residual, seed=1)
    for facts in (None, known(A), measure(bowl, 0 * x, bowl.see(0 * x).gradient, products=100)):
        walked = walk(bowl, way, EXACT, budget=Budget(200), curvatures=facts)
        assert not walked.stop.arrived
        assert walked.stop.digits in (None, 0.0)


def test_the_digits_that_a_walk_claims_are_there():
    for seed in range(10):
        for condition in (1.0, 10.0, 1e3, 1e5):
            bowl, A, b, _ = bowl_of(np.geomspace(1, 1 / condition, 6), residual=0.1, seed=seed)
            walked = walk(bowl, CG, EXACT, curvatures=known(A))
            truth = np.linalg.lstsq(A.astype(float), b, rcond=None)[0]
            error = np.linalg.norm(walked.x - truth) / np.linalg.norm(truth)
            assert walked.stop.digits is not None
            # lstsq itself is right to condition times rounding only
            assert error <= 10**-walked.stop.digits + 1e-15 * condition**2


def test_a_tolerance_is_met_or_the_budget_says_so():
    bowl, *_ = bowl_of(np.geomspace(1, 1e-3, 30), seed=9)
    near = walk(bowl, CG, EXACT, tolerance=1e-3)
    assert near.stop.reason is Reason.TOLERANCE
    assert near.here.steepness <= 1e-3 * near.trace["steepness"][0] == near.stop.tolerance
    short = walk(bowl, STEEPEST, EXACT, budget=Budget(steps=5))
    assert (short.stop.reason, short.steps) == (Reason.STEPS, 5)
    assert "5 steps taken, |g| = " in str(short.stop) and " > " in str(short.stop)


def test_a_budget_of_time_is_kept():
    A, b, _ = with_singular_values(np.geomspace(1, 1e-6, 5))

    def slow():
        time.sleep(0.05)
        yield A, b, None

    walked = walk(Bowl.of_blocks(slow, 5), STEEPEST, EXACT, budget=Budget(seconds=0.4))
    assert walked.stop.reason is Reason.TIME
    assert 2 <= walked.steps <= 8 and walked.seconds <= 0.5


@pytest.mark.parametrize("at", [1, 7])
def test_ctrl_c_keeps_the_best_point(at):
    A, b, _ = with_singular_values(np.geomspace(1, 1e-4, 12), residual=0.1)
    count = 0

    def rows():
        nonlocal count
        count += 1
        yield A, b, None
        if count == at + 2:
            raise KeyboardInterrupt

    walked = walk(Bowl.of_blocks(rows, 12), CG, EXACT)
    assert walked.stop.reason is Reason.INTERRUPTED and "best point kept" in str(walked.stop)
    assert walked.steps == at - 1
    assert walked.here.value == min(walked.trace["value"])
    assert Bowl.of_arrays(A, b).see(walked.x).value == pytest.approx(walked.here.value, rel=1e-12)


def test_ctrl_c_before_anything_was_seen_is_passed_on():
    def rows():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk(Bowl(rows, Sizes(np.ones(2), 1.0)), CG, EXACT)


def test_a_callback_sees_each_step_and_may_end_the_walk():
    bowl, *_ = bowl_of(np.geomspace(1, 0.01, 8))
    seen = []

    def watch(row):
        seen.append(row)
        if row.step == 3:
            raise StopIteration

    walked = walk(bowl, CG, EXACT, watch=watch)
    assert walked.stop.reason is Reason.ASKED
    assert [row.step for row in seen] == [0, 1, 2, 3] == walked.trace["step"].tolist()


def test_the_trace_is_what_was_walked():
    bowl, A, b, _ = bowl_of([1, 0.6, 0.2], residual=0.4)
    walked = walk(bowl, STEEPEST, EXACT, budget=Budget(12))
    trace = walked.trace
    points = trace["x"]
    assert points.shape == (13, 3)
    values = [float(np.sum((b - A @ x) ** 2)) for x in points]
    assert trace["value"] == pytest.approx(values, rel=1e-12)
    assert trace["steepness"] == pytest.approx([np.linalg.norm(2 * A.T @ (A @ x - b)) for x in points], rel=1e-9)
    assert trace["moved"][1:] == pytest.approx(np.linalg.norm(np.diff(points, axis=0), axis=1), rel=1e-12)
    assert np.all(np.diff(trace["value"]) < 0) and np.all(np.diff(trace["seconds"]) >= 0)
    assert trace["passes"].tolist() == list(range(1, 14))
    assert np.all(trace["curvature"][1:] <= 2 * (1 + 1e-12)) and np.all(trace["curvature"][1:] >= 0.08 * (1 - 1e-12))
    table = trace.to_arrow()
    assert table.column_names[:3] == ["step", "value", "steepness"] and table.column_names[-3:] == ["x1", "x2", "x3"]
    assert trace.to_pandas()["value"].tolist() == trace["value"].tolist()
    many = walk(bowl_of(np.geomspace(1, 0.1, 17))[0], CG, EXACT, budget=Budget(2))
    assert many.trace["x"].shape == (3, 0)
    with pytest.raises(KeyError, match="no column 'speed'; it has step, value"):
        trace["speed"]


@pytest.mark.parametrize("start", [[1.0], [1.0, np.nan, 0.0], [[1.0, 2.0, 3.0]]])
def test_a_start_that_is_none_is_refused(start):
    with pytest.raises(ModelError, match="A walk starts at 3 finite numbers, not at"):
        walk(bowl_of([1, 0.5, 0.1])[0], CG, EXACT, start=start)


def test_a_start_so_far_away_that_the_value_overflows_is_no_silent_answer():
    bowl, *_ = bowl_of([1, 0.5])
    walked = walk(bowl, STEEPEST, EXACT, start=np.array([1e200, 1e200]))
    assert walked.stop.reason is Reason.NOT_FINITE and not walked.stop.arrived


def test_a_fixed_rate_that_circles_above_the_floor_is_told_so():
    """Near 2/L the rounding of each step is handed on to the next, so the gradient ends above its own noise."""
    reasons = set()
    for seed in range(8):
        bowl, A, *_ = bowl_of([1.0, 0.6, 0.08], residual=1.0, seed=seed)
        facts = known(A)
        step = FixedRate(2 / (facts.largest + facts.smallest))
        walked = walk(bowl, STEEPEST, step, curvatures=facts)
        reasons.add(walked.stop.reason)
        assert walked.stop.arrived and walked.steps < 9_000
        if walked.stop.reason is Reason.STALLED:
            assert walked.stop.tolerance < walked.stop.measure <= 100 * walked.stop.tolerance
            assert "rounding keeps the gradient from shrinking further" in str(walked.stop)
    assert Reason.STALLED in reasons


def test_a_stop_prints_the_measure_beside_the_tolerance():
    assert str(Stop(Reason.TOLERANCE, 2.3e-9, 1e-8)) == "the tolerance is met: |g| = 2.3e-09 <= 1.0e-08"
    assert str(Stop(Reason.NOISE, 1e-15, 2e-15, digits=0.3)).endswith("which leaves 0 digits of the point certain")
