"""A Python function as JAX reads it: one call with an abstract point gives the list of its operations (a jaxpr).

Arrays that the function closes over are taken out and become inputs, as are the arrays and floating-point numbers among
its arguments. Anything else that it meets on the way (whole numbers, texts, what it decided in Python) is part of the
operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.points import Points
from surefoot.problem.programs import NotComparable, double, structure, to_device
from surefoot.problem.remembering import ROUNDOFF
from surefoot.problem.returned import refusal

REFUSALS = {
    "TracerArrayConversionError": "it gives x to NumPy or to another library",
    "TracerBoolConversionError": "it decides in Python by the values of x",
    "NonConcreteBooleanIndexError": "it selects entries by a mask",
    "TracerIntegerConversionError": "it uses x as an index",
    "ConcretizationTypeError": "it turns x into a Python number",
}
"""What JAX's errors while it reads a function mean, by their names; the first that fits."""

FLOAT32 = 2.0**-24
"""Unit roundoff of float32."""


@dataclass(frozen=True)
class Reading:
    """What JAX read: operations, and the arrays that they use.

    Attributes
    ----------
    jaxpr : jaxpr
        Of ``(constants..., x, leaves of args...)``; gives the value, then the gradient and the Hessian where the caller
        gave functions for them.
    constants : tuple of arrays
        Closed-over arrays, then the arrays among the arguments; on the device.
    closed : int
        How many of them were closed over.
    given : int
        How many derivatives the caller gave.
    breadth : int
        Numbers in the largest array that the operations make.
    key : object
        The operations, for the memory of programs; None if they cannot be compared.
    """

    jaxpr: Any
    constants: tuple[Any, ...]
    closed: int
    given: int
    breadth: int
    key: Any

    def outputs(self, x: Any, constants: Sequence[Any]) -> list[Any]:
        """The operations applied to a flat point: every output as a double."""
        import jax
        from jax.core import eval_jaxpr

        closed, passed = constants[: self.closed], constants[self.closed :]
        found = eval_jaxpr(self.jaxpr, closed, x, *passed)
        return [jax.lax.convert_element_type(one, np.float64) for one in found]

    def value(self, x: Any, constants: Sequence[Any]) -> Any:
        import jax

        return jax.lax.reshape(self.outputs(x, constants)[0], ())


def read(
    f: Callable[..., Any],
    points: Points,
    args: Sequence[Any] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
) -> Reading:
    """One trace of f, together with the derivatives that the caller gave."""
    return read_answers(lambda inputs: _answers(f, jac, hess, inputs, points), points, args)


def read_answers(answers: Callable[[tuple[Any, ...]], list[Any]], points: Points, args: Sequence[Any]) -> Reading:
    """One trace of whatever is answered to ``(x, *args)``: a list of arrays."""
    import jax

    leaves, tree = jax.tree_util.tree_flatten(tuple(args))
    dynamic = [index for index, leaf in enumerate(leaves) if _is_data(leaf)]
    passed = [to_device(np.float64(leaves[index]) if isinstance(leaves[index], float) else leaves[index])
              for index in dynamic]  # fmt: skip

    def whole(x: Any, *values: Any) -> list[Any]:
        filled = list(leaves)
        for index, value in zip(dynamic, values, strict=True):
            filled[index] = value
        return answers((points.rebuilt(x, lambda part, shape: part.reshape(shape)), *tree.unflatten(filled)))

    with double():
        x = jax.ShapeDtypeStruct((points.size,), np.float64)
        closed = jax.jit(whole).trace(x, *[jax.ShapeDtypeStruct(one.shape, one.dtype) for one in passed]).jaxpr
        constants = [to_device(np.asarray(one) if not isinstance(one, jax.Array) else one) for one in closed.consts]
    try:
        key = structure(closed.jaxpr)
    except NotComparable:
        key = None
    return Reading(
        closed.jaxpr, (*constants, *passed), len(constants), len(closed.jaxpr.outvars) - 1, _breadth(closed.jaxpr), key
    )


