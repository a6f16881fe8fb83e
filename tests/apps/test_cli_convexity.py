"""``surefoot convexity``: what it prints, and how every call ends."""

import json

import pytest

from surefoot.apps.cli import run


def call(capsys, *arguments, code=0):
    assert run(["convexity", *arguments]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_the_proof_is_printed_in_numbered_lines(capsys):
    assert call(capsys, "exp(x^2) + y^2").splitlines() == [
        "strongly convex (proven): The function is strongly convex with modulus 2 on all of R^2.",
        "  1. u1 = x^2 is convex: the power 2 is convex, its argument affine.",
        "  2. u2 = exp(u1) is convex: exp is convex and rises, its argument convex.",
        "  3. u3 = y^2 is convex: the power 2 is convex, its argument affine.",
        "  4. The function = u2 + u3 is convex: a sum of convex terms.",
        "  5. Strongly so with modulus 2: H >= M, a matrix of rational numbers, by bounds of the second derivatives of "
        "functions of one affine number each over the whole ranges of these numbers.",
    ]


def test_a_domain_and_json(capsys):
    found = json.loads(call(capsys, "-x*log(x)", "--domain", "x > 0", "--json"))
    assert found["verdict"] == "STRICTLY_CONCAVE" and found["convex"] is False and found["domain"] == "x > 0"
    assert "where x > 0" in call(capsys, "x^2/y", "--domain", "y > 0").replace("y > 0", "x > 0")


def test_an_expression_may_begin_with_a_minus_and_vectors_have_a_shape(capsys):
    assert "strictly convex" in call(capsys, "-log(x)")
    assert "modulus 2" in call(capsys, "sum(x^2)", "--shape", "x=[0, 0, 0]")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x +"], "surefoot: "), (["x^2", "--domain", "z > 0"], "no variable named z"),
        (["sum(x^2)"], "whole vectors"), (["x^2", "--domain", "x*x > 0"], "linear"),
    ],
)  # fmt: skip
def test_a_wrong_call_ends_with_2_and_a_sentence(capsys, arguments, words):
    assert run(["convexity", *arguments]) == 2
    shown = capsys.readouterr()
    assert words in shown.err and "Traceback" not in shown.err and shown.out == ""


def test_an_empty_domain_is_refused(capsys):
    assert run(["convexity", "x^2", "--domain", "x > 1, x < 0"]) in (1, 2)
    assert "No point is in the domain" in capsys.readouterr().err
