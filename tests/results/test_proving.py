"""Verdicts of walks that rise to PROVEN, and what they must never rise for."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import ModelError, OptionError

V, R = sf.Verdict, sf.Rigour
MINIMA = {V.STRICT_LOCAL_MINIMUM, V.LOCAL_MINIMUM, V.GLOBAL_MINIMUM, V.UNIQUE_GLOBAL_MINIMUM}


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


class TestMinimize:
    def test_the_verdict_of_code_and_text_is_proven(self):
        for f, x0 in [(rosenbrock, np.array([-1.2, 1.0])), ("100*(y - x^2)^2 + (1 - x)^2", "x=-1.2, y=1")]:
            result = sf.minimize(f, x0)
            assert result.verdict is V.GLOBAL_MINIMUM and result.certificate.rigour is R.PROVEN
            assert result.judged.verdict is V.STRICT_LOCAL_MINIMUM and result.judged.rigour is R.NUMERICAL
            assert "(proven in " in str(result)
            assert result.certificate.recheck()

    def test_convexity_makes_it_the_unique_one(self):
        result = sf.minimize("log(exp(x) + exp(-2*x)) + (y - x)^2", "x=1, y=2")
        assert result.verdict is V.UNIQUE_GLOBAL_MINIMUM and "convex" in str(result.certificate)
        assert result.certificate.recheck(), str(result.certificate.recheck())

    def test_a_function_that_runs_as_numpy_is_never_proven(self):
        def f(x):
            return float(np.sum((np.asarray(x) - 1) ** 2))

        for prove in (None, True, 5.0):
            result = sf.minimize(f, np.zeros(2), prove=prove)
            assert result.source == "NumPy" and result.certificate.rigour is R.NUMERICAL
        assert "Not proven: f runs as NumPy" in str(result)
        with pytest.raises(ModelError, match="NumPy"):
            sf.certify(f, np.ones(2))

    def test_it_can_be_skipped(self):
        result = sf.minimize(rosenbrock, np.array([-1.2, 1.0]), prove=False)
        assert result.certificate.rigour is R.NUMERICAL and result.certificate is result.judged
        assert "roven" not in str(result)

    def test_nothing_is_proven_before_it_is_asked_for(self):
        result = sf.minimize(rosenbrock, np.array([-1.2, 1.0]))
        assert "certificate" not in vars(result)
        assert "certificate" in vars(sf.minimize(rosenbrock, np.array([-1.2, 1.0]), prove=True))

    def test_what_stopped_the_proof_is_said_in_one_line(self):
        result = sf.minimize("max(x, -2*x) + y^2", "x=0, y=1", method="bfgs")
        assert result.certificate.rigour is R.NUMERICAL
        text = str(result)
        assert "Not proven: " in text and "maximum" in text.replace("\n", " ").replace("  ", " ")

    def test_a_walk_that_was_cut_short_is_not_at_the_minimum_near_it(self):
        result = sf.minimize("x^2 + 10*y^2", "x=1e-5, y=1e-6", method="steepest", max_steps=1)
        assert result.verdict is V.NOT_STATIONARY and result.certificate.rigour is R.PROVEN, str(result)
        assert result.certificate.recheck()

    def test_an_infimum_that_is_not_attained(self):
        result = sf.minimize("exp(-x) + y^2", "x=1, y=1")
        assert result.verdict is V.INFIMUM_NOT_ATTAINED and result.certificate.rigour is R.PROVEN

    def test_bounds(self):
        result = sf.minimize("exp(x) + (y - 2)^2", "x=1, y=0", bounds="x=0..5, y=-1..1")
        assert result.verdict is V.UNIQUE_GLOBAL_MINIMUM and result.multipliers == {"x": 1.0, "y": 2.0}

    def test_of_many_starts_the_lowest_is_proven(self):
        result = sf.minimize("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", None, starts=40, box="x=-5..5, y=-5..5")
        assert result.certificate.rigour is R.PROVEN and result.verdict in MINIMA

    def test_saved_proofs_come_back(self, tmp_path):
        result = sf.minimize(rosenbrock, np.array([-1.2, 1.0]))
        result.save(tmp_path / "walk.json")
        back = sf.load(tmp_path / "walk.json")
        assert back.verdict is result.verdict and back.certificate.rigour is R.PROVEN and sf.recheck(back.certificate)
        result.certificate.save(tmp_path / "proof.json")
        assert sf.load(tmp_path / "proof.json").claim == result.certificate.claim
        assert sf.recheck(tmp_path / "proof.json")

    @pytest.mark.parametrize("prove", ["yes", -1, float("nan"), [True]])
    def test_a_budget_that_is_none_is_refused(self, prove):
        with pytest.raises(OptionError, match="prove is"):
            sf.minimize("x^2", "x=1", prove=prove)


class TestTraps:
    """Derivatives that somebody gave do not matter: the proof reads the values."""

    def test_a_wrong_custom_jvp(self):
        @jax.custom_jvp
        def hill(t):
            return -(t**2)

        @hill.defjvp
        def _(primals, tangents):
            return hill(*primals), 2 * primals[0] * tangents[0]  # as if it were a bowl

        found = sf.certify(lambda x: hill(x[0]) + x[1] ** 2, np.zeros(2))
        assert found.verdict is V.SADDLE and found.rigour is R.PROVEN
        result = sf.minimize(lambda x: hill(x[0]) + x[1] ** 2, np.array([0.0, 1.0]))
        assert result.verdict not in MINIMA or result.certificate.rigour is not R.PROVEN

    def test_stop_gradient_is_the_identity(self):
        def f(x):
            return x[0] * jax.lax.stop_gradient(x[0]) - x[1] ** 2

        found = sf.certify(f, np.zeros(2))
        assert found.verdict is V.SADDLE and found.evidence["argument"]["positive"] == 1

        def hidden(x):
            return x[0] ** 2 - 3 * x[0] * jax.lax.stop_gradient(x[0])  # -2 x^2, though its Hessian is said to be 2

        assert sf.certify(hidden, np.zeros(1)).verdict is V.LOCAL_MAXIMUM

    def test_constants_of_single_precision_are_the_doubles_that_they_are(self):
        third = jnp.asarray(1 / 3, jnp.float32)
        found = sf.certify(lambda x: jnp.sum((x - third) ** 2), np.array([1 / 3]))
        assert found.verdict in MINIMA and found.evidence["argument"]["at"] == [float(np.float32(1 / 3))]

    def test_a_jump_of_1e_9(self):
        found = sf.certify(lambda x: x[0] ** 2 - jnp.where(x[0] > 0, 1e-9, 0.0), np.zeros(1))
        assert found.verdict not in MINIMA

    def test_wheres_other_branch(self):
        found = sf.certify(lambda x: jnp.where(x[0] <= 0, x[0] ** 2, -x[0]), np.zeros(1))
        assert found.rigour is not R.PROVEN


class TestVerbs:
    def test_trees_and_arguments(self):
        found = sf.certify(lambda p, a: jnp.sum((p["w"] - a) ** 2) + p["b"] ** 2, {"w": np.ones(3), "b": 0.0},
                           args=(np.ones(3),))  # fmt: skip
        assert found.verdict is V.UNIQUE_GLOBAL_MINIMUM and found.evidence["argument"]["distance"] == 0.0

    def test_objectives(self):
        result = sf.minimize(rosenbrock, np.array([-1.2, 1.0]), prove=False)
        assert sf.certify(result.objective, result.flat).verdict is V.GLOBAL_MINIMUM

    def test_a_regression_of_some_size(self):
        rng = np.random.default_rng(0)
        X, noise = rng.standard_normal((2000, 20)), rng.standard_normal(2000)
        y = (X @ rng.standard_normal(20) + noise > 0) * 1.0
        loss = lambda w: jnp.sum(jnp.logaddexp(0.0, X @ w) - y * (X @ w)) + 0.5 * jnp.sum(w**2)  # noqa: E731
        result = sf.minimize(loss, np.zeros(20), prove=True)
        assert result.verdict in MINIMA and result.certificate.rigour is R.PROVEN, str(result)
        assert len(json.dumps(result.certificate.to_json())) > 300_000  # the data are with it
        assert result.certificate.recheck(data=[X, y])

    def test_safe_rates(self):
        rate = sf.safe_rate("x^2 + 10*y^2", "x=3, y=1")
        assert float(rate) == pytest.approx(0.05, rel=1e-6) and float(rate) <= 0.05
        with pytest.raises(ModelError, match="No learning rate can be proven"):
            sf.safe_rate("x^3", "x=1")
        json.dumps(rate.to_json(), allow_nan=False)

    def test_certify_refuses_what_means_nothing(self):
        for wishes in ({"near": -1}, {"near": "x"}, {"max_seconds": 0}):
            with pytest.raises(OptionError):
                sf.certify("x^2", "x=0", **wishes)
        with pytest.raises(ModelError, match="outside its bounds"):
            sf.certify("x^2", "x=3", bounds="x=0..1")
        with pytest.raises(ModelError, match="function, or the text"):
            sf.certify(3, np.zeros(2))
