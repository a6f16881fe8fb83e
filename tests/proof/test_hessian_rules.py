"""Hessians as sums of squares: the identity checked at points, near misses, what a quartic is by its discriminant."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.problem.domain import Domain
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.real import Builder
from surefoot.problem.typed import typed_function
from surefoot.proof.arb_reading import arb_jet, ball, precision
from surefoot.proof.certificate import Curvature
from surefoot.proof.definite import definiteness
from surefoot.proof.hessian_rules import prove
from surefoot.proof.polynomials import read_polynomial

STARTS = {"x": "x=1", "y": "y=1", "z": "z=1"}


def graph_of(text):
    typed = typed_function(text, ", ".join(start for name, start in STARTS.items() if name in text))
    return real_graph_of_text(typed.node, typed.names)


def decided(text):
    graph = graph_of(text)
    return prove(graph, Domain.everything(graph.names))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^4 + y^4 + x^2*y^2", "strictly convex"),
        ("x^4 + y^4 + 5.99*x^2*y^2", "strictly convex"),
        ("x^4 + y^4 + 6*x^2*y^2", "convex"),  # ((x + y)^4 + (x - y)^4)/2: singular where x = y
        ("x^4 + y^4 + 6.000001*x^2*y^2", None),
        ("x^4 + y^4 - 1e-9*x^2*y^2", None),
        ("(x^2 + x*y + y^2)^2", "strictly convex"),
        ("x^4 + y^4 + x^2*y^2 + x*y + x^2 + y^2", "strongly convex"),
        ("x^4 + y^4 + x^2*y^2 - 1e-9*x*y", None),
        ("-x^4 - y^4 - x^2*y^2", "strictly concave"),
        ("(x^2 + 1)*(y^2 + 1)", None),
        ("x^6 + y^6 + x^2*y^2*(x^2 + y^2)", "strictly convex"),
        ("(x^2 + y^2 + z^2)^2 + x*y*z/10 + x^2 + y^2 + z^2", "strongly convex"),
        ("(x + y)^4 + (y + z)^4 + x^2", "convex"),
        ("x^3 + y^4", None),
        ("exp(x) + y^4", None),
        ("x^4/y*y", None),
    ],
)
def test_a_polynomial_is_decided_by_a_gram_matrix_or_left_alone(text, expected):
    found = decided(text)
    assert (None if found is None else found.curvature.value) == expected
    if found is not None:
        check(graph_of(text), found)


def check(graph, found):
    """The Gram matrix is semidefinite, and gives the Hessian at points of rational numbers."""
    products = found.evidence["products"]
    gram = [Fraction(entry) for entry in found.evidence["gram"]]
    size, n = len(products), graph.size
    sign = -1 if found.curvature.value.endswith("concave") else 1
    assert definiteness(fmpq_mat(size, size, found_rationals(gram))).is_positive_semidefinite
    rng = np.random.default_rng(2)
    for _ in range(2 * size + 4):
        x, v = ([Fraction(int(k), 4) for k in rng.integers(-9, 10, n)] for _ in range(2))
        z = [Fraction(1)] * size
        for k, product in enumerate(products):
            for value, power in zip([*x, *v], product, strict=True):
                z[k] *= value**power
        form = sum(gram[i * size + j] * z[i] * z[j] for i in range(size) for j in range(size))
        with precision(200):
            H = arb_jet(graph, x, bits=200).hessian
            bend = sum(ball(v[i]) * ball(v[j]) * H[i, j] for i in range(n) for j in range(n))
            assert (sign * bend).overlaps(ball(form)) and bend.rad() < 1e-30


def found_rationals(values):
    from flint import fmpq

    return [fmpq(value.numerator, value.denominator) for value in values]


@given(st.lists(st.integers(-6, 6), min_size=5, max_size=5))
@settings(max_examples=25, deadline=None)
def test_a_quartic_form_in_two_variables_is_never_called_convex_where_its_hessian_is_not(c):
    build = Builder(("x", "y"))
    x, y = (build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(2))
    total = build.constant(0.0)
    for k, value in enumerate(c):
        term = build.mul(
            build.power(x, 4 - k) if k < 4 else build.constant(1.0), build.power(y, k) if k else build.constant(1.0)
        )
        total = build.add(total, build.mul(build.constant(float(value)), term))
    graph = build.graph(total)
    found = prove(graph, Domain.everything(("x", "y")))

    def least(a, b):
        """The smallest eigenvalue of the Hessian at whole numbers, up to its sign: trace and determinant."""
        xx = sum((4 - k) * (3 - k) * value * a ** (2 - k) * b**k for k, value in enumerate(c) if k <= 2)
        yy = sum(k * (k - 1) * value * a ** (4 - k) * b ** (k - 2) for k, value in enumerate(c) if k >= 2)
        xy = sum((4 - k) * k * value * a ** (3 - k) * b ** (k - 1) for k, value in enumerate(c) if 1 <= k <= 3)
        return xx, yy, xx * yy - xy * xy

    turns = [least(a, b) for a in range(-12, 13) for b in range(-12, 13) if a or b]
    up = all(xx >= 0 and yy >= 0 and det >= 0 for xx, yy, det in turns)
    down = all(xx <= 0 and yy <= 0 and det >= 0 for xx, yy, det in turns)
    if found is not None:
        assert up if found.curvature.is_convex else down
        check(graph, found)
    # Forms of degree four in two variables are convex if and only if their Hessian is a sum of squares.
    if all(det > 0 for _, _, det in turns) and min(abs(det) / (xx + yy) ** 2 for xx, yy, det in turns) > 1e-2:
        assert (found is not None) == (up or down)


def test_products_and_sums_over_arrays_are_read_as_they_are():
    rng = np.random.default_rng(4)
    A = rng.integers(-2, 3, (3, 2)).astype(float)
    build = Builder(("x", "y"))
    u = build.dot(build.constant(A), build.input, ((1,), (0,)))
    value = build.add(build.sum(build.power(u, 4)), build.reduce("prod", build.input, (0,)))
    graph = build.graph(build.div(value, build.constant(3.0)))
    read = read_polynomial(graph)
    for point in ((2.0, -1.0), (0.5, 3.0)):
        exact = sum((A @ np.array(point)) ** 4) + point[0] * point[1]
        assert float(Fraction(str(read.terms(*map(int_or_half, point))))) == exact / 3


def int_or_half(value):
    return found_rationals([Fraction(value)])[0]


def test_what_is_too_large_or_no_polynomial_is_not_read():
    assert read_polynomial(graph_of("exp(x)")) is None
    assert read_polynomial(graph_of("x^13")) is None
    assert read_polynomial(graph_of("1/x")) is None
    assert read_polynomial(graph_of("x/3")).degree == 1
    assert decided("x^2 + y^2") is None  # quadratics are decided elsewhere
    assert Curvature("convex") is Curvature.CONVEX
