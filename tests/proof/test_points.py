"""The judge of points against a zoo with known answers: what is no minimum is never called one."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from landscapes import (
    Differenced,
    Landscape,
    monkey_saddle,
    moved,
    one_fall_in,
    polynomial,
    power,
    quadratic,
    rosenbrock,
    single,
)
from surefoot.errors import ModelError
from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.points import judge_point

MINIMA = {
    Verdict.STRICT_LOCAL_MINIMUM,
    Verdict.LOCAL_MINIMUM,
    Verdict.GLOBAL_MINIMUM,
    Verdict.UNIQUE_GLOBAL_MINIMUM,
}
BASIC = np.diag([3.0, 1.0, 0.2])


def verdict(function, at, **options):
    certificate = judge_point(function, np.atleast_1d(np.array(at, dtype=float)), **options)
    assert certificate.rigour is Rigour.NUMERICAL
    json.dumps(certificate.to_json(), allow_nan=False)
    assert Certificate.from_json(json.loads(json.dumps(certificate.to_json()))).claim == certificate.claim
    if certificate.evidence.get("lower_value") is not None:
        lower = function.value(np.array(certificate.evidence["lower_at"]))
        assert lower == certificate.evidence["lower_value"] < function.value(np.atleast_1d(np.array(at, dtype=float)))
    return certificate.verdict


def exponential():
    return single(lambda x: np.exp(-x), lambda x: -np.exp(-x), lambda x: np.exp(-x))


def below(threshold, slope):
    """``slope x`` up to a jump: 1 beyond the threshold."""
    return single(lambda x: slope * x + (x > threshold), lambda x: slope, lambda x: 0.0)


STATIONARY = {
    "saddle": (quadratic(np.diag([1.0, -2.0])), [0, 0], Verdict.SADDLE),
    "xy": (quadratic([[0.0, 1.0], [1.0, 0.0]]), [0, 0], Verdict.SADDLE),
    "saddle of unequal units": (quadratic(np.diag([1e8, 1.0, -1e-8])), [0, 0, 0], Verdict.SADDLE),
    "saddle shifted": (quadratic(np.diag([1.0, -2.0]), [1e8, 1 / 3]), [1e8, 1 / 3], Verdict.SADDLE),
    "saddle of scale 1e-300": (quadratic(np.diag([1e-300, -2e-300])), [0, 0], Verdict.SADDLE),
    "saddle of scale 1e300": (quadratic(np.diag([1e300, -2e300])), [0, 0], Verdict.SADDLE),
    "maximum": (quadratic(np.diag([-1.0, -2.0])), [0, 0], Verdict.LOCAL_MAXIMUM),
    "ridge": (quadratic(np.diag([-1.0, 0.0])), [0, 3], Verdict.DEGENERATE),
    "valley": (quadratic(np.diag([1.0, 0.0])), [0, 5], Verdict.DEGENERATE),
    "monkey saddle": (monkey_saddle(), [0, 0], Verdict.SADDLE),
    "x^2 - y^4": (polynomial((1, 2, 0), (-1, 0, 4)), [0, 0], Verdict.SADDLE),
    "x^2 + y^3": (polynomial((1, 2, 0), (1, 0, 3)), [0, 0], Verdict.SADDLE),
    "-x^2 + y^4": (polynomial((-1, 2, 0), (1, 0, 4)), [0, 0], Verdict.SADDLE),
    "-x^4 - y^4": (polynomial((-1, 4, 0), (-1, 0, 4)), [0, 0], Verdict.DEGENERATE),
    "x^2 y^2": (polynomial((1, 2, 2)), [0, 0], Verdict.DEGENERATE),
    "x^2 y^2 on its axis": (polynomial((1, 2, 2)), [0, 3], Verdict.DEGENERATE),
    "Peano's (y - x^2)(y - 3x^2)": (polynomial((1, 0, 2), (-4, 2, 1), (3, 4, 0)), [0, 0], Verdict.DEGENERATE),
    "x^3": (power(3), [0], Verdict.SADDLE),
    "x^4": (power(4), [0], Verdict.DEGENERATE),
    "x^4 where its slope underflows": (power(4), [1e-110], Verdict.DEGENERATE),
    "plateau": (single(lambda x: 3.0, lambda x: 0.0, lambda x: 0.0), [2], Verdict.DEGENERATE),
    "underflown exp(-x)": (exponential(), [800], Verdict.DEGENERATE),
}
NOT_STATIONARY = {
    "x^4 at 1e-3": (power(4), [1e-3]),
    "x^4 at 1e-80": (power(4), [1e-80]),
    "x^3 at 1e-5": (power(3), [-1e-5]),
    "exp(-x) far out": (exponential(), [700]),
    "exp(-x) among subnormals": (exponential(), [740]),
    "1/x far out": (single(lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3), [1e20]),
    "1/x where its slope underflows": (single(lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3), [1e200]),
    "a bowl of scale 1e-300": (quadratic(np.diag([1e-300, 2e-300])), [1, 0]),
    "a bowl of scale 1e300": (quadratic(np.diag([1e300, 2e300])), [1e-4, 0]),
    "Rosenbrock nearby": (rosenbrock(), [1 + 1e-11, 1]),
    "a straight line": (single(lambda x: 1e-200 * x, lambda x: 1e-200, lambda x: 0.0), [0]),
    "a flat direction with a slope": (quadratic(np.diag([1.0, 1e-9]), [0, 1]), [0, 0]),
}
CONTRADICTORY = {
    "|x|, slope 0": (single(abs, np.sign, lambda x: 0.0), [0]),
    "|x|, slope -1": (single(abs, lambda x: 1.0 if x > 0 else -1.0, lambda x: 0.0), [0]),
    "|x| + x^2": (single(lambda x: abs(x) + x * x, lambda x: np.sign(x) + 2 * x, lambda x: 2.0), [0]),
    "-|x| + x^2": (single(lambda x: x * x - abs(x), lambda x: 2 * x - np.sign(x), lambda x: 2.0), [0]),
    "|y| + x^2 in 9 variables": (
        Landscape(
            9,
            lambda x: np.sum(x**2) + abs(x[4]),
            lambda x: 2 * x + np.sign(x) * (np.arange(9) == 4),
            lambda x: 2 * np.eye(9),
        ),
        np.zeros(9),
    ),
    "x^2 left, -x^2 right": (
        single(
            lambda x: np.where(x > 0, -1, 1) * x * x,
            lambda x: np.where(x > 0, -2, 2) * x,
            lambda x: -2.0 if x > 0 else 2.0,
        ),
        [0],
    ),
    "a gradient of the wrong sign": (Landscape(2, lambda x: -x @ x, lambda x: 2 * x, lambda x: 2 * np.eye(2)), [0, 0]),
    "a gradient of the wrong sign, on a slope": (
        Landscape(2, lambda x: -x @ x, lambda x: 2 * x, lambda x: 2 * np.eye(2)),
        [1, 2],
    ),
    "a Hessian that is not the gradient's": (
        Landscape(2, lambda x: -x @ x, lambda x: -2 * x, lambda x: 2 * np.eye(2)),
        [0, 0],
    ),
    "the edge of a cliff": (below(0.0, -1.0), [0.0]),
}
STRICT = {
    "bowl": (quadratic(BASIC), np.zeros(3)),
    "bowl, shifted": (quadratic(BASIC, [1e8, 1 / 3, -7]), [1e8, 1 / 3, -7]),
    "bowl of unequal units": (quadratic(np.diag(10.0 ** np.arange(-8, 9))), np.zeros(17)),
    "bowl of scale 1e-300": (quadratic(1e-300 * BASIC), np.zeros(3)),
    "bowl of scale 1e300": (quadratic(1e300 * BASIC), np.zeros(3)),
    "Rosenbrock": (rosenbrock(), [1, 1]),
    "Rosenbrock, next double": (rosenbrock(), [np.nextafter(1, 2), 1]),
    "rounding at the origin": (single(lambda x: (x + 1) ** 2 - 2 * x, lambda x: 2 * (x + 1) - 2, lambda x: 2.0), [0]),
    "rounding next to the origin": (
        single(lambda x: (x + 1) ** 2 - 2 * x, lambda x: 2 * (x + 1) - 2, lambda x: 2.0), [2e-16]
    ),
    "a cosine": (single(lambda x: -np.cos(x), np.sin, np.cos), [2 * np.pi]),
    "a well in a hill": (single(lambda x: x**2 - x**4, lambda x: 2 * x - 4 * x**3, lambda x: 2 - 12 * x**2), [0]),
    "a barrier lower than rounding": (
        single(lambda x: 1 + 1e-9 * x**2 + x**3, lambda x: 2e-9 * x + 3 * x**2, lambda x: 2e-9 + 6 * x), [0]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATIONARY)
def test_the_zoo_of_what_is_no_strict_minimum(name):
    function, at, expected = STATIONARY[name]
    assert verdict(function, at) is expected


@pytest.mark.parametrize("name", NOT_STATIONARY)
def test_a_small_slope_is_a_slope(name):
    function, at = NOT_STATIONARY[name]
    assert verdict(function, at) is Verdict.NOT_STATIONARY


@pytest.mark.parametrize("name", CONTRADICTORY)
def test_derivatives_that_f_contradicts_decide_nothing(name):
    function, at = CONTRADICTORY[name]
    allowed = {Verdict.INCONCLUSIVE, Verdict.NOT_STATIONARY}
    if name == "x^2 left, -x^2 right":
        allowed.add(Verdict.SADDLE)  # a lower value is exhibited
    if name.startswith("|"):  # true minima at a kink, where slopes and values around it say so
        allowed |= {Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM}
    assert verdict(function, at) in allowed
    assert verdict(function, at, dense=0) in allowed


@pytest.mark.parametrize("name", STRICT)
def test_strict_minima_are_seen(name):
    function, at = STRICT[name]
    for seed in range(20):
        assert verdict(function, at, rng=seed) is Verdict.STRICT_LOCAL_MINIMUM


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", STATIONARY)
def test_by_products_alone_nothing_becomes_a_minimum(name, seed):
    function, at, expected = STATIONARY[name]
    found = verdict(function, at, dense=0, rng=seed)
    assert found not in MINIMA
    if expected is Verdict.SADDLE:
        assert found in {Verdict.SADDLE, Verdict.DEGENERATE}


@pytest.mark.parametrize("n", [2, 3, 10, 50, 300])
def test_one_negative_curvature_among_many(n):
    rng = np.random.default_rng(n)
    for fall in (-1.0, -1e-3, -1e-6):
        Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
        H = (Q * np.append(fall, np.exp(rng.uniform(0, 4, n - 1)))) @ Q.T
        function = quadratic((H + H.T) / 2)
        certificate = judge_point(function, np.zeros(n))
        assert certificate.verdict is Verdict.SADDLE
        assert certificate.evidence["negative"] == 1
        assert certificate.evidence["positive"] == n - 1
        lower = np.array(certificate.evidence["lower_at"])
        assert function.value(lower) == certificate.evidence["lower_value"] < 0


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("fall", [-1.0, -1e-2, -1e-4])
def test_one_negative_curvature_among_2000_by_products_only(fall, seed):
    function, hidden = one_fall_in(2000, fall, seed=seed)
    certificate = judge_point(function, np.zeros(2000), rng=seed)
    assert certificate.verdict is Verdict.SADDLE
    assert function.value(np.array(certificate.evidence["lower_at"])) < 0
    assert abs(np.array(certificate.evidence["escape_direction"]) @ hidden) > 0.9


def test_2000_variables_that_rise():
    function, _ = one_fall_in(2000, fall=1.0)
    certificate = judge_point(function, np.zeros(2000))
    assert certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    assert any("wrong with probability 1e-10" in line for line in certificate.lines)
    assert function.hessians == 0


def test_an_ill_conditioned_bowl_by_products_is_claimed_no_firmer_than_it_is_known():
    function, _ = one_fall_in(2000, fall=1e-4, largest=1e6)
    assert verdict(function, np.zeros(2000)) in {Verdict.LOCAL_MINIMUM, Verdict.INCONCLUSIVE}


def lower_envelope(seed):
    """The lower of two quadratics that meet at a point where the first has its minimum and the second a slope."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    at = rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4) * rng.integers(0, 2)
    level, slope = rng.choice([0.0, 1.0, 1e4]), rng.standard_normal(n) * 10.0 ** rng.uniform(-3, 2)
    first, second = (np.diag(np.exp(rng.uniform(-2, 2, n))) for _ in range(2))

    def bowl(x):
        return (x - at) @ first @ (x - at) / 2 + level

    def slide(x):
        return (x - at) @ second @ (x - at) / 2 + slope @ (x - at) + level

    return at, Landscape(
        n,
        lambda x: min(bowl(x), slide(x)),
        lambda x: first @ (x - at) if bowl(x) <= slide(x) else second @ (x - at) + slope,
        lambda x: first if bowl(x) <= slide(x) else second,
    )


