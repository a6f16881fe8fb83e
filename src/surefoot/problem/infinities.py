"""Infinities of a program: they are no real numbers, but what is masked with them may be one.

    where(c, -inf, v) - w  is  where(c, -inf, v - w),    exp(where(c, -inf, v))  is  where(c, 0, exp(v)),

and a maximum is taken over what is not masked. So a softmax over masked entries is a function of real numbers. Left
alone, an infinity is an expression that is defined nowhere: ``log(0)`` for -inf, ``-log(0)`` for inf, and ``log(-1)``
for NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.problem.real import CONDITIONS, STRUCTURE, Node

if TYPE_CHECKING:
    from surefoot.problem.drawing import Drawing

TOTAL = {
    "input", "constant", "where", *STRUCTURE, *CONDITIONS, "sum", "prod", "max", "min", "logsumexp", "cumsum", "dot",
    "add", "sub", "mul", "maximum", "minimum", "hypot", "neg", "exp", "expm1", "cbrt", "abs", "sign", "floor", "ceil",
    "round", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "logistic", "softplus", "erf", "erfc",
    "log_ndtr",
}  # fmt: skip
"""Operations that are defined for all real numbers."""


def nowhere(draw: Drawing, infinity: float, shape: Sequence[int]) -> int:
    """An infinity or NaN as an expression without a value."""
    build = draw.build
    number = build.unary("log", build.constant(0.0 if np.isinf(infinity) else -1.0))
    return build.broadcast(build.unary("neg", number) if infinity == np.inf else number, shape, ())


def infinity_of(draw: Drawing, place: int) -> float | None:
    """The infinity that a node stands for, None for any other."""
    node = draw.build.nodes[place]
    for infinity in (-np.inf, np.inf):
        if node.operation in ("broadcast", "log", "neg") and place == nowhere(draw, infinity, node.shape):
            return infinity
    return None


def masked(draw: Drawing, place: Any) -> tuple[int, float, int] | None:
    """``(c, infinity, v)`` of a node that is the infinity where c holds, and v elsewhere."""
    if isinstance(place, np.ndarray):
        return None
    node = draw.build.nodes[place]
    if node.operation != "where":
        return None
    condition, yes, no = node.operands
    infinity = infinity_of(draw, yes)
    if infinity is not None:
        return condition, infinity, no
    infinity = infinity_of(draw, no)
    return None if infinity is None else (draw.place(draw.negated(draw.lift(condition))), infinity, yes)


def elementwise(draw: Drawing, operation: str, values: Sequence[Any], shape: Sequence[int]) -> Any:
    """The value of an operation on something masked, None if it is as any other."""
    if operation == "exp":
        found = masked(draw, values[0])
        if found is None or found[1] != -np.inf:
            return None
        return draw.choose(found[0], draw.filled(0.0, shape), draw.elementwise("exp", [found[2]], shape), shape)
    if operation not in ("add", "sub") or any(isinstance(value, np.ndarray) and not np.all(np.isfinite(value))
                                              for value in values):  # fmt: skip
        return None
    for k, (one, other) in enumerate((values, values[::-1])):
        found = masked(draw, one)
        if found is None or masked(draw, other) is not None or not is_total(draw, other):
            continue
        condition, infinity, v = found
        infinity = -infinity if operation == "sub" and k == 1 else infinity
        rest = draw.elementwise(operation, [v, other] if k == 0 else [other, v], shape)
        condition = draw.lift(draw.spread(condition, shape))
        return draw.build.where(draw.place(condition), nowhere(draw, infinity, shape), draw.place(rest))
    return None


def extreme(draw: Drawing, operation: str, place: Any, axes: Sequence[int]) -> Any:
    """The operand of a maximum (minimum) over axes with the masked entries replaced by others of the same row."""
    found = masked(draw, place)
    if found is None or found[1] != (-np.inf if operation == "max" else np.inf):
        return place
    out = draw.lift(found[0])
    if not isinstance(out, np.ndarray):
        return place
    shape = out.shape
    kept = np.where(out, -1, np.arange(out.size).reshape(shape))
    instead = kept.max(axis=tuple(axes), keepdims=True)
    if np.any(instead < 0):
        return place
    return draw.build.take(found[2], np.where(kept < 0, instead, kept))


def is_total(draw: Drawing, value: Any) -> bool:
    """Whether a value is defined for every input: nothing is lost where it is left out."""
    if isinstance(value, np.ndarray):
        return True
    seen, waiting = set(), [value]
    while waiting:
        place = waiting.pop()
        node = draw.build.nodes[place]
        if not _is_total(node):
            return False
        waiting += [k for k in node.operands if k not in seen]
        seen.update(node.operands)
    return True


def _is_total(node: Node) -> bool:
    if node.operation == "power":
        return node["exponent"].denominator == 1 and node["exponent"] >= 0
    return node.operation in TOTAL
