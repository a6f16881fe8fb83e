"""What each operation of a JAX program means on the real numbers: its name -> nodes.

    rule(drawing, values, call) -> value        rules for moving numbers about are in `jax_moves`

A name that is not here, or a case that a rule cannot say, gives `None`: an unknown value. Whole numbers are those of
mathematics where they depend on the input (they count conditions), and the program's own where they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from surefoot.problem import infinities
from surefoot.problem.drawing import Call, Drawing, Value
from surefoot.problem.known import LARGEST_WHOLE, whole
from surefoot.problem.structure import subscripts

Rule = Callable[[Drawing, Sequence[Value], Call], Value | None]

UNARY = {
    **{name: name for name in (
        "neg", "exp", "expm1", "log", "log1p", "cbrt", "abs", "sign", "floor", "ceil", "sin", "cos", "tan", "sinh",
        "cosh", "tanh", "logistic", "erf", "erfc", "lgamma", "digamma")},
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
}  # fmt: skip

BINARY = {
    "add": "add", "add_any": "add", "sub": "sub", "mul": "mul", "div": "div", "max": "maximum", "min": "minimum",
    "atan2": "arctan2",
}  # fmt: skip

OF_WHOLE_NUMBERS = ("neg", "abs", "sign", "add", "sub", "mul", "maximum", "minimum")
"""Operations that mean the same on whole numbers as on real ones."""

SAME = (
    "stop_gradient", "copy", "copy_p", "name", "device_put", "sharding_constraint", "reshard", "mesh_cast", "pvary",
    "real", "optimization_barrier", "conj",
)  # fmt: skip

MOST_EXPONENTS = 64
"""Different exponents in one array that become powers of their own."""


def elementwise(operation: str) -> Rule:
    """The rule of a plain elementwise operation."""

    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        if call.kind == "truth" and operation in ("maximum", "minimum"):
            return draw.either(*values) if operation == "maximum" else draw.both(*values)
        if call.kind not in ("real", "whole") or (call.kind == "whole" and operation not in OF_WHOLE_NUMBERS):
            return None
        return draw.elementwise(operation, values, call.shape)

    return rule


def _powered(exponent: Callable[[Call], Fraction]) -> Rule:
    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        return _power(draw, values[0], exponent(call), call.shape) if call.kind == "real" else None

    return rule


def _power(draw: Drawing, u: Value, exponent: Fraction, shape: Sequence[int]) -> Value:
    if exponent == 0:
        return draw.filled(1.0, shape)
    return draw.elementwise("power", [u], shape, exponent=exponent)


def _pow(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    base, exponent = values
    if call.kind != "real":
        return None
    if isinstance(exponent, np.ndarray) and np.all(np.isfinite(exponent)):
        found, which = np.unique(exponent, return_inverse=True)
        if len(found) == 1:
            return _power(draw, base, Fraction(found[0].item()), call.shape)
        if 1 < len(found) <= MOST_EXPONENTS:
            return _powers(draw, draw.spread(base, call.shape), found, which, exponent.shape, call.shape)
    if isinstance(base, np.ndarray) and np.all(base > 0) and np.all(np.isfinite(base)):
        rate = draw.elementwise("log", [base], base.shape)
        return draw.elementwise("exp", [draw.elementwise("mul", [exponent, rate], call.shape)], call.shape)
    return draw.build.binary("pow", *(draw.place(draw.spread(value, call.shape)) for value in values))


def _powers(draw: Drawing, base: Value, exponents: Any, which: Any, given: Any, shape: Any) -> Value:
    """Entries of one exponent each, powered together and put back in their places."""
    which = np.broadcast_to(which.reshape(given), shape).reshape(-1)
    order = np.argsort(which, kind="stable")
    move, (base,) = draw.mover([base])
    parts = []
    for k, exponent in enumerate(exponents):
        mine = move.take(base, order[which[order] == k])
        parts.append(draw.place(_power(draw, mine, Fraction(exponent.item()), draw.shape(mine))))
    return draw.build.take(draw.build.concatenate(parts, 0), np.argsort(order, kind="stable").reshape(shape))


def _exp2(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    rate = draw.elementwise("log", [np.asarray(2.0)], ())
    return draw.elementwise("exp", [draw.elementwise("mul", [values[0], rate], call.shape)], call.shape)


def _round(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    if call.kind != "real":
        return None
    if int(call.params["rounding_method"]) == 1:
        return draw.elementwise("round", values, call.shape)
    size = draw.elementwise("abs", values, call.shape)
    up = draw.elementwise("floor", [draw.elementwise("add", [size, np.asarray(0.5)], call.shape)], call.shape)
    return draw.elementwise("mul", [draw.elementwise("sign", values, call.shape), up], call.shape)


def _remainder(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    """``x - y trunc(x/y)``."""
    if call.kind != "real":
        return None
    shape, (x, y) = call.shape, values
    ratio = draw.elementwise("div", [x, y], shape)
    whole_part = draw.choose(
        draw.compare("lt", ratio, np.asarray(0.0), shape),
        draw.elementwise("ceil", [ratio], shape), draw.elementwise("floor", [ratio], shape), shape,
    )  # fmt: skip
    return draw.elementwise("sub", [x, draw.elementwise("mul", [y, whole_part], shape)], shape)


def _clamp(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    low, x, high = values
    return draw.elementwise("minimum", [draw.elementwise("maximum", [low, x], call.shape), high], call.shape)


def _compare(operation: str, swapped: bool = False) -> Rule:
    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        if "other" in call.kinds:
            return None
        if call.kinds[0] == "truth":
            if operation not in ("eq", "ne"):
                return None
            other = draw.differ(values[0], values[1])
            return draw.negated(other) if operation == "eq" else other
        return draw.compare(operation, values[swapped], values[not swapped], call.shape)

    return rule


def _is_finite(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    """Real numbers are."""
    return np.asarray(np.isfinite(values[0])) if isinstance(values[0], np.ndarray) else draw.filled(True, call.shape)


def _logic(join: Any) -> Rule:
    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        return join(draw, *values) if call.kind == "truth" else None

    return rule


def _select(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    which, *cases = values
    truth, shape = call.kind == "truth", call.shape
    if call.kind == "other":
        return None
    if call.kinds[0] == "truth":
        return draw.choose(which, cases[1], cases[0], shape, truth) if len(cases) == 2 else cases[0]
    chosen = cases[0]
    for k, case in enumerate(cases[1:], start=1):
        chosen = draw.choose(draw.spread(draw.is_number(which, k), draw.shape(which)), case, chosen, shape, truth)
    return chosen


def _convert(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    value, (old, new) = values[0], (call.kinds[0], call.kind)
    if isinstance(value, np.ndarray) and new in ("real", "truth") and old != "other":
        if new == "truth":
            return np.asarray(value != 0)
        found = value.astype(float)
        return found if old != "whole" or np.array_equal(found.astype(object), value.astype(object)) else None
    if isinstance(value, np.ndarray) and old in ("whole", "truth") and new == "whole":
        return value.astype(np.dtype(call.params["new_dtype"]))
    if isinstance(value, np.ndarray) or "other" in (old, new):
        return None
    if old == new == "real":
        return value
    if new == "truth":
        return value if old == "truth" else draw.truth(value)
    if old == "truth":
        return draw.number(value)
    return value if old == "whole" else None


def _reduced_precision(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    draw.build.notes.append(
        "f rounds to a lower precision on the way; what is said is true of f without that rounding."
    )
    return values[0] if call.kind == "real" else None


def _same(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    return list(values) if len(call.outputs) > 1 else values[0]


# Over axes


def _axes(call: Call) -> tuple[int, ...]:
    return tuple(int(axis) for axis in call.params["axes"])


def _reduce(operation: str) -> Rule:
    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        value, axes = values[0], _axes(call)
        if call.kind not in ("real", "whole") or (call.kind == "whole" and operation == "prod"):
            return None
        if isinstance(value, np.ndarray) and value.size:
            if operation in ("max", "min"):
                return np.asarray(getattr(np, operation)(value, axis=axes))
            if operation == "sum" and whole(value):
                return np.asarray(value.sum(axis=axes, dtype=value.dtype))
        if any(draw.shape(value)[axis] == 0 for axis in axes):
            empty = {"sum": 0.0, "prod": 1.0}.get(operation)
            return None if empty is None or call.kind == "whole" else draw.filled(empty, call.shape)
        value = infinities.extreme(draw, operation, value, axes)
        return draw.build.reduce(operation, draw.place(value), axes)

    return rule


def _any(every: bool) -> Rule:
    """Whether a condition holds anywhere, or everywhere."""

    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        value, axes = values[0], _axes(call)
        if call.kind != "truth":
            return None
        if isinstance(value, np.ndarray):
            return np.asarray((np.all if every else np.any)(value, axis=axes))
        if draw.build.nodes[value].size == 0:
            return draw.filled(every, call.shape)
        found = draw.build.reduce("min" if every else "max", draw.number(value), axes)
        return draw.compare("lt", draw.filled(0.0, call.shape), found, call.shape)

    return rule


def _cumsum(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    if call.kind not in ("real", "whole") or (call.kind == "whole" and isinstance(values[0], np.ndarray)):
        return None
    axis, back = int(call.params["axis"]), bool(call.params["reverse"])
    return draw.build.cumsum(draw.place(values[0]), axis, back)


def _running(operation: str) -> Rule:
    """Running maxima and the like, by doubling: after step k each entry stands for 2^k of them."""

    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        if call.kind != "real":
            return None
        axis, back, shape = int(call.params["axis"]), bool(call.params["reverse"]), call.shape
        u, build = draw.place(values[0]), draw.build
        u = build.reverse(u, (axis,)) if back else u
        n, step = shape[axis], 1
        while step < n:
            start, middle, stop = [0] * len(shape), list(shape), list(shape)
            middle[axis] = step
            first = build.slice(u, start, middle)
            start[axis] = step
            later = build.slice(u, start, stop)
            stop[axis] = n - step
            earlier = build.slice(u, [0] * len(shape), stop)
            u = build.concatenate([first, _joined(draw, operation, earlier, later)], axis)
            step *= 2
        return build.reverse(u, (axis,)) if back else u

    return rule


def _joined(draw: Drawing, operation: str, u: int, v: int) -> int:
    if operation != "logsumexp":
        return draw.build.binary(operation, u, v)
    return draw.build.add(v, draw.build.unary("softplus", draw.build.sub(u, v)))


def _dot(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    if call.kind != "real":
        return None
    if any(0 in draw.shape(value) for value in values):
        return draw.filled(0.0, call.shape)
    contract, batch = call.params["dimension_numbers"]
    place = draw.build.dot(draw.place(values[0]), draw.place(values[1]), contract, batch)
    if all(isinstance(value, np.ndarray) and np.array_equal(value, np.rint(value)) for value in values):
        node = draw.build.nodes[place]
        if node.operation == "dot":
            text = subscripts(node, values[0].ndim, values[1].ndim)
            if np.einsum(text, *map(np.abs, values)).max() <= LARGEST_WHOLE:
                return np.asarray(np.einsum(text, *values))
    return place


RULES: dict[str, Rule] = {
    **{name: elementwise(operation) for name, operation in (UNARY | BINARY).items()},
    **{name: _same for name in SAME},
    "square": _powered(lambda call: Fraction(2)),
    "sqrt": _powered(lambda call: Fraction(1, 2)),
    "rsqrt": _powered(lambda call: Fraction(-1, 2)),
    "integer_pow": _powered(lambda call: Fraction(int(call.params["y"]))),
    "pow": _pow,
    "exp2": _exp2,
    "round": _round,
    "rem": _remainder,
    "clamp": _clamp,
    "lt": _compare("lt"), "le": _compare("le"), "eq": _compare("eq"), "ne": _compare("ne"),
    "gt": _compare("lt", swapped=True), "ge": _compare("le", swapped=True),
    "and": _logic(Drawing.both), "or": _logic(Drawing.either), "xor": _logic(Drawing.differ),
    "not": _logic(Drawing.negated),
    "is_finite": _is_finite,
    "select_n": _select,
    "convert_element_type": _convert,
    "reduce_precision": _reduced_precision,
    "reduce_sum": _reduce("sum"), "reduce_prod": _reduce("prod"),
    "reduce_max": _reduce("max"), "reduce_min": _reduce("min"),
    "reduce_or": _any(every=False), "reduce_and": _any(every=True),
    "cumsum": _cumsum, "cumprod": _running("mul"), "cummax": _running("maximum"), "cummin": _running("minimum"),
    "cumlogsumexp": _running("logsumexp"),
    "dot_general": _dot,
}  # fmt: skip