@pytest.mark.parametrize("dense", [0, 1000])
@pytest.mark.parametrize("seed", range(60))
def test_an_edge_that_derivatives_do_not_show_is_no_minimum(seed, dense):
    at, function = lower_envelope(seed)
    assert verdict(function, at, dense=dense, rng=seed) not in MINIMA


def test_a_jump_next_to_a_minimum_is_seen():
    for jump in (1e-3, 1.0):
        cliff = single(lambda x, jump=jump: (x - 0.7) ** 2 - jump * (x < 0.7), lambda x: 2 * (x - 0.7), lambda x: 2.0)
        assert verdict(cliff, [0.7]) not in MINIMA


# -- laws --------------------------------------------------------------------------------------------------------------

KINDS = {
    Verdict.STRICT_LOCAL_MINIMUM: (1, 1, 1, 1),
    Verdict.SADDLE: (1, 1, -1, 1),
    Verdict.LOCAL_MAXIMUM: (-1, -1, -1, -1),
}


def curved(signs, at):
    """Curvature of given signs in rotated variables, with cubic and quartic terms, stationary at a point."""
    rng = np.random.default_rng(7)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    H = (Q * (np.array(signs) * [1.0, 2.0, 5.0, 30.0])) @ Q.T
    return Landscape(
        4,
        lambda x: (x - at) @ H @ (x - at) / 2 + np.sum((x - at) ** 3) / 3 + np.sum((x - at) ** 4) / 4,
        lambda x: H @ (x - at) + (x - at) ** 2 + (x - at) ** 3,
        lambda x: H + np.diag(2 * (x - at) + 3 * (x - at) ** 2),
    )