def _answers(f: Any, jac: Any, hess: Any, inputs: tuple[Any, ...], points: Points) -> list[Any]:
    """Value, then gradient and Hessian if they are given, inside the trace."""
    import jax.numpy as jnp

    result = f(*inputs)
    value, *more = result if jac is True else (result,)
    shape, kind = getattr(value, "shape", None), getattr(getattr(value, "dtype", None), "kind", None)
    if shape is None or kind is None:
        array = np.asarray(value)
        shape, kind = array.shape, array.dtype.kind
    if kind not in "iuf" and not (kind == "V" and jnp.issubdtype(value.dtype, jnp.floating)):
        raise ModelError(refusal(value, shape, kind))
    if shape not in ((), (1,)):
        raise ModelError(refusal(value, shape, "f"))
    answers = [jnp.asarray(value)]
    if callable(jac):
        more = [jac(*inputs)]
    if more:
        try:
            answers.append(points.flattened(more[0], jnp.asarray, jnp.concatenate))
        except ModelError as wrong:
            raise ModelError(f"The gradient that was given does not fit: {wrong}") from None
    if hess is not None and more:
        answers.append(jnp.reshape(jnp.asarray(hess(*inputs)), (points.size**2,)))
    return answers


def _breadth(jaxpr: Any) -> int:
    """Numbers in the largest array that is made, inside of functions and loops too."""
    largest = 1
    for equation in jaxpr.eqns:
        for one in equation.outvars:
            largest = max(largest, math.prod(getattr(one.aval, "shape", ())))
        for inner in _inside(equation):
            largest = max(largest, _breadth(inner))
    return largest


def _inside(equation: Any) -> list[Any]:
    """The jaxprs among the parameters of an operation."""
    found = []
    for value in equation.params.values():
        for inner in value if isinstance(value, (tuple, list)) else (value,):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                found.append(inner)
    return found


def precision_of(reading: Reading) -> tuple[float, tuple[str, ...]]:
    """The unit roundoff of the arithmetic on x, and a sentence where it is not that of doubles."""
    low = _low_precision(reading.jaxpr, {id(one) for one in reading.jaxpr.invars[:1]})
    if low:
        text = f"f computes in {low} inside, which carries 7 digits or fewer, although x is in double precision."
        return FLOAT32, (text,)
    if any(str(one.dtype) in ("float32", "float16", "bfloat16") for one in reading.constants):
        return ROUNDOFF, ("f uses float32 data: they carry 7 digits, although the arithmetic is in double precision.",)
    return ROUNDOFF, ()


def _low_precision(jaxpr: Any, moving: set[int]) -> str:
    """The name of a short floating type in which something that depends on x is computed; empty if there is none."""
    for equation in jaxpr.eqns:
        if not any(id(one) in moving for one in equation.invars):
            continue
        moving.update(id(one) for one in equation.outvars)
        for one in equation.outvars:
            name = str(getattr(one.aval, "dtype", ""))
            if name in ("float32", "float16", "bfloat16"):
                return name
        for inner in _inside(equation):
            found = _low_precision(inner, {id(one) for one in inner.invars})
            if found:
                return found
    return ""


def _is_data(leaf: Any) -> bool:
    """Arrays of numbers and floating-point numbers; everything else is part of the function."""
    import jax

    if isinstance(leaf, jax.Array):
        return True
    return isinstance(leaf, (float, np.ndarray, np.floating)) and np.asarray(leaf).dtype.kind in "biufc"


def in_words(refused: Exception, doing: str = "trace") -> str:
    """Why JAX cannot run a function, as the beginning of a sentence."""
    kinds = {one.__name__ for one in type(refused).__mro__}
    for kind, words in REFUSALS.items():
        if kind in kinds:
            return f"f cannot be {doing}d by JAX ({words})"
    first = next((line for line in str(refused).splitlines() if line.strip()), "").strip().rstrip(".:")
    if "immutable" in first:
        return f"f cannot be {doing}d by JAX (it changes an array in place)"
    return f"f cannot be {doing}d by JAX ({type(refused).__name__}: {first[:120]})"
