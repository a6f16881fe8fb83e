"""What a fit says of its point, from the rows to the words."""

import numpy as np
import pytest

import surefoot as sf

RNG = np.random.default_rng(80)
A, B = RNG.standard_normal((2, 40))
Y = A - B + RNG.standard_normal(40)


def test_unique():
    fit = sf.fit("y ~ a + b", {"a": A, "b": B, "y": Y})
    assert fit.verdict is sf.Verdict.UNIQUE_GLOBAL_MINIMUM
    assert fit.certificate.rigour is sf.Rigour.NUMERICAL
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