@example(Verdict.LOCAL_MAXIMUM, 1732, 3.0, 1e4)  # a valley 2,000 away shows before the curvature here
@given(
    kind=st.sampled_from(sorted(KINDS, key=lambda kind: kind.value)),
    seed=st.integers(0, 2**32 - 1),
    condition=st.floats(0, 3),
    shift=st.sampled_from([0.0, 1.0, 1e4]),
)
@settings(max_examples=80, deadline=None)
def test_an_affine_change_of_variables_keeps_the_verdict(kind, seed, condition, shift):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((4, 4)))[0] for _ in range(2))
    A = (U * np.exp(np.log(10) * condition * rng.uniform(-1, 1, 4))) @ V
    function = moved(curved(KINDS[kind], np.zeros(4)), A, np.zeros(4) + shift * (A @ np.ones(4)))
    found = verdict(function, -shift * np.ones(4))
    assert found is kind or (condition > 1.5 and found in {Verdict.DEGENERATE, Verdict.INCONCLUSIVE})


@given(
    kind=st.sampled_from(sorted(KINDS, key=lambda kind: kind.value)),
    times=st.floats(-250, 250),
    plus=st.sampled_from([0.0, -1.0, 1e6]),
    units=st.lists(st.floats(-8, 8), min_size=4, max_size=4),
    order=st.permutations(range(4)),
)
@settings(max_examples=120, deadline=None)
def test_units_shifts_and_permutations_keep_the_verdict(kind, times, plus, units, order):
    at = np.array([1.0, -2.0, 0.0, 1e3])
    D = 10.0 ** np.array(units)
    A = np.eye(4)[list(order)] * D
    y = (at @ np.eye(4)[list(order)]) / D
    function = moved(curved(KINDS[kind], at), A, times=10.0**times, plus=plus * 10.0**times)
    assert verdict(function, y) is kind


