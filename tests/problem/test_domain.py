"""Domains as people write them: nothing rounded inwards, strict where they are strict."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ExpressionError, ModelError, OptionError
from surefoot.problem.box import Box
from surefoot.problem.domain import Domain, outward

XY = ("x", "y")


def test_nothing_said_is_everything():
    domain = Domain.of(None, XY)
    assert domain.is_everything and str(domain) == "all of R^2"
    assert domain.contains([1e300, -1e300]) and not domain.contains([np.inf, 0.0])


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("x > 0", [5e-324, 0], [0, 0]),
        ("x >= 0", [0, 0], [-5e-324, 0]),
        ("0 < x < 1, y<=2", [0.5, 2], [1, 2]),
        ("0 < x <= 1 and y < 2", [1, 1.9], [1, 2]),
        ("x=-1..1", [1, 7], [1.0000000000000002, 7]),
        ("x + 2*y <= 3", [1, 1], [1, 1.0000000000000002]),
        ("2*(x - y)/4 > 1/2", [2.0000000000000004, 1], [2, 1]),
        ("-x < -1", [1.0000000000000002, 0], [1, 0]),
        ("x >= 0.1", [0.1, 0], [0.09999999999999999, 0]),
        ("3 < pi*x", [1, 0], [0.954, 0]),
        (["x > 0", "y > 0"], [1, 1], [1, 0]),
    ],
)
def test_conditions_in_text(text, inside, outside):
    domain = Domain.of(text, XY)
    assert domain.contains(inside)
    assert not domain.contains(outside)


def test_a_bound_that_no_double_says_is_kept_as_it_is():
    domain = Domain.of("3*x >= 1", XY)
    third = 1 / 3  # the double below 1/3
    assert Fraction(third) < Fraction(1, 3)
    assert domain.lower[0] == third and not domain.contains([third, 0])
    assert domain.contains([np.nextafter(third, 1), 0])


def test_what_is_said_of_a_vector_holds_for_each_element():
    domain = Domain.of("x > 0, sum(x) <= 1, x[0] <= x[1]", ("x[0]", "x[1]", "x[2]"))
    assert domain.above.all() and np.all(domain.lower == 0)
    assert len(domain.inequalities) == 2
    assert domain.contains([0.2, 0.3, 0.5]) and not domain.contains([0.3, 0.2, 0.5])
    assert Domain.of("sum(x[i]*i, i=0..2) >= 2", ("x[0]", "x[1]", "x[2]")).contains([0, 0, 1])


def test_bounds_as_python_has_them():
    from scipy.optimize import Bounds, LinearConstraint

    for given_ in (Box.of([(0, 1), (None, 2)], XY), [(0, 1), (None, 2)], {"x": (0, 1), "y": (None, 2)},
                   Bounds([0, -np.inf], [1, 2])):  # fmt: skip
        domain = Domain.of(given_, XY)
        assert domain.contains([0, -1e9]) and not domain.contains([0, 2.1])
        assert str(domain) == "0 <= x <= 1, y <= 2"
    domain = Domain.of(LinearConstraint([[1, 1], [1, -1]], [0, -np.inf], [np.inf, 2]), XY)
    assert str(domain) == "x + y >= 0, -x + y >= -2"


def test_json_loses_nothing():
    domain = Domain.of("x > 0.1, 3*x + y >= 1, y <= 1e-300", XY)
    again = Domain.from_json(json.loads(json.dumps(domain.to_json())))
    assert str(again) == str(domain) and again.inequalities == domain.inequalities
    assert np.array_equal(again.lower, domain.lower) and np.array_equal(again.above, domain.above)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x*y > 0", "linear"), ("x^2 < 1", "linear"), ("z > 0", "no variable named z"), ("x", "compares two sides"),
        ("x == 1", "not equalities"), ("x = 1", "not equalities"), ("1 > 0", "no variable in it"),
        ("x > 0,", "missing"), ("x > (", "bracket|ends|missing|closed"), ("log(x) > 0", "linear"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(text, words):
    with pytest.raises(ExpressionError, match=words):
        Domain.of(text, XY)


def test_an_empty_domain_is_refused():
    for text in ("x > 1, x < 0", "x > 0, x <= 0", "x + y > 2, x + y < 1"):
        with pytest.raises(ModelError, match="No point"):
            Domain.of(text, XY)
    with pytest.raises(OptionError):
        Domain.of(Domain.of(None, ("z",)), XY)


@given(st.fractions(), st.booleans())
def test_outward_is_outward_and_near(number, up):
    near = outward(number, up=up)
    assert Fraction(near) >= number if up else Fraction(near) <= number
    back = np.nextafter(near, -np.inf if up else np.inf)
    assert Fraction(float(back)) < number if up else Fraction(float(back)) > number
