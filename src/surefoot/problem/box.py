"""A box: bounds on variables, or the region that starts and surveys cover.

lower <= x <= upper,    componentwise, infinite where there is no bound
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import ModelError


@dataclass(frozen=True)
class Box:
    """Bounds on every variable.

    Attributes
    ----------
    lower, upper : ndarray, shape (n,)
        Infinite where there is no bound.

    Examples
    --------
    >>> box = Box.of([(0, None), (-1, 1)], ("x", "y"))
    >>> box.lower.tolist(), box.upper.tolist()
    ([0.0, -1.0], [inf, 1.0])
    >>> box.nearest(np.array([-3.0, 0.5])).tolist()
    [0.0, 0.5]
    """

    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, bounds: Any, names: Sequence[str]) -> Box:
        """Read bounds as people and SciPy write them.

        Parameters
        ----------
        bounds : Box, sequence of pairs, mapping or object with ``lb`` and ``ub``
            Pairs ``(low, high)`` in the order of the variables, None for no bound; a mapping from names (or from the
            name of a whole vector) to pairs; ``scipy.optimize.Bounds``; one pair for all variables.
        names : sequence of str
            Of the variables.

        Raises
        ------
        ModelError
            Bounds that do not fit the variables, cross each other, or are not numbers.
        """
        if isinstance(bounds, Box):
            box = bounds
        elif hasattr(bounds, "lb") and hasattr(bounds, "ub"):
            box = cls(*(np.broadcast_to(np.asarray(side, float), (len(names),)).copy()
                        for side in (bounds.lb, bounds.ub)))  # fmt: skip
        elif isinstance(bounds, Mapping):
            box = cls._of_mapping(bounds, names)
        else:
            box = cls._of_pairs(bounds, names)
        box._check(names)
        return box

    @classmethod
    def _of_mapping(cls, bounds: Mapping[Any, Any], names: Sequence[str]) -> Box:
        lower, upper = np.full(len(names), -np.inf), np.full(len(names), np.inf)
        for key, pair in bounds.items():
            places = [k for k, name in enumerate(names) if name == key or name.startswith((f"{key}[", f"{key}."))]
            if not places:
                raise ModelError(f"There is no variable named {key} to bound; there are {', '.join(names[:8])}.")
            low, high = _pair(pair, str(key))
            lower[places], upper[places] = low, high
        return cls(lower, upper)

    @classmethod
    def _of_pairs(cls, bounds: Any, names: Sequence[str]) -> Box:
        try:
            pairs = list(bounds)
        except TypeError:
            raise ModelError(f"Bounds are pairs (low, high), one for each variable, not {bounds!r}.") from None
        if len(pairs) == 2 and all(one is None or np.ndim(one) == 0 for one in pairs):
            pairs = [tuple(pairs)] * len(names)
        if len(pairs) != len(names):
            raise ModelError(f"There are {len(names)} variables and {len(pairs)} pairs of bounds; give one pair each.")
        read = [_pair(pair, name) for pair, name in zip(pairs, names, strict=True)]
        return cls(np.array([low for low, _ in read]), np.array([high for _, high in read]))

    @property
    def is_bounded(self) -> bool:
        """Whether every variable has both bounds."""
        return bool(np.all(np.isfinite(self.lower)) and np.all(np.isfinite(self.upper)))

    def nearest(self, x: np.ndarray) -> np.ndarray:
        """The point of the box that is nearest to x."""
        return np.minimum(np.maximum(x, self.lower), self.upper)

    def contains(self, x: np.ndarray) -> bool:
        """Whether x lies in it, its faces included."""
        return bool(np.all(x >= self.lower) and np.all(x <= self.upper))

    def _check(self, names: Sequence[str]) -> None:
        if self.lower.shape != (len(names),) or self.upper.shape != (len(names),):
            raise ModelError(f"There are {len(names)} variables, but bounds for {len(self.lower)}.")
        for name, low, high in zip(names, self.lower, self.upper, strict=True):
            if not low <= high:
                raise ModelError(
                    f"The bounds of {name} cross: {low:g} is not at most {high:g}; no point satisfies them."
                )
            if low == np.inf or high == -np.inf:
                raise ModelError(f"The bounds of {name} leave no finite number: {low:g} to {high:g}.")


def _pair(pair: Any, name: str) -> tuple[float, float]:
    try:
        low, high = pair
        return (-np.inf if low is None else float(low)), (np.inf if high is None else float(high))
    except (TypeError, ValueError):
        raise ModelError(f"The bounds of {name} are a pair (low, high) of numbers or None, not {pair!r}.") from None
