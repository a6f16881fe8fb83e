"""The NumPy reading: a graph and columns -> one float64 column.

A vector ``x`` is an array whose first axis counts its elements, and the term of a sum has one axis more for each index
that is free in it (see `indices`).

Every distinct subexpression is computed once. NumPy's warnings are silent: where the result is not finite,
the caller sees that and says which row. A missing value (NaN) stays missing through comparisons and logic
too: ``nan > 3`` is not a false.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from surefoot.errors import DataError, SurefootError
from surefoot.problem import indices
from surefoot.problem.graph import CONSTANTS, Apply, Index, Name, Node, Number, Text, fold, running, walk

Array = np.ndarray


def evaluate(node: Node, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The values of an expression in double precision.

    Parameters
    ----------
    node : Node
        A graph of numeric operations.
    columns : mapping of str to array
        Real columns of shapes that broadcast together; integers and booleans become float64. A name is looked
        for here first and then among the constants (``pi``). A name with elements, ``x[i]``, has them along its
        first axis, and the shape of the others is that of a column.

    Returns
    -------
    ndarray of float64
        In the broadcast shape of the columns used; a constant expression has shape ``()``. A bare name gives
        the column itself, not a copy. Comparisons and logic give 0 and 1, and NaN where an operand is NaN.

    Raises
    ------
    DataError
        If a name is no column, or a column does not hold real numbers.
    SurefootError
        If the graph has an operation or text that has no numeric value.

    Examples
    --------
    >>> from surefoot.problem.grammar import parse
    >>> evaluate(parse("x^2 + 1"), {"x": np.array([1.0, 2.0])})
    array([2., 5.])
    """
    if any(isinstance(part, Index) or (isinstance(part, Apply) and part.operation == "element") for part in walk(node)):
        return _evaluate_over_indices(node, columns)

    def rule(current: Node, operands: Sequence[Array]) -> Array:
        if isinstance(current, Number):
            return np.asarray(current.value)
        if isinstance(current, Name):
            return _column(current.name, columns)
        return operate(current, operands)

    with np.errstate(all="ignore"):
        return np.asarray(fold(node, rule), dtype=np.float64)


def operate(node: Node, operands: Sequence[Array]) -> Array:
    """The value of one numeric operation on the values of its operands.

    Raises
    ------
    SurefootError
        The node is no numeric operation.

    Examples
    --------
    >>> operate(Apply("neg", (Name("x"),)), [np.array([1.0, 2.0])])
    array([-1., -2.])
    """
    if not isinstance(node, Apply) or node.keywords or node.operation not in _READINGS:
        raise SurefootError(f"{_brief(node)} has no numeric value; only numeric functions do.")
    if node.operation == "pow":
        return _power(operands[0], operands[1], _literal_exponent(node.arguments[1]))
    return _READINGS[node.operation](*operands)


def _evaluate_over_indices(node: Node, columns: Mapping[str, Array]) -> Array:
    """As `evaluate`, with an axis for each index in front of the axes of the columns."""
    axis = indices.axes(node)
    vectors = {part.arguments[0] for part in walk(node) if isinstance(part, Apply) and part.operation == "element"}
    used = {part: _column(part.name, columns) for part in walk(node) if isinstance(part, Name)}
    lanes = max((max(0, values.ndim - (part in vectors)) for part, values in used.items()), default=0)

    def rule(current: Node, operands: Sequence[Array]) -> Array:
        if isinstance(current, Number):
            return np.asarray(current.value)
        if isinstance(current, Name):
            return used[current]
        if isinstance(current, Index):
            return indices.values(current, axis[current] + lanes)
        if isinstance(current, Apply) and current.operation == "element":
            vector = operands[0]
            vector = vector.reshape(vector.shape[:1] + (1,) * (lanes + 1 - vector.ndim) + vector.shape[1:])
            return vector[indices.positions(current.arguments[1], axis)]
        index = running(current)
        if index is not None and isinstance(current, Apply):
            return _over(current.operation, operands[0], index, axis[index] + lanes)
        return operate(current, operands)

    with np.errstate(all="ignore"):
        found = np.asarray(fold(node, rule), dtype=np.float64)
    return found.reshape(found.shape[found.ndim - lanes :]) if found.ndim > lanes else found


