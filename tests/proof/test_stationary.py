"""Proofs about points: first what would make one false, then how far they reach."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ModelError
from surefoot.problem.box import Box
from surefoot.problem.from_text import real_graph_of_text
from surefoot.problem.typed import typed_function
from surefoot.proof.certificate import Certificate, Curvature, Rigour, Verdict
from surefoot.proof.curvature_finding import Finding
from surefoot.proof.stationary import certify

V = Verdict
MINIMA = {V.STRICT_LOCAL_MINIMUM, V.LOCAL_MINIMUM, V.GLOBAL_MINIMUM, V.UNIQUE_GLOBAL_MINIMUM}


def certified(text, at, bounds=None, **options):
    typed = typed_function(text, at)
    graph = real_graph_of_text(typed.node, typed.names)
    box = None if bounds is None else Box.of(bounds, typed.names)
    certificate = certify(graph, typed.start, box, **options)
    json.dumps(certificate.to_json(), allow_nan=False)
    assert str(certificate)
    assert (certificate.rigour is Rigour.PROVEN) == (certificate.verdict is not V.INCONCLUSIVE)
    return certificate


def argument(certificate):
    return certificate.evidence["argument"]


KNOWN = {
    "bowl": ("x^2 + y^2", "x=1e-9, y=0", V.GLOBAL_MINIMUM),
    "bowl of unequal units": ("1e16*x^2 + 1e-16*y^2", "x=0, y=0", V.GLOBAL_MINIMUM),
    "Rosenbrock": ("100*(y - x^2)^2 + (1 - x)^2", "x=0.99999999, y=0.99999998", V.GLOBAL_MINIMUM),
    "two exponentials": ("exp(x) + exp(-x)", "x=1e-6", V.STRICT_LOCAL_MINIMUM),
    "a root of two": ("(x^2 - 2)^2", "x=1.41421356", V.STRICT_LOCAL_MINIMUM),
    "its maximum": ("(x^2 - 2)^2", "x=0", V.LOCAL_MAXIMUM),
    "Himmelblau": ("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "x=-2.805118, y=3.131313", V.STRICT_LOCAL_MINIMUM),
    "Himmelblau's maximum": ("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "x=-0.270845, y=-0.923039", V.LOCAL_MAXIMUM),
    "Himmelblau's saddle": ("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "x=0.086677, y=2.884255", V.SADDLE),
    "saddle": ("x^2 - y^2", "x=0, y=0", V.SADDLE),
    "xy": ("x*y", "x=0, y=0", V.SADDLE),
    "saddle of 1e-12": ("(x + y)^2 - 1e-12*(x - y)^2", "x=0, y=0", V.SADDLE),
    "saddle of 1e-12, moved": ("(x + y - 1/3)^2 - 1e-12*(x - y)^2", "x=0.16666667, y=0.16666666", V.SADDLE),
    "minimum of 1e-12": ("(x + y - 1/3)^2 + 1e-12*(x - y)^2 - 7", "x=0.1666667, y=0.1666667", V.GLOBAL_MINIMUM),
    "maximum far away": ("-(x - 1e8)^2 - (y + 1e8)^2", "x=1e8, y=-1e8", V.LOCAL_MAXIMUM),
    "maximum far away, cosine": ("cos(x - 1e8/3)", "x=33333333.33", V.LOCAL_MAXIMUM),
    "x^3": ("x^3", "x=0", V.DEGENERATE),
    "-x^4": ("-x^4", "x=1e-5", V.DEGENERATE),
    "x^4": ("x^4", "x=1e-5", V.GLOBAL_MINIMUM),
    "x^4 + y^4": ("x^4 + y^4", "x=0, y=0", V.GLOBAL_MINIMUM),
    "x^4 - 1 by expansion": ("x^4 + x^6 - y^6*0 + y^2 - 1", "x=0, y=0", V.GLOBAL_MINIMUM),
    "x^2 y^2": ("x^2*y^2", "x=0, y=0", V.GLOBAL_MINIMUM),
    "monkey saddle": ("x^3 - 3*x*y^2", "x=0, y=0", V.DEGENERATE),
    "x^2 - y^4": ("x^2 - y^4", "x=0, y=0", V.DEGENERATE),
    "x^2 + y^3": ("x^2 + y^3", "x=0, y=0", V.DEGENERATE),
    "-x^2 + y^4": ("-x^2 + y^4", "x=0, y=0", V.DEGENERATE),
    "ridge": ("-(x + y)^2", "x=0.5, y=-0.5", V.DEGENERATE),
    "valley": ("(x + y)^2", "x=0.5, y=-0.5", V.GLOBAL_MINIMUM),
    "Peano": ("(y - x^2)*(y - 3*x^2)", "x=0, y=0", V.DEGENERATE),
    "plateau": ("x*0 + 3", "x=2", V.GLOBAL_MINIMUM),
    "abs": ("abs(x - 1) + abs(y)", "x=1, y=0", V.GLOBAL_MINIMUM),
    "a kink above": ("max(x, -2*x) + 1", "x=0", V.INCONCLUSIVE),
    "a kink with a flat side": ("max(x, 0)", "x=0", V.GLOBAL_MINIMUM),
    "a hole far away": ("where(x > 100, -1, x^2)", "x=0", V.STRICT_LOCAL_MINIMUM),
    "slope": ("x^2 + y^2", "x=0.1, y=0", V.NOT_STATIONARY),
    "a tiny slope": ("1e-12*x^2 + y^2", "x=5, y=0", V.NOT_STATIONARY),
    "entropy": ("x*log(x)", "x=0.36787944", V.STRICT_LOCAL_MINIMUM),
    "barrier": ("x - log(x)", "x=1", V.STRICT_LOCAL_MINIMUM),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_points_of_known_functions(name):
    text, at, expected = KNOWN[name]
    certificate = certified(text, at)
    assert certificate.verdict is expected, str(certificate)


WITHIN = {
    "a corner": ("x + y", "x=0, y=0", [(0, 1), (0, 1)], V.GLOBAL_MINIMUM),
    "a wrong corner": ("x + y", "x=0, y=1", [(0, 1), (0, 1)], V.NOT_STATIONARY),
    "an edge": ("x + (y - 1/3)^2 - 1", "x=0, y=0.33333333", [(0, 1), (0, 1)], V.GLOBAL_MINIMUM),
    "an edge, no square": ("x + exp(y) - 2*y", "x=0, y=0.69314718", [(0, 1), (0, 1)], V.STRICT_LOCAL_MINIMUM),
    "an edge with a saddle on it": ("x - y^2 + z^2", "x=0, y=0, z=0", [(0, 1), (-1, 1), (-1, 1)], V.SADDLE),
    "an edge with a maximum on it": ("x - y^2", "x=0, y=0", [(0, 1), (-1, 1)], V.SADDLE),
    "an upper edge": ("-x + y^2 + 2", "x=1, y=0", [(0, 1), (-1, 1)], V.GLOBAL_MINIMUM),
    "multiplier zero": ("x^2 + y", "x=0, y=0", [(0, 1), (0, 1)], V.GLOBAL_MINIMUM),
    "multiplier zero, no square": ("cos(x)*-1 + y - x^2/4", "x=0, y=0", [(0, 1), (0, 1)], V.STRICT_LOCAL_MINIMUM),
    "multiplier zero, downward": ("y - x^2", "x=0, y=0", [(0, 1), (0, 1)], V.INCONCLUSIVE),
    "multiplier of 1e-12": ("1e-12*x + y^2 + 1", "x=0, y=0", [(0, 1), (-1, 1)], V.GLOBAL_MINIMUM),
    "a cube on one side": ("x^3", "x=0", [(0, 1)], V.GLOBAL_MINIMUM),
    "a root": ("sqrt(x)", "x=0", [(0, 1)], V.GLOBAL_MINIMUM),
    "fixed": ("x^2 + (y - x)^2 - 5", "x=2, y=2", [(2, 2), (-9, 9)], V.GLOBAL_MINIMUM),
    "all fixed": ("x^2", "x=2", [(2, 2)], V.GLOBAL_MINIMUM),
    "nearly at a bound": ("x + y^2 - 1", "x=1e-17, y=0", [(1e-17, 1), (-1, 1)], V.STRICT_LOCAL_MINIMUM),
    "inside": ("(x - 1/3)^2*exp(x)", "x=0.33333333", [(0, 1)], V.GLOBAL_MINIMUM),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHIN)
def test_points_within_bounds(name):
    text, at, bounds, expected = WITHIN[name]
    certificate = certified(text, at, bounds)
    assert certificate.verdict is expected, str(certificate)


NOT_CLAIMED = {
    "a branch that ends at the point": ("where(x <= 0, x^2, -x)", "x=0", MINIMA | {V.SADDLE, V.LOCAL_MAXIMUM}),
    "a branch that ends next to it": ("where(x <= 1e-300, x^2, -x)", "x=0", MINIMA | {V.NOT_STATIONARY}),
    "a jump of 1e-9": ("x^2 - where(x > 0, 1e-9, 0)", "x=0", MINIMA),
    "a peak": ("-abs(x)", "x=0", MINIMA | {V.SADDLE}),
    "a kink and a curve": ("x^2 - 1e-9*abs(x)", "x=0", MINIMA | {V.SADDLE}),
    "a floor": ("floor(x) + x^2", "x=0", MINIMA),
    "exp(-x)": ("exp(-x)", "x=800", MINIMA),
    "Peano": ("(y - x^2)*(y - 3*x^2)", "x=0, y=0", MINIMA),
    "-x^8": ("-x^8", "x=1e-3", MINIMA | {V.SADDLE}),
    "an underflowing slope": ("x^3*1e-300", "x=1e-9", MINIMA | {V.SADDLE, V.LOCAL_MAXIMUM}),
    "cancellation": ("(1 + x^2) - 1 - 2*x^2", "x=0", MINIMA),
    "cancellation far away": ("(x - 1e8)^2 - 1.0000000001*(x - 1e8)^2", "x=1e8", MINIMA),
    "the end of the domain": ("-sqrt(x)", "x=0", MINIMA),
    "a pole": ("1/x", "x=1e-300", MINIMA | {V.LOCAL_MAXIMUM}),
    "curvature below rounding": ("(x + y)^2 - 1e-30*(x - y)^2", "x=0, y=0", MINIMA),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_CLAIMED)
def test_what_is_not_true_is_not_proven(name):
    text, at, false = NOT_CLAIMED[name]
    certificate = certified(text, at)
    assert certificate.verdict not in false, str(certificate)


def test_a_multiplier_counts_at_the_true_point_not_at_the_double_next_to_it():
    """At the double next to y = 1/3 the slope in x is 1e-17, at 1/3 itself it is negative: no minimum."""
    text = "x*(1e-17 - (y - 0.3333333333333333)) + (3*y - 1)^2"
    certificate = certified(text, "x=0, y=0.3333333333333333", [(0, 1), (0, 1)])
    assert certificate.verdict not in MINIMA, str(certificate)


def test_the_value_is_that_of_the_true_point_not_of_the_double_next_to_it():
    found = argument(certified("1e30*(3*x - 1)^2", "x=0.3333333333"))
    assert found["value"][0] <= 0 <= found["value"][1]


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [("-abs(x)", "x=0", "abs"), ("-max(x, -2*x)", "x=0", "maximum"), ("-sqrt(x)", "x=0", "power"),
     ("cos(x + y)", "x=1.5, y=1.6415926535897931", "singular")],
)  # fmt: skip
def test_what_stopped_the_proof_is_said(text, at, says):
    certificate = certified(text, at)
    assert certificate.verdict is V.INCONCLUSIVE and says in certificate.claim, str(certificate)


def test_overflow_is_no_proof():
    for text, at in [("exp(1000*x^2)*0", "x=1"), ("exp(exp(x^2 + 10))", "x=0"), ("x^2*1e308*10", "x=1e200")]:
        assert certified(text, at).verdict not in (V.SADDLE, V.LOCAL_MAXIMUM)


FUNCTIONS = {"exp": arb.exp, "log": arb.log, "cos": arb.cos, "sin": arb.sin}


@pytest.fixture
def many_digits():
    """Arb with 200 bits."""
    before, ctx.prec = ctx.prec, 200
    yield
    ctx.prec = before


def in_arb(text, point):
    """The value of a text with its doubles, in Arb."""
    for literal in ("1e8/7", "1e8/3", "1/3"):
        text = text.replace(literal, f"arb({eval(literal)!r})")
    return eval(text.replace("^", "**").replace("1e-12", "arb(1e-12)"), FUNCTIONS | {"arb": arb} | point)


@pytest.mark.parametrize(
    ("text", "at", "root"),
    [("(x^2 - 2)^2", "x=1.414214", lambda: [arb(2).sqrt()]),
     ("exp(x) - 3*x", "x=1.0986", lambda: [arb(3).log()]),
     ("x*log(x)", "x=0.367879", lambda: [arb(-1).exp()]),
     ("(x^2 - 2)^2 + (y^2 - 3)^2", "x=1.41421, y=-1.73205", lambda: [arb(2).sqrt(), -arb(3).sqrt()]),
     ("(x - 1e8/7)^2 + cos(x - 1e8/7)", "x=14285714.2857143", lambda: [arb(1e8 / 7)])],
)  # fmt: skip
def test_bounds_on_the_distance_and_the_value_hold(text, at, root, many_digits):
    certificate = certified(text, at)
    found, typed, true = argument(certificate), typed_function(text, at), root()
    for middle, reach, one in zip(found["at"], found["reach"], true, strict=True):
        assert abs(arb(middle) - one) <= arb(reach) + arb(2) ** -150
    away = sum(((arb(a) - b) ** 2 for a, b in zip(typed.start.tolist(), true, strict=True)), arb(0)).sqrt()
    assert away <= arb(found["distance"]) + arb(2) ** -150
    assert found["distance"] <= float(away.mid()) * (1 + 1e-9) + 1e-13 * max(1, abs(typed.start[0]))
    value = in_arb(text, dict(zip(typed.names, true, strict=True)))
    assert value.overlaps(arb(0.5 * sum(found["value"]), 0.5 * (found["value"][1] - found["value"][0]) * (1 + 1e-9)))
    assert found["value"][1] - found["value"][0] <= 1e-13 * max(1, abs(float(value.mid())))


@pytest.mark.parametrize("name", [name for name, case in KNOWN.items() if case[2] in (V.SADDLE, V.LOCAL_MAXIMUM)])
def test_saddles_and_maxima_come_with_a_lower_point(name, many_digits):
    text, at, _ = KNOWN[name]
    found, typed = argument(certified(text, at)), typed_function(text, at)
    lower = found["lower_point"]
    assert lower["value"] < found["value"][0]
    value = in_arb(text, {n: arb(v) for n, v in zip(typed.names, lower["at"], strict=True)})
    assert value <= arb(lower["value"])


FALLING = {
    "exp(-x)": ("exp(-x)", "x=700", V.INFIMUM_NOT_ATTAINED),
    "exp(-x) underflown": ("exp(-x)", "x=800", V.INFIMUM_NOT_ATTAINED),
    "exp(-x) and a bowl": ("exp(-x) + y^2 - 3", "x=30, y=0", V.INFIMUM_NOT_ATTAINED),
    "separable": ("log1p(exp(-x)) + log1p(exp(-2*x - y)) + log1p(exp(y - 3*x))", "x=40, y=1", V.INFIMUM_NOT_ATTAINED),
    "arctan": ("atan(x)", "x=-1e8", V.INFIMUM_NOT_ATTAINED),
    "a line": ("3*x + y", "x=1, y=1", V.UNBOUNDED_BELOW),
    "a cube": ("x^3", "x=-10", V.UNBOUNDED_BELOW),
    "-exp(x)": ("-exp(x) + y^2", "x=1, y=0", V.UNBOUNDED_BELOW),
}  # fmt: skip


@pytest.mark.parametrize("name", FALLING)
def test_functions_that_fall_for_ever(name):
    text, at, expected = FALLING[name]
    certificate = certified(text, at)
    assert certificate.verdict is expected, str(certificate)


@pytest.mark.parametrize(
    ("text", "at", "bounds"),
    [("exp(-x) + exp(x)*1e-300", "x=340", None), ("exp(-x)", "x=5", [(0, 10)]), ("x*exp(-x)", "x=50", None),
     ("exp(-x) + 1e-9*x^2", "x=5", None), ("-exp(-x^2)", "x=3", None),
     ("x/(1 + x^2)", "x=-50", None), ("max(exp(-x), 1e-3)", "x=50", None), ("log(x)", "x=1", None)],
)  # fmt: skip
def test_functions_with_a_minimum_do_not_fall_for_ever(text, at, bounds):
    assert certified(text, at, bounds).verdict not in (V.UNBOUNDED_BELOW, V.INFIMUM_NOT_ATTAINED)


class TestConvexity:
    STRICT = Finding(Curvature.STRICTLY_CONVEX, ("It is.",))
    PLAIN = Finding(Curvature.CONVEX, ("It is.",))
    STRONG = Finding(Curvature.STRONGLY_CONVEX, ("It is.",), {}, Fraction(2))

    def test_a_minimum_of_a_convex_function_is_global_and_unique_if_strict(self):
        assert certified("exp(x) + exp(-x)", "x=0", curvature=self.PLAIN).verdict is V.UNIQUE_GLOBAL_MINIMUM
        assert certified("x^4 - 1", "x=0", curvature=self.PLAIN).verdict is V.GLOBAL_MINIMUM
        assert certified("x^4 - 1", "x=0", curvature=self.STRICT).verdict is V.UNIQUE_GLOBAL_MINIMUM

    def test_not_convex_and_numerical_findings_change_nothing(self):
        weak = [Certificate(Curvature.CONVEX, rigour, "c") for rigour in (Rigour.NUMERICAL, Rigour.ASSUMED)]
        for given_ in (*weak, Certificate(Curvature.NOT_CONVEX, Rigour.PROVEN, "c"), Finding(Curvature.CONCAVE)):
            assert certified("exp(x) + exp(-x)", "x=0", curvature=given_).verdict is V.STRICT_LOCAL_MINIMUM
        proven = Certificate(Curvature.CONVEX, Rigour.PROVEN, "c")
        assert certified("exp(x) + exp(-x)", "x=0", curvature=proven).verdict is V.UNIQUE_GLOBAL_MINIMUM

    def test_a_strongly_convex_kink_far_off_is_still_enclosed_by_its_slope(self):
        found = certified("x^2 + y^2 + max(x - 5, 0)*0.5 + abs(y + 3) - y", "x=1e-5, y=0", curvature=self.STRONG)
        assert found.verdict is V.UNIQUE_GLOBAL_MINIMUM
        assert argument(found)["distance"] >= 1e-5

    def test_a_saddle_stays_one(self):
        assert certified("x^2 - y^2", "x=0, y=0", curvature=self.PLAIN).verdict is V.SADDLE


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ModelError, match="shape"):
        certify(real_graph_of_text(typed_function("x^2", "x=1").node, ("x",)), np.zeros(2))
    with pytest.raises(ModelError, match="not finite"):
        certify(real_graph_of_text(typed_function("x^2", "x=1").node, ("x",)), np.array([np.nan]))
    with pytest.raises(ModelError, match="outside its bounds"):
        certified("x^2", "x=3", [(0, 1)])


def test_no_time_is_no_proof():
    certificate = certified("(x^2 - 2)^2*exp(x)", "x=1.41421356", seconds=-1.0)
    assert certificate.verdict in (V.INCONCLUSIVE, V.NOT_STATIONARY)


coefficients = st.lists(st.integers(-4, 4), min_size=6, max_size=6)


def root_in_arb(parts, shift, start):
    """Newton's steps in 300 bits on the gradient of the random function below, and the Hessian there."""
    a, b, c, d, e, g = parts
    x, y = (arb(value) for value in start)
    for _ in range(60):
        wave, bump = (x + shift * y).cos() / 10, g * (-(x**2) / 9).exp()
        turn = -(x + shift * y).sin() / 10
        slopes = (2 * a * x + b * y + d + wave - bump * 2 * x / 9, b * x + 2 * c * y + e + shift * wave)
        xx = 2 * a + turn + bump * (4 * x**2 / 81 - arb(2) / 9)
        xy, yy = b + shift * turn, 2 * c + shift**2 * turn
        det = xx * yy - xy**2
        if det.contains(0) or not (det.is_finite() and abs(x) < 1e3 and abs(y) < 1e3):
            return None
        steps = ((yy * slopes[0] - xy * slopes[1]) / det, (xx * slopes[1] - xy * slopes[0]) / det)
        if all(abs(step) < arb(2) ** -180 for step in steps):
            return x, y, (float(xx.mid()), float(xy.mid()), float(yy.mid()))
        x, y = ((value - step).mid() for value, step in zip((x, y), steps, strict=True))
    return None


