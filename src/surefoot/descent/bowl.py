"""The bowl of least squares, seen in passes over its rows.

    f(x) = |W^(1/2) (b - A x)|^2,    grad f(x) = -2 A'W (b - A x),    Hessian = 2 A'W A.

One pass takes each block of rows once while it is in the cache, whatever is asked of it: the residual at a point, its
image under A', and the image of a direction under A'W A. The gradient comes from the residual itself, not from
A'W A x - A'W b: subtracting before multiplying by A' keeps its rounding at u |A| |b| where the other order has
u |A|^2 |x|.

Reference: Bjorck (1996), "Numerical Methods for Least Squares Problems", SIAM, section 7.4.1, pp. 288-290 (CGLS, and
why the residual is kept instead of A'A).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from surefoot.descent.ground import Floor, Here
from surefoot.descent.rows import CACHED, Block, Sizes, blocks_of, sizes_of, sizes_of_operator
from surefoot.errors import DataError

ROUNDOFF = np.finfo(float).eps / 2
EXTREME = 100.0
"""Powers of two beyond which squares of squares would leave the range of a double: then rows are rescaled."""


class Bowl:
    """The sum of squares over rows that are read again for each pass.

    Parameters
    ----------
    blocks : callable
        Starts a pass: returns an iterable of blocks ``(X, y, weights)``.
    sizes : Sizes
        Lengths of the weighted columns and of the response.
    scaled : bool
        Walk on columns scaled to length one instead of the columns as they are. Points, gradients and curvatures are
        those of what is walked on; ``to_coefficients`` takes a point back to the columns' own units.
    passes : int
        Passes already made to know the sizes.

    Notes
    -----
    Columns or a response beyond 1e-30 or 1e30 are measured in units of a power of two, ``column_unit`` and
    ``response_unit``, which rounds nothing.

    Examples
    --------
    >>> import numpy as np
    >>> bowl = Bowl.of_arrays(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([3.0, 4.0]))
    >>> here = bowl.see(np.zeros(2))
    >>> here.value, here.gradient.tolist()
    (25.0, [-6.0, -16.0])
    """

    def __init__(
        self, blocks: Callable[[], Iterable[Block]], sizes: Sizes, *, scaled: bool = False, passes: int = 0
    ) -> None:
        self._blocks = blocks
        self._count = passes
        self.column_unit, self.response_unit = _units(sizes, scaled)
        tamed = sizes.columns / self.column_unit
        self._response = sizes.response / self.response_unit
        self._scale = np.where(tamed > 0, tamed, 1.0) if scaled else np.ones(len(tamed))
        self._lengths = tamed / self._scale
        self.scaled = scaled

    @classmethod
    def of_arrays(cls, A: Any, b: Any, weights: Any = None, *, scaled: bool = False) -> Bowl:
        """The bowl of arrays in memory, of a sparse matrix, or of an operator with ``matvec`` and ``rmatvec``.

        Raises
        ------
        DataError
            Shapes that do not fit, numbers that are not finite, negative weights, or ``scaled`` for an operator, whose
            columns cannot be seen.
        """
        blocks, columns, is_operator = blocks_of(A, b, weights)
        if not is_operator:
            return cls.of_blocks(blocks, columns, scaled=scaled)
        if scaled:
            raise DataError("The columns of an operator cannot be seen, so they cannot be scaled to length one.")
        return cls(blocks, sizes_of_operator(blocks, columns), passes=1)

    @classmethod
    def of_blocks(cls, blocks: Callable[[], Iterable[Block]], columns: int, *, scaled: bool = False) -> Bowl:
        """The bowl of any stream that can be read again; a first pass measures the columns."""
        return cls(blocks, sizes_of(blocks(), columns), scaled=scaled, passes=1)

    @property
    def size(self) -> int:
        return len(self._scale)

    @property
    def passes(self) -> int:
        return self._count

    @property
    def lowest(self) -> float:
        return 0.0

    @property
    def is_quadratic(self) -> bool:
        return True

    def height(self, x: np.ndarray) -> float:
        return self.see(x).value

    def see(self, x: np.ndarray) -> Here:
        return self._look(x, None)[0]

    def see_along(self, x: np.ndarray, direction: np.ndarray) -> tuple[Here, np.ndarray]:
        return self._look(x, direction)

    def bend(self, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        inner, image = direction / self._scale, np.zeros(self.size)
        with np.errstate(over="ignore", invalid="ignore"):
            for X, _, weights in self._pass():
                along = X @ inner
                image += X.T @ (along if weights is None else weights * along)
        return 2 * image / self._scale

    def floor(self, here: Here, curvature: float) -> Floor:
        """Rounding of the residual, and of its image under A'.

        Each residual is rounded by about u (|b| + |A| |x|), and its image by u |A| |r| more; |A| is the Frobenius norm,
        or for an operator, whose columns are unknown, the root of half the largest curvature measured. A few units of
        that, as many as QR leaves.
        """
        known = bool(np.all(np.isfinite(self._lengths)))
        norm = float(np.linalg.norm(self._lengths)) if known else np.sqrt(curvature / 2)
        image = float(self._lengths @ np.abs(here.x)) if known else norm * float(np.linalg.norm(here.x))
        reach = self._response + image
        residual = np.sqrt(max(here.value, 0.0))
        return Floor(4 * ROUNDOFF * norm * (residual + reach), 16 * ROUNDOFF * reach)

    def measured_floor(self, here: Here, curvature: float) -> Floor:
        """What ``floor`` knows, the curvature of an operator being that along the gradient."""
        known = bool(np.all(np.isfinite(self._lengths)))
        slope = here.gradient
        if known or not here.steepness > 0:
            return self.floor(here, 0.0)
        return self.floor(here, float(slope @ self.bend(here.x, slope)) / here.steepness**2)

    def blur(self, here: Here) -> float:
        return 16 * ROUNDOFF * max(here.value, 0.0)

    def measured_blur(self, here: Here) -> float:
        """What ``blur`` knows."""
        return self.blur(here)

    def kink(self, here: Here) -> str:
        """A bowl has none."""
        return ""

    def to_coefficients(self, x: np.ndarray) -> np.ndarray:
        """A point of the walk in the columns' own units."""
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(x / self._scale, self._shift())

    def from_coefficients(self, coef: np.ndarray) -> np.ndarray:
        """The point of the walk that has these coefficients."""
        return np.ldexp(np.asarray(coef, float), -self._shift()) * self._scale

    def _shift(self) -> np.ndarray:
        """Powers of two from points to coefficients; their quotient itself may be beyond the doubles."""
        return (np.log2(self.response_unit) - np.log2(self.column_unit)).astype(int)

    def _look(self, x: np.ndarray, direction: np.ndarray | None) -> tuple[Here, np.ndarray]:
        inner, slope, squares = x / self._scale, np.zeros(self.size), 0.0
        heading = None if direction is None else direction / self._scale
        image = np.zeros(self.size)
        # A walk that diverges overflows; the loop sees that the value is not finite and says so.
        with np.errstate(over="ignore", invalid="ignore"):
            for X, y, weights in self._pass():
                residual = y - X @ inner
                weighted = residual if weights is None else weights * residual
                squares += float(residual @ weighted)
                slope += X.T @ weighted
                if heading is not None:
                    along = X @ heading
                    image += X.T @ (along if weights is None else weights * along)
        return Here(np.array(x), squares, -2 * slope / self._scale), 2 * image / self._scale

    def _pass(self) -> Iterator[Block]:
        """One pass: dense blocks cut to what the cache holds, in units that leave room for squares."""
        self._count += 1
        tame = self.response_unit != 1 or np.any(self.column_unit != 1)
        for X, y, weights in self._blocks():
            step = max(1, CACHED // max(1, self.size)) if isinstance(X, np.ndarray) else max(1, len(y))
            for at in range(0, len(y), step):
                whole = step >= len(y)
                part = X if whole else X[at : at + step]
                right = y if whole else y[at : at + step]
                share = weights if whole or weights is None else weights[at : at + step]
                if tame:
                    part, right = _in_units(part, self.column_unit), right / self.response_unit
                yield part, right, share


def _units(sizes: Sizes, scaled: bool) -> tuple[np.ndarray, float]:
    """Powers of two that bring what is extreme near one: a single one for columns that are walked on as they are."""
    columns = np.where(np.isfinite(sizes.columns), sizes.columns, 0.0)
    largest = float(np.max(columns, initial=0.0))
    response = _power_of_two(sizes.response)
    if not scaled:
        return np.full(len(columns), _power_of_two(largest)), response
    return np.array([_power_of_two(float(one)) for one in columns]), response


def _power_of_two(size: float) -> float:
    exponent = np.round(np.log2(size)) if size > 0 else 0.0
    return float(np.exp2(exponent)) if abs(exponent) > EXTREME else 1.0


def _in_units(X: Any, units: np.ndarray) -> Any:
    if isinstance(X, np.ndarray):
        return X / units
    if np.all(units == units[0]):
        return X / float(units[0]) if hasattr(X, "tocsr") else X * (1 / float(units[0]))
    from scipy.sparse import diags_array

    return X @ diags_array(1 / units)
