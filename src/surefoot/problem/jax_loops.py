"""Loops and branches of JAX programs.

A branch by something known is that branch, else a choice between both. A loop is unrolled, unless **its steps know
nothing of each other but a running sum**: then they are done all at once, as one program over an axis of steps, so
that a loss summed row by row is as small a graph as one written with arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from surefoot.problem.drawing import Value
from surefoot.problem.jax_library import count

MOST_NODES = 10_000
"""Operations that the unrolled steps of a loop may have."""


def cond(reader: Any, equation: Any, values: list[Value]) -> list[Value] | None:
    """The branch that an index names: the last for one too large, the first for one too small."""
    index, *operands = values
    branches = equation.params["branches"]
    if isinstance(index, np.ndarray):
        return reader.inner(branches[min(max(int(index), 0), len(branches) - 1)], operands)
    draw, found = reader.draw, reader.inner(branches[-1], operands)
    for k in range(len(branches) - 2, -1, -1):
        other = reader.inner(branches[k], operands)
        if len(branches) == 2:
            low = draw.negated(draw.truth(index))
        else:
            low = draw.compare("le", index, np.asarray(float(k)), ())
        found = [
            draw.choose(low, a, b, tuple(atom.aval.shape), truth=str(atom.aval.dtype) == "bool")
            for a, b, atom in zip(other, found, equation.outvars, strict=True)
        ]
    return found


def scan(reader: Any, equation: Any, values: list[Value]) -> list[Value] | None:
    """A loop of known length: all at once, or unrolled."""
    p = equation.params
    loop = _Loop(reader, p["jaxpr"], int(p["length"]), bool(p["reverse"]), int(p["num_consts"]), int(p["num_carry"]))
    together = loop.together(values)
    if together is not None:
        return together
    if loop.length * max(1, count(loop.body)) > MOST_NODES:
        return None
    return loop.unrolled(values)


class _Loop:
    """A `scan`: ``(constants, carried, xs of the step) -> (carried, ys of the step)``."""

    def __init__(self, reader: Any, program: Any, length: int, backwards: bool, fixed: int, carried: int) -> None:
        self.reader, self.draw, self.program, self.body = reader, reader.draw, program, program.jaxpr
        self.length, self.fixed, self.carried = length, fixed, carried
        self.order = range(length - 1, -1, -1) if backwards else range(length)

    def unrolled(self, values: list[Value]) -> list[Value]:
        """One step after the other."""
        fixed, carry = values[: self.fixed], values[self.fixed : self.fixed + self.carried]
        columns = values[self.fixed + self.carried :]
        rows: list[list[Value]] = [[] for _ in range(self.length)]
        for step in self.order:
            found = self.reader.inner(self.program, [*fixed, *carry, *(self._row(one, step) for one in columns)])
            carry, rows[step] = found[: self.carried], found[self.carried :]
        return [
            *carry,
            *(self._stacked([row[k] for row in rows], k) for k in range(len(self.body.outvars) - self.carried)),
        ]

    def _row(self, column: Value, step: int) -> Value:
        move, (column,) = self.draw.mover([column])
        shape = self.draw.shape(column)
        part = move.slice(column, [step, *[0] * (len(shape) - 1)], [step + 1, *shape[1:]])
        return move.reshape(part, shape[1:])

    def _stacked(self, rows: list[Value], k: int) -> Value:
        aval = self.body.outvars[self.carried + k].aval
        if not rows:
            return np.zeros((0, *aval.shape), dtype=bool if str(aval.dtype) == "bool" else float)
        move, rows = self.draw.mover(rows)
        return move.concatenate([move.reshape(row, (1, *aval.shape)) for row in rows], 0)

    def together(self, values: list[Value]) -> list[Value] | None:
        """All steps as one program over an axis of steps, if they share only counters and sums."""
        inputs, outputs = self.body.invars, self.body.outvars
        parts = [self._part(inputs[self.fixed + j], outputs[j]) for j in range(self.carried)]
        if self.length == 0 or any(part is None for part in parts):
            return None
        start = values[self.fixed : self.fixed + self.carried]
        if any(part != "sum" and not isinstance(begun, np.ndarray) for part, begun in zip(parts, start, strict=True)):
            return None
        steps = np.argsort(np.asarray(self.order))
        carry: list[Value] = []
        for part, begun, atom in zip(parts, start, inputs[self.fixed :], strict=False):
            if part == "sum":
                carry.append(np.zeros(atom.aval.shape))
            else:
                carry.append((begun + np.asarray(part) * steps).astype(begun.dtype))
        axes = [None] * self.fixed + [None if part == "sum" else 0 for part in parts]
        axes += [0] * (len(inputs) - len(axes))
        try:
            found = self._mapped(axes, [*values[: self.fixed], *carry, *values[self.fixed + self.carried :]])
        except NotImplementedError:  # an operation that JAX cannot map over an axis
            return None
        last: list[Value] = []
        for part, begun, one in zip(parts, start, found, strict=False):
            if part == "sum":
                total = self.draw.build.reduce("sum", self.draw.place(one), (0,))
                last.append(self.draw.elementwise("add", [begun, total], self.draw.shape(begun)))
            else:
                last.append((begun + np.asarray(part) * self.length).astype(begun.dtype))
        return [*last, *found[self.carried :]]

    def _mapped(self, axes: Sequence[int | None], values: Sequence[Value]) -> list[Value]:
        import jax
        from jax.extend.core import jaxpr_as_fun

        kinds = [atom.aval.dtype for atom in self.body.invars]
        given = [jax.ShapeDtypeStruct(self.draw.shape(one), kind) for one, kind in zip(values, kinds, strict=True)]
        one_step = jaxpr_as_fun(self.program)
        mapped = jax.make_jaxpr(jax.vmap(one_step, in_axes=tuple(axes), axis_size=self.length))(*given)
        return self.reader.inner(mapped, list(values))

    def _part(self, before: Any, after: Any) -> Any:
        """``"sum"``, the increment of a counter, or None: what one carried value is."""
        kind, makers = str(before.aval.dtype), [one for one in self.body.eqns if after in one.outvars]
        if kind.startswith("int") and len(makers) == 1 and makers[0].primitive.name == "add":
            step = [atom for atom in makers[0].invars if atom is not before]
            known = len(step) == 1 and hasattr(step[0], "val") and before.aval.shape == ()
            return int(step[0].val) if known else None
        if not kind.startswith("float"):
            return None
        # A running sum is only ever added to: no step looks at it, and no step's result is it.
        at = before
        while at is not after:
            uses = self._uses(at)
            if len(uses) != 1 or not _adds_to(uses[0], at, kind) or at in self.body.outvars:
                return None
            (at,) = uses[0].outvars
        return "sum" if not self._uses(after) and self.body.outvars.count(after) == 1 and at is not before else None

    def _uses(self, value: Any) -> list[Any]:
        return [one for one in self.body.eqns if any(atom is value for atom in one.invars)]


def _adds_to(equation: Any, value: Any, kind: str) -> bool:
    """Whether an operation is a value plus or minus something else."""
    name, operands = equation.primitive.name, equation.invars
    if str(equation.outvars[0].aval.dtype) != kind:
        return False
    if name == "convert_element_type":
        return True
    times = sum(atom is value for atom in operands)
    return times == 1 and (name in ("add", "add_any") or (name == "sub" and operands[0] is value))


def repeat(reader: Any, equation: Any, values: list[Value]) -> list[Value] | None:
    """A loop whose condition is known at each step, unrolled."""
    p = equation.params
    n, m = int(p["cond_nconsts"]), int(p["body_nconsts"])
    for_test, for_body, state = values[:n], values[n : n + m], values[n + m :]
    spent = 0
    while True:
        (going,) = reader.inner(p["cond_jaxpr"], [*for_test, *state])
        if not isinstance(going, np.ndarray):
            return None
        if not going.all():
            return state
        spent += max(1, count(p["body_jaxpr"].jaxpr))
        if spent > MOST_NODES:
            return None
        state = reader.inner(p["body_jaxpr"], [*for_body, *state])


LOOPS: dict[str, Callable[..., list[Value] | None]] = {"cond": cond, "scan": scan, "while": repeat}
