"""The variables of a typed function: names and sizes, the flat vector of all their numbers, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from surefoot.errors import DataError


@dataclass(frozen=True)
class Variables:
    """Variables in order, each a single number or a vector.

    Attributes
    ----------
    sizes : mapping of str to int or None
        How many numbers each variable has, in the order of the flat vector; None for a single number.

    Examples
    --------
    >>> both = Variables({"y": None, "x": 2})
    >>> both.names
    ('y', 'x[0]', 'x[1]')
    >>> both.shaped(np.array([1.0, 2.0, 3.0]))
    {'y': 1.0, 'x': array([2., 3.])}
    >>> both.flat({"x": [2, 3], "y": 1})
    array([1., 2., 3.])
    """

    sizes: Mapping[str, int | None]

    @classmethod
    def of_names(cls, names: Sequence[str]) -> Variables:
        """The variables whose names these are.

        Examples
        --------
        >>> Variables.of_names(("y", "x[0]", "x[1]")).sizes
        {'y': None, 'x': 2}
        """
        sizes: dict[str, int | None] = {}
        for name in names:
            whole, bracket, _ = name.partition("[")
            sizes[whole] = (sizes.get(whole) or 0) + 1 if bracket else None
        return cls(sizes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each position of the flat vector: ``x``, or ``x[0]`` for an element."""
        return tuple(
            name if size is None else f"{name}[{k}]" for name, size in self.sizes.items() for k in range(size or 1)
        )

    @property
    def size(self) -> int:
        """How many numbers there are in all."""
        return len(self.names)

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where in the flat vector each variable is."""
        found, start = {}, 0
        for name, size in self.sizes.items():
            found[name] = slice(start, start + (size or 1))
            start += size or 1
        return found

    def shaped(self, x: np.ndarray) -> dict[str, Any]:
        """A flat vector (n,) as a mapping in the shape of the start: floats and arrays."""
        return {
            name: float(x[place][0]) if self.sizes[name] is None else np.array(x[place], dtype=np.float64)
            for name, place in self.places.items()
        }

    def flat(self, point: Mapping[str, Any]) -> np.ndarray:
        """A mapping as a flat vector (n,) of float64.

        Raises
        ------
        DataError
            The mapping has other names or other sizes than the start.
        """
        if set(point) != set(self.sizes):
            raise DataError(f"A point gives {', '.join(self.sizes)}; this one gives {', '.join(map(str, point))}.")
        x = np.empty(self.size)
        for name, place in self.places.items():
            values = np.asarray(point[name], dtype=np.float64)
            wanted = () if self.sizes[name] is None else (self.sizes[name],)
            if values.shape != wanted:
                raise DataError(f"{name} has the shape {wanted}; this point gives {values.shape}.")
            x[place] = values
        return x
