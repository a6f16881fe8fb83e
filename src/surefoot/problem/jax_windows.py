"""Windows of a JAX program: convolutions, and sums and extremes over windows.

The positions that a window sees are known, so the windows are a ``take`` of the numbers, and what is done to them is a
contraction or a reduction:

    y[n, o, p] = sum_{i, k}  x[n, i, s p + d k - low]  v[o, i, k]        (s strides, d dilation)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.problem.drawing import Call, Drawing, Value
from surefoot.problem.jax_moves import positions
from surefoot.problem.jax_rules import Rule


def _convolution(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    """Windows of the left operand, taken by position, against the right one."""
    p, (u, v) = call.params, values
    if call.kind != "real" or p["batch_group_count"] != 1:
        return None
    numbers, groups = p["dimension_numbers"], int(p["feature_group_count"])
    left, right = ([draw.shape(value)[axis] for axis in spec] for value, spec in
                   ((u, numbers.lhs_spec), (v, numbers.rhs_spec)))  # fmt: skip
    out = [call.shape[axis] for axis in numbers.out_spec]
    here = positions(draw.shape(u)).transpose(numbers.lhs_spec)
    inside = np.ones((), dtype=bool)
    where: list[np.ndarray] = []
    dims = len(out) - 2
    for k in range(dims):
        at = np.arange(out[2 + k])[:, None] * p["window_strides"][k] - p["padding"][k][0]
        at = at + np.arange(right[2 + k])[None, :] * p["rhs_dilation"][k]
        spread = p["lhs_dilation"][k]
        good = (at % spread == 0) & (at >= 0) & (at < (left[2 + k] - 1) * spread + 1)
        wide = [1] * (2 * dims)
        wide[k], wide[dims + k] = at.shape
        inside = inside & good.reshape(wide)
        where.append(np.where(good, at // spread, 0).reshape(wide))
    places = np.where(inside, here[(slice(None), slice(None), *where)], -1)
    # (batch, groups, features of a group, places out..., window...) with (groups, features out, features in, window...)
    places = places.reshape(left[0], groups, left[1] // groups, *places.shape[2:])
    move, (row,) = draw.mover([u])
    windows = draw.place(move.take(row, places))
    kernel = draw.build.transpose(draw.place(v), numbers.rhs_spec)
    kernel = draw.build.reshape(kernel, (groups, right[0] // groups, *right[1:]))
    window = tuple(range(3 + dims, 3 + 2 * dims))
    found = draw.build.dot(windows, kernel, ((2, *window), (2, *range(3, 3 + dims))), ((1,), (0,)))
    # groups, batch, places out, features out -> batch, groups and features, places out
    found = draw.build.transpose(found, (1, 0, 2 + dims, *range(2, 2 + dims)))
    found = draw.build.reshape(found, out)
    return draw.build.transpose(found, [int(k) for k in np.argsort(numbers.out_spec)])


def _window(operation: str) -> Rule:
    """A sum, maximum or minimum over windows."""

    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        p = call.params
        if call.kind != "real" or any(int(n) != 1 for n in p["base_dilation"]):
            return None
        shape, rank = draw.shape(values[0]), len(call.shape)
        inside, where = np.ones((), dtype=bool), []
        for k in range(rank):
            at = np.arange(call.shape[k])[:, None] * p["window_strides"][k] - p["padding"][k][0]
            at = at + np.arange(p["window_dimensions"][k])[None, :] * p["window_dilation"][k]
            good = (at >= 0) & (at < shape[k])
            wide = [1] * (2 * rank)
            wide[k], wide[rank + k] = at.shape
            inside = inside & good.reshape(wide)
            where.append(np.where(good, at, 0).reshape(wide))
        places = np.where(inside, positions(shape)[tuple(where)], -1)
        if operation != "sum":
            # A place outside says nothing: take the window's first place inside instead.
            flat = places.reshape(*call.shape, -1)
            if np.any(flat.max(axis=-1) < 0):
                return None
            places = np.where(flat < 0, flat.max(axis=-1, keepdims=True), flat).reshape(places.shape)
        move, (row,) = draw.mover([values[0]])
        return draw.build.reduce(operation, draw.place(move.take(row, places)), range(rank, 2 * rank))

    return rule


WINDOWS: dict[str, Rule] = {
    "conv_general_dilated": _convolution,
    "reduce_window_sum": _window("sum"),
    "reduce_window_max": _window("max"),
    "reduce_window_min": _window("min"),
}
