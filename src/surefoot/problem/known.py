"""Parts of a program that do not depend on the input, computed where that loses nothing.

Whole numbers and truth values are computed as the program computes them. Of doubles only what is exact: a sum, a
product, a quotient or a root whose rounding error is zero. **What would round is left to the graph**, which means the
real number.

Reference: Ogita, Rump, Oishi (2005), "Accurate sum and dot product", SIAM J. Sci. Comput. 26(6), pp. 1958-1959 (sums
and products of two doubles with their errors).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from surefoot.problem.real import Node
from surefoot.problem.structure import move

Array = np.ndarray

LARGEST_WHOLE = 2.0**53
"""Whole numbers up to this are doubles, and so are their sums."""

SPLIT = 2.0**27 + 1
SAFE = (2.0**-400, 2.0**400)
"""Sizes of factors for which neither the product nor its error leaves the range of the doubles."""


def exactly(operation: str, operands: Sequence[Array], **settings: Any) -> Array | None:
    """The value of an elementwise operation on doubles, if every entry of it is a double.

    Parameters
    ----------
    operation : str
        A name of `surefoot.problem.real`; ``power`` has the setting ``exponent``.
    operands : sequence of ndarray of float64
        Of shapes that broadcast together. Infinite entries stand for what they are in limits: ``exp(-inf)`` is 0.

    Returns
    -------
    ndarray or None
        None if the operation rounds anywhere, or is not defined.

    Examples
    --------
    >>> exactly("sub", [np.array(4.0), np.array(1.0)])
    array(3.)
    >>> exactly("div", [np.array(1.0), np.array(3.0)]) is None
    True
    """
    with np.errstate(all="ignore"):
        if operation == "power":
            found = _power(operands[0], settings["exponent"])
        elif operation in _AT:
            found = np.full(operands[0].shape, np.nan)
            for argument, value in _AT[operation].items():
                found[operands[0] == argument] = value
        else:
            found = _EXACT[operation](*operands) if operation in _EXACT else None
    return None if found is None or np.isnan(found).any() else np.asarray(found)


def _if(condition: Array, value: Array) -> Array | None:
    return value if bool(np.all(condition)) else None


def _sum(a: Array, b: Array) -> Array | None:
    total = a + b
    part = total - a
    return _if((a - (total - part)) + (b - part) == 0, total)


def _error_of_product(a: Array, b: Array, product: Array) -> Array:
    """``a b - product``, NaN where it cannot be known."""
    a, b = np.broadcast_arrays(a, b)
    error = np.zeros(a.shape)
    busy = (a != 0) & (b != 0)
    one, other = a[busy], b[busy]
    high = SPLIT * one - (SPLIT * one - one)
    top = SPLIT * other - (SPLIT * other - other)
    low, bottom = one - high, other - top
    found = low * bottom - (((product[busy] - high * top) - low * top) - high * bottom)
    wild = [(np.abs(factor) < SAFE[0]) | (np.abs(factor) > SAFE[1]) for factor in (one, other)]
    error[busy] = np.where(wild[0] | wild[1], np.nan, found)
    return error


def _product(a: Array, b: Array) -> Array | None:
    product = np.asarray(a * b)
    return _if(np.isfinite(product) & (_error_of_product(a, b, product) == 0), product)


def _quotient(a: Array, b: Array) -> Array | None:
    quotient = np.asarray(a / b)
    vanishes = np.isfinite(a) & np.isinf(b)
    back = np.asarray(quotient * b)
    exact = (back == a) & (_error_of_product(quotient, b, back) == 0) & np.isfinite(quotient)
    return _if(vanishes | exact, quotient)


def _power(u: Array, exponent: Any) -> Array | None:
    if exponent == 0:
        return np.ones_like(u)
    if exponent.denominator == 2 and exponent.numerator == 1:
        root = np.asarray(np.sqrt(u))
        back = _product(root, root)
        return None if back is None else _if(back == u, root)
    if exponent.denominator != 1 or abs(exponent) > 64:
        return None
    found: Array | None = u
    for _ in range(abs(int(exponent)) - 1):
        found = None if found is None else _product(found, u)
    return found if found is None or exponent > 0 else _quotient(np.ones_like(u), found)


_EXACT: dict[str, Callable[..., Array | None]] = {
    "add": _sum, "sub": lambda a, b: _sum(a, -b), "mul": _product, "div": _quotient, "neg": np.negative,
    "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "round": np.rint,
    "maximum": np.maximum, "minimum": np.minimum,
}  # fmt: skip

_AT: dict[str, dict[float, float]] = {
    "exp": {0.0: 1.0, -np.inf: 0.0}, "log": {1.0: 0.0}, "cos": {0.0: 1.0}, "cosh": {0.0: 1.0},
    "cbrt": {0.0: 0.0, 1.0: 1.0, -1.0: -1.0, 8.0: 2.0, -8.0: -2.0}, "logistic": {0.0: 0.5, -np.inf: 0.0, np.inf: 1.0},
    "tanh": {0.0: 0.0, -np.inf: -1.0, np.inf: 1.0}, "erf": {0.0: 0.0, -np.inf: -1.0, np.inf: 1.0},
    **{name: {0.0: 0.0} for name in (
        "expm1", "log1p", "sin", "tan", "arcsin", "arctan", "sinh", "arcsinh", "arctanh")},
}  # fmt: skip
"""Arguments at which a function is a double, and its value there."""


def whole(array: Array) -> bool:
    """Whether sums of the entries are exact: whole numbers, their absolute values at most 2^53 together."""
    if array.dtype.kind != "f":
        return True
    return bool(np.all(array == np.rint(array)) and np.abs(array).sum() <= LARGEST_WHOLE)


COMPUTED: dict[str, Callable[..., Array]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative, "abs": np.abs, "sign": np.sign,
    "maximum": np.maximum, "minimum": np.minimum, "lt": np.less, "le": np.less_equal, "eq": np.equal,
    "ne": np.not_equal, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert,
}  # fmt: skip
"""Operations on whole numbers and truth values, and comparisons of doubles."""


def compute(operation: str, operands: Sequence[Array]) -> Array:
    """An operation of `COMPUTED`, in the kind of its operands."""
    with np.errstate(all="ignore"):
        return np.asarray(COMPUTED[operation](*operands))


def _structure(operation: str, operands: Sequence[Array], shape: Sequence[int], **settings: Any) -> Array:
    node = Node(operation, (), tuple(int(n) for n in shape), tuple(settings.items()))
    return move(node, operands)


def _slice(u: Array, starts: Sequence[int], stops: Sequence[int], steps: Sequence[int] | None = None) -> Array:
    steps = steps if steps is not None else (1,) * u.ndim
    return u[tuple(slice(int(a), int(b), int(c)) for a, b, c in zip(starts, stops, steps, strict=True))]


def _take(u: Array, places: Array) -> Array:
    found = u.reshape(-1)[np.maximum(places, 0)]
    return np.where(places < 0, np.zeros((), u.dtype), found)


ARRAYS = SimpleNamespace(
    shape=lambda u: u.shape,
    reshape=lambda u, shape: u.reshape(tuple(shape)),
    transpose=lambda u, axes: u.transpose(tuple(axes)),
    broadcast=lambda u, shape, axes: _structure("broadcast", [u], shape, axes=tuple(axes)),
    slice=_slice,
    reverse=lambda u, axes: np.flip(u, axis=tuple(axes)),
    concatenate=lambda parts, axis: np.concatenate(parts, axis=axis),
    take=_take,
)
"""What a `Builder` does to move numbers about, done to arrays."""
