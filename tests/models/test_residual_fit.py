"""Fits of residual functions as a person meets them: against NIST, SciPy and the linear fit."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import Bounds, OptimizeResult
from scipy.optimize import least_squares as peer

import surefoot as sf
from nist_curves import CURVES
from nistdata import digits
from surefoot.errors import ModelError, OptionError

LOSSES = ("soft_l1", "huber", "cauchy", "arctan")
T = np.linspace(0, 1, 24)


def wild(seed=0):
    random = np.random.default_rng(seed)
    y = 2 * np.exp(-3 * T) + 0.01 * random.standard_normal(len(T))
    y[[3, 8, 15]] += [2.0, -1.5, 3.0]
    return y


def decay(y):
    return lambda x: x[0] * jnp.exp(-x[1] * T) - y


def plain_decay(y):
    return lambda x: x[0] * np.exp(-x[1] * T) - y


@pytest.mark.parametrize("name", CURVES)
def test_standard_errors_and_verdict_of_nist(name):
    curve = CURVES[name]
    fit = sf.least_squares(curve.residual, curve.starts[1])
    for error, text in zip(fit.stderr, curve.standard_errors, strict=True):
        assert digits(error, text) >= 8
    assert fit.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM
    assert fit.certificate.rigour is sf.Rigour.PROVEN and fit.certificate.recheck()
    assert fit.result.judged.rigour is sf.Rigour.NUMERICAL
    assert fit.standing == ()
    certain = np.array([digits(x, text) for x, text in zip(fit.coef, curve.coefficients, strict=True)])
    assert np.all(np.minimum(fit.digits, 10) <= certain + 0.7)  # never many more than there are


def test_a_linear_problem_has_the_numbers_of_lstsq():
    random = np.random.default_rng(1)
    A, b = random.standard_normal((30, 3)), random.standard_normal(30)
    fit, linear = sf.least_squares(lambda x: A @ x - b, np.zeros(3)), sf.lstsq(A, b, names=["a", "b", "c"])
    assert fit.coef == pytest.approx(linear.coef, rel=1e-12)
    assert fit.stderr == pytest.approx(linear.stderr, rel=1e-12)
    assert fit.interval() == pytest.approx(linear.interval(), rel=1e-11)
    assert fit.df == 27
    assert fit.test("x[0] = x[1]").p == pytest.approx(linear.test("a = b").p, rel=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("library", ["JAX", "NumPy"])
def test_robust_losses_agree_with_scipy(loss, library):
    y = wild()
    make = decay if library == "JAX" else plain_decay
    fit = sf.least_squares(make(y), [1.0, 1.0], loss=loss, f_scale=0.03)
    other = peer(plain_decay(y), [1.0, 1.0], loss=loss, f_scale=0.03, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert fit.result.source == library
    assert fit.cost <= other.cost * (1 + 1e-9)
    assert fit.coef == pytest.approx(other.x, rel=1e-5)
    assert "minimum" in fit.verdict.value
    assert any("weights of the" in said for said in fit.standing)


def test_a_loss_may_be_a_function():
    y = wild()

    def cauchy(z):
        return np.array([np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2])

    mine = sf.least_squares(decay(y), [1.0, 1.0], loss=cauchy, f_scale=0.03)
    named = sf.least_squares(decay(y), [1.0, 1.0], loss="cauchy", f_scale=0.03)
    assert mine.coef == pytest.approx(named.coef, rel=1e-9)
    assert mine.verdict is named.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM


@pytest.mark.parametrize(
    ("bounds", "x0"),
    [
        ([(0, 1.5), (0, None)], [1.0, 1.0]),
        (([0, 0], [1.5, np.inf]), [1.0, 1.0]),
        (Bounds([0, 0], [1.5, np.inf]), [1.0, 1.0]),
        (((0.0), np.array([1.5, 2.0])), [5.0, 5.0]),  # the start lies outside
        ([(3, 3), (0, 9)], [3.0, 1.0]),  # one variable is fixed
        ([(-5, 5), (-1, 2)], [0.0, 0.0]),
    ],
)
@pytest.mark.parametrize("loss", ["linear", "huber"])
def test_bounds_agree_with_scipy(bounds, x0, loss):
    y = 2 * np.exp(-3 * T)
    fit = sf.least_squares(decay(y), x0, bounds=bounds, loss=loss, f_scale=0.1)
    sides = bounds
    if isinstance(bounds, Bounds):
        sides = bounds.lb, bounds.ub
    elif isinstance(bounds, list):
        sides = zip(*[(low, np.inf if high is None else high) for low, high in bounds], strict=True)
    low, high = (np.broadcast_to(np.asarray(side, float), 2) for side in sides)
    if np.all(low < high):
        inside = np.clip(x0, low + 1e-3, np.minimum(high, 1e3) - 1e-3)
        other = peer(
            plain_decay(y), inside, bounds=(low, high), loss=loss, f_scale=0.1, xtol=1e-15, ftol=1e-15, gtol=1e-15
        )
        assert fit.cost <= other.cost * (1 + 1e-7) + 1e-20
    assert np.all(fit.coef >= low)
    assert np.all(fit.coef <= high)
    assert fit.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM


@pytest.mark.parametrize("seed", range(12))
def test_random_problems_in_boxes_end_at_minima(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 7))
    A, B = random.standard_normal((2, n + int(random.integers(0, 8)), n))
    c = random.standard_normal(len(A))
    low, high = -random.uniform(0, 1, n), random.uniform(0, 1, n)
    x0, loss = random.uniform(low, high), ("linear", "huber", "soft_l1")[seed % 3]
    fit = sf.least_squares(
        lambda x: A @ x + 2 * jnp.sin(B @ x / 2) - 2 * c, x0, bounds=(low, high), loss=loss, f_scale=0.5
    )
    other = peer(lambda x: A @ x + 2 * np.sin(B @ x / 2) - 2 * c, x0, bounds=(low, high), loss=loss, f_scale=0.5,
                 xtol=1e-15, ftol=1e-15, gtol=1e-15)  # fmt: skip
    assert fit.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM
    assert fit.cost <= other.cost * (1 + 1e-8)
    assert np.all((fit.coef >= low) & (fit.coef <= high))


def test_a_coefficient_at_its_bound_has_a_multiplier_and_no_standard_error():
    fit = sf.least_squares(decay(2 * np.exp(-3 * T)), [1.0, 1.0], bounds=[(0, 1.5), (0, None)])
    assert fit.coef[0] == 1.5
    assert list(fit.multipliers) == ["x[0]"]
    assert fit.multipliers["x[0]"] < 0  # F falls beyond
    assert np.isnan(fit.stderr[0])
    assert fit.stderr[1] > 0
    assert "At a bound: x[0]" in fit.summary()
    assert fit.to_scipy().active_mask.tolist() == [1, 0]
    with pytest.raises(ModelError, match="stands at its bound"):
        fit.test("x[0] = 2")


def test_many_coefficients_a_chain():
    n = 10_000

    def chain(x):
        return jnp.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])

    fit = sf.least_squares(chain, np.full(n, 0.5))
    assert fit.coef == pytest.approx(np.ones(n), abs=1e-10)
    assert not isinstance(fit.jacobian, np.ndarray)
    assert fit.jacobian.nnz == 3 * n - 3
    assert fit.result.steps < 60
    assert fit.counts.gradients < 120
    assert "minimum" in fit.verdict.value


def test_blocks_as_of_cameras_and_points():
    random = np.random.default_rng(1)
    k, m = 6, 90  # cameras of two numbers, points of two: each residual sees one of either
    camera, point = (place.ravel() for place in np.meshgrid(np.arange(k), np.arange(m), indexing="ij"))
    truth = random.uniform(0.5, 2.0, 2 * (k + m))
    A = random.standard_normal((len(camera), 3))

    def measured(library, x):
        c, p = x[: 2 * k].reshape(k, 2)[camera], x[2 * k :].reshape(m, 2)[point]
        one = A[:, 0] * c[:, 0] * p[:, 0] + A[:, 1] * library.exp(-c[:, 1]) * p[:, 1] + A[:, 2] * p[:, 0]
        return library.concatenate([one, 0.1 * (c[:, 0] - 1)])

    data = measured(np, truth)
    fit = sf.least_squares(lambda x: measured(jnp, x) - data, truth + 0.05 * random.standard_normal(len(truth)),
                           jac_sparsity=None)  # fmt: skip
    dense = sf.least_squares(lambda x: measured(jnp, x)[:100] - data[:100], truth * 1.01, max_steps=1)
    assert fit.value < 1e-20
    assert dense.rows == 100


def test_the_point_comes_back_in_the_shape_of_the_start():
    y = 2 * np.exp(-3 * T)
    fit = sf.least_squares(lambda p: p["a"] * jnp.exp(-p["b"][0] * T) - y, {"a": 1, "b": [1.0]})
    assert fit.x["a"] == pytest.approx(2)
    assert fit.x["b"].tolist() == pytest.approx([3])
    assert fit.names == ("a", "b[0]")
    assert fit["b[0]"].value == pytest.approx(3)
    assert isinstance(sf.least_squares(lambda x: x - 3.0, 0.0).x, float)


def test_scipys_spellings():
    y = 2 * np.exp(-3 * T)
    kinds = {
        "lm": "Levenberg-Marquardt", "trf": "trust region", "dogbox": "trust region", "gauss-newton": "Armijo",
    }  # fmt: skip
    for method, words in kinds.items():
        fit = sf.least_squares(decay(y), [1.0, 1.0], "2-point", method=method, x_scale=[1.0, 2.0], max_nfev=200)
        assert fit.coef == pytest.approx([2, 3], rel=1e-12)
        assert words in fit.method
    given = sf.least_squares(
        lambda x, t, y: x[0] * np.exp(-float(x[1]) * t) - y, [1.0, 1.0],
        lambda x, t, y: np.stack([np.exp(-x[1] * t), -t * x[0] * np.exp(-x[1] * t)], axis=1), args=(T, y),
    )  # fmt: skip
    assert given.coef == pytest.approx([2, 3], rel=1e-10)
    found = given.to_scipy()
    assert isinstance(found, OptimizeResult)
    assert found.success
    assert found.grad == pytest.approx(found.jac.T @ found.fun, abs=1e-12)
    assert found.cost == pytest.approx(0.5 * np.sum(found.fun**2))


def test_callbacks_and_budgets():
    seen = []
    sf.least_squares(decay(wild()), [1.0, 1.0], callback=lambda x: seen.append(x.copy()))
    assert len(seen) > 3
    stopped = sf.least_squares(decay(wild()), [1.0, 1.0], callback=lambda x: True)
    assert stopped.stop.reason.name == "ASKED"
    few = sf.least_squares(decay(wild()), [9.0, 9.0], max_nfev=2)
    assert few.stop.reason.name == "EVALUATIONS"
    assert few.verdict is sf.Verdict.NOT_STATIONARY


def test_summary_picture_and_json(tmp_path):
    fit = sf.least_squares(decay(wild()), [1.0, 1.0], loss="huber", f_scale=0.03)
    text = fit.summary()
    for words in ("24 residuals, 2 coefficients", "sum of huber losses", "Stopped:", "Verdict: strict local minimum"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100
    fit.plot(tmp_path / "walk.png")
    assert (tmp_path / "walk.png").stat().st_size > 1000
    assert fit.to_json()["stderr"] == fit.stderr.tolist()


def test_an_infimum_at_infinity_is_no_minimum():
    fit = sf.least_squares(lambda x: jnp.exp(-x), [1.0])
    assert fit.verdict.value not in ("strict local minimum", "local minimum", "global minimum")
    assert any("goes to infinity" in said for said in fit.advice)


def test_what_is_not_determined_has_no_standard_error():
    fit = sf.least_squares(lambda x: jnp.stack([x[0] + x[1] - 1, 2 * (x[0] + x[1]) - 2.5, x[2] - 3]), [0.0, 0.0, 0.0])
    assert (fit.rank, fit.df) == (2, 1)
    assert np.isnan(fit.stderr[:2]).all()
    assert fit.stderr[2] > 0
    assert fit.verdict is sf.Verdict.DEGENERATE
    assert "2 combinations of 3 coefficients" in fit.summary()
    with pytest.raises(ModelError, match="do not determine"):
        fit.test("x[0] = 0")


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"method": "newton"}, "no method of residuals named 'newton'"),
        ({"steps": "armijo"}, "leave steps away"),
        ({"method": "gauss-newton", "steps": "polyak"}, "does not go with 'polyak'"),
        ({"method": "gauss-newton", "bounds": [(0, 1), (0, 1)]}, "Among bounds only"),
        ({"loss": "huge"}, "no loss named 'huge'"),
        ({"x_scale": [1.0, -1.0]}, "x_scale is 'jac'"),
        ({"x_scale": "big"}, "x_scale is 'jac'"),
        ({"bounds": ([0, 0, 0], [1, 1, 1])}, "Bounds are a tuple"),
        ({"bounds": ([0, 0], [-1, 1])}, "cross"),
        ({"jac": "4-point"}, "jac is a function"),
        ({"level": 1.5}, "confidence level"),
        ({"max_nfev": -1}, "max_evaluations"),
    ],
)
def test_bad_wishes_are_sentences(wishes, words):
    with pytest.raises(ModelError, match=words):
        sf.least_squares(decay(wild()), [1.0, 1.0], **wishes)


class TestProofs:
    """The verdict rises to PROVEN where a proof closes, and says what stopped it where not."""

    @pytest.mark.parametrize("loss", ["linear", *LOSSES])
    @pytest.mark.parametrize("bounds", [None, [(0, 1.5), (0, None)]])
    def test_of_every_loss(self, loss, bounds, tmp_path):
        fit = sf.least_squares(decay(wild()), [1.0, 1.0], loss=loss, f_scale=0.03, bounds=bounds)
        assert fit.verdict is sf.Verdict.STRICT_LOCAL_MINIMUM and fit.certificate.rigour is sf.Rigour.PROVEN
        least, most = fit.certificate.evidence["argument"]["value"]
        assert least - 1e-12 <= fit.value <= most + 1e-12 and most - least < 1e-9
        fit.certificate.save(tmp_path / "proof.json")
        assert sf.recheck(tmp_path / "proof.json")
        assert "(proven in " in str(fit)

    def test_convex_ones_are_global(self):
        random = np.random.default_rng(1)
        A, b = random.standard_normal((20, 3)), random.standard_normal(20)
        for loss in ("linear", "soft_l1", "huber"):
            fit = sf.least_squares(lambda x: A @ x - b, np.zeros(3), loss=loss)
            assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM and fit.certificate.recheck()
        text = sf.least_squares(["10*(y - x^2)", "1 - x"], "x=-1.2, y=1")
        assert text.verdict is sf.Verdict.GLOBAL_MINIMUM  # a sum of squares that is exactly 0

    def test_derivatives_that_are_lies(self):
        import jax

        @jax.custom_jvp
        def shifted(t):
            return t**2 + 4 * t

        @shifted.defjvp
        def _(primals, tangents):
            return shifted(*primals), 2 * primals[0] * tangents[0]  # as if it were t^2

        fit = sf.least_squares(lambda x: [shifted(x[0]) + 10.0], [0.0])  # the slope there is said to be 0, and is 80
        assert fit.coef.tolist() == [0.0]
        assert fit.certificate.rigour is not sf.Rigour.PROVEN or "minimum" not in fit.verdict.value, str(fit)
        lied = sf.least_squares(lambda x: [x[0] ** 2 + 2.0 + x[0]], [0.0], jac=lambda x: [[2 * x[0]]])
        assert not (lied.certificate.rigour is sf.Rigour.PROVEN and "minimum" in lied.verdict.value)

    def test_what_stopped_it(self):
        fit = sf.least_squares(plain_decay(wild()), [1.0, 1.0])
        assert "Not proven: f runs as NumPy" in str(fit) and fit.certificate.rigour is sf.Rigour.NUMERICAL
        flat = sf.least_squares(lambda x: [x[0] + x[1] - 1.0, 0.5 * x[0] + 0.5 * x[1]], [0.3, 0.1])
        assert flat.certificate.rigour is sf.Rigour.PROVEN or "Not proven: " in str(flat)
        skipped = sf.least_squares(decay(wild()), [1.0, 1.0], prove=False)
        assert "roven" not in str(skipped) and skipped.certificate is skipped.result.judged
        with pytest.raises(OptionError, match="prove is"):
            sf.least_squares(decay(wild()), [1.0, 1.0], prove="yes")
