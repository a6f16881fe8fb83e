"""The real graph: equal expressions are one node, and what a builder rewrites means the same."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.problem.real import Builder, digest
from surefoot.problem.structure import move, subscripts


def test_equal_expressions_are_one_node_whatever_the_order_of_commuting_operands():
    build = Builder(("x", "y"))
    x, y = (build.reshape(build.slice(build.input, (k,), (k + 1,)), ()) for k in range(2))
    assert build.add(x, y) == build.add(y, x) and build.mul(x, x) == build.power(x, 2)
    assert build.sub(x, y) != build.sub(y, x)
    assert build.unary("neg", build.unary("neg", x)) == x
    assert build.power(build.power(x, 2), 3) == build.power(x, 6)
    # (x^2)^(1/2) is |x|, not x, and (x^-1)^-1 is not x at 0: neither is rewritten.
    assert build.power(build.power(x, 2), 0.5) != x and build.power(build.power(x, -1), -1) != x


def test_the_output_needs_only_its_own_nodes_and_constants():
    build = Builder(("x",))
    x = build.reshape(build.input, ())
    build.mul(x, build.constant(3.0))
    graph = build.graph(build.add(x, build.constant(2.0)))
    assert [node.operation for node in graph.nodes] == ["input", "reshape", "constant", "add"]
    assert [float(array) for array in graph.constants.values()] == [2.0]
    assert graph.depends() == [True, True, False, True] and graph.uses() == [1, 1, 1, 1]
    with pytest.raises(ValueError, match="gives a number"):
        build.graph(build.input)


def test_a_double_is_taken_as_it_is_and_a_whole_number_that_none_holds_is_refused():
    build = Builder(("x",))
    assert build.nodes[build.power(build.input, 1 / 3)]["exponent"] == Fraction(1 / 3) != Fraction(1, 3)
    assert build.constant(0.1) == build.constant(np.float64(0.1)) != build.constant(np.float32(0.1))
    with pytest.raises(ValueError, match="too large"):
        build.constant(2**53 + 1)
    assert digest(np.array([0.0])) != digest(np.array([-0.0]))


def test_unknown_values_are_never_taken_for_the_same():
    build = Builder(("x",))
    assert build.unknown("argmax", (build.input,), ()) != build.unknown("argmax", (build.input,), ())


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@given(shapes, st.data())
def test_moving_numbers_about_is_what_numpy_does_with_axes_in_front(shape, data):
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    build = Builder(tuple(f"v{k}" for k in range(array.size)))
    u = build.reshape(build.input, shape)
    axes = data.draw(st.permutations(range(len(shape))))
    lead = np.stack([array, 10 * array])

    def value(place):
        values = {build.input: lead.reshape(2, -1), u: lead}
        return move(build.nodes[place], [values[k] for k in build.nodes[place].operands], lead=1)

    turned = build.transpose(u, axes)
    if turned != u:
        assert np.array_equal(value(turned), np.stack([layer.transpose(axes) for layer in lead]))
        assert build.transpose(turned, np.argsort(axes)) == u
    assert np.array_equal(value(build.reverse(u, (0,))), lead[:, ::-1])
    assert np.array_equal(value(build.concatenate((u, u), 0)), np.concatenate([lead, lead], axis=1))
    wide = build.broadcast(u, (*shape, 3), range(len(shape)))
    assert np.array_equal(value(wide), np.broadcast_to(lead[..., None], (2, *shape, 3)))
    padded = build.pad(u, [(1, 2, 1)] * len(shape))
    expected = np.zeros((2, *(3 + 2 * n - 1 for n in shape)))
    expected[(slice(None), *(slice(1, 1 + 2 * n - 1, 2) for n in shape))] = lead
    assert np.array_equal(value(padded), expected)


def test_repeating_twice_is_repeating_once_and_a_part_of_a_row_of_parts_is_a_part():
    build = Builder(("x", "y"))
    twice = build.broadcast(build.broadcast(build.input, (3, 2), (1,)), (4, 3, 2), (1, 2))
    assert twice == build.broadcast(build.input, (4, 3, 2), (2,))
    column = build.reshape(build.input, (2, 1))
    assert build.broadcast(build.broadcast(column, (2, 3), (0, 1)), (5, 2, 3), (1, 2)) == build.broadcast(
        column, (5, 2, 3), (1, 2)
    )
    square, root = build.power(column, 2), build.unary("exp", column)
    row = build.concatenate((column, square, root), 1)
    assert build.slice(row, (0, 1), (2, 2)) == square
    assert build.slice(row, (1, 2), (2, 3)) == build.slice(root, (1, 0), (2, 1))
    across = build.slice(row, (0, 0), (2, 2))
    assert build.nodes[across].operation == "slice" and build.nodes[across].operands == (row,)


def test_moving_constants_gives_constants_and_places_of_minus_one_give_zero():
    build = Builder(("x",))
    kept = build.take(build.constant([[1.0, 2.0], [3.0, 4.0]]), np.array([3, -1, 0]))
    found = build.value(kept)
    assert found is not None and found.tolist() == [4.0, 0.0, 1.0]


def test_a_contraction_is_written_for_einsum_with_axes_in_front():
    rng = np.random.default_rng(1)
    build = Builder(("x",))
    a, b = rng.standard_normal((2, 3, 4)), rng.standard_normal((5, 4, 2))
    place = build.dot(build.constant(a), build.constant(b), ((2,), (1,)), ((0,), (2,)))
    node = build.nodes[place]
    text = subscripts(node, 3, 3)
    found = np.einsum(text, a[None], b[None])[0]
    assert node.shape == (2, 3, 5) and np.allclose(found, np.einsum("brk,ckb->brc", a, b))
