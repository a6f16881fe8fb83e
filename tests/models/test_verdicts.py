"""What a fit says of its point, from the rows to the words."""

import re
from fractions import Fraction

import numpy as np
import pytest

import surefoot as sf

RNG = np.random.default_rng(80)
A, B = RNG.standard_normal((2, 40))
Y = A - B + RNG.standard_normal(40)


def test_unique():
    fit = sf.fit("y ~ a + b", {"a": A, "b": B, "y": Y}, prove=False)
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    assert fit.certificate.rigour is sf.Rigour.NUMERICAL and "roven" not in fit.summary()
    X = np.column_stack([np.ones(40), A, B])
    assert fit.certificate.evidence["smallest_curvature"] == pytest.approx(
        np.linalg.eigvalsh(2 * X.T @ X)[0], rel=1e-10
    )
    assert fit.certificate.evidence["orthogonality"] < 1e-13
    assert fit.backward_error < 1e-15


@pytest.mark.parametrize("rank_deficient", ["drop", "minimum-norm"])
def test_the_direction_of_a_valley_is_written_in_column_names(rank_deficient):
    data = {"a": A, "b": B, "c": 3 * A - B, "y": Y}
    fit = sf.fit("y ~ a + b + c", data, rank_deficient=rank_deficient)
    assert fit.verdict is sf.Verdict.GLOBAL_MINIMUM
    (direction,) = fit.certificate.evidence["valley"]
    assert direction == {"a": pytest.approx(-3.0), "b": pytest.approx(1.0), "c": 1.0}
    moved = sum(share * data[name] for name, share in direction.items())
    assert np.abs(moved).max() < 1e-13
    for name in direction:
        assert name in fit.summary()


def test_a_valley_of_several_dimensions():
    data = {"a": A, "b": 2 * A, "c": np.zeros(40), "d": np.full(40, 5.0), "y": Y}
    fit = sf.fit("y ~ a + b + c + d", data)
    assert fit.certificate.evidence["valley"] == [
        {"a": pytest.approx(-2.0), "b": 1.0},
        {"c": 1.0},
        {"(Intercept)": pytest.approx(-5.0), "d": 1.0},
    ]
    assert "dimension 3" in fit.certificate.claim


def test_a_verdict_does_not_depend_on_the_second_pass_or_the_batches():
    for options in ({"diagnostics": False}, {"diagnostics": True}, {"batch_rows": 1}, {"refine": False}):
        for c, verdict in ((A * B, sf.Verdict.UNIQUE_GLOBAL_MINIMUM), (A + B, sf.Verdict.GLOBAL_MINIMUM)):
            fit = sf.fit("y ~ a + b + c", {"a": A, "b": B, "c": c, "y": Y}, **options)
            assert fit.verdict is verdict, options


@pytest.mark.parametrize("exponent", range(-8, 9, 2))
def test_residuals_of_any_size_are_judged_alike(exponent):
    fit = sf.fit("y ~ a + b", {"a": A, "b": B, "y": 1e3 + A + 10.0**exponent * Y})
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM


def test_a_certificate_is_equal_to_itself_through_json():
    for c in (A * B, A + B):
        certificate = sf.fit("y ~ a + b + c", {"a": A, "b": B, "c": c, "y": Y}).certificate
        assert sf.Certificate.from_json(certificate.to_json()) == certificate


class TestProofs:
    """The verdict of a formula's fit rises to PROVEN where an enclosure closes."""

    @pytest.mark.parametrize(
        "extra", [{}, {"weights": "w"}, {"frequencies": "n"}, {"weights": "w", "frequencies": "n"}]
    )
    def test_the_exact_minimiser_lies_within_the_radius(self, extra):
        table = {"a": A, "b": B, "y": Y, "w": RNG.uniform(0.5, 2, 40), "n": RNG.integers(0, 4, 40)}
        fit = sf.fit("y ~ a + b", table, batch_rows=7, **extra)
        assert fit.certificate.rigour is sf.Rigour.PROVEN and "(proven in 0." in fit.summary()
        weight = [Fraction(1)] * 40
        for word in extra.values():
            weight = [one * Fraction(float(value)) for one, value in zip(weight, table[word], strict=True)]
        found = normal_solution(np.column_stack([np.ones(40), A, B]), Y, weight)
        evidence = fit.certificate.evidence
        if len(extra) < 2:  # two kinds of weights are multiplied in doubles
            for exact, centre, radius in zip(found, evidence["centre"], evidence["radius"], strict=True):
                assert abs(exact - Fraction(centre)) <= Fraction(radius)
        within = float(re.search(r"within (\S+) of", fit.certificate.claim)[1])
        assert all(abs(float(exact) - coef) <= within + 1e-15 for exact, coef in zip(found, fit.coef, strict=True))
        assert 0 < evidence["curvature_at_least"] <= evidence["smallest_curvature"] * (1 + 1e-9)

    def test_it_takes_no_pass_and_no_time_of_the_fit(self):
        table = {"a": A, "b": B, "y": Y}
        one, other = (sf.fit("y ~ a + b", table, prove=prove) for prove in (True, False))
        assert one.account.passes == other.account.passes
        assert one.certificate.evidence["proof_seconds"] > 0 and "proof_seconds" not in other.certificate.evidence

    def test_what_stopped_it(self, monkeypatch):
        dependent = sf.fit("y ~ a + b + c", {"a": A, "b": B, "c": A + B, "y": Y})
        assert "Not proven: the columns depend on each other" in dependent.summary()
        near = sf.fit("y ~ a + c", {"a": 1e8 + A, "c": A + 1e-9 * B, "y": Y})
        assert near.certificate.rigour is sf.Rigour.PROVEN or "Not proven: " in near.summary()
        monkeypatch.setattr("surefoot.models.enclosing.CHEAP", 50)
        assert "prove=True insists" in sf.fit("y ~ a", {"a": A, "y": Y}).summary().replace("\n ", "")
        assert sf.fit("y ~ a", {"a": A, "y": Y}, prove=True).certificate.rigour is sf.Rigour.PROVEN


def normal_solution(X, y, weights):
    """The minimiser in rational arithmetic."""
    rows = [[Fraction(float(one)) for one in row] for row in X]
    right = [Fraction(float(one)) for one in y]
    n = X.shape[1]
    M = [
        [sum(w * row[i] * row[j] for w, row in zip(weights, rows, strict=True)) for j in range(n)]
        + [sum(w * row[i] * one for w, row, one in zip(weights, rows, right, strict=True))] for i in range(n)
    ]  # fmt: skip
    for i in range(n):
        M[i] = [one / M[i][i] for one in M[i]]
        for k in range(n):
            if k != i:
                M[k] = [a - M[k][i] * b for a, b in zip(M[k], M[i], strict=True)]
    return [row[-1] for row in M]
