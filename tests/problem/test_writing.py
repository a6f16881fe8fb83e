import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.problem.grammar import parse, to_latex, to_text
from surefoot.problem.graph import OPERATIONS, Apply, Name, Text, number

EXTRA = frozenset({"poly", "bs", "C"})
LEAVES = (
    st.sampled_from(["x", "y", "pi", "e", "my col", "and", "True", "log", "Sepal.Length", "größe"]).map(Name)
    | st.text(min_size=1, max_size=4).map(Name)
    | st.floats(min_value=0, allow_infinity=False, allow_nan=False).map(number)
    | st.sampled_from(["1", ".5", "2.", "1e-3", "0.10"]).map(parse)
)
NUMERIC = {name: arity for name, arity in OPERATIONS.items() if name != "pow"}


def options(nodes):
    """What only an extra function may be given."""
    words = st.sampled_from(["True", "False", "None"]).map(lambda word: Apply(word, ()))
    simple = nodes | st.text(max_size=5).map(Text) | words
    return simple | st.lists(simple, max_size=3).map(lambda items: Apply("list", tuple(items)))


def grow(nodes):
    numeric = st.sampled_from(sorted(NUMERIC)).flatmap(
        lambda name: st.tuples(*[nodes] * NUMERIC[name]).map(lambda arguments: Apply(name, arguments))
    )
    exponents = nodes.filter(lambda node: not to_text(node).strip("-")[0].isdigit()) | st.just(number(-3))
    powers = st.tuples(nodes, exponents).map(lambda pair: Apply("pow", pair))
    keywords = st.dictionaries(st.text(min_size=1, max_size=3), options(nodes), max_size=2)
    extra = st.builds(
        lambda name, arguments, named: Apply(name, tuple(arguments), tuple(named.items())),
        st.sampled_from(sorted(EXTRA)),
        st.lists(options(nodes), max_size=3),
        keywords,
    )
    return numeric | powers | extra


GRAPHS = st.recursive(LEAVES, grow, max_leaves=12)


@given(GRAPHS)
def test_text_is_read_back_as_the_same_graph(node):
    assert parse(to_text(node), extra=EXTRA) == node


@given(GRAPHS)
def test_latex_is_balanced(node):
    latex = to_latex(node).replace(r"\{", "").replace(r"\}", "")
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") - latex.count(r"\leftarrow") == latex.count(r"\right")


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("((x))+(y*z)", "x + y*z"),
        ("(a-b)-c", "a - b - c"),
        ("a-(b-c)", "a - (b - c)"),
        ("a/(b*c)", "a/(b*c)"),
        ("(x^y)^z", "(x^y)^z"),
        ("x^(y^z)", "x^y^z"),
        ("x**(-1)", "x^-1"),
        ("(-x)**2", "(-x)^2"),
        ("-(x**2)", "-x^2"),
        ("-(x+1)", "-(x + 1)"),
        ("(a<b)==(c<d)", "(a < b) == (c < d)"),
        ("not (a and b) or c", "not (a and b) or c"),
        ("a & (b | c)", "a and (b or c)"),
        ("min(a,b,c)", "min(a, b, c)"),
        ("min(a, min(b,c))", "min(a, min(b, c))"),
        ("max(min(a,b),c)", "max(min(a, b), c)"),
        ("asin(`x`)", "arcsin(x)"),
        ("`a b` + `and`", "`a b` + `and`"),
        ('bs(x,df = 5, f=True, k=["a"])', "bs(x, df=5, f=True, k=['a'])"),
        ("2.*.5", "2.*.5"),
    ],
)
def test_parentheses_only_where_needed(typed, written):
    assert to_text(parse(typed, extra=EXTRA)) == written


@pytest.mark.parametrize(
    ("typed", "latex"),
    [
        ("x^2 + 10*y^2", r"x^{2} + 10 \, y^{2}"),
        ("(x + 1)/x_1", r"\frac{x + 1}{x_{1}}"),
        ("(a/b)^2", r"\left(\frac{a}{b}\right)^{2}"),
        ("x*2", r"x \cdot 2"),
        ("2*-x", r"2 \, \left(-x\right)"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("-(a + b)", r"-\left(a + b\right)"),
        ("sqrt(abs(x))", r"\sqrt{\left|x\right|}"),
        ("exp(-beta2*x)", r"\exp\left(-\beta_{2} \, x\right)"),
        ("erf(x)", r"\operatorname{erf}\left(x\right)"),
        ("1e-3^2", r"\left(1 \times 10^{-3}\right)^{2}"),
        ("where(x <= 0, 0, x)", r"\begin{cases} 0 & \text{if } x \le 0 \\ x & \text{otherwise} \end{cases}"),
        ("`50% of_it`", r"\mathrm{50\%\ of\_it}"),
        ("max(x, y)", r"\max\left(x, y\right)"),
    ],
)
def test_latex(typed, latex):
    assert to_latex(parse(typed)) == latex


def test_long_chains_can_be_written_and_read_back():
    for text in ("1" + "+1" * 2400, "min(x" + ",x" * 3300 + ")", "x" + "/x" * 4900):
        node = parse(text)
        assert parse(to_text(node)) == node
        assert to_latex(node)