@given(
    offset=st.floats(-7, 0), seed=st.integers(0, 2**32 - 1), units=st.lists(st.floats(-8, 8), min_size=4, max_size=4)
)
@settings(max_examples=80, deadline=None)
def test_next_to_a_minimum_is_not_at_a_minimum(offset, seed, units):
    at, D = np.array([1.0, -2.0, 0.5, 3.0]), 10.0 ** np.array(units)
    function = moved(curved((1, 1, 1, 1), at), np.diag(D))
    away = np.random.default_rng(seed).standard_normal(4)
    assert verdict(function, (at + 10.0**offset * away / np.linalg.norm(away)) / D) is Verdict.NOT_STATIONARY


@given(small=st.floats(-18, -8), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_curvature_within_rounding_is_neither_sign(small, seed):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    for sign in (1, -1):
        H = (Q * np.array([sign * 10.0**small, 1, 2, 3, 4, 5])) @ Q.T
        found = verdict(quadratic((H + H.T) / 2), np.zeros(6))
        smallest = np.linalg.eigvalsh(H)[0]
        if found in MINIMA:
            assert smallest > 1e-15
        if found is Verdict.SADDLE:
            assert smallest < -1e-16
        assert small < -13 or found is (Verdict.STRICT_LOCAL_MINIMUM if sign > 0 else Verdict.SADDLE)


# -- rounding, noise, single precision ---------------------------------------------------------------------------------


def test_evidence_states_the_floor_and_the_gradient():
    evidence = judge_point(rosenbrock(), np.array([1 + 1e-9, 1])).evidence
    assert abs(evidence["worst_slope"]) > evidence["worst_floor"] > 0
    assert evidence["gradient_norm"] > evidence["gradient_floor"]
    np.testing.assert_allclose(evidence["gradient"], rosenbrock().see(np.array([1 + 1e-9, 1]))[1])
    assert evidence["lower_value"] < evidence["value"]


@pytest.mark.parametrize("seed", range(20))
def test_noise_in_f_is_never_mistaken_for_a_minimum(seed):
    rng = np.random.default_rng(seed)
    function = Landscape(
        2,
        lambda x: x @ (np.diag([1, -1e-4]) @ x) / 2 + 1e-3 * rng.standard_normal(),
        lambda x: np.diag([1, -1e-4]) @ x + 1e-3 * rng.standard_normal(2),
        lambda x: np.diag([1, -1e-4]) + 1e-3 * np.diag(rng.standard_normal(2)),
    )
    assert verdict(function, [0, 0]) not in MINIMA


def test_noise_in_the_gradient_is_its_floor():
    def shaken(size):
        rng = np.random.default_rng(5)
        return Landscape(2, lambda x: x @ x / 2, lambda x: x + size * rng.standard_normal(2), lambda x: np.eye(2))

    x = np.array([1e-6, -1e-6])
    evidence = judge_point(shaken(1e-5), x).evidence
    assert np.all(np.array(evidence["noise"]) > 1e-6)
    assert judge_point(shaken(1e-5), x).verdict is not Verdict.NOT_STATIONARY
    assert judge_point(shaken(1e-9), x).verdict is Verdict.NOT_STATIONARY


def single_precision(base):
    def rounded(y):
        return np.asarray(y, dtype=np.float32)

    return Landscape(
        base.size,
        lambda x: base.value(rounded(x)),
        lambda x: rounded(base.see(rounded(x))[1]),
        lambda x: rounded(base.hessian(rounded(x))),
        roundoff=2.0**-24,
    )


def test_single_precision_has_a_higher_floor():
    bowl = single_precision(quadratic(np.diag([np.float32(1), np.float32(3)]), np.float32([1, 0.3])))
    near = [1 + 3e-8, np.float32(0.3)]
    assert verdict(bowl, near) in MINIMA
    assert verdict(quadratic(np.diag([1, 3]), np.float32([1, 0.3])), near) is Verdict.NOT_STATIONARY
    assert verdict(bowl, [1 + 1e-5, 0.3]) is Verdict.NOT_STATIONARY
    flat = single_precision(quadratic(np.array([[1, 1], [1, 1 - 1e-8]]), [0, 0]))
    assert verdict(flat, [0, 0]) is Verdict.DEGENERATE


def test_differences_of_f_support_weaker_words():
    bowl = Differenced(2, lambda x: (x[0] - 1) ** 2 + 3 * (x[1] - 0.3) ** 2 + 1)
    assert verdict(bowl, [1, 0.3]) is Verdict.LOCAL_MINIMUM
    assert verdict(bowl, [1.001, 0.3]) is Verdict.NOT_STATIONARY
    saddle = Differenced(2, lambda x: (x[0] - 1) ** 2 - 3 * (x[1] - 0.3) ** 2 + 1)
    assert verdict(saddle, [1, 0.3]) is Verdict.SADDLE
    assert verdict(Differenced(2, lambda x: x[0] ** 2 - 1e-6 * x[1] ** 2), [0, 0]) not in MINIMA
    assert verdict(Differenced(2, lambda x: x[0] ** 2 + x[1] ** 4), [0, 0]) is Verdict.INCONCLUSIVE


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_a_bound_that_holds_with_a_multiplier():
    certificate = judge_point(quadratic(np.eye(2), [-1, 2]), np.array([0.0, 2.0]), bounds=(0, 5))
    assert certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    assert certificate.evidence["multipliers"] == [1.0, 0.0]
    assert judge_point(quadratic(np.eye(2), [1, 2]), np.array([0.0, 2.0]), bounds=(0, 5)).verdict is (
        Verdict.NOT_STATIONARY
    )


def test_bounds_that_hold_everything():
    corner = judge_point(quadratic(np.diag([1.0, -3.0]), [-1, -2]), np.array([0.0, 5.0]), bounds=(0, 5))
    assert corner.verdict is Verdict.STRICT_LOCAL_MINIMUM
    assert corner.evidence["multipliers"] == [1.0, 21.0]
    upper = judge_point(quadratic(-np.eye(2)), np.array([0.0, 5.0]), bounds=(0, 5))
    assert upper.verdict is Verdict.SADDLE


def test_a_multiplier_that_rounding_hides_weakens_the_verdict():
    assert verdict(quadratic(np.eye(2), [0, 2]), [0, 2], bounds=(0, 5)) is Verdict.LOCAL_MINIMUM
    assert verdict(quadratic(np.diag([-1.0, 1.0]), [0, 2]), [0, 2], bounds=(0, 5)) is Verdict.SADDLE
    assert verdict(polynomial((1, 3, 0), (1, 0, 2)), [0, 0], bounds=(0, 5)) is Verdict.DEGENERATE


def test_curvature_counts_only_where_the_bounds_let_it():
    function = quadratic(np.diag([1.0, -1.0]), [0, -1])
    assert verdict(function, [0, 5], bounds=([-5, -5], 5)) is Verdict.STRICT_LOCAL_MINIMUM
    assert verdict(function, [0, -1], bounds=(-5, 5)) is Verdict.SADDLE


def test_nothing_outside_the_bounds_is_asked_for():
    asked = []

    def value(x):
        asked.append(x.copy())
        return np.sum(x**2 - np.log(x))

    function = Landscape(2, value, lambda x: 2 * x - 1 / x, lambda x: np.diag(2 + 1 / x**2))
    bounds = (np.array([0.8, 1e-3]), np.array([3.0, np.inf]))
    assert verdict(function, [0.8, np.sqrt(0.5)], bounds=bounds) is Verdict.STRICT_LOCAL_MINIMUM
    assert np.all(np.array(asked) >= bounds[0])
    assert np.all(np.array(asked) <= bounds[1])


def test_a_fixed_variable_does_not_move():
    assert verdict(quadratic(np.diag([1.0, -1.0])), [0, 3], bounds=([-1, 3], [1, 3])) is Verdict.STRICT_LOCAL_MINIMUM


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [[np.nan, 0], [np.inf, 0]])
def test_a_point_that_is_not_finite(point):
    assert verdict(quadratic(np.eye(2)), point) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "function",
    [
        single(lambda x: np.nan, lambda x: 0.0, lambda x: 1.0),
        single(lambda x: -np.inf, lambda x: 0.0, lambda x: 1.0),
        single(lambda x: 0.0, lambda x: np.inf, lambda x: 1.0),
        single(lambda x: abs(x) ** 1.5, lambda x: 1.5 * np.sign(x) * abs(x) ** 0.5, lambda x: np.inf),
    ],
)
def test_what_is_not_finite_is_inconclusive(function):
    assert verdict(function, [0]) is Verdict.INCONCLUSIVE
    assert verdict(function, [0], dense=0) is Verdict.INCONCLUSIVE


