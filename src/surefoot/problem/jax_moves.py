"""Operations of a JAX program that move numbers about: slices, gathers, updates.

Where indices do not depend on the input, an operation does to the numbers what it does to their positions: **it is run
once on the positions**, and what comes out is the list of a ``take``. A scattered sum adds, for each target, the
updates that go there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from surefoot.problem.drawing import Call, Drawing, Value
from surefoot.problem.jax_rules import Rule

MOST_REPEATED = 16
"""Entries that the table of a scattered sum may have for each update."""

MOST_QUESTIONS = 16
"""Entries among which the place of the largest is found by comparisons."""


def _axes_of(call: Call, name: str) -> tuple[int, ...]:
    return tuple(int(axis) for axis in call.params[name])


def _reshape(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    move, (u,) = draw.mover(values[:1])
    order = call.params.get("dimensions") if call.name == "reshape" else None
    return move.reshape(u if order is None else move.transpose(u, [int(axis) for axis in order]), call.shape)


def _broadcast(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    move, (u,) = draw.mover(values[:1])
    return move.broadcast(u, call.shape, _axes_of(call, "broadcast_dimensions"))


def _transpose(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    move, (u,) = draw.mover(values)
    return move.transpose(u, _axes_of(call, "permutation"))


def _slice(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    move, (u,) = draw.mover(values)
    return move.slice(u, *(call.params[name] for name in ("start_indices", "limit_indices", "strides")))


def _reverse(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    move, (u,) = draw.mover(values)
    return move.reverse(u, _axes_of(call, "dimensions"))


def _concatenate(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    values = [value for value in values if 0 not in draw.shape(value)] or list(values)[:1]
    move, parts = draw.mover(values)
    return move.concatenate(parts, int(call.params["dimension"]))


def _split(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    move, (u,) = draw.mover(values)
    shape, axis, start, parts = draw.shape(u), int(call.params["axis"]), 0, []
    for size in call.params["sizes"]:
        starts, stops = [0] * len(shape), list(shape)
        starts[axis], stops[axis] = start, start + int(size)
        parts.append(move.slice(u, starts, stops))
        start += int(size)
    return parts


def _stack(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    axis = int(call.params["axis"])
    move, parts = draw.mover(values)
    shape = [1 if k == axis else n for k, n in enumerate(call.shape)]
    return move.concatenate([move.reshape(part, shape) for part in parts], axis)


def _unstack(draw: Drawing, values: Sequence[Value], call: Call) -> list[Value]:
    move, (u,) = draw.mover(values)
    return [move.reshape(part, call.outputs[0][0]) for part in _cut(draw, u, int(call.params["axis"]))]


def _cut(draw: Drawing, u: Value, axis: int) -> list[Value]:
    """The parts of length 1 along an axis."""
    move, (u,) = draw.mover([u])
    shape, parts = draw.shape(u), []
    for k in range(shape[axis]):
        starts, stops = [0] * len(shape), list(shape)
        starts[axis], stops[axis] = k, k + 1
        parts.append(move.slice(u, starts, stops))
    return parts


def _tile(draw: Drawing, values: Sequence[Value], call: Call) -> Value:
    move, (u,) = draw.mover(values)
    shape, reps = draw.shape(u), [int(n) for n in call.params["reps"]]
    wide = [n for pair in zip(reps, shape, strict=True) for n in pair]
    return move.reshape(move.broadcast(u, wide, range(1, 2 * len(shape), 2)), call.shape)


def _argmax(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    """The first place of the largest, one question after the other."""
    u, (axis,) = values[0], call.params["axes"]
    sign = "max" if call.name == "argmax" else "min"
    length = draw.shape(u)[axis]
    if isinstance(u, np.ndarray) or length > MOST_QUESTIONS or call.kinds[0] == "other":
        return None
    parts = [draw.lift(draw.build.reshape(part, call.shape)) for part in _cut(draw, u, int(axis))]
    if call.kinds[0] == "truth":
        largest = [part if sign == "max" else draw.negated(part) for part in parts]
    else:
        top = draw.build.reduce(sign, u, (axis,))
        largest = [draw.compare("le", *((top, part) if sign == "max" else (part, top)), call.shape) for part in parts]
    found: Value = np.zeros(call.shape)
    for k in range(length - 1, -1, -1):
        found = draw.choose(largest[k], draw.filled(float(k), call.shape), found, call.shape)
    return found


def _iota(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    """Counting along an axis."""
    if call.kind not in ("real", "whole"):
        return None
    axis, shape = int(call.params["dimension"]), call.shape
    kind = float if call.kind == "real" else np.dtype(call.params["dtype"])
    counted = np.arange(shape[axis]).astype(kind).reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return np.broadcast_to(counted, shape)


def positions(shape: Sequence[int], first: int = 0) -> np.ndarray:
    """The positions of an array of some shape, counted from one on."""
    return np.arange(first, first + int(np.prod(shape, dtype=np.int64)), dtype=np.int64).reshape(tuple(shape))


def _taken(draw: Drawing, u: Value, places: Any, filler: Value | None = None) -> Value:
    """The entries at places; where a place is -1, the filler."""
    places = np.asarray(places, dtype=np.int64)
    move, (u,) = draw.mover([u])
    found = move.take(u, places)
    gone = places < 0
    if filler is None or not gone.any() or (isinstance(filler, np.ndarray) and np.all(filler == 0)):
        return found
    return draw.choose(gone, filler, found, places.shape)


def _pad(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    u, filler = values
    if call.kind not in ("real", "whole"):
        return None
    here = positions(draw.shape(u))
    widths = [(int(low), int(high), int(inner)) for low, high, inner in call.params["padding_config"]]
    places = np.asarray(call.run(here, np.asarray(-1, dtype=np.int64))[0])
    plain = isinstance(filler, np.ndarray) and np.all(filler == 0) and all(min(one) >= 0 for one in widths)
    if plain and not isinstance(u, np.ndarray):
        return draw.build.pad(u, widths)
    return _taken(draw, u, places, draw.spread(filler, call.shape))


def _dynamic_slice(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    u, *starts = values
    if not _all_known(starts):
        return None
    move, (u,) = draw.mover([u])
    first = _inside(starts, draw.shape(u), call.shape)
    return move.slice(u, first, [a + n for a, n in zip(first, call.shape, strict=True)])


def _dynamic_update_slice(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    u, update, *starts = values
    if not _all_known(starts):
        return None
    places, part = positions(call.shape), draw.shape(update)
    first = _inside(starts, call.shape, part)
    places[tuple(slice(a, a + n) for a, n in zip(first, part, strict=True))] = positions(part, places.size)
    return _taken(draw, _joined(draw, [u, update]), places)


def _inside(starts: Sequence[Any], shape: Sequence[int], part: Sequence[int]) -> list[int]:
    """Where a part begins: moved so that it lies inside of the whole."""
    return [min(max(int(a), 0), n - k) for a, n, k in zip(starts, shape, part, strict=True)]


def _joined(draw: Drawing, values: Sequence[Value]) -> Value:
    """All numbers of some values in one row."""
    move, parts = draw.mover(values)
    return move.concatenate([move.reshape(part, (int(np.prod(draw.shape(part))),)) for part in parts], 0)


def _all_known(values: Sequence[Value]) -> bool:
    return all(isinstance(value, np.ndarray) for value in values)


def _gather(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
    u, indices = values
    if not _all_known([indices]) or call.kind == "other":
        return None
    places = _gathered(draw.shape(u), indices, call.params["dimension_numbers"], call.params["slice_sizes"],
                       call.params["mode"])  # fmt: skip
    filler = call.params.get("fill_value")
    if filler is None:
        filler = {"real": np.nan, "truth": True}.get(call.kind)
    if filler is None:
        return None if np.any(places < 0) else _taken(draw, u, places)
    return _taken(draw, u, places, draw.filled(filler, call.shape))


def _gathered(shape: Any, indices: Any, numbers: Any, sizes: Any, mode: Any) -> np.ndarray:
    """Positions that a gather takes, -1 outside of the array."""
    import jax

    found = jax.lax.gather(positions(shape), indices, numbers, tuple(int(n) for n in sizes), mode=mode, fill_value=-1)
    return np.asarray(found)


def _targets(shape: Sequence[int], updates: Sequence[int], indices: np.ndarray, call: Call) -> np.ndarray:
    """The position that each update goes to, -1 for none: a scatter is a gather turned round."""
    import jax

    numbers = call.params["dimension_numbers"]
    windows = iter(numbers.update_window_dims)
    gone = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    sizes = [1 if axis in gone else updates[next(windows)] for axis in range(len(shape))]
    turned = jax.lax.GatherDimensionNumbers(
        offset_dims=numbers.update_window_dims,
        collapsed_slice_dims=numbers.inserted_window_dims,
        start_index_map=numbers.scatter_dims_to_operand_dims,
        operand_batching_dims=numbers.operand_batching_dims,
        start_indices_batching_dims=numbers.scatter_indices_batching_dims,
    )
    return _gathered(shape, indices, turned, sizes, call.params["mode"]).reshape(-1)


def _scatter(operation: str | None) -> Rule:
    """Updates put in (no operation), or joined to what is there."""

    def rule(draw: Drawing, values: Sequence[Value], call: Call) -> Value | None:
        u, indices, updates = values
        if not _all_known([indices]) or call.kind == "other" or (operation and call.kind != "real"):
            return None
        shape, size = call.shape, int(np.prod(call.shape, dtype=np.int64))
        targets = _targets(shape, draw.shape(updates), indices, call)
        table = _table(targets, size)
        if table is None or (table.shape[1] > 1 and operation != "add"):
            return None
        if operation is None:
            there = positions((size,))
            there = np.where(table[:, 0] < 0, there, size + table[:, 0]) if table.size else there
            return _taken(draw, _joined(draw, [u, updates]), there.reshape(shape))
        if not table.size:
            return u
        move, (row,) = draw.mover([updates])
        if operation == "add":
            taken = draw.place(move.take(row, table.reshape(*shape, -1)))
            part = (
                draw.build.reduce("sum", taken, (len(shape),))
                if table.shape[1] > 1
                else move.take(row, table.reshape(shape))
            )
            return draw.elementwise("add", [u, part], shape)
        part = move.take(row, table.reshape(shape))
        return draw.choose(table.reshape(shape) < 0, u, draw.elementwise(operation, [u, part], shape), shape)

    return rule


def _table(targets: np.ndarray, size: int) -> np.ndarray | None:
    """For each target the updates that go there, -1 where there are fewer: (size, most); None if it is too large."""
    order = np.argsort(targets, kind="stable")
    order = order[targets[order] >= 0]
    sorted_targets = targets[order]
    counts = np.bincount(sorted_targets, minlength=size)
    most = int(counts.max(initial=0))
    if most > 1 and size * most > MOST_REPEATED * (len(targets) + size):
        return None
    table = np.full((size, most), -1, dtype=np.int64)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    table[sorted_targets, rank] = order
    return table


MOVES: dict[str, Rule] = {
    "stack": _stack, "unstack": _unstack, "tile": _tile, "argmax": _argmax, "argmin": _argmax,
    "iota": _iota,
    "reshape": _reshape, "squeeze": _reshape, "expand_dims": _reshape, "broadcast_in_dim": _broadcast,
    "transpose": _transpose, "slice": _slice, "rev": _reverse, "concatenate": _concatenate, "split": _split,
    "pad": _pad, "dynamic_slice": _dynamic_slice, "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather, "scatter": _scatter(None), "scatter-add": _scatter("add"), "scatter_add": _scatter("add"),
    "scatter-mul": _scatter("mul"), "scatter_mul": _scatter("mul"), "scatter-min": _scatter("minimum"),
    "scatter_min": _scatter("minimum"), "scatter-max": _scatter("maximum"), "scatter_max": _scatter("maximum"),
}  # fmt: skip
