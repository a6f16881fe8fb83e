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
    with pytest.raises(ModelError, match=r"shape \(2,\)"):
        objective_of(lambda x: x, torch.ones(2))[0].value(np.ones(2))
