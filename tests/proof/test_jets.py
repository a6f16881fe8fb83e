"""Interval derivatives against Arb on random graphs, against exact polynomials, and against themselves."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import draws
from interval_cases import members, missed
from interval_graphs import random_graph
from surefoot.problem.real import Builder, Graph
from surefoot.proof import bending, interval_sums
from surefoot.proof.arb_reading import arb_jet, precision
from surefoot.proof.interval import Interval
from surefoot.proof.jets import Jet, second_order
from surefoot.proof.slopes import softmax

pytestmark = pytest.mark.fuzz


def random_boxes(rng: np.random.Generator, count: int, n: int) -> Interval:
    middle = rng.normal(size=(count, n)) * rng.choice([0.5, 2.0])
    if rng.random() < 0.2:
        middle = np.round(middle)
    radius = 10.0 ** rng.uniform(-6.0, 0.3, (count, 1)) * rng.random((count, n)) * (rng.random((count, 1)) < 0.85)
    return Interval(middle - radius, middle + radius)


def contradictions(graph: Graph, jet: Jet, box: Interval, points: np.ndarray) -> list[str]:
    """What a jet over boxes says that Arb denies at a point of each."""
    found = []
    for k in range(len(points)):
        truth = arb_jet(graph, points[k].tolist(), bits=200)
        if not truth.value.is_finite():
            continue
        parts = {"value": (jet.value[k : k + 1], [truth.value]), "gradient": (jet.gradient[k], list(truth.gradient))}
        if jet.smooth[k]:
            parts["hessian"] = (jet.hessian[k].each(np.ravel), list(truth.hessian.ravel()))
        for name, (enclosure, values) in parts.items():
            if bad := missed(enclosure, values):
                found.append(f"{name} {bad} of {box[k]} at {points[k].tolist()}: {enclosure}, {list(map(str, values))}")
    return found


@pytest.mark.parametrize("part", range(4))
def test_random_graphs_agree_with_arb(part: int) -> None:
    each, smooth, defined, total = draws(60, 2500), 0, 0, 0
    for seed in range(part * 1_000_000, part * 1_000_000 + each):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 4))
        graph = random_graph(rng, n, int(rng.integers(2, 12)))
        box = random_boxes(rng, 5, n)
        jet = second_order(graph, box)
        found = contradictions(graph, jet, box, members(rng, box))
        assert not found, (seed, [(node.operation, node.operands) for node in graph.nodes], found[:3])
        assert np.array_equal(jet.hessian.lo, jet.hessian.lo.swapaxes(1, 2))
        assert not np.isnan(jet.gradient.lo).any() and not np.isnan(jet.hessian.hi).any()
        assert np.all(jet.smooth <= jet.continuous) and np.all(jet.continuous <= jet.defined)
        smooth, defined, total = smooth + jet.smooth.sum(), defined + jet.defined.sum(), total + len(jet.smooth)
    assert smooth > 0.4 * total and defined > 0.5 * total  # it must decide, too


def test_long_arrays_go_another_way_to_the_same_enclosures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bending, "FEW", 0)
    monkeypatch.setattr(bending, "PART", 1)
    monkeypatch.setattr(interval_sums, "BLOCK", 2)
    monkeypatch.setattr(interval_sums, "FEW", 0)
    for seed in range(draws(60, 1500)):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 4))
        graph = random_graph(rng, n, int(rng.integers(2, 12)))
        box = random_boxes(rng, 3, n)
        found = contradictions(graph, second_order(graph, box), box, members(rng, box))
        assert not found, (seed, found[:3])


Terms = list[tuple[Fraction, tuple[int, int]]]


def polynomial(terms: Terms, factored: bool) -> Graph:
    """A polynomial in x and y, by powers, or by products of the variables one after the other."""
    build = Builder(("x", "y"))
    x, y = (build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(2))
    total = build.constant(0.0)
    for coefficient, (i, j) in terms:
        term = build.constant(float(coefficient))
        if factored:
            for variable in [x] * i + [y] * j:
                term = build.mul(term, variable)
        else:
            term = build.mul(term, build.mul(build.power(x, i), build.power(y, j)))
        total = build.add(total, term)
    return build.graph(build.sum(total))


def exact(terms: Terms, point: tuple[Fraction, Fraction], by: tuple[int, ...]) -> Fraction:
    """A derivative of it, exactly."""
    total = Fraction(0)
    for coefficient, powers in terms:
        powers_now = list(powers)
        for variable in by:
            coefficient *= powers_now[variable]
            powers_now[variable] -= 1
        if coefficient:
            total += coefficient * point[0] ** powers_now[0] * point[1] ** powers_now[1]
    return total


coefficients = st.integers(-20, 20).map(lambda k: Fraction(k, 4))
terms_drawn = st.lists(st.tuples(coefficients, st.tuples(st.integers(0, 4), st.integers(0, 4))), min_size=1, max_size=5)
doubles = st.floats(-4.0, 4.0).map(lambda number: round(number, 6))


@settings(max_examples=draws(60, 2000), deadline=None)
@given(terms_drawn, doubles, doubles, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.booleans())
def test_derivatives_of_polynomials_are_the_exact_ones(
    terms: Terms, x: float, y: float, width: float, share: float, factored: bool
) -> None:
    graph = polynomial(terms, factored)
    low, high = np.array([x, y]), np.array([x, y]) + width
    jet = second_order(graph, Interval([low, low], [high, low]))
    at = np.clip(low + share * width, low, high)
    for row, place in ((0, at), (1, low)):
        point = (Fraction(float(place[0])), Fraction(float(place[1])))
        for found, by in [
            (jet.value[row], ()),
            *((jet.gradient[row, i], (i,)) for i in range(2)),
            *((jet.hessian[row, i, j], (i, j)) for i in range(2) for j in range(2)),
        ]:
            truth = exact(terms, point, by)
            assert Fraction(float(found.lo)) <= truth <= Fraction(float(found.hi)), (by, found, float(truth))
            if row == 1:
                size = sum(abs(c) * 1024 for c, _ in terms)
                assert found.width <= 1e-12 * float(size) + 1e-300


@settings(max_examples=draws(40, 1500), deadline=None)
@given(st.integers(0, 10**6))
def test_a_smaller_box_gives_smaller_enclosures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    graph = random_graph(rng, n, int(rng.integers(2, 10)))
    outer = random_boxes(rng, 4, n)
    one, other = members(rng, outer), members(rng, outer)
    inner = Interval(np.minimum(one, other), np.maximum(one, other))
    small, large = second_order(graph, inner), second_order(graph, outer)
    assert np.all(small.defined[large.defined])
    thick = np.all(inner.lo < inner.hi, axis=1)
    assert np.all(small.smooth[large.smooth & thick])
    for name in ("value", "gradient", "hessian"):
        less, more = getattr(small, name), getattr(large, name)
        for k in np.flatnonzero(large.smooth & small.smooth):
            lo, hi = more.lo[k], more.hi[k]
            if not np.isfinite(lo).all() or not np.isfinite(hi).all():
                continue
            slack = 1e-9 * (1.0 + np.abs(lo) + np.abs(hi))
            assert np.all(less.lo[k] >= lo - slack) and np.all(less.hi[k] <= hi + slack), (name, outer[k], inner[k])


def camel() -> Graph:
    build = Builder(("x", "y"))
    x, y = (build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(2))
    inner = build.add(build.sub(build.constant(4.0), build.mul(build.constant(2.1), build.power(x, 2))),
                      build.div(build.power(x, 4), build.constant(3.0)))  # fmt: skip
    outer = build.add(build.constant(-4.0), build.mul(build.constant(4.0), build.power(y, 2)))
    first = build.add(build.mul(inner, build.power(x, 2)), build.mul(x, y))
    return build.graph(build.add(first, build.mul(outer, build.power(y, 2))))


def test_the_six_hump_camel_at_its_lowest() -> None:
    at = [0.08984201310031806, -0.7126564030207396]
    jet, truth = second_order(camel(), Interval.of([at])), arb_jet(camel(), at)
    assert not missed(jet.gradient[0], list(truth.gradient))
    assert np.abs(jet.gradient.lo).max() < 1e-13 and jet.value.width[0] < 1e-14
    assert np.all(np.linalg.eigvalsh(jet.hessian.mid[0]) > 0.0) and jet.hessian.width.max() < 1e-13


def test_the_mean_value_theorem_holds_across_kinks() -> None:
    """The slopes of abs, maximum and a continuous choice enclose every chord."""
    build = Builder(("x", "y"))
    x, y = (build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(2))
    kinks = build.add(build.unary("abs", build.sub(x, y)), build.binary("maximum", build.mul(x, y), build.power(x, 2)))
    total = build.sub(kinks, build.mul(build.constant(3.0), build.binary("minimum", x, build.unary("sin", y))))
    graph = build.graph(build.add(total, build.unary("cbrt", build.add(x, build.constant(5.0)))))
    rng = np.random.default_rng(0)
    for _ in range(200):
        lo = rng.uniform(-2.0, 1.5, 2)
        box = Interval([lo], [lo + rng.uniform(0.0, 1.0, 2)])
        jet = second_order(graph, box)
        assert jet.continuous[0]
        one, other = members(rng, box)[0], members(rng, box)[0]
        values = [arb_jet(graph, point.tolist(), order=0).value for point in (one, other)]
        steps = Interval.of(other) - Interval.of(one)
        chord = interval_sums.total(jet.gradient[0] * steps, (0,))
        assert not missed(chord[None], [values[1] - values[0]])


def test_squares_of_slopes_have_no_negative_part() -> None:
    build = Builder(("x",))
    graph = build.graph(build.sum(build.unary("exp", build.power(build.input, 2))))
    jet = second_order(graph, Interval([[-1.0]], [[1.0]]))
    assert jet.hessian.lo[0, 0, 0] >= 2.0 - 1e-12


def test_log_sum_exp_is_seen_to_be_flat_along_equal_steps() -> None:
    build = Builder(("x", "y", "z"))
    graph = build.graph(build.reduce("logsumexp", build.input, (0,)))
    point = np.array([[0.1, -0.4, 0.3]])
    jet = second_order(graph, Interval.of(point))
    shares = np.exp(point[0]) / np.exp(point[0]).sum()
    assert np.allclose(jet.gradient.mid[0], shares, atol=1e-14)
    assert np.allclose(jet.hessian.mid[0], np.diag(shares) - np.outer(shares, shares), atol=1e-14)
    assert jet.hessian.width.max() < 1e-14


def test_elements_taken_often_pass_back_all_their_uses() -> None:
    rng = np.random.default_rng(0)
    places = np.concatenate([np.zeros(700, dtype=int), rng.integers(-1, 3, 301)])
    weights = rng.normal(size=1001)
    build = Builder(("x", "y", "z"))
    taken = build.take(build.power(build.input, 2), places)
    graph = build.graph(build.sum(build.mul(taken, build.constant(weights))))
    jet = second_order(graph, Interval.of([[0.5, -1.0, 2.0]]))
    for k, x in enumerate((0.5, -1.0, 2.0)):
        exact = sum((Fraction(weight) for weight in weights[places == k]), Fraction(0)) * 2
        assert Fraction(float(jet.gradient.lo[0, k])) <= exact * Fraction(x) <= Fraction(float(jet.gradient.hi[0, k]))
        assert Fraction(float(jet.hessian.lo[0, k, k])) <= exact <= Fraction(float(jet.hessian.hi[0, k, k]))
    assert jet.gradient.width.max() < 1e-11


def test_shares_of_a_softmax_contain_what_arb_says() -> None:
    rng = np.random.default_rng(0)
    for _ in range(draws(60, 1000)):
        count = int(rng.integers(1, 6))
        middle, spread = rng.normal(size=count) * 3.0, rng.random(count) * rng.choice([0.0, 1e-12, 1.0])
        box = Interval([middle - spread], [middle + spread])
        at = members(rng, box)[0]
        shares = softmax(box, (0,))
        with precision(200):
            powers = [arb(float(number)).exp() for number in at]
            truth = [power / sum(powers, arb(0)) for power in powers]
        assert not missed(shares[0], truth)
        assert np.all(shares.lo >= 0.0) and np.all(shares.hi <= 1.0)


def test_orders_give_what_was_asked_for() -> None:
    box = Interval([[0.0, 0.0]], [[1.0, 1.0]])
    none, first = second_order(camel(), box, order=0), second_order(camel(), box, order=1)
    full = second_order(camel(), box)
    assert none.gradient.size == 0 and first.hessian.size == 0
    assert np.array_equal(first.gradient.lo, full.gradient.lo) and np.array_equal(none.value.hi, full.value.hi)


def test_a_constant_and_an_affine_function() -> None:
    build = Builder(("x", "y"))
    flat = second_order(build.graph(build.constant(2.5)), Interval([[0.0, 0.0]], [[1.0, 1.0]]))
    assert flat.value.lo.tolist() == [2.5] and flat.gradient.hi.tolist() == [[0.0, 0.0]] and flat.smooth.all()
    sloped = build.graph(build.sum(build.mul(build.input, build.constant([2.0, -3.0]))))
    jet = second_order(sloped, Interval.entire((1, 2)))
    assert jet.gradient.lo.tolist() == jet.gradient.hi.tolist() == [[2.0, -3.0]]
    assert not jet.hessian.lo.any() and not jet.hessian.hi.any()


@pytest.mark.alone
def test_a_hundred_boxes_take_milliseconds() -> None:
    graph = camel()
    rng = np.random.default_rng(0)
    lo = rng.uniform(-3.0, 2.9, (100, 2))
    box = Interval(lo, lo + 0.1)
    second_order(graph, box)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        second_order(graph, box)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005


@pytest.mark.alone
def test_a_hundred_thousand_rows_take_about_a_second() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(100_000, 50))
    build = Builder([f"x[{k}]" for k in range(50)])
    scores = build.dot(build.constant(matrix), build.input, ((1,), (0,)))
    graph = build.graph(build.sum(build.unary("softplus", scores)))
    at = Interval.of(rng.normal(size=(1, 50)) * 0.1)
    second_order(graph, at)
    start = time.perf_counter()
    jet = second_order(graph, at)
    assert time.perf_counter() - start < 2.0
    share = 1.0 / (1.0 + np.exp(-(matrix @ at.lo[0])))
    assert np.allclose(jet.gradient.mid[0], matrix.T @ share, rtol=1e-9)
    assert np.allclose(jet.hessian.mid[0], (matrix.T * (share * (1.0 - share))) @ matrix, rtol=1e-9)
    assert jet.hessian.width.max() < 1e-6


def test_a_choice_between_constants_has_no_slope_and_what_is_unknown_no_smoothness():
    """Of one value that is the same in all boxes it may differ from box to box whether it is defined."""
    build = Builder(("x",))
    x = build.input
    step = build.where(build.condition("lt", build.constant(0.0), x), build.constant(1.0), build.constant(2.0))
    nothing = build.where(build.condition("lt", x, build.constant(9.0)), build.unknown("lu", (x,), (1,)), x)
    box = Interval([[-2.0], [1.0], [10.0]], [[-1.0], [2.0], [11.0]])
    steps = second_order(build.graph(build.sum(build.mul(step, x))), box)
    assert steps.gradient.lo.ravel().tolist() == [2.0, 1.0, 1.0]
    both = build.sum(build.concatenate([nothing, x], 0))
    jet = second_order(build.graph(both), box)
    assert jet.defined.tolist() == [False, False, True] and jet.lacking == "lu"
