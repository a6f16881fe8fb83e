"""Safe learning rates: no start and no walk breaks what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ModelError
from surefoot.problem.denoted import denoted
from surefoot.proof.ball_matrix import Ball
from surefoot.proof.certificate import Curvature
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.rate import norm_bound, safe_rate

CONVEX = Finding(Curvature.CONVEX, ("It is.",))


def rate_of(text, at, **options):
    asked = denoted(text, at)
    return safe_rate(asked.graph, asked.x, **options)


@pytest.mark.parametrize(
    ("text", "at", "largest"),
    [("x^2 + 10*y^2", "x=3, y=1", 20), ("log1p(exp(x)) + y^2/2", "x=9, y=1", 1), ("cos(x) + y^2", "x=1, y=1", 2),
     ("(x + y)^2 + (x - y)^2/1e6", "x=1, y=1", 4)],
)  # fmt: skip
def test_a_bound_on_all_of_space_is_nearly_the_largest_curvature(text, at, largest):
    found = rate_of(text, at)
    assert largest <= found.curvature <= 1.3 * largest and found.rate * found.curvature <= 1
    assert "all of R^n" in found.lines[0] or "ball" in found.lines[-2]


def test_a_ball_and_a_box():
    ball = rate_of("x^4", "x=1", curvature=lambda: CONVEX, minimum=np.array([1e-3]))
    assert 12 <= ball.curvature <= 12.5 and "never" not in str(ball) and "stays in the ball" in str(ball)
    box = rate_of("100*(y - x^2)^2 + (1 - x)^2", "x=-1.2, y=1")
    assert "stays in the box" in str(box)
    assert all(low < x < high for low, x, high in zip(*box.region[:1], (-1.2, 1), box.region[1], strict=True))


@pytest.mark.parametrize("text", ["x^3", "x^2 - y^4", "abs(x)", "x^2 + abs(y)", "log(x) + y", "floor(x) + x^2"])
def test_where_none_can_be_proven_it_says_why(text):
    at = "x=3, y=1" if "y" in text else "x=3"
    with pytest.raises(ModelError, match="No learning rate can be proven"):
        rate_of(text, at)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([
    "x^4 - 3*x^2 + y^2 + x*y", "exp(x) + exp(-x - y) + y^2", "(x^2 + y - 3)^2 + (x + y^2 - 2)^2",
]))  # fmt: skip
def test_walks_with_a_safe_rate_fall_at_every_step_and_stay(seed, text):
    start = np.random.default_rng(seed).uniform(-2, 2, 2)
    asked = denoted(text, {"x": start[0], "y": start[1]})
    try:
        found = safe_rate(asked.graph, asked.x)
    except ModelError:
        return
    from surefoot.problem.objective import objective_of

    objective, x = objective_of(text, {"x": start[0], "y": start[1]})
    value, gradient = objective.see(x)
    for _ in range(200):
        following = x - found.rate * gradient
        new, slope = objective.see(following)
        assert new <= value - 0.5 * found.rate * float(gradient @ gradient) + 1e-9 * max(1.0, abs(value))
        assert np.all(following >= found.region[0] - 1e-9) and np.all(following <= found.region[1] + 1e-9)
        assert np.linalg.norm(objective.hessian(following), 2) <= found.curvature * (1 + 1e-9)
        x, value, gradient = following, new, slope


@given(st.integers(1, 6), st.integers(0, 10**6), st.floats(0, 1))
def test_no_member_of_a_ball_is_larger_than_the_bound(n, seed, radius):
    rng = np.random.default_rng(seed)
    H = rng.standard_normal((n, n))
    H, rad = H + H.T, np.full((n, n), radius)
    bound = norm_bound(Ball(H, rad))
    shift = np.triu(rng.choice([-1.0, 1.0], (n, n)))
    member = H + radius * (shift + np.triu(shift, 1).T)
    assert np.max(np.abs(np.linalg.eigvalsh(member))) <= bound * (1 + 1e-12)
    assert bound <= np.max(np.abs(np.linalg.eigvalsh(H))) * (1 + 1e-8) + n * radius * (1 + 1e-12) + 1e-200
