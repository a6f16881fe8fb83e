"""Every way of minimising meets every animal of the zoo of functions (``zoo.py``), the negatives included.

Whatever comes: no exception, nothing worse than the start, a stop with numbers that bear it out, and no claim of a
minimum (a saddle, a fall without end) where there is none. Where a method should arrive, it does.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import ModelError
from surefoot.results.basins import MINIMA
from zoo import ANIMALS, Animal

WAYS = [
    ("auto", None), ("steepest", "exact"), ("steepest", "armijo"), ("steepest", "wolfe"), ("steepest", "hager-zhang"),
    ("steepest", "fixed"), ("adgd", None), ("momentum", None), ("nesterov", None), ("cg", None), ("cg", "wolfe"),
    ("cg", "exact"), ("cg-fr", None), ("cg-pr", None), ("cg-hs", None), ("cg-dy", None), ("bfgs", None),
    ("bfgs", "wolfe"), ("bfgs", "armijo"), ("bfgs", "exact"), ("l-bfgs", None), ("l-bfgs", "wolfe"), ("newton", None),
    ("newton", "armijo"), ("newton", "exact"), ("newton", "full"), ("trust-newton", None), ("nelder-mead", None),
]  # fmt: skip
GOOD = {"auto", "bfgs", "l-bfgs", "trust-newton"}
RATED = {("steepest", "fixed"), ("momentum", None), ("nesterov", None)}
BLIND = "No rate can be measured at the start"
"""What a method that lives by a rate may say of a function that has no curvature where it begins, and nobody else."""
GLOBAL = (sf.Verdict.GLOBAL_MINIMUM, sf.Verdict.UNIQUE_GLOBAL_MINIMUM)
STATIONARY = {*MINIMA, sf.Verdict.SADDLE, sf.Verdict.LOCAL_MAXIMUM, sf.Verdict.DEGENERATE}


def way(pair) -> str:
    return "-".join(filter(None, pair))


@pytest.fixture(scope="module")
def walked():
    """Each animal met by each way once; the functions are compiled once, as the zoo holds on to them."""
    known = {}

    def meet(animal: Animal, pair):
        if (animal.name, pair) not in known:
            method, steps = pair
            try:
                known[animal.name, pair] = sf.minimize(
                    animal.f, np.array(animal.start), method=method, steps=steps, max_steps=300, max_evaluations=1500,
                    **animal.options,
                )  # fmt: skip
            except ModelError as refused:
                known[animal.name, pair] = refused
        found = known[animal.name, pair]
        if isinstance(found, ModelError):
            assert str(found).startswith(BLIND) and pair in RATED, found
            pytest.skip("there is no curvature at the start that a rate could be taken from")
        return found

    return meet


@pytest.mark.parametrize("animal", ANIMALS, ids=str)
@pytest.mark.parametrize("pair", WAYS, ids=way)
def test_what_comes_back_is_true(pair, animal, walked):
    result = walked(animal, pair)
    rows = result.trace.rows
    assert np.all(np.isfinite(result.flat)) and math.isfinite(result.value)
    assert result.value <= rows[0].value
    assert result.value >= animal.lowest - 1e-12 * max(1.0, abs(animal.lowest))
    with jax.enable_x64(True):
        again = animal.f(result.flat, *animal.options.get("args", ()))
        at_start = animal.height
    again = float(again[0] if animal.options.get("jac") is True else again)
    loose = 1e-6 if animal.name == "float32" else 1e-12  # f is compiled as a whole there, and term by term here
    assert result.value == pytest.approx(again, rel=loose, abs=1e-14 * abs(at_start))
    assert rows[0].value == pytest.approx(at_start, rel=loose, abs=1e-30)
    assert result.value <= min(row.value for row in rows if math.isfinite(row.value)) + 1e-6 * abs(rows[0].value)


@pytest.mark.parametrize("animal", ANIMALS, ids=str)
@pytest.mark.parametrize("pair", WAYS, ids=way)
def test_no_verdict_claims_what_is_not_so(pair, animal, walked):
    result = walked(animal, pair)
    assert result.judged.rigour is sf.Rigour.NUMERICAL and result.judged.claim.endswith(".")
    must_be_true(result.judged, animal, result.flat)


@pytest.mark.parametrize("animal", ANIMALS, ids=str)
@pytest.mark.parametrize("pair", [("auto", None), ("steepest", "armijo")], ids=way)
def test_no_proof_claims_what_is_not_so(pair, animal, walked):
    result = walked(animal, pair)
    must_be_true(result.certificate, animal, result.flat)
    if result.verdict in GLOBAL:
        assert result.certificate.rigour is sf.Rigour.PROVEN
    if result.source not in ("JAX", "text"):
        assert result.certificate.rigour is sf.Rigour.NUMERICAL


def must_be_true(certificate, animal, at) -> None:
    verdict = certificate.verdict
    if verdict in (*MINIMA, *GLOBAL):
        assert animal.away(at) <= animal.close, certificate.claim
    if verdict is sf.Verdict.STRICT_LOCAL_MINIMUM:
        assert animal.strict, certificate.claim
    if verdict in (sf.Verdict.SADDLE, sf.Verdict.LOCAL_MAXIMUM):
        assert animal.others(at) <= animal.close, certificate.claim
    if verdict is sf.Verdict.UNBOUNDED_BELOW:
        assert animal.lowest == -math.inf, certificate.claim
    if verdict is sf.Verdict.INFIMUM_NOT_ATTAINED:
        assert "infimum" in animal.name and animal.lowest > -math.inf, certificate.claim


@pytest.mark.parametrize("animal", ANIMALS, ids=str)
@pytest.mark.parametrize("pair", WAYS, ids=way)
def test_the_stop_bears_its_numbers_out(pair, animal, walked):
    result = walked(animal, pair)
    stop, text = result.stop, str(result.stop)
    assert text.startswith(stop.reason.value)
    name = stop.reason.name
    if name == "NOISE":
        assert stop.measure <= stop.tolerance and f"{stop.measure:.1e} <= {stop.tolerance:.1e}" in text
        assert stop.measure == pytest.approx(math.hypot(*result.slope), rel=1e-9)
    elif name == "STALLED":
        assert stop.measure > stop.tolerance and f"{stop.measure:.1e} > {stop.tolerance:.1e}" in text
    elif name == "STEPS":
        assert result.steps == 300 and "300 steps" in text
    elif name == "EVALUATIONS":
        assert f"{1500:,}"[:3] in text and result.counts.values + result.counts.gradients > 0
    elif name == "UNBOUNDED":
        assert animal.lowest == -math.inf and "e+" in text
    else:
        assert name in ("IDLE", "NO_DECREASE", "NOT_FINITE", "DIVERGED", "TOLERANCE", "KINK")
        assert any(digit in text for digit in "0123456789")
    if result.judged.verdict in STATIONARY and name in ("NOISE", "STALLED"):
        assert result.to_scipy().success


def due(pair, animal) -> bool:
    """Whether this way must arrive at a minimum of this animal."""
    learns = pair[0] in GOOD and pair[1] in (None, "wolfe", "exact")
    return animal.found_by == "all" or (animal.found_by in ("good", "auto") and pair[0] == "auto") or (
        animal.found_by == "good" and learns
    )  # fmt: skip


@pytest.mark.parametrize(
    "pair, animal", [(pair, animal) for animal in ANIMALS for pair in WAYS if due(pair, animal)],
    ids=lambda one: way(one) if isinstance(one, tuple) else str(one),
)  # fmt: skip
def test_who_should_arrive_does(pair, animal, walked):
    result = walked(animal, pair)
    assert animal.away(result.flat) <= 1e-3 or result.value <= animal.lowest + 1e-9, (result.stop, result.flat)


@pytest.mark.parametrize("pair", WAYS, ids=way)
def test_noise_that_is_new_at_every_call(pair):
    """A simulation: the same point has another value each time. What comes back is a point near the minimum."""
    random = np.random.default_rng(7)

    def simulated(x):
        return float((x[0] - 1) ** 2 + 2 * (x[1] + 1) ** 2 + 1e-6 * random.standard_normal())

    method, steps = pair
    result = sf.minimize(
        simulated, np.array([3.0, 2.0]), method=method, steps=steps, max_steps=100, max_evaluations=1000
    )
    assert result.value <= result.trace.rows[0].value
    assert result.verdict not in MINIMA or np.linalg.norm(result.flat - [1, -1]) < 1e-2
    assert result.verdict is not sf.Verdict.STRICT_LOCAL_MINIMUM
    if pair not in RATED:
        assert np.linalg.norm(result.flat - [1, -1]) < 0.1


@pytest.mark.parametrize("pair", WAYS, ids=way)
@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf])
def test_a_start_where_f_is_not_defined(bad, pair):
    method, steps = pair
    result = sf.minimize(lambda x: jnp.where(x[0] < 5, bad, jnp.sum(x**2)), np.ones(2), method=method, steps=steps)
    assert result.stop.reason.name == "NOT_FINITE" and "at the start" in str(result.stop)
    assert result.verdict is sf.Verdict.INCONCLUSIVE and result.steps == 0
    assert result.flat == pytest.approx(1) and not math.isfinite(result.value)
    assert not result.to_scipy().success


def test_every_kind_of_verdict_and_of_stop_is_met(walked):
    """The zoo is a zoo: what it is made for does happen in it."""
    met = [walked(animal, pair) for animal in ANIMALS for pair in (("auto", None), ("bfgs", None))]
    verdicts = {result.judged.verdict.name for result in met}
    assert verdicts >= {"STRICT_LOCAL_MINIMUM", "LOCAL_MINIMUM", "SADDLE", "LOCAL_MAXIMUM", "DEGENERATE",
                        "UNBOUNDED_BELOW", "INCONCLUSIVE"}  # fmt: skip
    assert {result.stop.reason.name for result in met} >= {"NOISE", "UNBOUNDED"}
    assert len({animal.name for animal in ANIMALS}) == len(ANIMALS) >= 40


@pytest.mark.parametrize("animal", [one for one in ANIMALS if one.found_by != "none"], ids=str)
def test_the_zoo_itself_tells_the_truth(animal):
    """No method is asked here: from the start SciPy's simplex comes no lower than the infimum that is written down."""
    from scipy.optimize import minimize

    with jax.enable_x64(True):
        f = animal.f if animal.name.startswith(("NumPy", "noise", "values r")) else jax.jit(animal.f)
        args = animal.options.get("args", ())

        def height(x):
            found = f(x, *args)
            return float(found[0] if animal.options.get("jac") is True else found)

        peer = minimize(height, np.array(animal.start) + 0.1, method="Nelder-Mead",
                        options={"maxfev": 2000, "xatol": 1e-9, "fatol": 0.0})  # fmt: skip
    loose = 1e-5 if animal.name == "float32" else 1e-9
    assert peer.fun >= animal.lowest - loose * max(1.0, abs(animal.lowest))
    if peer.fun <= animal.lowest + 1e-12 * max(1.0, abs(animal.lowest)) and animal.name != "float32":
        assert animal.away(peer.x) <= 1e-2