def test_curvature_of_all_sizes_at_once():
    for H in (
        [[1e300, 1e-300], [1e-300, 1e-300]],
        [[1e-300, 1e150], [1e150, 1e-300]],
        [[1e308, 1e308], [1e308, -1e308]],
    ):
        function = quadratic(np.array(H))
        for dense in (0, 1000):
            found = verdict(function, [0, 0], dense=dense)
            assert (
                found is Verdict.STRICT_LOCAL_MINIMUM
                if H[0][0] == 1e300 and dense
                else found not in {Verdict.LOCAL_MAXIMUM, Verdict.NOT_STATIONARY}
            )
            assert H[0][0] == 1e300 or found not in MINIMA


def test_products_that_overflow():
    function = Landscape(
        40,
        lambda x: x @ x,
        lambda x: 2 * x,
        product=lambda x, v: np.where(np.abs(v) < 1.5, 2 * v, np.inf) * (v[0] > -2),
    )
    assert verdict(function, np.zeros(40), dense=0) in MINIMA
    broken = Landscape(
        40, lambda x: x @ x, lambda x: 2 * x, product=lambda x, v: 2 * v if abs(v[0]) > 0.49 else np.nan * v
    )
    assert verdict(broken, np.zeros(40), dense=0) is Verdict.INCONCLUSIVE


