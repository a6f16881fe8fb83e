"""Predicted steps and products are those that are taken, within the slack of a bound."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from krylov_cases import with_condition
from surefoot.leastsquares.krylov import solve_operator
from surefoot.leastsquares.krylov_cost import cg_cost, gram_cost, lsmr_cost, sketch_cost, steps_for


@pytest.mark.parametrize("condition", [2.0, 10.0, 30.0, 100.0])
def test_steps_of_theory_bound_those_of_lsmr_and_are_not_far_off(condition):
    A = with_condition(1, 4000, 600, condition)
    b = np.random.default_rng(1).standard_normal(4000)
    unit = A / np.linalg.norm(A, axis=0)
    found = solve_operator(csr_array(A), b, method="lsmr", target=1e-10)
    start = np.linalg.norm(unit.T @ b) / (np.linalg.norm(unit) * np.linalg.norm(b))
    predicted = lsmr_cost(4000, 600, A.size, np.linalg.cond(unit), 1e-10 / start)
    assert found.steps <= predicted.steps * 1.3 + 2
    assert found.steps >= predicted.steps / 3
    assert found.products <= predicted.products * 1.3 + 8


def test_a_sketch_takes_the_steps_foreseen_whatever_the_condition():
    for condition in (1e2, 1e9):
        A = with_condition(2, 5000, 50, condition)
        b = A @ np.ones(50) + np.random.default_rng(2).standard_normal(5000)
        found = solve_operator(csr_array(A), b, method="sketch", target=1e-12)
        assert found.steps <= 2 * sketch_cost(5000, 50, A.size, 1e-12).steps


def test_costs_grow_with_what_they_depend_on():
    small, large = lsmr_cost(1000, 100, 5000, 10.0), lsmr_cost(10_000, 100, 50_000, 10.0)
    assert large.flops > 5 * small.flops
    assert large.steps == small.steps
    assert lsmr_cost(1000, 100, 5000, 1e9).steps == 200  # exact arithmetic would end after 100
    assert cg_cost(1000, 100, 5000, 1e9).bytes > cg_cost(1000, 100, 5000, 10.0).bytes
    assert sketch_cost(10**6, 1000, 10**7).dense_flops > 7e9
    assert gram_cost(10**6, 1000, 10**7, 1e8, 5e5).seconds() > 0
    assert steps_for(1.0, 1e-16) == 1.0
