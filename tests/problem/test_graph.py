import pickle
import subprocess
import sys

import pytest

from surefoot.problem.graph import Apply, Name, Number, Text, children, fold, names, number, walk

X, Y, ONE = Name("x"), Name("y"), Number(1.0, "1")


def chain(length):
    node = X
    for _ in range(length):
        node = Apply("add", (node, ONE))
    return node


def doubling(depth):
    node = X
    for _ in range(depth):
        node = Apply("add", (node, node))
    return node


def test_equal_nodes_are_equal_and_hash_equal():
    one, other = Apply("sub", (X, Apply("exp", (Y,)))), Apply("sub", (X, Apply("exp", (Y,))))
    assert one is not other
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    "other",
    [
        Apply("sub", (Y, X)),
        Apply("add", (X, Y)),
        Apply("sub", (X, Y), (("k", X),)),
        Apply("sub", (X,), (("y", Y),)),
        Apply("sub", (X, Text("y"))),
        Apply("sub", (X, Apply("y", ()))),
        X,
        "x - y",
    ],
)
def test_different_nodes_are_unequal(other):
    assert Apply("sub", (X, Y)) != other


def test_keywords_are_told_apart_by_name():
    assert Apply("f", (), (("a", X),)) != Apply("f", (), (("b", X),))


def test_equality_does_not_rest_on_the_hash():
    one, other = Apply("f", (), (("a", X),)), Apply("f", (), (("b", X),))
    object.__setattr__(other, "_hash", hash(one))  # a collision
    assert one != other


def test_literals_with_different_text_are_not_shared():
    assert Number(1.0, "1") != Number(1.0, "1.0")


def test_nodes_are_frozen():
    with pytest.raises(AttributeError):
        Apply("neg", (X,)).operation = "exp"  # pyright: ignore


def test_deep_graphs_need_no_recursion():
    deep, again = chain(20_000), chain(20_000)
    assert deep == again
    assert deep != chain(19_999)
    assert len(walk(deep)) == 20_002
    assert fold(deep, lambda node, values: 1 + max(values, default=0)) == 20_001
    assert repr(deep).count("Apply") == 9
    assert pickle.loads(pickle.dumps(deep)) == deep


def test_heavy_sharing_is_not_unfolded():
    one, other = doubling(200), doubling(200)  # 2^200 paths
    assert one == other
    assert len(walk(one)) == 201
    assert fold(one, lambda node, values: sum(values) or 1) == 2**200
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_pickle_is_valid_in_a_process_with_other_hashes():
    node = Apply("bs", (X,), (("df", number(5)),))
    code = (
        "import pickle, sys; from surefoot.problem.graph import *\n"
        f"node = pickle.loads({pickle.dumps(node)!r})\n"
        "assert node == Apply('bs', (Name('x'),), (('df', number(5)),)) and len({node, node}) == 1\n"
        "assert hash(node) == hash(Apply('bs', (Name('x'),), (('df', number(5)),)))\n"
    )
    for seed in ("1", "2"):
        subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONHASHSEED": seed})


def test_walk_gives_operands_first_and_each_once():
    shared = Apply("exp", (X,))
    node = Apply("mul", (Apply("add", (shared, Y)), Apply("exp", (Name("x"),))))
    order = walk(node)
    assert order == [X, shared, Y, Apply("add", (shared, Y)), node]


def test_names_in_order_of_first_appearance_with_keywords():
    node = Apply("f", (Apply("add", (Y, X)), Y, Text("t")), (("by", Name("z")),))
    assert names(node) == ("y", "x", "z")
    assert children(node)[-1] == Name("z")


def test_fold_lets_values_go_after_their_last_use():
    alive: set[int] = set()
    most = 0

    class Value:
        def __init__(self):
            nonlocal most
            alive.add(id(self))
            most = max(most, len(alive))

        def __del__(self):
            alive.discard(id(self))

    fold(chain(100), lambda node, values: Value())
    assert most <= 5


@pytest.mark.parametrize(("value", "text"), [(0.1, "0.1"), (2, "2"), (1e300, "1e+300"), (5e-324, "5e-324"), (0.0, "0")])
def test_number_writes_the_shortest_decimal(value, text):
    assert number(value) == Number(float(value), text)
    assert float(text) == value


def test_a_negative_number_is_a_negation():
    assert number(-0.5) == Apply("neg", (Number(0.5, "0.5"),))
    assert number(-0.0) == Apply("neg", (Number(0.0, "0"),))
    with pytest.raises(ValueError, match="finite"):
        number(float("nan"))


def test_repr_can_be_read_back():
    node = Apply("f", (X, Apply("g", ()), Text("a")), (("k", ONE),))
    assert eval(repr(node)) == node