@settings(max_examples=60, deadline=None)
@given(coefficients, st.integers(-3, 3), st.integers(0, 100))
def test_verdicts_on_random_functions_agree_with_many_digits(parts, shift, seed):
    """A stationary point that 90 digits find is enclosed, and has the signs that are claimed."""
    a, b, c, d, e, g = parts
    before, ctx.prec = ctx.prec, 300
    try:
        true = root_in_arb(parts, shift, np.random.default_rng(seed).uniform(-1, 1, 2))
        if true is None:
            return
        x, y, (xx, xy, yy) = true
        values = np.linalg.eigvalsh([[xx, xy], [xy, yy]])
        text = f"{a}*x^2 + {b}*x*y + {c}*y^2 + {d}*x + {e}*y + sin(x + {shift}*y)/10 + {g}*exp(-x^2/9)"
        certificate = certified(text, {"x": float(x.mid()), "y": float(y.mid())})
        if min(abs(values)) < 1e-6 * max(1.0, *abs(values)):
            return
        assert certificate.verdict not in (V.INCONCLUSIVE, V.NOT_STATIONARY), str(certificate)
        found = argument(certificate)
        assert found["negative"] == np.sum(values < 0), str(certificate)
        assert math.isfinite(found["distance"])
        for middle, reach, one in zip(found["at"], found["reach"], (x, y), strict=True):
            assert abs(arb(middle) - one) <= arb(reach) + arb(2) ** -150
    finally:
        ctx.prec = before
