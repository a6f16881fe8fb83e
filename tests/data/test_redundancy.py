"""Codings that leave no column superfluous, by counting dimensions and by known cases."""

from itertools import combinations, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.redundancy import code_terms

NONE = frozenset()
X = frozenset({"x"})


def coded(*terms):
    return code_terms(terms)


def test_known_codings():
    assert coded((NONE, ()), (NONE, ("a",)), (NONE, ("b",)), (NONE, ("a", "b"))) == [
        [{}], [{"a": False}], [{"b": False}], [{"a": False, "b": False}]
    ]  # fmt: skip
    assert coded((NONE, ()), (NONE, ("a", "b"))) == [[{}], [{"b": False}, {"a": False, "b": True}]] or coded(
        (NONE, ()), (NONE, ("a", "b"))
    ) == [[{}], [{"a": False}, {"a": True, "b": False}]]
    assert coded((NONE, ("a", "b"))) == [[{"a": True, "b": True}]]
    assert coded((NONE, ("a",)), (NONE, ("b",))) == [[{"a": True}], [{"b": False}]]
    assert coded((X, ()), (X, ("a",))) == [[{}], [{"a": False}]]
    assert coded((NONE, ()), (X, ("a",))) == [[{}], [{"a": True}]]


def test_a_term_twice_adds_nothing():
    assert coded((NONE, ("a",)), (NONE, ("a",)))[1] == []


SIZES = {"a": 2, "b": 3, "c": 4, "d": 2}
NUMERIC = st.sampled_from([NONE, X, frozenset({"z"}), frozenset({"x", "z"})])
CHOSEN = st.lists(st.sampled_from(sorted(SIZES)), max_size=4, unique=True).map(tuple)


@given(st.lists(st.tuples(NUMERIC, CHOSEN), min_size=1, max_size=5))
def test_as_many_columns_as_the_terms_span(terms):
    """Counted by margins: a margin of contrasts has the product of (levels - 1) columns, and is spanned once."""
    found = sum(
        int(np.prod([SIZES[name] - (not full) for name, full in piece.items()]))
        for pieces in code_terms(terms)
        for piece in pieces
    )
    margins = {
        (numeric, frozenset(some))
        for numeric, categories in terms
        for size in range(len(categories) + 1)
        for some in combinations(categories, size)
    }
    assert found == sum(int(np.prod([SIZES[name] - 1 for name in margin])) for _, margin in margins)


@given(st.lists(CHOSEN, min_size=1, max_size=4))
def test_the_columns_are_independent(terms):
    """Over every combination of levels once: full rank, whatever the terms and their order."""
    cells = list(product(*(range(SIZES[name]) for name in sorted(SIZES))))
    values = {name: np.array([cell[k] for cell in cells]) for k, name in enumerate(sorted(SIZES))}
    columns = []
    for pieces in code_terms([(NONE, term) for term in terms]):
        for piece in pieces:
            block = np.ones((len(cells), 1))
            for name, full in piece.items():
                coding = np.eye(SIZES[name])[:, 0 if full else 1 :]
                block = (block[:, :, None] * coding[values[name]][:, None, :]).reshape(len(cells), -1)
            columns.append(block)
    matrix = np.column_stack([np.zeros((len(cells), 0)), *columns])
    assert np.linalg.matrix_rank(matrix) == matrix.shape[1]
