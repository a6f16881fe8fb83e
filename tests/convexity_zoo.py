"""Functions whose curvature is known, each with where it comes from: half of them convex on their domain, half not.

Sources, by short name:

- BV: Boyd, Vandenberghe (2004), "Convex Optimization", Cambridge
- JY: Jamil, Yang (2013), "A literature survey of benchmark functions for global optimisation problems", Int. J. of
  Mathematical Modelling and Numerical Optimisation 4(2), by the function's name
- MGH: More, Garbow, Hillstrom (1981), "Testing unconstrained optimization software", ACM TOMS 7(1)
- HTF: Hastie, Tibshirani, Friedman (2009), "The Elements of Statistical Learning", 2nd ed., Springer
- MCN: McCullagh, Nelder (1989), "Generalized Linear Models", 2nd ed., Chapman and Hall
- HR: Huber, Ronchetti (2009), "Robust Statistics", 2nd ed., Wiley
- BARRON: Barron (2019), "A general and adaptive robust loss function", CVPR
- GBC: Goodfellow, Bengio, Courville (2016), "Deep Learning", MIT Press
- DCP: Grant, Boyd, Ye (2006), "Disciplined convex programming", in: Global Optimization, Springer
- calculus: by second derivatives on paper; made to catch a prover
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special
import numpy as np
from jax.scipy.stats import logistic, norm

RNG = np.random.default_rng(20)
A, B = RNG.standard_normal((20, 3)), RNG.standard_normal(20)
Y = np.where(RNG.standard_normal(20) > 0, 1.0, -1.0)
COUNTS = RNG.poisson(3.0, 20).astype(float)
CLASSES = RNG.integers(0, 3, 20)
ONE, TWO, THREE = np.array([0.3]), np.array([0.7, 0.4]), np.array([0.2, -0.5, 0.9])
POSITIVE = "x[0] > 0, x[1] > 0"


@dataclass(frozen=True)
class Case:
    """A function, a point that gives its shape, where it is considered, and whether it is convex there."""

    name: str
    f: Callable[[Any], Any]
    example: Any
    convex: bool
    source: str
    domain: Any = None
    cvxpy: Callable[[Any, Any], Any] | None = None


def _lying(f: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function with a derivative that is not its own."""
    lie = jax.custom_jvp(f)

    @lie.defjvp
    def _slope(points: Any, tangents: Any) -> Any:
        return lie(*points), jnp.sum(slope(points[0]) * tangents[0])

    return lie


def _scanned(x: Any) -> Any:
    return jax.lax.scan(lambda total, row: (total + (row @ x) ** 2, None), 0.0, A)[0]


def _cox(w: Any) -> Any:
    scores = A @ w
    return -jnp.sum(scores - jax.lax.cumlogsumexp(scores))


def _cox_at_risk(w: Any) -> Any:
    scores, at_risk = A @ w, B[None, :] >= B[:, None]
    return -jnp.sum(scores - special.logsumexp(jnp.where(at_risk, scores[None, :], -jnp.inf), axis=1))


def _cross_entropy(w: Any) -> Any:
    scores = A @ w
    return jnp.sum(special.logsumexp(scores, axis=1) - jnp.take_along_axis(scores, CLASSES[:, None], 1)[:, 0])


def _huber(r: Any, delta: float = 1.0) -> Any:
    return jnp.where(jnp.abs(r) <= delta, 0.5 * r**2, delta * (jnp.abs(r) - 0.5 * delta))


def _huber_clipped(r: Any, delta: float = 1.0) -> Any:
    near = jnp.minimum(jnp.abs(r), delta)
    return 0.5 * near**2 + delta * (jnp.abs(r) - near)


def _two_layers(w: Any) -> Any:
    return jnp.mean((jnp.tanh(A @ w[:3]) * w[3] - B) ** 2)


