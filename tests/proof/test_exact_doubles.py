"""Exact arrays: in doubles where nothing rounds, in rational numbers where something would."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.proof.exact_doubles import (
    MOST_RATIONALS,
    TooMuchError,
    add,
    div,
    dot,
    doubles,
    fraction,
    mul,
    rationals,
    total,
)

numbers = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-20, 20).map(float)
    | st.sampled_from([0.0, -0.0, 0.1, 5e-324, 2.0**-1022, 1.7e308, 2.0**52 + 1, 1e-160])
)
arrays = st.lists(numbers, min_size=1, max_size=6).map(np.array)


def exactly(array):
    flat = np.ravel(array).tolist()
    return [fraction(v) if array.dtype == object else Fraction(v) for v in flat]


@given(arrays, st.data())
def test_sums_products_and_quotients_are_exact(a, data):
    b = np.array(data.draw(st.lists(numbers, min_size=len(a), max_size=len(a))))
    one, other = [Fraction(v) for v in a.tolist()], [Fraction(v) for v in b.tolist()]
    assert exactly(add(a, b)) == [x + y for x, y in zip(one, other, strict=True)]
    assert exactly(mul(a, b)) == [x * y for x, y in zip(one, other, strict=True)]
    if np.all(b != 0):
        assert exactly(div(a, b)) == [x / y for x, y in zip(one, other, strict=True)]
    assert exactly(total(np.stack([a, b]), 0)) == [x + y for x, y in zip(one, other, strict=True)]
    both = dot(a, b, "a,a->")
    assert exactly(both) == [sum(x * y for x, y in zip(one, other, strict=True))]


def test_what_does_not_round_stays_in_doubles():
    a = np.array([[0.1, -2.5], [3.0, 1e-200]])
    assert mul(a, np.full((2, 2), -1.0)).dtype == mul(a, np.full((2, 2), 0.25)).dtype == float
    assert (
        dot(a, np.eye(2), "ab,bc->ac").dtype == add(a, np.zeros((2, 2))).dtype == div(a, np.array([2.0])).dtype == float
    )
    assert mul(a, np.full((2, 2), 3.0)).dtype == object and add(a, np.ones((2, 2))).dtype == object
    # Halving the smallest double rounds, and so does doubling the largest.
    assert mul(np.array([5e-324]), np.array([0.5])).dtype == mul(np.array([1.7e308]), np.array([2.0])).dtype == object


def test_too_many_fractions_are_refused_and_a_zero_divisor_is_too():
    many = np.broadcast_to(np.array([0.1, 0.2]), (MOST_RATIONALS, 2))
    with pytest.raises(TooMuchError, match="held as fractions"):
        rationals(many)
    with pytest.raises(ZeroDivisionError):
        div(np.ones(2), np.array([1.0, 0.0]))


def test_rationals_come_back_as_the_nearest_doubles():
    thirds = div(np.array([1.0, 2.0, -1e308]), np.array([3.0]))
    assert doubles(thirds).tolist() == [1 / 3, 2 / 3, -1e308 / 3]
    assert doubles(mul(np.array([1e308]), np.array([1e308]))).tolist() == [np.inf]
