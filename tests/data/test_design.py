"""Design matrices against patsy, and the same columns however the rows are batched."""

import json

import numpy as np
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designing import columns_of, frames_of, learnt, matrix_of
from surefoot.data.design import Design, design_from_state
from surefoot.data.frame import Frame
from surefoot.data.source import open_source
from surefoot.errors import DataError, ModelError

RNG = np.random.default_rng(20)
N = 240
TABLE = {
    "y": RNG.normal(size=N),
    "x": RNG.normal(size=N),
    "z": RNG.uniform(1, 9, size=N),
    "k": np.tile([1.0, 2.0, 3.0, 4.0], N // 4),
    "a": np.tile(["a1", "a2", "a3"], N // 3),
    "b": np.repeat(["b1", "b2"], N // 2),
    "c": np.tile(np.repeat(["c1", "c2", "c3", "c4"], 3), N // 12),
    "flag": np.tile([True, False, False], N // 3),
}


def as_patsy(formula):
    """Patsy's spelling of our formula."""
    return formula.replace("^", "**").replace("log(", "np.log(")


def our_name(name):
    """Our spelling of patsy's column name."""
    for theirs, ours in [("Intercept", "(Intercept)"), ("np.log", "log"), (" ** ", "^")]:
        name = name.replace(theirs, ours)
    return name


SAME_AS_PATSY = [
    "1 + a:b", "a + a:b", "b + a:b", "a*b", "a*b*x", "0 + a*b", "0 + a + b", "0 + a:b", "a:b:c", "a*b*c", "a:b + a:c",
    "x:a", "a + x:a", "a*x", "0 + x:a", "0 + a + x:a", "0 + a*x", "x + x:a", "0 + x + x:a", "x:z:a + a", "a/x", "a/b",
    "(a + b + c)^2", "(a + b + x)^2", "0 + (a + b + c)^2", "x + z", "x:z", "log(z) + I(x^2)", "log(z):a", "0 + a",
    "a + b - 1", "a:b - a:b + x", "x*z*a + b", "0 + x:a:b + a", "a:x + b:x", "0 + a:x + b:x",
]  # fmt: skip


@pytest.mark.parametrize("formula", SAME_AS_PATSY)
def test_columns_are_those_of_patsy(formula):
    ours = columns_of(f"y ~ {formula}", TABLE)
    theirs = patsy.dmatrix(as_patsy(formula), TABLE)
    names = [our_name(name) for name in theirs.design_info.column_names]
    # Patsy puts all terms with the same numeric factors together, we go by degree as R does: the sets are the same.
    assert sorted(ours) == sorted(names)
    for name, column in zip(names, np.asarray(theirs).T, strict=True):
        np.testing.assert_allclose(ours[name], column, rtol=1e-15, atol=0)


@pytest.mark.parametrize("formula", [one for one in SAME_AS_PATSY if not set("xz") & set(one.replace("log", ""))])
def test_the_order_of_columns_is_that_of_patsy_where_all_is_categories(formula):
    theirs = patsy.dmatrix(as_patsy(formula), TABLE)
    assert list(columns_of(f"y ~ {formula}", TABLE)) == [our_name(one) for one in theirs.design_info.column_names]


def test_the_order_of_columns_by_degree_the_first_factor_fastest():
    assert list(columns_of("y ~ x:a + b + x", TABLE)) == ["(Intercept)", "b[T.b2]", "x", "x:a[T.a2]", "x:a[T.a3]"]
    assert list(columns_of("y ~ 0 + a:b", TABLE)) == [
        "a[a1]:b[b1]", "a[a2]:b[b1]", "a[a3]:b[b1]", "a[a1]:b[b2]", "a[a2]:b[b2]", "a[a3]:b[b2]"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("C(a, Treatment('a2'))", "C(a, Treatment('a2'))"),
        ("C(a, Treatment(reference='a3'))", "C(a, Treatment('a3'))"),
        ("C(a, Sum)", "C(a, Sum)"),
        ("C(a, Sum)*b", "C(a, Sum)*b"),
        ("0 + b + C(a, Sum)", "0 + b + C(a, Sum)"),
        ("C(c, Helmert)", "C(c, Helmert)"),
        ("x + C(c, Helmert):x", "x + C(c, Helmert):x"),
        ("C(k)", "C(k)"),
        ("C(k, Treatment(3))", "C(k, Treatment(3))"),
        ("C(k)*a", "C(k)*a"),
        ("flag", "flag"),
        ("0 + flag", "0 + flag"),
        ("flag:x", "flag:x"),
        ("factor(a)", "C(a)"),
        ("center(x)", "center(x)"),
        ("scale(x)", "standardize(x, ddof=1)"),
        ("center(x)*scale(z)", "center(x)*standardize(z, ddof=1)"),
        ("I(center(x)^2)", "I((x - np.mean(x))**2)"),
        ("bs(x, df=5)", "bs(x, df=5)"),
        ("bs(x, 7)", "bs(x, df=7)"),
        ("bs(z, df=4, degree=2)", "bs(z, df=4, degree=2)"),
        ("bs(z, df=6, degree=1)", "bs(z, df=6, degree=1)"),
        ("0 + bs(x, df=6, include_intercept=True)", "0 + bs(x, df=6, include_intercept=True)"),
        ("bs(log(z), df=5):a", "bs(np.log(z), df=5):a"),
    ],
)
def test_values_of_other_factors_are_those_of_patsy(ours, theirs):
    found = np.column_stack(list(columns_of(f"y ~ {ours}", TABLE).values()))
    np.testing.assert_allclose(found, np.asarray(patsy.dmatrix(theirs, TABLE)), rtol=1e-12, atol=1e-14)


def test_names():
    names = list(columns_of("y ~ a + C(b, Sum) + C(c, Helmert) + poly(x, 2) + flag + C(k, Treatment(2)) + x:z", TABLE))
    assert names == [
        "(Intercept)", "a[T.a2]", "a[T.a3]", "C(b, Sum)[S.b1]", "C(c, Helmert)[H.c2]", "C(c, Helmert)[H.c3]",
        "C(c, Helmert)[H.c4]", "poly(x, 2)[1]", "poly(x, 2)[2]", "flag[T.True]", "C(k, Treatment(2))[T.1]",
        "C(k, Treatment(2))[T.3]", "C(k, Treatment(2))[T.4]", "x:z",
    ]  # fmt: skip
    # Full coding is an indicator for each level whatever the contrast, as in R; patsy keeps the contrast beside a mean.
    assert list(columns_of("y ~ 0 + C(a, Sum)", TABLE)) == [f"C(a, Sum)[a{k}]" for k in (1, 2, 3)]
    assert list(columns_of("y ~ 0 + bs(x, df=3)", TABLE)) == [f"bs(x, df=3)[{k}]" for k in range(3)]


def test_poly_is_that_of_r():
    """R's poly orthogonalises the Vandermonde matrix of centred x; signs are such that leading terms are positive."""
    x = np.arange(1.0, 11.0)
    q, r = np.linalg.qr(np.vander(x - x.mean(), 4, increasing=True))
    expected = (q * np.sign(np.diag(r)))[:, 1:]
    found = columns_of("y ~ 0 + poly(x, 3)", {"x": x, "y": x})
    np.testing.assert_allclose(np.column_stack(list(found.values())), expected, rtol=1e-13, atol=1e-15)
    # As R prints poly(1:10, 3)[1, ] and [3, ].
    np.testing.assert_allclose(expected[0], [-0.49543369, 0.52223297, -0.45342519], atol=5e-9)
    np.testing.assert_allclose(expected[2], [-0.27524094, -0.08703883, 0.37785433], atol=5e-9)


def test_poly_of_a_far_and_narrow_column_stays_orthonormal():
    x = 1e6 + np.linspace(0, 1, 1000)
    made = np.column_stack(list(columns_of("y ~ 0 + poly(x, 5)", {"x": x, "y": x}).values()))
    np.testing.assert_allclose(made.T @ made, np.eye(5), atol=1e-8)
    np.testing.assert_allclose(made.sum(axis=0), 0, atol=1e-7)


CATEGORIES = st.sampled_from(["a", "b", "c", "x", "z"])
TERM = st.lists(CATEGORIES, min_size=1, max_size=3, unique=True).map(":".join)


@settings(deadline=None, max_examples=25)
@given(st.lists(TERM, min_size=1, max_size=4), st.sampled_from(["0 + ", ""]))
def test_no_column_depends_on_others_by_construction(terms, intercept):
    """Over balanced data every design has full rank, and spans what full coding of every category spans."""
    formula = intercept + " + ".join(terms)
    made = np.column_stack(list(columns_of(f"y ~ {formula}", TABLE).values()))
    assert np.linalg.matrix_rank(made) == made.shape[1]
    everything = [np.ones((N, 1))] * (not intercept)
    for term in terms:
        block = np.ones((N, 1))
        for name in term.split(":"):
            values = TABLE[name]
            full = values[:, None] if name in "xz" else (values[:, None] == np.unique(values)).astype(float)
            block = (block[:, :, None] * full[:, None, :]).reshape(N, -1)
        everything.append(block)
    everything = np.column_stack(everything)
    assert np.linalg.matrix_rank(everything) == made.shape[1]
    assert np.linalg.matrix_rank(np.column_stack([everything, made])) == made.shape[1]


# A stream and a table ----------------------------------------------------------------------------------------------

LATE = {
    "y": np.arange(1100.0) % 17,
    "x": np.concatenate([np.linspace(-1, 1, 1000), np.linspace(5, 50, 100)]),
    "g": np.array(["b"] * 1000 + ["a"] * 50 + ["Z"] * 50),
    "k": np.concatenate([np.full(1099, 2.0), [1.0]]),
}


@pytest.mark.parametrize("rows", [1, 2, 7, 1000])
@pytest.mark.parametrize("formula", ["g*x + C(k)", "poly(x, 3) + bs(x, df=6)", "center(x) + scale(x):g", "C(g, Sum):k"])
def test_any_batching_gives_the_same_columns(formula, rows):
    whole, parts = columns_of(f"y ~ {formula}", LATE), columns_of(f"y ~ {formula}", LATE, rows)
    assert list(parts) == list(whole)
    for name, column in whole.items():
        np.testing.assert_allclose(parts[name], column, rtol=1e-11, atol=1e-12 * np.abs(column).max())


def test_levels_are_sorted_wherever_they_first_appear():
    assert list(columns_of("y ~ g + C(k)", LATE, 10)) == ["(Intercept)", "g[T.a]", "g[T.b]", "C(k)[T.2]"]


@pytest.mark.parametrize("how", [{"weights": "w"}, {"frequencies": "w"}, {}])
def test_rows_that_are_not_used_teach_nothing(how):
    """A missing value in any column, or a weight of zero: the row influences no level, knot, centre or polynomial."""
    some = {name: values[:1000].copy() for name, values in LATE.items()}
    some["k"] = np.arange(1000.0) % 3
    some["g"] = np.tile(["b", "c"], 500)
    junk = {"y": [9.0] * 3, "x": [1e9, -1e9, 7.0], "k": [77.0, 78.0, 79.0], "g": ["junk", "Junk", "rubbish"]}
    both = {name: np.concatenate([junk[name], values]) for name, values in some.items()}
    some["w"] = np.ones(1000)
    if how:
        both["w"] = np.concatenate([np.zeros(3), np.ones(1000)])
    else:
        both["y"][:3] = np.nan
    formula = "y ~ g + C(k) + bs(x, df=6) + poly(x, 2) + center(x) + scale(x)"
    found, expected = learnt(formula, both, **how), learnt(formula, some)
    assert found.names == expected.names
    np.testing.assert_allclose(matrix_of(found, both), matrix_of(expected, some), rtol=1e-12, atol=1e-13)


def test_a_frequency_of_two_is_two_rows_in_all_that_is_learnt():
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 4, 200)
    table = {"x": rng.normal(size=200), "y": rng.normal(size=200), "n": counts}
    twice = {name: np.repeat(values, counts) for name, values in table.items()}
    formula = "y ~ bs(x, df=6) + poly(x, 3) + center(x) + scale(x)"
    counted, repeated = learnt(formula, table, frequencies="n"), learnt(formula, twice)
    np.testing.assert_allclose(
        np.repeat(matrix_of(counted, table), counts[counts > 0], axis=0),
        matrix_of(repeated, twice),
        rtol=1e-11,
        atol=1e-13,
    )


def test_precision_weights_do_not_move_what_is_learnt():
    table = {"x": np.arange(10.0), "y": np.arange(10.0), "w": np.arange(1.0, 11.0)}
    weighted, plain = learnt("y ~ center(x)", table, weights="w"), learnt("y ~ center(x)", table)
    np.testing.assert_array_equal(matrix_of(weighted, table), matrix_of(plain, table))


def test_a_batch_without_a_usable_row():
    table = {"x": np.array([np.nan, np.nan, 1, 2, 3]), "g": ["a", "b", "a", "b", "a"], "y": [1.0, 2, 3, 4, 5]}
    for formula in ("y ~ g*x", "y ~ x", "y ~ bs(x, df=3)", "y ~ poly(x, 2):g"):
        np.testing.assert_allclose(
            np.column_stack(list(columns_of(formula, table, 1).values())),
            np.column_stack(list(columns_of(formula, table).values())),
            atol=1e-14,
        )


# The block ---------------------------------------------------------------------------------------------------------


def block_of(formula, table, **request):
    design, source = learnt(formula, table, **request), open_source(table)
    (frame,) = frames_of(source, design.variables)
    return design.block(frame, source)


def test_the_block_holds_predictors_ones_if_there_is_no_constant_and_the_response():
    table = {"x": [1.0, 2.0, 3.0], "y": [4.0, 5.0, 6.0], "z": [1.0, 1.0, 2.0]}
    assert block_of("y ~ x", table).matrix.tolist() == [[1, 1, 4], [1, 2, 5], [1, 3, 6]]
    assert block_of("y ~ 0 + x", table).matrix.tolist() == [[1, 1, 4], [2, 1, 5], [3, 1, 6]]
    assert block_of("y ~ x + offset(z) + offset(2*z)", table).matrix[:, -1].tolist() == [1, 2, 0]
    assert block_of("y ~ x + offset(z)", table, offset="x").matrix[:, -1].tolist() == [2, 2, 1]
    assert block_of("I(y^2) ~ 1", table).matrix.tolist() == [[1, 16], [1, 25], [1, 36]]
    assert block_of("center(y) ~ 1", table).matrix.tolist() == [[1, -1], [1, 0], [1, 1]]
    assert block_of("y ~ x", table).matrix.flags.f_contiguous


def test_weights_and_frequencies_of_a_block():
    table = {"x": [1.0, 2.0, 3.0, 4.0], "y": [4.0, 5.0, 6.0, np.nan], "w": [1.0, 0.0, 3.0, 1.0], "n": [2, 2, 1, 1]}
    block = block_of("y ~ x", table, weights="I(w/2)", frequencies="n")
    assert (block.weights.tolist(), block.frequencies.tolist(), block.missing) == ([0.5, 1.5], [2.0, 1.0], 1)
    assert block.matrix[:, 1].tolist() == [1, 3]
    assert block.frame.row_numbers().tolist() == [1, 3]


def test_nothing_is_learnt_inside_weights():
    with pytest.raises(ModelError, match=r"weights: center\(\) cannot be used here"):
        learnt("y ~ x", {"x": [1.0, 2], "y": [1.0, 2]}, weights="center(x)")


def test_a_long_sum_is_no_deep_recursion():
    """A sum of two thousand terms is a legal expression and a graph two thousand nodes deep."""
    table = {"x": [1.0, 2.0], "y": [1.0, 2.0]}
    many = "+".join(["x"] * 2000)
    (column,) = columns_of(f"y ~ 0 + I({many})", table).values()
    assert column.tolist() == [2000.0, 4000.0]
    assert block_of("y ~ x", table, weights=f"I({many})").weights.tolist() == [2000.0, 4000.0]
    assert len(columns_of("y ~ " + "+".join(["x"] * 2000), table)) == 2


def test_pi_is_a_number_unless_it_is_a_column():
    table = {"x": [0.5, 1.0], "y": [1.0, 2.0]}
    assert columns_of("y ~ I(2*pi*x)", table)["I(2*pi*x)"].tolist() == [np.pi, 2 * np.pi]
    assert columns_of("y ~ pi:x", {**table, "pi": [3.0, 4.0]})["pi:x"].tolist() == [1.5, 4.0]


def test_huge_numbers_whose_sum_overflows_are_finite():
    table = {"x": np.full(4, 1.5e308), "y": np.arange(4.0)}
    design, source = learnt("y ~ x", table), open_source(table)
    (frame,) = frames_of(source, design.variables)
    with np.errstate(over="ignore"):
        assert design.block(frame, source).matrix[0].tolist() == [1.0, 1.5e308, 0.0]


def test_a_design_is_saved_with_all_that_it_learnt():
    formula = "y ~ a*x + C(b, Sum) + C(k, Treatment(2)) + poly(x, 3) + bs(z, df=5) + scale(log(z)) + flag"
    design = learnt(formula, TABLE, weights="z", offset="x/2")
    again = design_from_state(json.loads(json.dumps(design.state())))
    assert isinstance(again, Design)
    assert again.names == design.names
    assert again.variables == design.variables
    np.testing.assert_array_equal(matrix_of(again, TABLE), matrix_of(design, TABLE))
    (frame,) = frames_of(open_source(TABLE), again.variables)
    np.testing.assert_array_equal(again.offsets(frame), TABLE["x"] / 2)


def test_twice_the_precision():
    """The products of the refinement are exact: x^2 in two doubles."""
    table = {"x": np.array([1 + 2.0**-30, 3.0]), "y": np.array([1.0, 2.0]), "g": ["a", "b"]}
    design = learnt("y ~ I(x^2) + g:x", table)
    (frame,) = frames_of(open_source(table), design.variables)
    predictors, response = design.twofold(frame)
    at = design.names.index("I(x^2)")
    assert predictors.high[0, at] + predictors.low[0, at] == predictors.high[0, at]
    assert predictors.low[0, at] == 2.0**-60
    np.testing.assert_array_equal(predictors.high, matrix_of(design, table))
    assert response.high.tolist() == [1.0, 2.0]


# What a design refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ I()", "I() takes an expression"),
        ("y ~ I(x, z)", "I() takes an expression"),
        ("y ~ center()", "center() takes an expression"),
        ("y ~ log(scale(x, z))", "scale() takes an expression"),
        ("y ~ C()", "C() takes a column"),
        ("y ~ C(a, Sum, Sum)", "C() takes a column"),
        ("y ~ C(a, Foo)", "the contrast must be one of Treatment, Sum, Helmert"),
        ("y ~ C(a, Sum('a1'))", "only Treatment takes a level"),
        ("y ~ C(a, Treatment('a9'))", "'a9' is not a level of a; its levels are 'a1', 'a2', 'a3'"),
        ("y ~ C(k, Treatment(9))", "'9' is not a level of k; its levels are '1', '2', '3', '4'"),
        ("y ~ C(a, levels=3)", "there is no levels="),
        ("y ~ C(x + 1)", "only a column can be a category"),
        ("y ~ poly(x)", "degree= must be given as a number"),
        ("y ~ poly(x, 0)", "a whole number from 1 to 100, not 0"),
        ("y ~ poly(x, 2.5)", "a whole number from 1 to 100, not 2.5"),
        ("y ~ poly(x, z)", "degree= must be given as a number"),
        ("y ~ poly(x, deg=2)", "there is no deg="),
        ("y ~ poly(k, 4)", "too few different values for degree 4"),
        ("y ~ poly(I(x - x), 2)", "its column is constant"),
        ("y ~ bs(x)", "give df= at least 3"),
        ("y ~ bs(x, df=2)", "give df= at least 3"),
        ("y ~ bs(x, df=3, include_intercept=True)", "give df= at least 4"),
        ("y ~ bs(x, df=5, knots=4)", "there is no knots="),
        ("y ~ bs(I(x - x), df=4)", "its column is constant"),
        ("y ~ scale(I(x - x))", "a standard deviation of zero"),
        ("y ~ log(poly(x, 2))", "make it a term of its own"),
        ("poly(y, 2) ~ x", "make it a term of its own"),
        ("y ~ x*offset(z)", "make it a term of its own"),
        ("y ~ I('a')", "no number and no column"),
        ("y ~ Sum(x)", "goes inside C()"),
        ("y ~ log(a)", "Column a of dict of arrays is a text, and log(a) needs numbers"),
        ("y ~ poly(a, 2)", "Column a of dict of arrays is a text, and poly(a, 2) needs numbers"),
        ("a ~ x", "Column a of dict of arrays is a text, and a needs numbers"),
        ("y ~ x + offset(a)", "Column a of dict of arrays is a text, and a needs numbers"),
    ],
)
def test_what_a_factor_cannot_be(formula, words):
    with pytest.raises((ModelError, DataError)) as caught:
        learnt(formula, TABLE)
    assert words in str(caught.value)
    assert caught.value.__cause__ is None


def test_more_columns_than_memory_has_room_for():
    table = {"g": [f"level {k}" for k in range(400)], "h": [f"{k}" for k in range(400)], "y": np.arange(400.0)}
    with pytest.raises(ModelError, match=r"makes 160,000 columns, and at most 10,000"):
        learnt("y ~ g:h", table)


def test_a_frame_without_a_source_still_says_the_row():
    design = learnt("y ~ log(x)", {"x": [1.0, 2.0], "y": [1.0, 2.0]})
    with pytest.raises(DataError, match=r"log\(x\) is -inf where x = 0 \(row 12\)"):
        design.block(Frame({"x": np.array([1.0, 0.0]), "y": np.array([1.0, 1.0])}, 2, start=10))
