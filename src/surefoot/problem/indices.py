"""Sums and products over indices as arithmetic on arrays: which axis each index runs along.

The term of ``sum(x[i]*y[j], ...)`` is an array with one axis for each index that is free in it. Indices that are
never free together share an axis, so that thirty sums in one expression need one axis and not thirty. Axes are
counted from the last one, where NumPy aligns shapes: an array without an index simply does not have its axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surefoot.problem.graph import Apply, Index, Node, Number, fold, running


def axes(node: Node) -> dict[Index, int]:
    """The axis of every index, counted from the last: 0 is the last axis, 1 the one before.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse_function
    >>> list(axes(parse_function("sum(x[i]*x[j], i=0..5, j=0..2) + sum(x[k], k=0..3)")).values())
    [0, 1, 0]
    """
    together: dict[Index, set[Index]] = {}

    def rule(current: Node, operands: Sequence[frozenset[Index]]) -> frozenset[Index]:
        if isinstance(current, Index):
            together.setdefault(current, set())
            return frozenset({current})
        free = frozenset[Index]().union(*operands)
        for index in free:
            together[index] |= free - {index}
        return free - {running(current)}

    fold(node, rule)
    found: dict[Index, int] = {}
    for index, others in together.items():
        taken = {found[other] for other in others if other in found}
        found[index] = next(axis for axis in range(len(taken) + 1) if axis not in taken)
    return found


def values(index: Index, axis: int) -> np.ndarray:
    """The whole numbers of an index along its axis, as float64: shape ``(count, 1, ..., 1)``."""
    return np.arange(index.first, index.last + 1, dtype=np.float64).reshape(-1, *[1] * axis)


def positions(node: Node, axis: Mapping[Index, int] | None = None) -> np.ndarray:
    """The whole numbers that the index of an element takes, as an array over the axes of its indices.

    Raises
    ------
    OverflowError
        A number on the way is beyond 2^53, where doubles are no longer every whole number.

    Examples
    --------
    >>> from surefoot.problem.graph import number
    >>> positions(Apply("add", (Index("i", 0, 2), number(1)))).tolist()
    [1, 2, 3]
    """
    along = axes(node) if axis is None else axis

    def rule(current: Node, operands: Sequence[np.ndarray]) -> np.ndarray:
        if isinstance(current, Index):
            return values(current, along[current])
        if isinstance(current, Number):
            return np.asarray(current.value)
        assert isinstance(current, Apply)
        found = _WHOLE_NUMBERS[current.operation](*operands)
        if np.max(np.abs(found)) > 2.0**53:
            raise OverflowError("an index is beyond 2^53")
        return found

    return fold(node, rule).astype(np.int64)


_WHOLE_NUMBERS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative}
