"""The JAX reading: a graph -> a function of one flat vector that JAX can trace, differentiate and map over lanes.

It means the same as the NumPy reading (`floating`), and its derivatives are right at corners and edges too:

- a power with a constant exponent is differentiated as ``n x^(n-1)`` with the exponent known, so that ``x^2``, ``x^0``
  and the ``x^i`` of a polynomial have finite derivatives at 0;
- in ``where(c, a, b)`` the branch that is not taken is evaluated at a harmless place: in reverse mode its derivative
  is multiplied by zero, and zero times infinity would make the gradient NaN (``where(x > 0, x*log(x), 0)`` at 0);
- ``abs`` and ``sign`` have slope 0 at 0, and ``min`` and ``max`` the mean of both slopes at a tie.

A sum over an index is one operation on an array, whatever its length: the elements ``x[i+1]`` of it are a slice of
the vector. So are the terms of one form in a long sum that was typed term by term. Operations are those of `jax.lax`,
which cost less to trace than those of `jax.numpy`. Constant parts are computed once, by NumPy. JAX is imported when a
function is made, never with this file.

Reference: Griewank and Walther (2008), "Evaluating derivatives", 2nd ed., SIAM, section 3.2, pp. 37-41 (the reverse
mode multiplies by partial derivatives on the way back).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from surefoot.errors import DataError, SurefootError
from surefoot.problem import indices
from surefoot.problem.elements import Elements
from surefoot.problem.floating import operate
from surefoot.problem.graph import CONSTANTS, Apply, Index, Name, Node, Number, children, fold, running, walk
from surefoot.problem.long_sums import Chain, long_sums

MOST_FACTORS = 32
"""Whole powers up to this are products by repeated squaring; beyond, the power function rounds better."""


def jax_function(node: Node, names: Sequence[str]) -> Callable[[Any], Any]:
    """The function of a flat vector that a graph stands for.

    Parameters
    ----------
    node : Node
        Without whole vectors (`vectors.with_sizes`).
    names : sequence of str
        The variable at each position of the vector: ``("x", "y")``, or ``("x[0]", ..., "x[9]")`` for the elements of
        a vector. A name that is not here is looked for among the constants (``pi``).

    Returns
    -------
    callable
        ``f(v) -> value``, v of shape (n,) in float64, the value a float64 scalar. It is neither compiled nor does it
        switch on double precision: trace it where ``jax_enable_x64`` is on.

    Raises
    ------
    DataError
        The graph has a variable that ``names`` has not.
    SurefootError
        The graph has an operation or text that has no numeric value.

    Examples
    --------
    >>> import jax
    >>> from surefoot.problem.grammar import parse_function
    >>> f = jax_function(parse_function("100*(y - x^2)^2 + (1 - x)^2"), ("x", "y"))
    >>> with jax.enable_x64(True):
    ...     print(jax.grad(f)(np.array([-1.2, 1.0])))
    [-215.6  -88. ]
    """
    read = _prepared(node, names)

    def f(v: Any) -> Any:
        value = read(v, node)[0]
        return _library().lax.reshape(value, ()) if np.shape(value) else _double(value)

    return f


def jax_terms(node: Node, depth: int, names: Sequence[str]) -> Callable[[Any], Any]:
    """The terms of a sum over indices, not added: of its ``depth`` outer indices, the first runs slowest.

    Parameters
    ----------
    node : Node
        As for `jax_function`; with depth 0 any node, which is one term.
    depth : int
        How many sums around the term are not to be taken.
    names : sequence of str
        As for `jax_function`.

    Returns
    -------
    callable
        ``f(v) -> values``, v of shape (n,), the values of shape (m,).

    Examples
    --------
    >>> import jax
    >>> from surefoot.problem.grammar import parse_function
    >>> f = jax_terms(parse_function("sum(i*x + j, i=1..2, j=0..1)"), 2, ("x",))
    >>> with jax.enable_x64(True):
    ...     print(f(np.array([10.0])))
    [10. 11. 20. 21.]
    """
    read, term, over = _prepared(node, names), node, []
    for _ in range(depth):
        index = running(term)
        assert index is not None and isinstance(term, Apply)
        over.append(index)
        term = term.arguments[0]

    def f(v: Any) -> Any:
        jnp = _library().numpy
        value, axis = read(v, term)
        places = [axis[index] for index in over]
        shape = [1] * max([np.ndim(value), *(place + 1 for place in places)])
        for index, place in zip(over, places, strict=True):
            shape[-1 - place] = len(index)
        whole = jnp.broadcast_to(_double(value), shape)
        rest = [place for place in range(len(shape)) if len(shape) - 1 - place not in places]
        return jnp.transpose(whole, (*rest, *(len(shape) - 1 - place for place in places))).reshape(-1)

    return f


def _prepared(node: Node, names: Sequence[str]) -> Callable[[Any, Node], tuple[Any, dict[Index, int]]]:
    """How the value of a part of a graph is read, as an array over the axes of the indices that are free in it."""
    wanted = Elements.of(names)
    axis = indices.axes(node)
    for part in walk(node):
        _check(part, wanted)
    chains = long_sums(node, frozenset(wanted.single))
    import jax  # noqa: F401, so that the time of importing it is not taken for that of tracing

    return lambda v, part: (_Reading(v, wanted, axis, chains).of(part, None), axis)


def _check(node: Node, wanted: Elements) -> None:
    """What can be refused before anything is traced."""
    if isinstance(node, Apply) and node.operation == "element":
        wanted.positions(node)
    elif isinstance(node, Name):
        if node.name not in wanted.single and node.name not in wanted.vectors and node.name not in CONSTANTS:
            raise DataError(f"There is no variable named {node.name}; check the spelling.")
    elif not isinstance(node, Number | Index) and running(node) is None:
        operation = node.operation if isinstance(node, Apply) and not node.keywords else ""
        if operation not in _readings():
            shown = f"{operation}(...)" if operation else repr(node)
            raise SurefootError(f"{shown} has no numeric value; only numeric functions do.")


class _Reading:
    """One evaluation: NumPy values where a part is constant, traced ones where it is not."""

    def __init__(self, v: Any, wanted: Elements, axis: dict[Index, int], chains: Mapping[Node, Chain]) -> None:
        self.v, self.wanted, self.axis, self.chains = v, wanted, axis, chains
        self.varying: dict[Name, Any] = {}

    def of(self, node: Node, live: Any) -> Any:
        """The value of a node; ``live`` says where it is used at all, None for everywhere."""
        return fold(node, lambda current, operands: self._rule(current, operands, live), self._before)

    def _before(self, node: Node) -> Sequence[Node]:
        """What is read before a node: branches of a `where` wait for its condition, elements are taken at once."""
        if node in self.chains:
            return [term for _, term in self.chains[node].others]
        if isinstance(node, Apply) and node.operation == "where":
            return node.arguments[:1]
        return () if isinstance(node, Apply) and node.operation == "element" else children(node)

    def _rule(self, node: Node, operands: Sequence[Any], live: Any) -> Any:
        if isinstance(node, Number):
            return np.float64(node.value)
        if isinstance(node, Name) and node in self.varying:
            return self.varying[node]
        if isinstance(node, Name):
            place = self.wanted.single.get(node.name)
            return self.v[place] if place is not None else np.float64(CONSTANTS[node.name])
        if isinstance(node, Index):
            return indices.values(node, self.axis[node])
        if not isinstance(node, Apply):
            raise SurefootError(f"{node!r} has no numeric value; only numeric functions do.")
        if node.operation == "element":
            places = self.wanted.positions(node, self.axis)
            return _taken(self.v, places) if places.ndim else self.v[int(places)]
        if node in self.chains:
            return self._chain(self.chains[node], operands, live)
        index = running(node)
        if index is not None:
            return _over(node.operation, operands[0], len(index), self.axis[index])
        if node.operation == "where":
            return self._where(node, operands[0], live)
        if all(isinstance(operand, np.ndarray | np.float64) for operand in operands):
            with np.errstate(all="ignore"):
                return operate(node, operands)
        return _readings()[node.operation](*_guarded(node.operation, operands, live))

    def _chain(self, chain: Chain, others: Sequence[Any], live: Any) -> Any:
        """A long sum: terms of the same form at once, as one array with an axis of its own, and the others."""
        axis = max(self.axis.values(), default=-1) + 1
        plus, minus = _readings()["add"], _readings()["sub"]
        total: Any = np.float64(0.0)
        for form in chain.forms:
            one = _Reading(self.v, self.wanted, self.axis, {})
            for name, leaves in form.varying.items():
                if isinstance(leaves[0], Number):
                    values = np.array([leaf.value for leaf in leaves if isinstance(leaf, Number)])
                else:
                    values = _taken(self.v, np.array([self.wanted.place(leaf) for leaf in leaves]))
                one.varying[name] = values.reshape(-1, *[1] * axis)
            count = len(form.signs)
            signs = np.array(form.signs).reshape(-1, *[1] * axis)
            term = one.of(form.term, live)
            total = plus(total, _over("sum", term if np.all(signs > 0) else term * signs, count, axis))
        for (sign, _), value in zip(chain.others, others, strict=True):
            total = (plus if sign > 0 else minus)(total, value)
        return total

    def _where(self, node: Apply, condition: Any, live: Any) -> Any:
        yes, no = node.arguments[1:]
        if isinstance(condition, np.ndarray | np.float64) and np.size(condition) == 1:
            return np.float64(np.nan) if np.isnan(condition).any() else self.of(yes if np.all(condition) else no, live)
        jnp = _library().numpy
        taken = jnp.not_equal(condition, 0.0)
        first = self.of(yes, taken if live is None else jnp.logical_and(live, taken))
        second = self.of(no, ~taken if live is None else jnp.logical_and(live, ~taken))
        chosen = jnp.where(taken, first, second)
        return jnp.where(jnp.isnan(condition), np.nan, chosen)


def _taken(v: Any, places: np.ndarray) -> Any:
    """Elements at places that are known: a slice where they are equally spaced, a gather otherwise."""
    flat = places.ravel()
    steps = np.diff(flat)
    if len(flat) == 1 or (steps[0] > 0 and np.all(steps == steps[0])):
        step = int(steps[0]) if len(flat) > 1 else 1
        taken = _library().lax.slice(v, (int(flat[0]),), (int(flat[-1]) + 1,), (step,) if step > 1 else None)
        return taken if places.ndim == 1 else taken.reshape(places.shape)
    return v[places]


def _over(operation: str, term: Any, count: int, axis: int) -> Any:
    """The sum or product along the axis of an index; a term without the index is the same each time."""
    if np.ndim(term) > axis and np.shape(term)[-1 - axis] == count:
        reduce = np if isinstance(term, np.ndarray) else _library().numpy
        return getattr(reduce, operation)(term, axis=-1 - axis, keepdims=np.ndim(term) > axis + 1)
    if operation == "sum":
        return term * float(count)
    return term ** float(count) if isinstance(term, np.ndarray | np.float64) else _power(term, np.float64(count))


_HARMLESS = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "cbrt", "gammaln"), (1.0,)),
    **dict.fromkeys(("exp", "exp2", "expm1", "sinh", "cosh", "tan", "log1p", "arcsin", "arccos", "arctanh"), (0.0,)),
    "arccosh": (2.0,), "logit": (0.5,), "div": (None, 1.0), "pow": (1.0, None), "hypot": (1.0, None),
    "arctan2": (None, 1.0),
}  # fmt: skip
"""Where an operation and its derivatives are finite, for operands that are not used; None where any operand will do."""


def _guarded(operation: str, operands: Sequence[Any], live: Any) -> Sequence[Any]:
    if live is None or operation not in _HARMLESS:
        return operands
    places = zip(operands, _HARMLESS[operation], strict=True)
    return [operand if place is None else _library().numpy.where(live, operand, place) for operand, place in places]


@cache
def _library() -> Any:
    import jax

    return jax


def _double(value: Any) -> Any:
    return _library().numpy.asarray(value, dtype=np.float64)


def _alike(operands: Sequence[Any]) -> list[Any]:
    """Operands of one shape and type, as the operations of lax ask for."""
    lax = _library().lax
    shapes = [np.shape(operand) for operand in operands]
    shape = np.broadcast_shapes(*shapes)
    made = []
    for operand, own in zip(operands, shapes, strict=True):
        if own == shape:
            made.append(operand)
        elif isinstance(operand, np.ndarray | np.float64):
            made.append(np.broadcast_to(operand, shape))
        else:
            made.append(lax.broadcast_in_dim(operand, shape, tuple(range(len(shape) - len(own), len(shape)))))
    return made


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, np.ndarray | np.float64):
        return _library().lax.pow(*_alike([base, exponent]))
    if np.ndim(exponent) == 0 and float(exponent).is_integer() and abs(exponent) <= MOST_FACTORS:
        whole = int(exponent)
        return _library().lax.integer_pow(base, whole)
    shape = np.broadcast_shapes(np.shape(base), np.shape(exponent))
    base = _library().numpy.broadcast_to(base, shape)
    return _constant_power(base, np.broadcast_to(np.asarray(exponent, dtype=np.float64), shape))


def _constant_power(base: Any, exponent: np.ndarray) -> Any:
    """A power whose exponents are known, so that the derivative where one is 0 is 0 and not 0 * x^-1."""
    jax = _library()

    @jax.custom_jvp
    def power(x: Any) -> Any:
        return jax.lax.pow(x, exponent)

    @power.defjvp
    def _slope(points: Any, tangents: Any) -> Any:
        lower = np.where(exponent == 0, 0.0, exponent - 1.0)
        return power(points[0]), tangents[0] * (exponent * _constant_power(points[0], lower))

    return power(base)


def _hypot(x: Any, y: Any) -> Any:
    """The length without overflow: the scale cancels, so its derivative need not be taken."""
    jax, jnp = _library(), _library().numpy
    x, y = _alike([x, y])
    largest = jax.lax.stop_gradient(jnp.maximum(jnp.abs(x), jnp.abs(y)))
    endless = jnp.isinf(x) | jnp.isinf(y)
    scale = jnp.where((largest > 0) & ~endless, largest, 1.0)
    a, b = x / scale, y / scale
    return jnp.where(endless, np.inf, scale * jax.lax.sqrt(a * a + b * b))


def _logit(x: Any) -> Any:
    """log(x / (1 - x)), in the middle by the difference from a half, where the quotient is near 1."""
    lax, jnp = _library().lax, _library().numpy
    s = 2.0 * x - 1.0
    middle = (x > 0.3) & (x < 0.65)
    s, outside = jnp.where(middle, s, 0.0), jnp.where(middle, 0.25, x)
    return jnp.where(middle, lax.log1p(s) - lax.log1p(-s), lax.log(outside / (1.0 - outside)))


def _truth(operation: Callable[..., Any]) -> Callable[..., Any]:
    """0 or 1, and NaN where an operand is NaN."""

    def read(*operands: Any) -> Any:
        jnp = _library().numpy
        alike = _alike(operands)
        missing = jnp.isnan(alike[0])
        for operand in alike[1:]:
            missing = missing | jnp.isnan(operand)
        return jnp.where(missing, np.nan, operation(*alike).astype(np.float64))

    return read


@cache
def _readings() -> dict[str, Callable[..., Any]]:
    from jax import lax

    same = ("exp", "exp2", "expm1", "log", "log1p", "sqrt", "cbrt", "sign", "floor", "ceil", "neg")
    same += ("sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc")
    alone = {name: getattr(lax, name) for name in same}
    alone |= {f"arc{name}": getattr(lax, f"a{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
    alone |= {"gammaln": lax.lgamma, "expit": lax.logistic, "logit": _logit}
    alone |= {"abs": lambda x: x * lax.sign(x)}  # the slope of lax.abs at 0 is 1
    alone |= {"round": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)}
    alone |= {f"log{base}": lambda x, base=base: lax.log(x) * (1.0 / np.log(base)) for base in (2, 10)}
    pairs = {"add": lax.add, "sub": lax.sub, "mul": lax.mul, "div": lax.div, "arctan2": lax.atan2}
    pairs |= {"minimum": lax.min, "maximum": lax.max}
    truths = {name: getattr(lax, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")}
    truths |= {"and": lambda x, y: (x != 0) & (y != 0), "or": lambda x, y: (x != 0) | (y != 0), "not": lambda x: x == 0}
    return {
        **alone,
        **{name: lambda x, y, operation=operation: operation(*_alike([x, y])) for name, operation in pairs.items()},
        **{name: _truth(operation) for name, operation in truths.items()},
        "pow": _power, "hypot": _hypot, "where": lambda *parts: parts,
    }  # fmt: skip
