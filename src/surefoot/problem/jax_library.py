"""Functions of JAX's library that denote mathematical functions, known by their bodies and never by their names.

When an inner function has been read, the library's function is read on the same operands. Equal expressions are one
node of a graph, so **the bodies are the same if and only if both give the same node**: a function that only calls
itself ``log_ndtr`` does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from surefoot.problem.drawing import Value
from surefoot.problem.jax_rules import RULES

CONVERSIONS = ("convert_element_type", "select_n")
"""Operations that mapping may add or leave out."""


class _Function(NamedTuple):
    """A function of the library, and the operation that it denotes."""

    find: Callable[[], Callable[..., Any]]
    operation: str
    operands: int


def _library() -> Any:
    import jax

    return jax


FUNCTIONS = (
    _Function(lambda: _library().scipy.special.log_ndtr, "log_ndtr", 1),
    _Function(lambda: _library().numpy.hypot, "hypot", 2),
)
"""In place of its formulas, which branch. Those of ``hypot`` are exactly sqrt(x^2 + y^2)."""

MATHEMATICAL = {
    "erf": "the error function",
    "erfc": "the complementary error function",
    "lgamma": "the logarithm of the absolute value of the gamma function",
    "digamma": "the digamma function",
    "log_ndtr": "the logarithm of the normal distribution function",
}
"""Functions that JAX computes by formulas of its own, and that a certificate names."""


def notes(operations: set[str]) -> tuple[str, ...]:
    """What a certificate has to say of the library functions that a graph leans on."""
    used = [name for name in MATHEMATICAL if name in operations]
    return tuple(f"{name} is taken for {MATHEMATICAL[name]} of mathematics, not for JAX's formulas." for name in used)


def recognised(reader: Any, body: Any, values: Sequence[Value], found: Sequence[Value]) -> Value | None:
    """The node of the mathematical function that a body denotes."""
    if len(found) != 1 or all(isinstance(value, np.ndarray) for value in values):
        return None
    given = [atom.aval for atom in body.invars]
    signature = _signature(body)
    for function in FUNCTIONS:
        if len(values) != function.operands or any(str(one.dtype) != "float64" for one in given):
            continue
        reference = _reference(function, tuple((tuple(one.shape), str(one.dtype)) for one in given))
        if reference is None or reference[1] != signature:
            continue
        program = reference[0]
        (own,) = reader.inner(program, values)
        if isinstance(own, int) and own == found[0]:
            shape = reader.draw.shape(own)
            return reader.draw.elementwise(function.operation, list(values), shape)
    return None


def count(program: Any) -> int:
    """Operations of a program, those inside of others counted too."""
    return sum(_counted(program).values())


def _counted(program: Any) -> Counter[str]:
    """How often a program has each operation, those inside of others counted too."""
    found = Counter(equation.primitive.name for equation in program.eqns)
    for equation in program.eqns:
        for value in equation.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                found += _counted(inner) if hasattr(inner, "eqns") else Counter()
    return found


def _signature(program: Any) -> Counter[str]:
    """The operations that stay the same when a program is mapped over an axis: a first look at whether two are one."""
    return Counter({name: n for name, n in _counted(program).items() if name in RULES and name not in CONVERSIONS})


@cache
def _reference(function: _Function, given: tuple[tuple[tuple[int, ...], str], ...]) -> tuple[Any, Counter[str]] | None:
    """The body of a library function at some shapes, and its signature."""
    import jax

    inputs = [jax.ShapeDtypeStruct(shape, kind) for shape, kind in given]
    try:
        program = jax.make_jaxpr(function.find())(*inputs)
    except Exception:  # this JAX does not have it, or not for such shapes
        return None
    while len(program.jaxpr.eqns) == 1 and not program.consts:
        only = program.jaxpr.eqns[0]
        inner = only.params.get("jaxpr", only.params.get("call_jaxpr"))
        if inner is None or list(only.invars) != list(program.jaxpr.invars) or not hasattr(inner, "consts"):
            break
        program = inner
    return program, _signature(program.jaxpr)
