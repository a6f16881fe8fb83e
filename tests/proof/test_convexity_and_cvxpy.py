"""Beside CVXPY: functions whose convexity its rules cannot see, or get wrong, and which are decided here."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.verbs.convexity import convexity

cp = pytest.importorskip("cvxpy")

A = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]])
B = np.array([1.0, -2.0, 0.5])

REJECTED = [
    ("sqrt(1 + x^2)", lambda: cp.sqrt(1 + cp.square(cp.Variable())), lambda x: jnp.sqrt(1 + x * x), 0.0, None),
    ("log(1 + exp(x))", lambda: cp.log(1 + cp.exp(cp.Variable())), lambda x: jnp.log(1 + jnp.exp(x)), 0.0, None),
    ("log sum exp", lambda: cp.log(cp.sum(cp.exp(cp.Variable(3)))), lambda x: jnp.log(jnp.sum(jnp.exp(x))),
     np.zeros(3), None),
    ("x*x", lambda: (lambda x: x * x)(cp.Variable()), lambda x: x * x, 0.0, None),
    ("(Ax-b)@(Ax-b)", lambda: (lambda r: r @ r)(A @ cp.Variable(2) - B), lambda x: (A @ x - B) @ (A @ x - B),
     np.zeros(2), None),
    ("p log p", lambda: (lambda p: p * cp.log(p))(cp.Variable(pos=True)), lambda p: p * jnp.log(p), 1.0, "x > 0"),
    ("x^2+2xy+2y^2", lambda: (lambda x, y: x**2 + 2 * x * y + 2 * y**2)(cp.Variable(), cp.Variable()),
     lambda x: x[0] ** 2 + 2 * x[0] * x[1] + 2 * x[1] ** 2, np.zeros(2), None),
    ("2x^2-x^2", lambda: (lambda x: 2 * x**2 - x**2)(cp.Variable()), lambda x: 2 * x**2 - x**2, 0.0, None),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "theirs", "ours", "example", "domain"), REJECTED, ids=[row[0] for row in REJECTED])
def test_what_cvxpy_rejects_is_proven(name, theirs, ours, example, domain):
    expression = theirs()
    assert not expression.is_convex() or not expression.is_dcp()
    domain = None if domain is None else [(1e-300, None)]
    assert convexity(ours, example, domain).convex is True


@pytest.mark.filterwarnings("ignore")
def test_an_eigenvalue_of_minus_1e_10_is_not_overlooked():
    assert cp.quad_form(cp.Variable(2), np.diag([1.0, -1e-10])).is_convex()
    assert convexity(lambda x: x @ np.diag([1.0, -1e-10]) @ x, np.zeros(2)).convex is False