def test_a_region_of_nan_beside_the_point():
    edge = single(
        lambda x: x * x if x >= 0 else np.nan,
        lambda x: 2 * x if x >= 0 else np.nan,
        lambda x: 2.0 if x >= 0 else np.nan,
    )
    assert verdict(edge, [0]) not in MINIMA


def test_wrong_points_and_bounds_are_said_in_sentences():
    with pytest.raises(ModelError, match="2 variables"):
        judge_point(quadratic(np.eye(2)), np.zeros(3))
    with pytest.raises(ModelError, match=r"outside its bounds: x\[1\] = 7"):
        judge_point(quadratic(np.eye(2)), np.array([0.0, 7.0]), bounds=(0, 5))
    with pytest.raises(ModelError, match=r"bounds of x\[0\] leave nothing"):
        judge_point(quadratic(np.eye(2)), np.zeros(2), bounds=([1, 0], [0, 1]))


@pytest.mark.parametrize("dense", [0, 1000])
def test_a_budget_gives_no_verdict_that_was_not_earned(dense):
    n, full = 30, None
    function, stages = quadratic(np.eye(n)), set()
    full = judge_point(function, np.zeros(n), dense=dense)
    assert full.verdict is Verdict.STRICT_LOCAL_MINIMUM
    for budget in range(full.evidence["evaluations"]):
        certificate = judge_point(function, np.zeros(n), budget=budget, dense=dense)
        assert certificate.verdict is Verdict.INCONCLUSIVE
        assert certificate.evidence["evaluations"] <= budget
        stages.add(certificate.claim.split("had seen ")[1])
    assert {"the gradient.", "the Hessian.", "the neighbourhood."} <= stages
    enough = judge_point(function, np.zeros(n), budget=full.evidence["evaluations"], dense=dense)
    assert enough.verdict is full.verdict


