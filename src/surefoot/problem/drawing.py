"""What a traced program does, drawn as nodes of a real graph: values, conditions and choices.

A value is an array where it does not depend on the input and is known exactly (`known`), else the place of a node. A
program's infinities are no real numbers: in a maximum, a comparison or a mask they mean what they mean (`infinities`),
anywhere else the function is **undefined** there, which no reading can take for a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.problem import infinities
from surefoot.problem.known import ARRAYS, COMPUTED, compute, exactly
from surefoot.problem.real import Builder

Array = np.ndarray
Value = Any
"""An array, or the place of a node (int)."""


@dataclass(frozen=True)
class Call:
    """One operation of a program as it is written.

    Attributes
    ----------
    name : str
    params : mapping
    kinds : tuple of str
        Of the operands: ``"real"``, ``"whole"``, ``"truth"`` or ``"other"``.
    outputs : tuple of (tuple of int, str)
        Shape and kind of each result.
    run : callable
        ``run(*arrays)`` is what the program computes, as a list of arrays.
    """

    name: str
    params: Mapping[str, Any]
    kinds: tuple[str, ...]
    outputs: tuple[tuple[tuple[int, ...], str], ...]
    run: Callable[..., list[Array]]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the only result."""
        return self.outputs[0][0]

    @property
    def kind(self) -> str:
        """The kind of the only result."""
        return self.outputs[0][1]


