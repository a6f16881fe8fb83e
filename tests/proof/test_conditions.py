"""The judge of a least squares bowl: never stronger than the evidence, and not weaker without a reason."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

import surefoot.proof
from surefoot.proof.certificate import Certificate, Rigour, Verdict
from surefoot.proof.conditions import Bowl, judge_bowl

GOOD = Bowl(
    columns=3, rank=3, smallest_singular_value=0.4, tolerance=1e-14, smallest_curvature=28.9,
    orthogonality=3e-16, residual_units=1e12,
)  # fmt: skip


def test_a_bowl_that_rises_everywhere_has_one_minimum():
    certificate = judge_bowl(GOOD)
    assert certificate.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM
    assert certificate.rigour is Rigour.NUMERICAL
    assert any("perpendicular to every column to 3e-16" in line for line in certificate.lines)
    assert certificate.evidence["smallest_curvature"] == 28.9


def test_nobody_looked_at_the_rows():
    certificate = judge_bowl(replace(GOOD, orthogonality=None, residual_units=None))
    assert certificate.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM
    assert not any("perpendicular" in line for line in certificate.lines)


def test_a_flat_valley_is_global_but_not_unique():
    certificate = judge_bowl(replace(GOOD, rank=2, valley=[{"a": 1.0, "b": -2.0}]))
    assert certificate.verdict is Verdict.GLOBAL_MINIMUM
    assert "valley of global minimisers of dimension 1" in certificate.claim
    assert certificate.evidence["valley"] == [{"a": 1.0, "b": -2.0}]


@pytest.mark.parametrize("smallest", [0.0, 1e-15, 1e-14])
def test_a_bowl_as_flat_as_rounding_is_inconclusive(smallest):
    certificate = judge_bowl(replace(GOOD, smallest_singular_value=smallest))
    assert certificate.verdict is Verdict.INCONCLUSIVE
    assert "rounding hides" in certificate.claim


@pytest.mark.parametrize("rank", [2, 3])
def test_a_gradient_that_does_not_vanish_is_inconclusive_whatever_the_rank(rank):
    certificate = judge_bowl(replace(GOOD, rank=rank, orthogonality=0.01))
    assert certificate.verdict is Verdict.INCONCLUSIVE
    assert "not perpendicular" in certificate.claim


def test_the_direction_of_a_residual_of_rounding_means_nothing():
    certificate = judge_bowl(replace(GOOD, orthogonality=0.9, residual_units=1.3))
    assert certificate.verdict is Verdict.UNIQUE_GLOBAL_MINIMUM
    assert certificate.evidence["orthogonality"] is None
    assert any("passes through every row" in line for line in certificate.lines)
    assert not any("perpendicular" in line for line in certificate.lines)


@pytest.mark.parametrize("cosine, verdict", [(0.01, Verdict.UNIQUE_GLOBAL_MINIMUM), (0.05, Verdict.INCONCLUSIVE)])
def test_a_small_residual_may_be_turned_by_its_rounding_and_no_further(cosine, verdict):
    assert judge_bowl(replace(GOOD, orthogonality=cosine, residual_units=1e3)).verdict is verdict


def test_no_columns_at_all():
    bowl = Bowl(columns=0, rank=0, smallest_singular_value=0.0, tolerance=1e-14, smallest_curvature=float("nan"))
    assert judge_bowl(bowl).verdict is Verdict.UNIQUE_GLOBAL_MINIMUM


@pytest.mark.parametrize(
    "bowl",
    [
        GOOD,
        replace(GOOD, rank=1, valley=[{"a": 1.0}, {"b": -1.0, "a": 0.5}]),
        replace(GOOD, orthogonality=None),
        replace(GOOD, smallest_singular_value=0.0),
    ],
)
def test_a_certificate_comes_back_from_json(bowl):
    certificate = judge_bowl(bowl)
    written = json.dumps(certificate.to_json(), allow_nan=False)
    assert Certificate.from_json(json.loads(written)) == certificate


@pytest.mark.parametrize("key", ["verdict", "rigour", "claim", "lines", "evidence"])
def test_half_a_certificate_is_refused(key):
    state = judge_bowl(GOOD).to_json()
    del state[key]
    with pytest.raises(KeyError):
        Certificate.from_json(state)


def test_the_words_of_a_verdict_are_all_different():
    assert len({verdict.value for verdict in Verdict}) == len(Verdict) == 12


ROOMS = ("surefoot.proof", "surefoot.problem", "surefoot.errors")
COMMON = ("surefoot.wording", "surefoot.interruption", "surefoot.parallel", "surefoot.plain_json", "surefoot.files")
"""Words, Ctrl-C, threads, and how anything is saved."""


def test_the_judge_does_not_trust_the_climber():
    """The room of proof reads no fit, no triangle and no walk; import-linter says the same of the modules."""
    for path in Path(surefoot.proof.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in found:
                assert not module.startswith("surefoot") or module == "surefoot" or module.startswith((*ROOMS, *COMMON))
