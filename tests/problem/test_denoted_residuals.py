"""The real function of a sum of losses: the same numbers as the losses themselves, whatever the residuals are."""

import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.errors import ModelError
from surefoot.problem.losses import loss_of
from surefoot.problem.real_floating import value
from surefoot.problem.residual import residuals_of

LOSSES = ("linear", "soft_l1", "huber", "cauchy", "arctan")
T, Y = np.linspace(0, 3, 7), np.array([5, 3.1, 1.8, 1.1, 9.0, 0.3, 0.2])


def tree(p, t):
    return {"fit": p["a"] * jnp.exp(-p["b"] * t) - Y, "prior": [(p["a"] - 1) / 3, p["b"]]}


CASES = {
    "JAX": (tree, {"a": 1.0, "b": 1.0}, (T,)),
    "text": (["10*(y - x^2)", "1 - x"], "x=-1.2, y=1", ()),
    "data": ("y - a*exp(-b*t)", "b=1, a=1", {"y": Y, "t": T}),
    "indices": (["x[i+1] - c*x[i]^2, i=0..3", "x[0] - 1 + c, j=0..2", "i*x[j] - w[i], i=0..1, j=1..2"],
                "x=[1, 2, 3, 4, 5]", "c=2, w=[3, -1]"),
    "a number": (lambda x: x**2 - 2, 3.0, ()),
}  # fmt: skip


@pytest.mark.parametrize("scale", [0.05, 1.0, 0.1 + 0.2])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_sum_of_the_losses(case, name, scale):
    function, x0, args = CASES[case]
    residuals, start = residuals_of(function, x0, args=args)
    loss = loss_of(name, scale)
    graph = residuals.denotes(loss)
    assert graph.names == residuals.names
    for aside in np.random.default_rng(0).uniform(-1, 1, (5, len(start))):
        x = start + aside
        assert value(graph, x) == pytest.approx(loss.weigh(residuals.at(x)).total, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("scale", [1e-200, 1e308])
def test_scales_whose_squares_are_no_doubles_make_no_numbers_up(name, scale):
    from surefoot.proof.interval import Interval
    from surefoot.proof.replay import enclose

    residuals, start = residuals_of(lambda x: x - 1.0, [3.0])
    found = enclose(residuals.denotes(loss_of(name, scale)), Interval.of(start[None]))
    # Each is between 0 and r^2, and next to r^2 = 4 where the scale is that large.
    assert found.value.hi[0] >= 0 and found.value.lo[0] <= 4
    assert scale < 1 or found.value.hi[0] >= 4


class TestLossesOfTheCaller:
    """A function of the caller's is read; its name is not."""

    def test_one_that_borrows_a_name(self):
        def cauchy(z):
            return jnp.stack([z**2, 2 * z, 2 * jnp.ones_like(z)])

        residuals, _ = residuals_of(lambda x: x - 1.0, [3.0])
        graph = residuals.denotes(loss_of(cauchy, 2.0))
        assert value(graph, np.array([5.0])) == pytest.approx(4 * 16)  # s^2 ((4/2)^2)^2

    def test_one_in_numpy(self):
        def mine(z):
            return np.array([np.log1p(np.asarray(z)), 1 / (1 + z), -1 / (1 + z) ** 2])

        residuals, _ = residuals_of(lambda x: x - 1.0, [3.0])
        with pytest.raises(ModelError, match="the loss mine cannot be traced by JAX"):
            residuals.denotes(loss_of(mine))

    def test_residuals_in_numpy(self):
        residuals, _ = residuals_of(lambda x: np.sin(np.asarray(x)), [3.0])
        with pytest.raises(ModelError, match="f runs as NumPy"):
            residuals.denotes(loss_of("linear"))