def _s(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of one number as one of a vector of one."""
    return lambda x: f(x[0])


CONVEX = [
    Case("x^2 + 2xy + 2y^2", lambda x: x[0] ** 2 + 2 * x[0] * x[1] + 2 * x[1] ** 2, TWO, True, "BV 3.1.4"),
    Case(
        "least squares",
        lambda w: jnp.sum((A @ w - B) ** 2),
        THREE,
        True,
        "BV 1.2.1",
        cvxpy=lambda cp, w: cp.sum_squares(A @ w - B),
    ),
    Case("least squares by a dot product", lambda w: (A @ w - B) @ (A @ w - B), THREE, True, "BV 1.2.1"),
    Case(
        "ridge",
        lambda w: jnp.mean((A @ w - B) ** 2) + 0.1 * jnp.sum(w * w),
        THREE,
        True,
        "HTF 3.4.1",
        cvxpy=lambda cp, w: cp.sum_squares(A @ w - B) / 20 + 0.1 * cp.sum_squares(w),
    ),
    Case(
        "lasso",
        lambda w: 0.5 * jnp.sum((A @ w - B) ** 2) + jnp.sum(jnp.abs(w)),
        THREE,
        True,
        "HTF 3.4.2",
        cvxpy=lambda cp, w: 0.5 * cp.sum_squares(A @ w - B) + cp.norm1(w),
    ),
    Case(
        "elastic net",
        lambda w: jnp.sum((A @ w - B) ** 2) + 0.3 * jnp.sum(jnp.abs(w)) + 0.2 * (w @ w),
        THREE,
        True,
        "HTF 3.4.3",
        cvxpy=lambda cp, w: cp.sum_squares(A @ w - B) + 0.3 * cp.norm1(w) + 0.2 * cp.sum_squares(w),
    ),
    Case(
        "logistic regression",
        lambda w: jnp.sum(jnp.log1p(jnp.exp(-Y * (A @ w)))),
        THREE,
        True,
        "BV 7.1.1",
        cvxpy=lambda cp, w: cp.sum(cp.logistic(cp.multiply(-Y, A @ w))),
    ),
    Case("logistic loss by softplus", lambda w: jnp.mean(jax.nn.softplus(-Y * (A @ w))), THREE, True, "HTF 4.4.1"),
    Case(
        "binary cross-entropy with logits",
        lambda w: jnp.mean(jnp.maximum(A @ w, 0) - (A @ w) * (Y > 0) + jnp.log1p(jnp.exp(-jnp.abs(A @ w)))),
        THREE,
        True,
        "GBC 6.2.2.2",
    ),
    Case("-log sigmoid", lambda w: -jnp.sum(jnp.log(jax.nn.sigmoid(Y * (A @ w)))), THREE, True, "GBC 6.2.2.2"),
    Case("-log_sigmoid", lambda w: -jnp.sum(jax.nn.log_sigmoid(Y * (A @ w))), THREE, True, "GBC 6.2.2.2"),
    Case("softmax cross-entropy", _cross_entropy, RNG.standard_normal((3, 3)), True, "HTF 4.4"),
    Case(
        "Poisson regression",
        lambda w: jnp.sum(jnp.exp(A @ w) - COUNTS * (A @ w)),
        THREE,
        True,
        "MCN 6.2",
        cvxpy=lambda cp, w: cp.sum(cp.exp(A @ w) - cp.multiply(COUNTS, A @ w)),
    ),
    Case(
        "gamma regression",
        lambda w: jnp.sum(jnp.exp(-(A @ w)) * (1 + COUNTS) + A @ w),
        THREE,
        True,
        "MCN 8.3",
        cvxpy=lambda cp, w: cp.sum(cp.multiply(1 + COUNTS, cp.exp(-(A @ w))) + A @ w),
    ),
    Case(
        "Huber regression",
        lambda w: jnp.sum(_huber(A @ w - B)),
        THREE,
        True,
        "HR 4.5",
        cvxpy=lambda cp, w: 0.5 * cp.sum(cp.huber(A @ w - B)),
    ),
    Case("Huber by clipping", lambda w: jnp.sum(_huber_clipped(A @ w - B)), THREE, True, "HR 4.5"),
    Case("pseudo-Huber", lambda w: jnp.sum(jnp.sqrt(1 + (A @ w - B) ** 2) - 1), THREE, True, "BARRON 1"),
    Case("log cosh", lambda w: jnp.sum(jnp.log(jnp.cosh(A @ w - B))), THREE, True, "calculus"),
    Case(
        "hinge with ridge",
        lambda w: jnp.sum(jnp.maximum(0, 1 - Y * (A @ w))) + 0.5 * (w @ w),
        THREE,
        True,
        "HTF 12.3.2",
        cvxpy=lambda cp, w: cp.sum(cp.pos(1 - cp.multiply(Y, A @ w))) + 0.5 * cp.sum_squares(w),
    ),
    Case(
        "squared hinge",
        lambda w: jnp.sum(jax.nn.relu(1 - Y * (A @ w)) ** 2),
        THREE,
        True,
        "HTF 12.3.2",
        cvxpy=lambda cp, w: cp.sum_squares(cp.pos(1 - cp.multiply(Y, A @ w))),
    ),
    Case("pinball", lambda w: jnp.sum(jnp.maximum(0.9 * (B - A @ w), -0.1 * (B - A @ w))), THREE, True, "HTF 10.6"),
    Case("probit", lambda w: -jnp.sum(norm.logcdf(Y * (A @ w))), THREE, True, "BV 3.5.2; MCN 4.3"),
    Case(
        "log-sum-exp by hand",
        lambda x: jnp.log(jnp.sum(jnp.exp(x))),
        THREE,
        True,
        "BV 3.1.5",
        cvxpy=lambda cp, x: cp.log_sum_exp(x),
    ),
    Case("log-sum-exp of affine", lambda x: special.logsumexp(A @ x + B), THREE, True, "BV 3.1.5"),
    Case(
        "log-sum-exp with any shift",
        lambda x: jnp.mean(x) + jnp.log(jnp.sum(jnp.exp(x - jnp.mean(x)))),
        THREE,
        True,
        "BV 3.1.5",
    ),
    Case("logaddexp", lambda x: jnp.logaddexp(x[0], 2 * x[1]), TWO, True, "BV 3.1.5"),
    Case("posynomial in logarithms", lambda x: jnp.sum(jnp.exp(A @ x) * jnp.exp(B)), THREE, True, "BV 4.5.3"),
    Case("sqrt(1 + x^2)", _s(lambda x: jnp.sqrt(1 + x * x)), ONE, True, "DCP 5"),
    Case(
        "Euclidean norm",
        lambda x: jnp.linalg.norm(A @ x - B),
        THREE,
        True,
        "BV 3.1.5",
        cvxpy=lambda cp, x: cp.norm(A @ x - B),
    ),
    Case("norm with a constant", lambda x: jnp.sqrt(jnp.sum((A @ x) ** 2) + 1e-6), THREE, True, "BV 3.1.5"),
    Case("4-norm", lambda x: jnp.sum(x**4) ** 0.25, THREE, True, "BV 3.1.5", cvxpy=lambda cp, x: cp.pnorm(x, 4)),
    Case("max of affine", lambda x: jnp.max(A @ x + B), THREE, True, "BV 3.2.3", cvxpy=lambda cp, x: cp.max(A @ x + B)),
    Case(
        "x^2/y",
        lambda x: x[0] ** 2 / x[1],
        TWO,
        True,
        "BV 3.1.5",
        "x[1] > 0",
        cvxpy=lambda cp, x: cp.quad_over_lin(x[0], x[1]),
    ),
    Case("perspective of exp", lambda x: x[1] * jnp.exp(x[0] / x[1]), TWO, True, "BV 3.2.6", "x[1] > 0"),
    Case(
        "negative entropy",
        lambda x: jnp.sum(x * jnp.log(x)),
        TWO,
        True,
        "BV 3.1.5",
        POSITIVE,
        cvxpy=lambda cp, x: -cp.sum(cp.entr(x)),
    ),
    Case("-entr", lambda x: -jnp.sum(special.entr(x)), TWO, True, "BV 3.1.5", [(0, None), (0, None)]),
    Case(
        "entropy with where at 0",
        lambda x: jnp.sum(jnp.where(x > 0, x * jnp.log(x), 0.0)),
        TWO,
        True,
        "BV 3.1.5",
        [(0, None), (0, None)],
    ),
    Case(
        "relative entropy",
        lambda x: x[0] * jnp.log(x[0] / x[1]),
        TWO,
        True,
        "BV 3.2.6",
        POSITIVE,
        cvxpy=lambda cp, x: cp.rel_entr(x[0], x[1]),
    ),
    Case(
        "Kullback-Leibler",
        lambda x: x[0] * jnp.log(x[0] / x[1]) - x[0] + x[1],
        TWO,
        True,
        "BV 3.2.6",
        POSITIVE,
        cvxpy=lambda cp, x: cp.kl_div(x[0], x[1]),
    ),
    Case(
        "log barrier",
        lambda x: -jnp.sum(jnp.log(x)),
        TWO,
        True,
        "BV 11.2",
        POSITIVE,
        cvxpy=lambda cp, x: -cp.sum(cp.log(x)),
    ),
    Case(
        "barrier of a polytope",
        lambda x: -jnp.sum(jnp.log(8 - A[:6] @ x)),
        THREE,
        True,
        "BV 11.2",
        [(-1, 1)] * 3,
        cvxpy=lambda cp, x: -cp.sum(cp.log(8 - A[:6] @ x)),
    ),
    Case("-sqrt(xy)", lambda x: -jnp.sqrt(x[0] * x[1]), TWO, True, "BV 3.1.5", POSITIVE),
    Case("1/x", _s(lambda x: 1 / x), ONE, True, "BV 3.1.5", "x[0] > 0", cvxpy=lambda cp, x: cp.inv_pos(x[0])),
    Case("x^1.5", _s(lambda x: x**1.5), ONE, True, "BV 3.1.5", [(0, None)], cvxpy=lambda cp, x: cp.power(x[0], 1.5)),
    Case("|x|^1.5", _s(lambda x: jnp.abs(x) ** 1.5), ONE, True, "BV 3.1.5"),
    Case("exp(x^2)", _s(lambda x: jnp.exp(x * x)), ONE, True, "BV 3.2.4", cvxpy=lambda cp, x: cp.exp(x[0] ** 2)),
    Case("-log cos", _s(lambda x: -jnp.log(jnp.cos(x))), ONE, True, "calculus", [(-1.5, 1.5)]),
    Case("log gamma", _s(jax.lax.lgamma), ONE, True, "BV exercise 3.52", "x[0] > 0"),
    Case("elu", _s(jax.nn.elu), ONE, True, "GBC 6.3.1; calculus"),
    Case("leaky relu", _s(lambda x: jnp.maximum(x, 0.1 * x)), ONE, True, "GBC 6.3.1"),
    Case("x^2 to 1, then its tangent", _s(lambda x: jnp.where(x > 1, 2 * x - 1, x**2)), ONE, True, "calculus"),
    Case("x stop_gradient(x)", _s(lambda x: x * jax.lax.stop_gradient(x)), ONE, True, "calculus"),
    Case("a parabola that lies about its slope", _s(_lying(lambda x: x * x, jnp.cos)), ONE, True, "calculus"),
    Case("2x^2 - x^2", _s(lambda x: 2 * x * x - x * x), ONE, True, "DCP 5"),
    Case("smallest eigenvalue 1e-12", lambda x: x[0] ** 2 + 1e-12 * x[1] ** 2, TWO, True, "calculus"),
    Case("(float32(0.1) - 0.1) x^2", _s(lambda x: (np.float64(np.float32(0.1)) - 0.1) * x**2), ONE, True, "calculus"),
    Case("scan over rows", _scanned, THREE, True, "BV 3.2.1"),
    Case(
        "vmap over rows",
        lambda w: jnp.sum(jax.vmap(lambda row, b: jax.nn.softplus(b * (row @ w)))(A, Y)),
        THREE,
        True,
        "BV 3.2.1",
    ),
    Case("jit inside", lambda w: jax.jit(lambda r: jnp.sum(r**2))(A @ w - B), THREE, True, "BV 3.2.1"),
    Case("Booth", lambda x: (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2, TWO, True, "JY"),
    Case("Matyas", lambda x: 0.26 * (x[0] ** 2 + x[1] ** 2) - 0.48 * x[0] * x[1], TWO, True, "JY"),
    Case("Chung-Reynolds", lambda x: jnp.sum(x**2) ** 2, THREE, True, "JY"),
    Case("Schwefel 1.2", lambda x: jnp.sum(jnp.cumsum(x) ** 2), THREE, True, "JY"),
    Case("Schwefel 2.21", lambda x: jnp.max(jnp.abs(x)), THREE, True, "JY"),
    Case(
        "Powell singular",
        lambda x: (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4,
        np.array([3.0, -1.0, 0.0, 1.0]),
        True,
        "MGH 13",
    ),
    Case(
        "Zakharov",
        lambda x: jnp.sum(x**2) + (x @ np.arange(1, 4) / 2) ** 2 + (x @ np.arange(1, 4) / 2) ** 4,
        THREE,
        True,
        "JY",
    ),
    Case(
        "McCormick where x + y is in [-3, 0]",
        lambda x: jnp.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0],
        TWO,
        True,
        "JY",
        [(-1.5, 0), (-1.5, 0)],
    ),
    Case(
        "-exp(-|x|^2/2) near its top",
        lambda x: -jnp.exp(-0.5 * jnp.sum(x**2)),
        TWO,
        True,
        "JY",
        [(-0.7, 0.7), (-0.7, 0.7)],
    ),
    Case("x^3 on x >= 0", _s(lambda x: x**3), ONE, True, "BV 3.1.5", [(0, None)]),
    Case("x^2 + y^2 + sin(x + y)", lambda x: x @ x + jnp.sin(x[0] + x[1]), TWO, True, "calculus"),
    Case("minus a harmonic mean", lambda x: -x[0] * x[1] / (x[0] + x[1]), TWO, True, "BV 3.1.5; calculus", POSITIVE),
    Case(
        "entropy of mixing",
        lambda x: jnp.sum(x * jnp.log(x)) - (x[0] + x[1]) * jnp.log(x[0] + x[1]),
        TWO,
        True,
        "BV 3.2.6",
        POSITIVE,
    ),
    Case("Jeffreys", lambda x: (x[0] - x[1]) * jnp.log(x[0] / x[1]), TWO, True, "BV 3.2.6", POSITIVE),
    Case("rel_entr", lambda x: special.rel_entr(x[0], x[1]), TWO, True, "BV 3.2.6", POSITIVE),
    Case(
        "Kullback-Leibler from data to a softmax",
        lambda x: jnp.sum(special.kl_div(np.array([0.2, 0.3, 0.5]), jax.nn.softmax(x))),
        THREE,
        True,
        "GBC 5.5",
    ),
    Case("log-sum-exp with weights", lambda x: special.logsumexp(x, b=np.array([1, 0, 2.0])), THREE, True, "BV 3.1.5"),
    Case("Cox, sorted by time", _cox, THREE, True, "Cox (1975), Biometrika 62(2)"),
    Case("Cox, with those at risk chosen", _cox_at_risk, THREE, True, "Cox (1975), Biometrika 62(2)"),
    Case("max + min", lambda x: jnp.maximum(x[0], x[1]) + jnp.minimum(x[0], x[1]), TWO, True, "BV 3.2.3"),
    Case("x^2 + y^2 - sqrt(1 + x^2 + y^2)", lambda x: x @ x - jnp.sqrt(1 + x @ x), TWO, True, "calculus"),
    Case("logistic density", lambda w: -jnp.sum(logistic.logpdf(B - A @ w)), THREE, True, "MCN 4.3"),
    # Of one number, up to where their curvature changes.
    Case("x^x", _s(lambda x: x**x), ONE, True, "calculus", "x[0] > 0"),
    Case("x exp x right of -2", _s(lambda x: x * jnp.exp(x)), ONE, True, "calculus", "x[0] >= -2"),
    Case("(log x)^2 below e", _s(lambda x: jnp.log(x) ** 2), ONE, True, "calculus", "0 < x[0] <= 2.718"),
    Case("x arctan x", _s(lambda x: x * jnp.arctan(x)), ONE, True, "calculus"),
    Case("x / tanh x", _s(lambda x: x / jnp.tanh(x)), ONE, True, "calculus", "x[0] > 0"),
    Case("log of sinh x over x", _s(lambda x: jnp.log(jnp.sinh(x) / x)), ONE, True, "calculus", "x[0] > 0"),
    Case("logit on the right half", _s(special.logit), TWO[:1], True, "calculus", "0.5 <= x[0] < 1"),
    Case("complementary log-log", _s(lambda t: -jnp.log(-jnp.expm1(-jnp.exp(t)))), ONE, True, "MCN 4.3.1"),
    Case("-log of log(1 + exp x)", _s(lambda x: -jnp.log(jnp.log1p(jnp.exp(x)))), ONE, True, "BV 3.5.1"),
    Case("swish near 0", _s(jax.nn.swish), ONE, True, "calculus", "-2 <= x[0] <= 2"),
]

NOT_CONVEX = [
    Case("xy", lambda x: x[0] * x[1], TWO, False, "BV 3.1.4"),
    Case("x^2 - y^2", lambda x: x[0] ** 2 - x[1] ** 2, TWO, False, "BV 3.1.4"),
    Case("smallest eigenvalue -1e-12", lambda x: x[0] ** 2 - 1e-12 * x[1] ** 2, TWO, False, "calculus"),
    Case("(0.1 - float32(0.1)) x^2", _s(lambda x: (0.1 - np.float64(np.float32(0.1))) * x**2), ONE, False, "calculus"),
    Case("sin", _s(jnp.sin), ONE, False, "calculus"),
    Case("cos on [-2, 2]", _s(jnp.cos), ONE, False, "calculus", [(-2, 2)]),
    Case("x^3", _s(lambda x: x**3), ONE, False, "BV 3.1.5"),
    Case("1/(1 + x^2)", _s(lambda x: 1 / (1 + x * x)), ONE, False, "calculus"),
    Case("(1 + x^2)^-2", _s(lambda x: (1 + x * x) ** -2), ONE, False, "calculus"),
    Case("exp(-x^2)", _s(lambda x: jnp.exp(-x * x)), ONE, False, "BV 3.5.1"),
    Case("-exp(-|x|^2/2)", lambda x: -jnp.exp(-0.5 * jnp.sum(x**2)), TWO, False, "JY"),
    Case("sqrt", _s(jnp.sqrt), ONE, False, "BV 3.1.5", "x[0] > 0"),
    Case("log", _s(jnp.log), ONE, False, "BV 3.1.5", "x[0] > 0"),
    Case("sqrt(xy)", lambda x: jnp.sqrt(x[0] * x[1]), TWO, False, "BV 3.1.5", POSITIVE),
    Case("entropy", lambda x: jnp.sum(special.entr(x)), TWO, False, "BV 3.1.5", POSITIVE),
    Case("sqrt|x|", _s(lambda x: jnp.sqrt(jnp.abs(x))), ONE, False, "calculus"),
    Case("1/x on both sides", _s(lambda x: 1 / x), ONE, False, "BV 3.1.5", [(-2, -1)]),
    Case("x/y", lambda x: x[0] / x[1], TWO, False, "BV 3.4.2", POSITIVE),
    Case(
        "x^2/y where y < 0", lambda x: x[0] ** 2 / x[1], np.array([0.7, -1.5]), False, "BV 3.1.5", [(-1, 1), (-2, -1)]
    ),
    Case("3-norm with the double 1/3", lambda x: jnp.sum(jnp.abs(x) ** 3) ** (1 / 3), THREE, False, "calculus"),
    Case("sigmoid", _s(jax.nn.sigmoid), ONE, False, "GBC 6.2.2.2"),
    Case("tanh", _s(jnp.tanh), ONE, False, "GBC 6.3.2"),
    Case("silu", _s(jax.nn.silu), ONE, False, "GBC 6.3"),
    Case("gelu", _s(lambda x: jax.nn.gelu(x, approximate=False)), ONE, False, "GBC 6.3"),
    Case("selu", _s(jax.nn.selu), ONE, False, "GBC 6.3; calculus"),
    Case("normal distribution function", _s(norm.cdf), ONE, False, "BV 3.5.1"),
    Case("softmax component", lambda x: jax.nn.softmax(x)[0], THREE, False, "GBC 6.2.2.3"),
    Case(
        "difference of log-sum-exps",
        lambda x: special.logsumexp(x) - special.logsumexp(2 * x),
        THREE,
        False,
        "calculus",
    ),
    Case("softplus minus a parabola", _s(lambda x: jax.nn.softplus(x) - 0.1 * x**2), ONE, False, "calculus"),
    Case(
        "softplus minus a thin parabola",
        _s(lambda x: jax.nn.softplus(x) - 1e-3 * x**2),
        ONE,
        False,
        "calculus",
        [(-30, 30)],
    ),
    Case("x^4 - 1e-9 x^2", _s(lambda x: x**4 - 1e-9 * x**2), ONE, False, "calculus"),
    Case("clipped squares", lambda w: jnp.sum(jnp.minimum((A @ w - B) ** 2, 1.0)), THREE, False, "HR 4.8"),
    Case("ramp loss", lambda w: jnp.sum(jnp.clip(1 - Y * (A @ w), 0, 1)), THREE, False, "HTF 12.3.2"),
    Case("Cauchy loss", lambda w: jnp.sum(jnp.log1p((A @ w - B) ** 2)), THREE, False, "BARRON 1"),
    Case("Geman-McClure", lambda w: jnp.sum((A @ w - B) ** 2 / (1 + (A @ w - B) ** 2)), THREE, False, "BARRON 1"),
    Case("Welsch", lambda w: jnp.sum(1 - jnp.exp(-0.5 * (A @ w - B) ** 2)), THREE, False, "BARRON 1"),
    Case(
        "Tukey biweight",
        lambda w: jnp.sum(jnp.where(jnp.abs(A @ w - B) < 2, 1 - (1 - (A @ w - B) ** 2 / 4) ** 3, 1.0)),
        THREE,
        False,
        "HR 4.8",
    ),
    Case("a step up of 1e-9", _s(lambda x: jnp.where(x > 0, x**2 + 1e-9, x**2)), ONE, False, "calculus"),
    Case("a step down of 1e-9", _s(lambda x: jnp.where(x > 0, x**2 - 1e-9, x**2)), ONE, False, "calculus"),
    Case("x^2 to 1, then less steep", _s(lambda x: jnp.where(x > 1, 1.999 * x - 0.999, x**2)), ONE, False, "calculus"),
    Case("-x stop_gradient(x)", _s(lambda x: -x * jax.lax.stop_gradient(x)), ONE, False, "calculus"),
    Case(
        "a double well that says it is a parabola",
        _s(_lying(lambda x: x**4 - x * x, lambda x: 2 * x)),
        ONE,
        False,
        "calculus",
    ),
    Case("two layers", _two_layers, np.array([0.2, -0.5, 0.9, 1.1]), False, "GBC 8.2"),
    Case(
        "a factorisation",
        lambda w: jnp.sum((jnp.outer(w[:2], w[2:]) - A[:2, :2]) ** 2),
        np.ones(4),
        False,
        "GBC 8.2; calculus",
    ),
    Case(
        "a relu network",
        lambda w: jnp.sum((jax.nn.relu(A @ w[:3]) * w[3] - B) ** 2),
        np.array([0.2, -0.5, 0.9, 1.1]),
        False,
        "GBC 8.2",
    ),
    Case("min of parabolas", _s(lambda x: jnp.minimum((x - 1) ** 2, (x + 1) ** 2)), ONE, False, "calculus"),
    Case("x^2 y^2", lambda x: x[0] ** 2 * x[1] ** 2, TWO, False, "calculus"),
    Case("x y^2", lambda x: x[0] * x[1] ** 2, TWO, False, "calculus", POSITIVE),
    Case("Rosenbrock", lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, TWO, False, "MGH 1"),
    Case("Himmelblau", lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2, TWO, False, "JY"),
    Case(
        "six-hump camel",
        lambda x: (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3) * x[0] ** 2 + x[0] * x[1] + (4 * x[1] ** 2 - 4) * x[1] ** 2,
        TWO,
        False,
        "JY",
        [(-3, 3), (-2, 2)],
    ),
    Case(
        "three-hump camel",
        lambda x: 2 * x[0] ** 2 - 1.05 * x[0] ** 4 + x[0] ** 6 / 6 + x[0] * x[1] + x[1] ** 2,
        TWO,
        False,
        "JY",
    ),
    Case(
        "Rastrigin",
        lambda x: 20 + jnp.sum(x**2 - 10 * jnp.cos(2 * np.pi * x)),
        TWO,
        False,
        "Muhlenbein, Schomisch, Born (1991), Parallel Computing 17",
    ),
    Case(
        "Ackley",
        lambda x: -20 * jnp.exp(-0.2 * jnp.sqrt(jnp.mean(x**2))) - jnp.exp(jnp.mean(jnp.cos(2 * np.pi * x))),
        TWO,
        False,
        "JY",
    ),
    Case("Griewank", lambda x: jnp.sum(x**2) / 4000 - jnp.prod(jnp.cos(x / np.sqrt([1.0, 2.0]))) + 1, TWO, False, "JY"),
    Case(
        "Beale",
        lambda x: (
            (1.5 - x[0] + x[0] * x[1]) ** 2
            + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2
            + (2.625 - x[0] + x[0] * x[1] ** 3) ** 2
        ),
        TWO,
        False,
        "MGH 5",
    ),
    Case(
        "Goldstein-Price",
        lambda x: (
            (
                1
                + (x[0] + x[1] + 1) ** 2
                * (19 - 14 * x[0] + 3 * x[0] ** 2 - 14 * x[1] + 6 * x[0] * x[1] + 3 * x[1] ** 2)
            )
            * (
                30
                + (2 * x[0] - 3 * x[1]) ** 2
                * (18 - 32 * x[0] + 12 * x[0] ** 2 + 48 * x[1] - 36 * x[0] * x[1] + 27 * x[1] ** 2)
            )
        ),
        TWO,
        False,
        "JY",
    ),
    Case("Styblinski-Tang", lambda x: 0.5 * jnp.sum(x**4 - 16 * x**2 + 5 * x), TWO, False, "JY"),
    Case(
        "Branin",
        lambda x: (
            (x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6) ** 2
            + 10 * (1 - 1 / (8 * np.pi)) * jnp.cos(x[0])
            + 10
        ),
        TWO,
        False,
        "JY",
        [(-5, 10), (0, 15)],
    ),
    Case(
        "Easom",
        lambda x: -jnp.cos(x[0]) * jnp.cos(x[1]) * jnp.exp(-jnp.sum((x - np.pi) ** 2)),
        TWO,
        False,
        "JY",
        [(0, 6), (0, 6)],
    ),
    Case("Dixon-Price", lambda x: (x[0] - 1) ** 2 + 2 * (2 * x[1] ** 2 - x[0]) ** 2, TWO, False, "JY"),
    Case("Schwefel 2.22", lambda x: jnp.sum(jnp.abs(x)) + jnp.prod(jnp.abs(x)), TWO, False, "JY"),
    Case(
        "Freudenstein-Roth",
        lambda x: (
            (-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1]) ** 2 + (-29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]) ** 2
        ),
        TWO,
        False,
        "MGH 2",
    ),
    Case(
        "Brown badly scaled",
        lambda x: (x[0] - 1e6) ** 2 + (x[1] - 2e-6) ** 2 + (x[0] * x[1] - 2) ** 2,
        TWO,
        False,
        "MGH 4",
    ),
    Case(
        "Wood",
        lambda x: (
            100 * (x[1] - x[0] ** 2) ** 2
            + (1 - x[0]) ** 2
            + 90 * (x[3] - x[2] ** 2) ** 2
            + (1 - x[2]) ** 2
            + 10 * (x[1] + x[3] - 2) ** 2
            + 0.1 * (x[1] - x[3]) ** 2
        ),
        np.ones(4),
        False,
        "MGH 14",
    ),
    # The same, a little beyond.
    Case("(log x)^2 beyond e", _s(lambda x: jnp.log(x) ** 2), ONE, False, "calculus", "0 < x[0] <= 2.719"),
    Case("x exp x left of -2", _s(lambda x: x * jnp.exp(x)), ONE, False, "calculus", "x[0] >= -2.001"),
    Case("x (log x)^2", _s(lambda x: x * jnp.log(x) ** 2), ONE, False, "calculus", "x[0] > 0"),
    Case("x log(1 + 1/x)", _s(lambda x: x * jnp.log(1 + 1 / x)), ONE, False, "calculus", "x[0] > 0"),
    Case("logit", _s(special.logit), TWO[:1], False, "calculus", "0 < x[0] < 1"),
    Case("cauchit likelihood", _s(lambda t: -jnp.log(0.5 + jnp.arctan(t) / jnp.pi)), ONE, False, "MCN 4.3.1"),
    Case("mish", _s(jax.nn.mish), ONE, False, "calculus"),
    Case("log normal likelihood", _s(lambda x: jnp.log(x) + jnp.log(x) ** 2 / 2), ONE, False, "calculus", "x[0] > 0"),
]

NOT_CONVEX += [
    Case("harmonic mean", lambda x: x[0] * x[1] / (x[0] + x[1]), TWO, False, "BV 3.1.5; calculus", POSITIVE),
    Case("x^2 + y^2 + 1.01 sin(x + y)", lambda x: x @ x + 1.01 * jnp.sin(x[0] + x[1]), TWO, False, "calculus"),
    Case(
        "Kullback-Leibler from a softmax to data",
        lambda x: jnp.sum(special.kl_div(jax.nn.softmax(x), np.array([0.2, 0.3, 0.5]))),
        THREE,
        False,
        "GBC 3.13",
    ),
    Case("log-sum-exp - max", lambda x: special.logsumexp(x) - jnp.max(x), THREE, False, "calculus"),
    Case("max + 1.5 min", lambda x: jnp.maximum(x[0], x[1]) + 1.5 * jnp.minimum(x[0], x[1]), TWO, False, "calculus"),
    Case(
        "Huber regression that jumps by 1e-9",
        lambda w: jnp.sum(jnp.where(jnp.abs(A @ w - B) <= 1, 0.5 * (A @ w - B) ** 2, jnp.abs(A @ w - B) - 0.5 + 1e-9)),
        THREE,
        False,
        "HR 4.5; calculus",
    ),
    Case(
        "Huber regression that falls by 1e-9",
        lambda w: jnp.sum(jnp.where(jnp.abs(A @ w - B) <= 1, 0.5 * (A @ w - B) ** 2, jnp.abs(A @ w - B) - 0.5 - 1e-9)),
        THREE,
        False,
        "HR 4.5; calculus",
    ),
    Case("|x| + |y| - |x + y|", lambda x: jnp.sum(jnp.abs(x)) - jnp.abs(x[0] + x[1]), TWO, False, "calculus"),
    Case("minus a relative entropy", lambda x: -special.rel_entr(x[0], x[1]), TWO, False, "BV 3.2.6", POSITIVE),
    Case("Itakura-Saito", lambda x: x[0] / x[1] - jnp.log(x[0] / x[1]), TWO, False, "calculus", POSITIVE),
    Case("k-means", lambda c: jnp.sum(jnp.min((B[:, None] - c) ** 2, axis=1)), TWO, False, "HTF 14.3.6"),
]

ZOO = {case.name: case for case in (*CONVEX, *NOT_CONVEX)}
