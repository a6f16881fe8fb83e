"""Where a typed variable is in the flat vector that every method walks in: ``x`` at 0, ``y[3]`` at 4."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from surefoot.errors import DataError
from surefoot.problem import indices
from surefoot.problem.graph import Apply, Name, Node


class Elements(NamedTuple):
    """Where variables are in the flat vector: single ones and elements of vectors.

    Examples
    --------
    >>> Elements.of(("t", "x[0]", "x[1]")).vectors["x"]
    array([1, 2])
    """

    single: dict[str, int]
    vectors: dict[str, np.ndarray]

    @classmethod
    def of(cls, names: Sequence[str]) -> Elements:
        """The places of names such as ``t`` and ``x[3]``."""
        single = {name: place for place, name in enumerate(names)}
        elements: dict[str, dict[int, int]] = {}
        for name, place in single.items():
            match = re.fullmatch(r"(.+)\[([0-9]+)\]", name, re.DOTALL)
            if match:
                elements.setdefault(match[1], {})[int(match[2])] = place
        vectors = {name: np.full(max(places) + 1, -1) for name, places in elements.items()}
        for name, places in elements.items():
            vectors[name][list(places)] = list(places.values())
        return cls(single, vectors)

    def place(self, leaf: Node) -> int:
        """The place in the flat vector of a name or of an element with a fixed index."""
        if isinstance(leaf, Name):
            return self.single[leaf.name]
        return int(self.positions(leaf)) if isinstance(leaf, Apply) else -1

    def positions(self, node: Apply, axis: Any = None) -> np.ndarray:
        """The places in the flat vector of an element, over the axes of its indices.

        Raises
        ------
        DataError
            There is no such element.
        """
        name = node.arguments[0].name if isinstance(node.arguments[0], Name) else ""
        which, places = indices.positions(node.arguments[1], axis), self.vectors.get(name, np.empty(0, dtype=int))
        known = which < len(places)
        found = np.where(known, places[np.where(known, which, 0)], -1) if len(places) else np.full(which.shape, -1)
        if np.any(found < 0):
            raise DataError(f"There is no variable named {name}[{which[found < 0].flat[0]}]; check the spelling.")
        return found
