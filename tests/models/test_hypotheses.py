import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import ExpressionError, ModelError
from surefoot.models.hypotheses import parse_hypotheses

NAMES = (
    "(Intercept)", "x", "x1", "x10", "I(x^2)", "C(g)[T.b]", "C(g)[T.x]", "poly(x, 3)[1]", "poly(x, 3)[2]",
    "bs(x, df=5)[0]", "x:C(g)[T.b]", "log(x)", "my var", "g[T.a=b]",
)  # fmt: skip


def rows(text):
    matrix, right = parse_hypotheses(text, NAMES)
    found = [{NAMES[j]: value for j, value in enumerate(row) if value} for row in matrix.tolist()]
    return list(zip(found, right.tolist(), strict=True))


def test_errors_point_at_the_piece():
    with pytest.raises(ExpressionError) as caught:
        parse_hypotheses("bs(x, df=5)[0] = 1, x1 = = 2", NAMES)
    assert caught.value.position == len("bs(x, df=5)[0] = 1,")
    with pytest.raises(ExpressionError) as caught:
        parse_hypotheses("x1 = 0, x99 = 0", NAMES)
    assert caught.value.position == len("x1 = 0, ")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_tested(name):
    assert rows(f"{name} = 2") == [({name: 1.0}, 2.0)]
    assert rows(name) == [({name: 1.0}, 0.0)]
    assert rows(f"-3*{name} = (Intercept) - 1") == [
        ({name: -3.0, "(Intercept)": -1.0} if name != "(Intercept)" else {name: -4.0}, -1.0)
    ]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("x1 = x10", [({"x1": 1.0, "x10": -1.0}, 0.0)]),
        ("x + x1 + x10 = 1", [({"x": 1.0, "x1": 1.0, "x10": 1.0}, 1.0)]),
        ("(x1 + x10)/2 = 3", [({"x1": 0.5, "x10": 0.5}, 3.0)]),
        ("2 = x1", [({"x1": -1.0}, -2.0)]),
        ("x1 = 0, x10 = 0", [({"x1": 1.0}, 0.0), ({"x10": 1.0}, 0.0)]),
        ("poly(x, 3)[1] = 0, poly(x, 3)[2] = 0", [({"poly(x, 3)[1]": 1.0}, 0.0), ({"poly(x, 3)[2]": 1.0}, 0.0)]),
        ("bs(x, df=5)[0] = 1", [({"bs(x, df=5)[0]": 1.0}, 1.0)]),
        ("C(g)[T.b] = C(g)[T.x]", [({"C(g)[T.b]": 1.0, "C(g)[T.x]": -1.0}, 0.0)]),
        ("x:C(g)[T.b] - x", [({"x:C(g)[T.b]": 1.0, "x": -1.0}, 0.0)]),
        ("I(x^2) = 2*x - x1/4 + 1e-3", [({"I(x^2)": 1.0, "x": -2.0, "x1": 0.25}, 1e-3)]),
    ],
)
def test_linear_combinations(text, expected):
    found = rows(text)
    assert [row for row, _ in found] == [pytest.approx(row) for row, _ in expected]
    assert [right for _, right in found] == pytest.approx([right for _, right in expected])


@pytest.mark.parametrize(
    "text, message",
    [
        ("x99 = 0", "no coefficient named x99"),
        ("x = y", "no coefficient named y"),
        ("x*x1 = 0", "linear"),
        ("x1^2 = 1", "linear"),
        ("1/x1 = 1", "linear"),
        ("x = x1 = x10", "one '='"),
        ("x + = 2", "hypothesis"),
        ("", "hypothesis"),
        ("x = ", "hypothesis"),
        ("C(h)[T.b] = 0", "hypothesis"),
        ("__0__ = 1 + coefficient0", "no coefficient named coefficient0"),
        ("log(x1) = 0", "linear"),
    ],
)
def test_what_cannot_be_tested_is_a_sentence(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse_hypotheses(text, NAMES)


RNG = np.random.default_rng(40)
DATA = {"a": RNG.standard_normal(40), "g": RNG.choice(["u", "v", "w"], 40), "x": RNG.uniform(1, 3, 40)}
DATA["y"] = DATA["a"] + DATA["x"] + RNG.standard_normal(40)


def test_names_of_a_real_design():
    fit = sf.fit("y ~ a*C(g) + poly(x, 3) + I(a^2) + bs(x, df=4)", DATA, rank_deficient="drop")
    for name in (fit.names[k] for k in fit.solution.kept):
        tested = fit.test(f"{name} = 0")
        assert tested.f == pytest.approx(fit[name].t ** 2, rel=1e-9)
        assert tested.p == pytest.approx(fit[name].p, rel=1e-7)


def test_all_slopes_at_once_is_the_f_of_the_fit():
    fit = sf.fit("y ~ a + x", DATA)
    tested = fit.test("a = 0, x = 0")
    assert tested.f == pytest.approx(fit.statistics.f, rel=1e-12)
    assert tested.p == pytest.approx(fit.statistics.f_p, rel=1e-10)
    assert tested.df == (2.0, 37.0)
    assert "a = 0, x = 0" in str(tested)


def test_a_test_is_a_comparison_of_nested_fits():
    large, small = sf.fit("y ~ a + x + C(g)", DATA), sf.fit("y ~ a + x", DATA)
    (test,) = sf.compare(small, large).tests
    tested = large.test("C(g)[T.v] = 0, C(g)[T.w] = 0")
    assert tested.f == pytest.approx(test.f, rel=1e-10)
    assert tested.p == pytest.approx(test.p, rel=1e-9)


@pytest.mark.parametrize(
    "text", ["a = 0, a = 0", "a = x, x = 0, a = 0", "a - a = 0", "a = 1, 2*a = 2", "a=0, x=0, a+x=0, a-x=0"]
)
@pytest.mark.parametrize("slope", [0.0, 1e-6])
def test_hypotheses_that_depend_on_each_other_are_a_sentence(text, slope):
    # Nearly dependent columns: their estimates are nearly dependent, which is no reason to refuse.
    data = DATA | {"a": DATA["x"] + slope * DATA["a"]} if slope else DATA
    with pytest.raises(ModelError, match="depend on each other or say nothing"):
        sf.fit("y ~ a + x", data).test(text)


@pytest.mark.parametrize("gap", [1e-6, 1e-9, 1e-11])
def test_badly_conditioned_estimates_are_tested_all_the_same(gap):
    data = DATA | {"b": DATA["x"] + gap * DATA["a"]}
    fit = sf.fit("y ~ x + b", data)
    assert fit.test("x = 0, b = 0").f == pytest.approx(fit.statistics.f, rel=max(1e-9, 1e-14 / gap))


def test_an_aliased_coefficient_cannot_be_tested():
    fit = sf.fit("y ~ a + b", DATA | {"b": 2 * DATA["a"]})
    with pytest.raises(ModelError, match="dropped as aliased"):
        fit.test("b = 0")
    assert fit.test("a = 0").p == pytest.approx(sf.fit("y ~ a", DATA).test("a = 0").p, rel=1e-10)


def test_along_a_valley_only_what_is_determined_can_be_tested():
    data = DATA | {"b": 2 * DATA["a"]}
    fit = sf.fit("y ~ a + b", data, rank_deficient="minimum-norm")
    with pytest.raises(ModelError, match="valley"):
        fit.test("b = 0")
    plain = sf.fit("y ~ a", data)
    assert fit.test("a + 2*b = 1").f == pytest.approx(plain.test("a = 1").f, rel=1e-10)