class Drawing:
    """A `Builder` that also takes known arrays, for whole numbers, truth values and infinities too.

    Parameters
    ----------
    build : Builder
    """

    def __init__(self, build: Builder) -> None:
        self.build = build
        self._held: dict[int, tuple[Array, int]] = {}

    # Values

    def shape(self, value: Value) -> tuple[int, ...]:
        """The shape of a value."""
        return value.shape if isinstance(value, np.ndarray) else self.build.shape(value)

    def place(self, value: Value) -> int:
        """The node of a value."""
        if not isinstance(value, np.ndarray):
            return value
        known = self._held.get(id(value))
        if known is None:
            known = self._held[id(value)] = (value, self._constant(value))
        return known[1]

    def _constant(self, array: Array) -> int:
        """A constant; what is the same along an axis is held once."""
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            return self._beyond(array)
        if array.size > 1 and bool(np.all(array.flat[:2] == array.flat[0])) and bool(np.all(array == array.flat[0])):
            return self.build.broadcast(self._constant(np.asarray(array.flat[0])), array.shape, ())
        same = [n > 1 and step == 0 for n, step in zip(array.shape, array.strides, strict=True)]
        if any(same):
            kept = [axis for axis, repeated in enumerate(same) if not repeated]
            return self.build.broadcast(
                self._constant(array[tuple(0 if one else slice(None) for one in same)]), array.shape, kept
            )
        if array.dtype.kind in "iu" and array.size and max(abs(int(array.min())), abs(int(array.max()))) > 2**53:
            return self.build.unknown("a whole number beyond 2^53", (), array.shape)
        return self.build.constant(array)

    def lift(self, value: Value) -> Value:
        """A constant node as a known array again."""
        if isinstance(value, np.ndarray):
            return value
        node = self.build.nodes[value]
        if node.operation == "broadcast" and not node["axes"]:
            number = self.build.value(node.operands[0])
            return value if number is None else np.broadcast_to(number, node.shape)
        known = self.build.value(value)
        return value if known is None else known

    def _beyond(self, array: Array) -> int:
        """A constant with infinities."""
        place = self.place(np.where(np.isfinite(array), array, 0.0))
        for wrong, infinity in ((array == np.inf, np.inf), (array == -np.inf, -np.inf), (np.isnan(array), np.nan)):
            if np.all(wrong):
                return infinities.nowhere(self, infinity, array.shape)
            if np.any(wrong):
                instead = infinities.nowhere(self, infinity, array.shape)
                place = self.place(self.choose(np.asarray(wrong), instead, place, array.shape))
        return place

    def filled(self, value: float | bool, shape: Sequence[int]) -> Array:
        """A known array of one number."""
        return np.broadcast_to(np.asarray(value), tuple(shape))

    def spread(self, value: Value, shape: Sequence[int]) -> Value:
        """Repeated to a shape: numbers, and axes of length 1."""
        shape = tuple(shape)
        if isinstance(value, np.ndarray):
            return value if value.shape == shape else np.broadcast_to(value, shape)
        mine = self.build.shape(value)
        return self.build.broadcast(value, shape, range(len(mine))) if mine != shape else value

    def mover(self, values: Sequence[Value]) -> tuple[Any, list[Value]]:
        """Whoever moves these values about, and the values as it takes them."""
        if all(isinstance(value, np.ndarray) for value in values):
            return ARRAYS, list(values)
        return self.build, [self.place(value) for value in values]

    def unknown(self, name: str, values: Sequence[Value], shape: Sequence[int]) -> int:
        """A value of which nothing is known."""
        return self.build.unknown(name, [one for one in values if not isinstance(one, np.ndarray)], shape)

    # Elementwise

    def elementwise(self, operation: str, values: Sequence[Value], shape: Sequence[int], **settings: Any) -> Value:
        """An operation of `real`, known where all operands are and it does not round."""
        arrays = [value for value in values if isinstance(value, np.ndarray)]
        if len(arrays) == len(values):
            lean = _lean(arrays)
            if all(array.dtype.kind != "f" for array in arrays):
                found = compute(operation, lean) if operation in COMPUTED else None
            else:
                found = exactly(operation, [one.astype(float) for one in lean], **settings)
            if found is not None:
                return np.broadcast_to(found, tuple(shape))
        beyond = infinities.elementwise(self, operation, values, shape)
        if beyond is not None:
            return beyond
        if operation in ("maximum", "minimum") and arrays:
            return self._extreme(operation, *values, shape=shape)
        # A number stays a number where another operand has the shape: the builder repeats it.
        wide = len(values) == 2 and any(self.shape(value) == tuple(shape) for value in values)
        places = [
            self.place(value if wide and self.shape(value) == () else self.spread(value, shape)) for value in values
        ]
        if operation == "power":
            return self.build.power(places[0], settings["exponent"])
        return self.build.unary(operation, *places) if len(places) == 1 else self.build.binary(operation, *places)

    def _extreme(self, operation: str, u: Value, v: Value, shape: Sequence[int]) -> Value:
        """A maximum (minimum) with something known, in which -inf (inf) says nothing."""
        if isinstance(u, np.ndarray):
            u, v = v, u
        idle = np.asarray(v == (-np.inf if operation == "maximum" else np.inf))
        if not isinstance(u, np.ndarray) and idle.any():
            if idle.all():
                return self.spread(u, shape)
            idle = np.broadcast_to(idle, tuple(shape))
            other = self._extreme(operation, u, np.where(idle, 0.0, v), shape)
            return self.choose(idle, self.spread(u, shape), other, shape)
        return self.build.binary(operation, self.place(self.spread(u, shape)), self.place(self.spread(v, shape)))

    # Conditions

    def compare(self, operation: str, u: Value, v: Value, shape: Sequence[int]) -> Value:
        """A comparison of numbers."""
        if isinstance(u, np.ndarray) and isinstance(v, np.ndarray):
            return np.broadcast_to(compute(operation, _lean([u, v])), tuple(shape))
        if isinstance(u, int) and isinstance(v, int) and u == v:
            return self.filled(operation in ("eq", "le"), shape)
        for here, other in ((u, v), (v, u)):
            if isinstance(here, np.ndarray) and here.dtype.kind == "f" and not np.all(np.isfinite(here)):
                beyond = np.asarray(~np.isfinite(here))
                sides = [here, np.asarray(0.0)] if here is u else [np.asarray(0.0), here]
                answer = np.broadcast_to(compute(operation, sides), tuple(shape))
                if beyond.all():
                    return answer
                rest = np.where(beyond, 0.0, here)
                inner = self.compare(operation, *((rest, other) if here is u else (other, rest)), shape)
                return self.either(
                    self.both(self.spread(np.asarray(~beyond), shape), inner),
                    np.broadcast_to(beyond & answer, tuple(shape)),
                )
        places = [self.place(self.spread(value, shape)) for value in (u, v)]
        return self.build.condition(operation, *(sorted(places) if operation in ("eq", "ne") else places))

    def both(self, a: Value, b: Value) -> Value:
        """Both conditions."""
        return self._logic("and", a, b, neutral=True)

    def either(self, a: Value, b: Value) -> Value:
        """One condition or the other."""
        return self._logic("or", a, b, neutral=False)

    def _logic(self, operation: str, a: Value, b: Value, neutral: bool) -> Value:
        shape = np.broadcast_shapes(self.shape(a), self.shape(b))
        a, b = self.spread(a, shape), self.spread(b, shape)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            return compute(operation, [a, b])
        for one, other in ((a, b), (b, a)):
            if isinstance(one, np.ndarray):
                if np.all(one == neutral):
                    return other
                if not np.any(one == neutral):
                    return one
        if a is b or (isinstance(a, int) and isinstance(b, int) and a == b):
            return a
        return self.build.condition(operation, *sorted((self.place(a), self.place(b))))

    def negated(self, a: Value) -> Value:
        """The opposite condition; of a comparison the opposite comparison, as real numbers are in order."""
        if isinstance(a, np.ndarray):
            return np.asarray(~a)
        node = self.build.nodes[a]
        if node.operation == "not":
            return node.operands[0]
        if node.operation in ("lt", "le"):
            return self.build.condition("le" if node.operation == "lt" else "lt", *node.operands[::-1])
        if node.operation in ("eq", "ne"):
            return self.build.condition("ne" if node.operation == "eq" else "eq", *node.operands)
        return self.build.condition("not", a)

    def differ(self, a: Value, b: Value) -> Value:
        """One condition, but not the other."""
        return self.either(self.both(a, self.negated(b)), self.both(self.negated(a), b))

    def number(self, condition: Value) -> Value:
        """1 where it holds, else 0."""
        if isinstance(condition, np.ndarray):
            return condition.astype(float)
        return self.build.where(condition, self.build.constant(1.0), self.build.constant(0.0))

    def truth(self, value: Value) -> Value:
        """Whether a number is not 0: the inverse of `number`."""
        shape = self.shape(value)
        if not isinstance(value, np.ndarray):
            node = self.build.nodes[value]
            if node.operation == "where" and value == self.number(node.operands[0]):
                return node.operands[0]
        return self.compare("ne", value, self.filled(0.0, shape), shape)

    def is_number(self, value: Value, number: int) -> Value:
        """Whether a whole number is a given one: of a choice among numbers, whether that one is chosen."""
        value = self.lift(value)
        if isinstance(value, np.ndarray):
            return np.asarray(value == number)
        node = self.build.nodes[value]
        if node.operation == "where" and isinstance(self.lift(node.operands[1]), np.ndarray):
            condition, yes, no = node.operands
            rest = self.both(self.negated(condition), self.spread(self.is_number(no, number), node.shape))
            return self.either(self.both(condition, np.asarray(self.lift(yes) == number)), rest)
        return self.compare("eq", value, self.filled(float(number), node.shape), node.shape)

    def choose(self, condition: Value, yes: Value, no: Value, shape: Sequence[int], truth: bool = False) -> Value:
        """``yes`` where the condition holds, else ``no``."""
        if isinstance(condition, np.ndarray) and condition.size and (condition.all() or not condition.any()):
            return self.spread(yes if condition.all() else no, shape)
        if all(isinstance(one, np.ndarray) for one in (condition, yes, no)):
            return np.broadcast_to(np.where(condition, yes, no), tuple(shape))
        if truth:
            return self.either(self.both(condition, yes), self.both(self.negated(condition), no))
        condition, yes, no = (self.place(self.spread(one, shape)) for one in (condition, yes, no))
        return self._normal_tail(condition, yes, no) or self.build.where(condition, yes, no)

    def _normal_tail(self, condition: int, yes: int, no: int) -> int | None:
        """``where(0 < w, 2 - erfc|w|, erfc|w|)``, which JAX writes for ``1 + erf(w)``, is ``1 + erf(w)``."""
        nodes, build = self.build.nodes, self.build
        tail, size, rule = nodes[no], nodes[nodes[no].operands[0]] if nodes[no].operands else None, nodes[condition]
        if tail.operation != "erfc" or size is None or size.operation != "abs" or rule.operation != "lt":
            return None
        w, shape = size.operands[0], tail.shape
        zero, one, two = (build.broadcast(build.constant(n), shape, ()) for n in (0.0, 1.0, 2.0))
        if rule.operands != (zero, w) or yes != build.sub(two, no):
            return None
        return build.add(one, build.unary("erf", w))


def _lean(arrays: Sequence[Array]) -> list[Array]:
    """Single numbers, if all arrays repeat one number each."""
    if all(array.size > 0 and not any(array.strides[k] for k in range(array.ndim)) for array in arrays):
        return [np.asarray(array.flat[0]) for array in arrays]
    return list(arrays)