def test_the_upper_end_of_a_jump_is_no_minimum():
    """Its derivatives are those of a minimum, but a lower value lies as near as one likes, on one side."""
    jump = Landscape(
        2,
        lambda x: (x[0] ** 2 if x[0] > 0 else 1 + x[0] ** 2) + (x[1] - 1) ** 2,
        lambda x: [2 * x[0], 2 * (x[1] - 1)],
        lambda x: 2 * np.eye(2),
    )
    found = judge_point(jump, np.array([0.0, 1.0]))
    assert found.verdict is Verdict.INCONCLUSIVE and "jumps" in found.claim
    assert found.evidence["contradiction"]  # that it jumps, or shakes


def test_a_point_beside_a_valley_is_no_saddle_because_of_rounding():
    """x^2 y^2 is flat along both axes; at y = 1e-17, which came from 0.7, the Hessian is indefinite by nothing."""
    crossing = polynomial((1.0, 2, 2))
    found = judge_point(crossing, np.array([0.7, 1.3e-17]), span=np.array([1.0, 0.7]))
    assert found.verdict not in (Verdict.SADDLE, Verdict.STRICT_LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM)


def test_a_tolerance_that_reaches_far_away_names_no_minimum_there():
    bowl = quadratic(2 * np.eye(2), at=[3.0, 4.0])
    near = judge_point(bowl, np.array([3.001, 4.0]), tolerance=1.0)
    assert near.verdict is Verdict.STRICT_LOCAL_MINIMUM and "away" in near.claim
    far = judge_point(bowl, np.zeros(2), tolerance=100.0)
    assert far.verdict is Verdict.NOT_STATIONARY