_OVER = {"sum": (np.add, np.multiply), "prod": (np.multiply, np.power)}


def _over(operation: str, term: Array, index: Index, axis: int) -> Array:
    """The sum or product along the axis of an index; a term without the index is the same each time."""
    reduce, repeat = _OVER[operation]
    if term.ndim > axis and term.shape[-1 - axis] == len(index):
        return reduce.reduce(term, axis=-1 - axis, keepdims=True)
    return repeat(term, float(len(index)))


def _column(name: str, columns: Mapping[str, Array]) -> Array:
    if name not in columns:
        if name in CONSTANTS:
            return np.asarray(CONSTANTS[name])
        near = difflib.get_close_matches(name, [str(known) for known in columns], n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else "check the spelling."
        raise DataError(f"There is no variable named {name}; {advice}")
    values = np.asarray(columns[name])
    if values.dtype.kind not in "biufO":
        raise DataError(f"The column {name} holds {values.dtype.name}, not real numbers.")
    try:
        return values.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"The column {name} does not hold real numbers: {error}.") from None


def _literal_exponent(node: Node) -> float | None:
    """The exponent if it is written as a number, perhaps with a minus."""
    sign = 1.0
    while isinstance(node, Apply) and node.operation == "neg":
        node, sign = node.arguments[0], -sign
    return sign * node.value if isinstance(node, Number) else None


def _power(base: Array, exponent: Array, literal: float | None) -> Array:
    """The one or two powers that a product or a quotient rounds correctly; `numpy.power` for the rest.

    Measured against exact fractions, `numpy.power` is within 0.7 units in the last place for exponents from
    -4 to 10, where repeated multiplication loses 1.2 (for a cube) to 6 (for a tenth power).
    """
    if literal == 2:
        return base * base
    if literal == -1:
        return 1.0 / base
    return np.power(base, exponent)


def _truth(operation: Callable[..., Array]) -> Callable[..., Array]:
    """0 or 1, and NaN where an operand is NaN."""

    def read(*operands: Array) -> Array:
        missing = np.isnan(operands[0])
        for operand in operands[1:]:
            missing = missing | np.isnan(operand)
        return np.where(missing, np.nan, operation(*operands).astype(np.float64))

    return read


def _where(condition: Array, yes: Array, no: Array) -> Array:
    return np.where(np.isnan(condition), np.nan, np.where(condition != 0, yes, no))


def _special(name: str) -> Callable[..., Array]:
    """A function of scipy.special, which is imported only when it is used."""

    def read(operand: Array) -> Array:
        from scipy import special

        return getattr(special, name)(operand)

    return read


_READINGS: dict[str, Callable[..., Array]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power, "neg":
    np.negative, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10":
    np.log10, "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt, "abs": np.abs, "sign": np.sign, "floor":
    np.floor, "ceil": np.ceil, "round": np.rint, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin":
    np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "arcsinh": np.arcsinh, "arccosh": np.arccosh, "arctanh": np.arctanh, "arctan2": np.arctan2, "hypot":
    np.hypot, "minimum": np.minimum, "maximum": np.maximum, "where": _where, "lt": _truth(np.less), "le":
    _truth(np.less_equal), "gt": _truth(np.greater), "ge": _truth(np.greater_equal), "eq": _truth(np.equal),
    "ne": _truth(np.not_equal), "and": _truth(np.logical_and), "or": _truth(np.logical_or), "not":
    _truth(np.logical_not), **{name: _special(name) for name in ("erf", "erfc", "gammaln", "logit", "expit")},
}  # fmt: skip


def _brief(node: Node) -> str:
    if isinstance(node, Text):
        return repr(node.value)
    return f"{node.operation}(...)" if isinstance(node, Apply) else repr(node)
