"""Losses against SciPy's, and their slopes against differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, least_squares

from surefoot.errors import ModelError
from surefoot.problem.losses import loss_of

NAMES = ("linear", "soft_l1", "huber", "cauchy", "arctan")


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6), st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_the_total_is_twice_scipys_cost(name, r, scale):
    r = np.array(r)
    peer = least_squares(lambda x: r + 0 * x[0], [0.0], loss=name, f_scale=scale, max_nfev=1)
    assert loss_of(name, scale).weigh(r).total == pytest.approx(2 * peer.cost, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("r", [-30.0, -1.1, -0.2, 0.4, 0.9, 7.0])
def test_weights_and_bends_are_the_derivatives(name, r):
    loss = loss_of(name, 1.5)
    slope = approx_fprime([r], lambda r: loss.weigh(r).total, 1e-6)[0]
    assert 2 * loss.weigh(np.array([r])).weights[0] * r == pytest.approx(slope, rel=1e-4, abs=1e-5)
    change = approx_fprime([r], lambda r: 2 * (loss.weigh(r).weights * r)[0], 1e-6)[0]
    assert 2 * loss.weigh(np.array([r])).bends[0] == pytest.approx(change, rel=1e-4, abs=1e-5)


def test_tiny_residuals_do_not_cancel():
    assert loss_of("soft_l1").weigh(np.array([1e-12])).total == pytest.approx(1e-24, rel=1e-12)
    assert loss_of("cauchy").weigh(np.array([1e-12])).total == pytest.approx(1e-24, rel=1e-12)


def test_bad_losses_are_sentences():
    with pytest.raises(ModelError, match="Did you mean 'huber'"):
        loss_of("hubber")
    with pytest.raises(ModelError, match="f_scale"):
        loss_of("huber", 0.0)
    with pytest.raises(ModelError, match=r"shape \(3, 2\)"):
        loss_of(lambda z: z).weigh(np.ones(2))
