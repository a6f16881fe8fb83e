"""The real function that a program denotes, as a small graph of operations on arrays.

Typed text and traced JAX functions become the same `Graph`, and everything that is proven is read from it: intervals,
Arb balls, derivatives, curvature. It means exact arithmetic on the real numbers; a constant is the exact double it is.

    nodes:  k -> (operation, operands < k, shape, settings)      output: the last value, a number

There is one input, the flat vector x in R^n: the leaves of a pytree are slices of it. Operands come before the
operations that use them, so **a reading is one loop over the nodes**. Equal subexpressions are one node: a `Builder`
looks for it before it adds one. Operands of elementwise operations always have the shape of the value; a `Builder` sees
to it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

UNARY = (
    "neg", "exp", "expm1", "log", "log1p", "cbrt", "abs", "sign", "floor", "ceil", "round",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
    "logistic", "softplus", "erf", "erfc", "lgamma", "digamma", "log_ndtr",
)  # fmt: skip
"""Elementwise functions of one array. ``round`` is to even; ``logistic(t) = 1/(1 + exp(-t))``, ``softplus(t) = log(1 +
exp(t))``, ``log_ndtr`` the logarithm of the normal distribution function."""

POWER = "power"
"""Elementwise ``u^c``, the setting ``exponent`` a `Fraction`: for whole c on all of R (without 0 if c < 0), else on
u >= 0 (u > 0 if c < 0). The square root is ``power`` with 1/2, a square ``power`` with 2."""

BINARY = ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "arctan2", "hypot")
"""Elementwise functions of two arrays. ``pow`` has an exponent that is not constant."""

CONDITIONS = {"lt": 2, "le": 2, "eq": 2, "ne": 2, "and": 2, "or": 2, "not": 1}
"""Elementwise conditions and how many operands each has; ``where(condition, a, b)`` chooses by one."""

REDUCTIONS = ("sum", "prod", "max", "min", "logsumexp")
"""Over the setting ``axes``, which are gone afterwards. ``cumsum`` (settings ``axis``, ``reverse``) keeps the shape."""

STRUCTURE = ("reshape", "transpose", "broadcast", "slice", "reverse", "concatenate", "pad", "take")
"""What moves numbers without changing them: `structure.move`."""

LEAVES = ("input", "constant")
LINEAR = (*STRUCTURE, "sum", "cumsum", "neg", "add", "sub")
"""Operations that are linear in all their operands together."""


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes
    ----------
    operation : str
        One of the above, or ``"unknown"`` (setting ``name``: what could not be read).
    operands : tuple of int
        Places of the operands among the nodes.
    shape : tuple of int
        Shape of the value; ``()`` for a number.
    settings : tuple of (str, hashable)
        What the operation needs to know: axes, an exponent, the digest of a constant.
    source : str
        Where it was written: file and line, or position in the text. Not part of what a node is.
    """

    operation: str
    operands: tuple[int, ...]
    shape: tuple[int, ...]
    settings: tuple[tuple[str, Any], ...] = ()
    source: str = field(default="", compare=False)

    def __getitem__(self, name: str) -> Any:
        """A setting by name."""
        return dict(self.settings)[name]

    @property
    def size(self) -> int:
        """How many numbers the value has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Graph:
    """A real function of n variables.

    Attributes
    ----------
    nodes : tuple of Node
        Operands first; the first is the input.
    output : int
        The node whose value, a number, the function is.
    names : tuple of str
        The n variables.
    constants : mapping of str to ndarray
        Arrays by digest, read-only: float64, bool, or int64 (indices of ``take``).
    notes : tuple of str
        What a certificate must say: library functions taken for the mathematical ones, narrowed numbers.

    Examples
    --------
    >>> build = Builder(("x", "y"))
    >>> x, y = (build.slice(build.input, (k,), (k + 1,)) for k in range(2))
    >>> square = build.power(build.add(x, y), 2)
    >>> graph = build.graph(build.reshape(square, ()))
    >>> [node.operation for node in graph.nodes]
    ['input', 'slice', 'slice', 'add', 'power', 'reshape']
    """

    nodes: tuple[Node, ...]
    output: int
    names: tuple[str, ...]
    constants: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of variables."""
        return len(self.names)

    def value(self, place: int) -> np.ndarray | None:
        """The array of a constant, spread or not; None for any other node (``exp`` of a constant is one)."""
        return _value(self.nodes, self.constants, place)

    def __iter__(self) -> Iterator[tuple[int, Node]]:
        return iter(enumerate(self.nodes))

    def depends(self) -> list[bool]:
        """Whether each node depends on the input."""
        found: list[bool] = []
        for node in self.nodes:
            found.append(node.operation == "input" or any(found[k] for k in node.operands))
        return found

    def uses(self) -> list[int]:
        """How many operands each node is; the output counts as one use."""
        found = [0] * len(self.nodes)
        for node in self.nodes:
            for k in node.operands:
                found[k] += 1
        found[self.output] += 1
        return found


