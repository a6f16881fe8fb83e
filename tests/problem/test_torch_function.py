"""PyTorch, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.errors import ModelError
from surefoot.problem.objective import objective_of

torch = pytest.importorskip("torch")


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def test_value_gradient_hessian_and_product():
    objective, x = objective_of(rosenbrock, torch.tensor([-1.2, 1.0]))
    x = np.array([-1.2, 1.0])
    assert objective.source == "PyTorch" and objective.exact_gradient and objective.exact_curvature
    value, gradient, hessian = objective.look(x)
    assert value == pytest.approx(24.2, rel=1e-15)
    np.testing.assert_allclose(gradient, [-215.6, -88.0])
    np.testing.assert_allclose(hessian, [[1330, 480], [480, 200]])
    np.testing.assert_allclose(objective.bend(x, np.array([1.0, 2.0])), [2290, 880])


def test_trees_constants_and_refusals():
    objective, x = objective_of(lambda p: (p["w"] ** 2).sum(), {"w": torch.ones(2), "b": 3.0})
    assert objective.see(x)[1].tolist() == [2.0, 2.0, 0.0]
    assert objective.hessian(x).tolist() == np.diag([2.0, 2.0, 0.0]).tolist()
    constant, x = objective_of(lambda x: 3.0, torch.ones(2))
    assert constant.see(x)[1].tolist() == [0.0, 0.0]
    absolute, x = objective_of(lambda x: x.abs().sum(), torch.ones(2))
    assert absolute.hessian(x).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(ModelError, match=r"shape \(2,\)"):
        objective_of(lambda x: x, torch.ones(2))[0].value(np.ones(2))


def test_data_in_single_precision_is_taken_as_double_and_a_mixture_is_said():
    A, b = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, -1.0])
    objective, x = objective_of(lambda w, A, b: ((A @ w - b) ** 2).sum(), torch.zeros(2), args=(A, b))
    assert objective.see(x)[1].tolist() == [4.0, 4.0]
    with pytest.raises(ModelError, match="single with double"):
        objective_of(lambda w: ((A @ w - b) ** 2).sum(), torch.zeros(2))[0].see(x)


@pytest.mark.parametrize("method", ["auto", "bfgs", "cg", "newton", "trust-newton"])
def test_walks_by_every_kind_of_method(method):
    import surefoot as sf

    result = sf.minimize(rosenbrock, torch.tensor([-1.2, 1.0]), method=method)
    assert result.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM and result.x == pytest.approx([1, 1], abs=1e-9)


def test_bounds_many_starts_modules_and_kinks():
    import surefoot as sf

    bounded = sf.minimize(rosenbrock, torch.tensor([-1.2, 1.0]), bounds=[(-2, 0.5), (None, None)])
    assert bounded.x == pytest.approx([0.5, 0.25], abs=1e-9) and "x[0]" in bounded.multipliers
    many = sf.minimize(rosenbrock, torch.zeros(2), starts=20, box=[(-2, 2), (-2, 2)])
    assert len(many.starts.minima) == 1
    kinked = sf.minimize(lambda x: (x - torch.tensor([0.25, 1.0])).abs().sum(), torch.tensor([3.0, -2.0]))
    assert kinked.stop.reason.name == "KINK" and kinked.x == pytest.approx([0.25, 1.0])

    class Distance(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.centre = torch.nn.Parameter(torch.tensor([1.0, 2.0]))

        def forward(self, x):
            return ((x - self.centre) ** 2).sum()

    assert sf.minimize(Distance(), np.zeros(2)).x == pytest.approx([1.0, 2.0])