def digest(array: np.ndarray) -> str:
    """SHA-256 of the kind, the shape and the bytes of an array.

    Examples
    --------
    >>> digest(np.array([1.0])) == digest(np.array([[1.0]]))
    False
    """
    found = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


class Builder:
    """Grows a graph, each distinct node once, with identities of the real numbers that lose nothing.

    ``u*u`` becomes ``power(u, 2)``, ``--u`` becomes ``u``, operands of commutative operations are put in order, moving
    numbers about twice becomes moving them once, or not at all. Every method gives the place of a node.

    Parameters
    ----------
    names : sequence of str
        The variables; ``input`` is the place of the vector of them.

    Attributes
    ----------
    source : str
        Where what comes next was written.

    Examples
    --------
    >>> build = Builder(("x[0]", "x[1]"))
    >>> x = build.input
    >>> build.mul(x, x) == build.power(x, 2)
    True
    >>> build.graph(build.sum(build.power(x, 2))).nodes[-1].operation
    'sum'
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}
        self.notes: list[str] = []
        self.source = ""
        self._places: dict[Node, int] = {}
        self.input = self.add_node("input", (), (len(self.names),))

    def add_node(self, operation: str, operands: Sequence[int], shape: tuple[int, ...], **settings: Any) -> int:
        """The place of a node, which is added if it is new: without any rewriting."""
        shape = tuple(int(length) for length in shape)
        node = Node(operation, tuple(operands), shape, tuple(sorted(settings.items())), self.source)
        if node not in self._places:
            self._places[node] = len(self.nodes)
            self.nodes.append(node)
        return self._places[node]

    def graph(self, output: int) -> Graph:
        """The graph of the nodes that an output needs.

        Raises
        ------
        ValueError
            The output is not a number.
        """
        if self.nodes[output].shape:
            raise ValueError(
                f"A function to minimise gives a number, but this one has shape {self.nodes[output].shape}."
            )
        needed = {output, self.input}
        for place in range(output, -1, -1):
            if place in needed:
                needed.update(self.nodes[place].operands)
        order = sorted(needed)
        new = {old: k for k, old in enumerate(order)}
        kept = [self.nodes[old] for old in order]
        nodes = tuple(
            Node(node.operation, tuple(new[k] for k in node.operands), node.shape, node.settings, node.source)
            for node in kept
        )
        used = {node["digest"] for node in nodes if node.operation in ("constant", "take")}
        constants = {key: array for key, array in self.constants.items() if key in used}
        return Graph(nodes, new[output], self.names, constants, tuple(dict.fromkeys(self.notes)))

    def shape(self, place: int) -> tuple[int, ...]:
        """The shape of a node."""
        return self.nodes[place].shape

    def value(self, place: int) -> np.ndarray | None:
        """The array of a constant, spread or not; None for any other node."""
        return _value(self.nodes, self.constants, place)

    # Leaves

    def constant(self, array: Any) -> int:
        """A constant: doubles as they are, whole numbers if doubles can hold them, or truth values."""
        given = np.asarray(array)
        kept = np.array(given, dtype=bool if given.dtype == bool else float)
        if kept.dtype == float:
            kept += 0.0  # the real numbers have one zero
        if given.dtype.kind in "iu" and not np.array_equal(kept.astype(object), given.astype(object)):
            raise ValueError("A whole number is too large for a double to hold it.")
        return self.add_node("constant", (), kept.shape, digest=self._hold(kept))

    def _hold(self, array: np.ndarray) -> str:
        """Keep an array that belongs to nobody else."""
        key = digest(array)
        if key not in self.constants:
            array.setflags(write=False)
            self.constants[key] = array
        return key

    # Elementwise

    def unary(self, operation: str, u: int) -> int:
        """A function of `UNARY`."""
        if operation == "neg" and self.nodes[u].operation == "neg":
            return self.nodes[u].operands[0]
        if operation == "neg" and (value := self.value(u)) is not None:
            return self.constant(-value)
        if operation == "abs" and self.nodes[u].operation in ("neg", "abs"):
            u = self.nodes[u].operands[0]
        return self.add_node(operation, (u,), self.shape(u))

    def power(self, u: int, exponent: Fraction | float | int) -> int:
        """``u^c`` for a constant exponent, a double taken as it is."""
        exponent = Fraction(exponent)
        if exponent == 1:
            return u
        inner = self.nodes[u]
        if inner.operation == POWER and _is_natural(exponent) and _is_natural(inner["exponent"]):
            return self.power(inner.operands[0], exponent * inner["exponent"])
        if inner.operation in ("neg", "abs") and exponent.denominator == 1 and exponent % 2 == 0:
            return self.power(inner.operands[0], exponent)
        return self.add_node(POWER, (u,), self.shape(u), exponent=exponent)

    def binary(self, operation: str, u: int, v: int) -> int:
        """A function of `BINARY`; numbers are spread to the shape of the other operand."""
        u, v = self.alike(u, v)
        simple = self._simplified(operation, u, v)
        if simple is not None:
            return simple
        if operation in ("add", "mul", "maximum", "minimum", "hypot"):
            u, v = sorted((u, v))
        return self.add_node(operation, (u, v), self.shape(u))

    def _simplified(self, operation: str, u: int, v: int) -> int | None:
        if operation == "mul":
            if u == v:
                return self.power(u, 2)
            for one, other in ((u, v), (v, u)):
                if self._is_filled(one, 1.0):
                    return other
                if self._is_filled(one, -1.0):
                    return self.unary("neg", other)
        if operation in ("maximum", "minimum") and u == v:
            return u
        if operation == "add" and self._is_filled(u, 0.0):
            return v
        if operation in ("add", "sub") and self._is_filled(v, 0.0):
            return u
        if operation == "add" and self.nodes[v].operation == "neg":
            return self.binary("sub", u, self.nodes[v].operands[0])
        if operation == "sub" and self.nodes[v].operation == "neg":
            return self.binary("add", u, self.nodes[v].operands[0])
        if operation == "div" and self._is_filled(v, 1.0):
            return u
        return None

    def add(self, u: int, v: int) -> int:
        """``u + v``."""
        return self.binary("add", u, v)

    def sub(self, u: int, v: int) -> int:
        """``u - v``."""
        return self.binary("sub", u, v)

    def mul(self, u: int, v: int) -> int:
        """``u v``, elementwise."""
        return self.binary("mul", u, v)

    def div(self, u: int, v: int) -> int:
        """``u / v``."""
        return self.binary("div", u, v)

    def condition(self, operation: str, *operands: int) -> int:
        """A condition of `CONDITIONS`."""
        if len(operands) == 2:
            operands = self.alike(*operands)
        return self.add_node(operation, operands, self.shape(operands[0]))

    def where(self, condition: int, a: int, b: int) -> int:
        """``a`` where the condition holds, else ``b``; only that branch need be defined there."""
        a, b = self.alike(a, b)
        condition, a = self.alike(condition, a)
        b = self.alike(condition, b)[1]
        known = self.value(condition)
        if a == b or (known is not None and known.all()):
            return a
        if known is not None and not known.any():
            return b
        return self.add_node("where", (condition, a, b), self.shape(a))

    def alike(self, u: int, v: int) -> tuple[int, int]:
        """Both with the same shape, a number spread to that of the other."""
        one, other = self.shape(u), self.shape(v)
        if one == other:
            return u, v
        if not one:
            return self.broadcast(u, other, ()), v
        if not other:
            return u, self.broadcast(v, one, ())
        raise ValueError(f"Shapes {one} and {other} do not go together.")

    def _is_filled(self, place: int, number: float) -> bool:
        value = self.value(place)
        return value is not None and value.size > 0 and bool(np.all(value == number))

    # Over axes

    def reduce(self, operation: str, u: int, axes: Sequence[int]) -> int:
        """A reduction of `REDUCTIONS`."""
        shape = self.shape(u)
        axes = tuple(sorted(int(axis) for axis in axes))
        if not axes:
            return u
        left = tuple(length for axis, length in enumerate(shape) if axis not in axes)
        return self.add_node(operation, (u,), left, axes=axes)

    def sum(self, u: int) -> int:
        """The sum of all entries."""
        return self.reduce("sum", u, range(len(self.shape(u))))

    def cumsum(self, u: int, axis: int, reverse: bool = False) -> int:
        """Running sums along an axis."""
        return self.add_node("cumsum", (u,), self.shape(u), axis=int(axis), reverse=bool(reverse))

    def dot(
        self, u: int, v: int, contract: tuple[Sequence[int], Sequence[int]],
        batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    ) -> int:  # fmt: skip
        """A contraction, by the dimension numbers of `jax.lax.dot_general`: batch axes, free ones of u, then of v."""
        contract = (tuple(map(int, contract[0])), tuple(map(int, contract[1])))
        batch = (tuple(map(int, batch[0])), tuple(map(int, batch[1])))
        one, other = self.shape(u), self.shape(v)
        free = tuple(n for axis, n in enumerate(one) if axis not in contract[0] + batch[0])
        right = tuple(n for axis, n in enumerate(other) if axis not in contract[1] + batch[1])
        if u == v and contract[0] == contract[1] and not batch[0] and not free:
            return self.reduce("sum", self.power(u, 2), contract[0])
        shape = tuple(one[axis] for axis in batch[0]) + free + right
        return self.add_node("dot", (u, v), shape, contract=contract, batch=batch)

    # Structure

    def reshape(self, u: int, shape: Sequence[int]) -> int:
        """The same numbers in row-major order in another shape."""
        shape = tuple(int(length) for length in shape)
        if self.nodes[u].operation == "reshape":
            u = self.nodes[u].operands[0]
        return u if self.shape(u) == shape else self._moved("reshape", (u,), shape)

    def transpose(self, u: int, axes: Sequence[int]) -> int:
        """Axes in another order."""
        axes = tuple(int(axis) for axis in axes)
        node = self.nodes[u]
        if node.operation == "transpose":
            u, axes = node.operands[0], tuple(node["axes"][axis] for axis in axes)
        if axes == tuple(range(len(axes))):
            return u
        return self._moved("transpose", (u,), tuple(self.shape(u)[axis] for axis in axes), axes=axes)

    def broadcast(self, u: int, shape: Sequence[int], axes: Sequence[int]) -> int:
        """Repeated along new axes: axis k of ``u`` becomes ``axes[k]`` of the shape (length 1 may grow)."""
        shape, axes = tuple(int(length) for length in shape), tuple(int(axis) for axis in axes)
        node = self.nodes[u]
        if node.operation == "broadcast":
            u, axes = node.operands[0], tuple(axes[axis] for axis in node["axes"])
        if self.shape(u) == shape and axes == tuple(range(len(shape))):
            return u
        return self.add_node("broadcast", (u,), shape, axes=axes)

    def slice(self, u: int, starts: Sequence[int], stops: Sequence[int], steps: Sequence[int] | None = None) -> int:
        """A part of every axis, as Python's slices have it, with positive steps."""
        steps = tuple(steps) if steps is not None else (1,) * len(tuple(starts))
        cuts = tuple((int(a), int(b), int(c)) for a, b, c in zip(starts, stops, steps, strict=True))
        shape = tuple(len(range(*cut)) for cut in cuts)
        node = self.nodes[u]
        if node.operation == "concatenate" and shape != self.shape(u):
            axis, begin = node["axis"], 0
            for part in node.operands:
                end = begin + self.shape(part)[axis]
                if begin <= cuts[axis][0] and cuts[axis][1] <= end:
                    moved = [begin if k == axis else 0 for k in range(len(cuts))]
                    first = [a - m for (a, _, _), m in zip(cuts, moved, strict=True)]
                    last = [b - m for (_, b, _), m in zip(cuts, moved, strict=True)]
                    return self.slice(part, first, last, steps)
                begin = end
        return u if shape == self.shape(u) else self._moved("slice", (u,), shape, cuts=cuts)

    def reverse(self, u: int, axes: Sequence[int]) -> int:
        """In reverse order along axes."""
        return self._moved("reverse", (u,), self.shape(u), axes=tuple(int(axis) for axis in axes))

    def concatenate(self, parts: Sequence[int], axis: int) -> int:
        """One after the other along an axis."""
        if len(parts) == 1:
            return parts[0]
        shape = list(self.shape(parts[0]))
        shape[axis] = sum(self.shape(part)[axis] for part in parts)
        return self._moved("concatenate", tuple(parts), tuple(shape), axis=int(axis))

    def pad(self, u: int, widths: Sequence[tuple[int, int, int]]) -> int:
        """Zeros around: before, after and between along every axis; negative widths are to be sliced off first."""
        widths = tuple((int(low), int(high), int(inner)) for low, high, inner in widths)
        shape = tuple(
            low + high + n + max(n - 1, 0) * inner for n, (low, high, inner) in zip(self.shape(u), widths, strict=True)
        )
        return u if shape == self.shape(u) else self._moved("pad", (u,), shape, widths=widths)

    def take(self, u: int, places: np.ndarray) -> int:
        """The entries at places in row-major order, in the shape of ``places``; a place of -1 gives 0."""
        places = np.array(places, dtype=np.int64)
        return self._moved("take", (u,), places.shape, digest=self._hold(places))

    def _moved(self, operation: str, operands: tuple[int, ...], shape: tuple[int, ...], **settings: Any) -> int:
        """Structure of constants is a constant."""
        from surefoot.problem.structure import move

        known = [self.value(k) for k in operands]
        if any(value is None for value in known):
            return self.add_node(operation, operands, shape, **settings)
        node = Node(operation, operands, shape, tuple(sorted(settings.items())))
        places = self.constants[settings["digest"]] if operation == "take" else None
        return self.constant(move(node, [value for value in known if value is not None], places))

    def unknown(self, name: str, operands: Sequence[int], shape: Sequence[int]) -> int:
        """A value of which nothing is known, with the name of what could not be read."""
        # Two unknown values are never the same: an equal node would be, so the place is part of it.
        return self.add_node("unknown", tuple(operands), tuple(shape), name=name, number=len(self.nodes))


def _value(nodes: Sequence[Node], constants: Mapping[str, np.ndarray], place: int) -> np.ndarray | None:
    from surefoot.problem.structure import move

    node = nodes[place]
    if node.operation == "constant":
        return constants[node["digest"]]
    if node.operation == "broadcast" and (inner := _value(nodes, constants, node.operands[0])) is not None:
        return move(node, [inner])
    return None


def _is_natural(exponent: Fraction) -> bool:
    return exponent.denominator == 1 and exponent > 0
