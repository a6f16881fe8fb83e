"""A function that JAX has read: value, gradient and Hessian as compiled programs.

    (f, g) = value and gradient by reverse mode,    (df, H t) = d/ds (f, g)(x + s t) by forward mode over it,

so all columns of H cost n products at once (vmap over the unit vectors) or, for many variables, a few at a time. For
few variables value, gradient and Hessian are one program: compiling is what a first answer waits for. A loop that
reverse mode cannot go through is differentiated in forward mode, n tangents at once.

Reference: Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.2, pp. 37-44 (reverse mode),
section 5.1, pp. 91-98 (forward over reverse).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from surefoot.errors import ModelError, SurefootError
from surefoot.problem.differences import product_by_gradients
from surefoot.problem.objective import ROUNDOFF, Remembering, Seen, as_value, refusal
from surefoot.problem.points import Points
from surefoot.problem.programs import NotComparable, Program, double, structure, to_device

FEW = 50
"""Variables up to which value, gradient and Hessian are one program."""

AT_ONCE = 64
"""Columns of the Hessian that are found at once beyond that."""

CHEAP = 20e-6
"""Seconds of one call that the machinery costs by itself, whatever is computed."""

COMPILING = 0.05
"""Seconds that a program for value and gradient alone has to save before it is compiled beside the one for all."""

MOST_ENTRIES = 1 << 24
"""Numbers in one batch of lanes at most, 128 MB of them."""

REFUSALS = {
    "TracerArrayConversionError": "it gives x to NumPy or to another library",
    "TracerBoolConversionError": "it decides in Python by the values of x",
    "NonConcreteBooleanIndexError": "it selects entries by a mask",
    "TracerIntegerConversionError": "it uses x as an index",
    "ConcretizationTypeError": "it turns x into a Python number",
}
"""What JAX's errors while it reads a function mean, by their names; the first that fits."""

LIKE = 1e-6
"""Relative difference up to which a plain call and the reading give the same value."""

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
    key : object
        The operations, for the memory of programs; None if they cannot be compared.
    """

    jaxpr: Any
    constants: tuple[Any, ...]
    closed: int
    given: int
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


class Traced(Remembering):
    """The objective of a reading.

    Parameters
    ----------
    reading : Reading
    points : Points
        Shape of the start.
    source : str
        ``"JAX"`` or ``"text"``.
    notes : sequence of str

    References
    ----------
    .. [1] Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 5.1, pp. 91-98.
    """

    def __init__(self, reading: Reading, points: Points, *, source: str = "JAX", notes: Sequence[str] = ()) -> None:
        roundoff, said = precision_of(reading)
        super().__init__(points, roundoff=roundoff, notes=(*notes, *said))
        self.source = source
        self._reading = reading
        self._forward = False
        self._programs: dict[Any, Program] = {}
        self._fastest, self._unneeded = np.inf, 0

    def prepare(self, x: np.ndarray) -> None:
        """Compile what the first step needs, and find how the function can be differentiated.

        Raises
        ------
        Exception
            What JAX says if it can differentiate it neither in reverse nor in forward mode.
        """
        # Reverse mode cannot go through a loop of unknown length; forward mode can.
        reason = Exception()
        ways = [(forward, curved) for forward in (False, True) for curved in (True, False)]
        for self._forward, self.exact_curvature in ways:
            try:
                self.see(x)
                break
            except Exception as refused:
                self._last, self._values, self._gradients = Seen(b"", np.empty(0)), 0, 0
                if (self._forward, self.exact_curvature) == ways[-1]:
                    raise
                reason = refused
        if not self.exact_curvature:
            self._say_uncurved(reason)

    def _find_value(self, here: Seen) -> None:
        if self._few and not self._is_wasteful():
            self._find_hessian(here)
        else:
            self._find_gradient(here)

    def _find_gradient(self, here: Seen) -> None:
        if self._few and not self._is_wasteful():
            self._find_hessian(here)
            self._unneeded += 1
            return
        found = self._run("see", self._see, here.x)
        here.value, here.gradient = float(found[0]), found[1:]

    def _find_hessian(self, here: Seen) -> None:
        if self._few:
            n, known, began = self.size, "look" in self._programs, perf_counter()
            found = self._run("look", self._look, here.x)
            if known:
                self._fastest = min(self._fastest, perf_counter() - began)
            here.value, here.gradient = float(found[0]), found[1 : n + 1]
            here.hessian = found[n + 1 :].reshape(n, n)
            return
        found = self._or_differences(lambda: self._hessian_by_parts(here.x))
        if found is None:
            columns = np.array([self._product_by_gradients(here.x, unit) for unit in np.eye(self.size)])
            found = 0.5 * (columns + columns.T)
        found.flags.writeable = False
        here.hessian = found

    def _hessian_by_parts(self, x: np.ndarray) -> np.ndarray:
        n = self.size
        if self._reading.given == 2:
            given = self._run("hessian", self._given_hessian, x).reshape(n, n)
            return 0.5 * (given + given.T)
        count = min(n, AT_ONCE)
        columns = np.empty((n, n))
        units = np.zeros((count, n))
        for first in range(0, n, count):
            first = min(first, n - count)
            units[:] = 0.0
            units[np.arange(count), np.arange(first, first + count)] = 1.0
            columns[first : first + count] = self._run("columns", self._columns, x, units)
        return 0.5 * (columns + columns.T)

    def _product(self, here: Seen, v: np.ndarray) -> np.ndarray:
        if v.shape != (self.size,):
            raise ModelError(f"A direction of shape {v.shape} was given; a vector of {self.size} entries is needed.")
        if self._few and here.hessian is None:
            self._find_hessian(here)
        if here.hessian is not None:
            return here.hessian @ v
        found = self._or_differences(lambda: self._run("product", self._bend, here.x, v))
        return self._product_by_gradients(here.x, v) if found is None else found

    def _or_differences(self, exactly: Callable[[], np.ndarray]) -> np.ndarray | None:
        """What is asked, or nothing where JAX cannot differentiate a second time."""
        if self.exact_curvature:
            try:
                return exactly()
            except Exception as refused:
                self.exact_curvature = False
                self._say_uncurved(refused)
        return None

    def _say_uncurved(self, refused: Exception) -> None:
        reason = in_words(refused, "differentiate").replace("differentiated", "differentiated twice")
        self.notes = (*self.notes, f"{reason}: curvature comes from differences of gradients.")

    def _product_by_gradients(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        def gradient(at: np.ndarray) -> np.ndarray:
            self._gradients += 1
            return self._run("see", self._see, at)[1:]

        return product_by_gradients(gradient, x, v, self.roundoff)

    def lanes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = self._in_lanes("lanes", self._see, X, self.size + 1)
        self._values += len(X)
        self._gradients += len(X)
        return found[:, 0], found[:, 1:]

    def lane_values(self, X: np.ndarray) -> np.ndarray:
        found = self._in_lanes("lane values", self._only_value, X, 1)
        self._values += len(X)
        return found[:, 0]

    def _in_lanes(self, name: str, function: Callable[..., Any], X: np.ndarray, width: int) -> np.ndarray:
        """A batch padded to a power of two, so that few sizes are compiled; a large one in parts."""
        import jax

        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.size:
            raise ModelError(f"Points of shape {X.shape} were given; (m, {self.size}) is needed.")
        most = max(1, 1 << ((MOST_ENTRIES // self.size).bit_length() - 1))
        if len(X) > most:
            parts = [self._in_lanes(name, function, X[at : at + most], width) for at in range(0, len(X), most)]
            return np.concatenate(parts)
        if not len(X):
            return np.empty((0, width))
        count = 1 << (len(X) - 1).bit_length()
        padded = X if count == len(X) else np.concatenate([X, np.broadcast_to(X[-1], (count - len(X), self.size))])

        def batch(X: Any, *constants: Any) -> Any:
            return jax.vmap(lambda x: function(x, *constants))(X)

        return self._run((name, count), batch, padded)[: len(X)]

    @property
    def _few(self) -> bool:
        return self.size <= FEW and self.exact_curvature

    def _is_wasteful(self) -> bool:
        """Whether the Hessians that nobody asked for have cost as much as a program without them."""
        if "see" in self._programs:
            return True
        return self._fastest < np.inf and self._unneeded * (self._fastest - CHEAP) > COMPILING

    def _run(self, name: Any, function: Callable[..., Any], *inputs: np.ndarray) -> np.ndarray:
        constants = self._reading.constants
        program = self._programs.get(name)
        if program is None:
            key = None if self._reading.key is None else (self._reading.key, name, self._forward)
            program = self._programs[name] = Program(function, (*inputs, *constants), key)
            self._compilations += program.compiled
            self._compile_seconds += program.compile_seconds
        return program(*inputs, *constants)

    # What the programs compute, written in JAX: x is a tracer, each returns one array of doubles.

    def _only_value(self, x: Any, *constants: Any) -> Any:
        return self._reading.value(x, constants).reshape(1)

    def _value_and_gradient(self, x: Any, constants: Sequence[Any]) -> tuple[Any, Any]:
        import jax

        if self._reading.given:
            value, gradient = self._reading.outputs(x, constants)[:2]
            return jax.lax.reshape(value, ()), gradient
        if not self._forward:
            return jax.value_and_grad(lambda x: self._reading.value(x, constants))(x)

        def along(t: Any) -> tuple[Any, Any]:
            return jax.jvp(lambda x: self._reading.value(x, constants), (x,), (t,))

        return jax.vmap(along, out_axes=(None, 0))(np.eye(self.size))

    def _along(self, x: Any, t: Any, constants: Sequence[Any]) -> tuple[tuple[Any, Any], Any]:
        """Value and gradient, and the Hessian times t."""
        import jax

        found, (_, image) = jax.jvp(lambda x: self._value_and_gradient(x, constants), (x,), (t,))
        return found, image

    def _see(self, x: Any, *constants: Any) -> Any:
        return _joined(*self._value_and_gradient(x, constants))

    def _look(self, x: Any, *constants: Any) -> Any:
        import jax

        if self._reading.given == 2:
            value, gradient, hessian = self._reading.outputs(x, constants)
            return _joined(value, gradient, _symmetric(hessian.reshape(self.size, self.size)))
        units = np.eye(self.size)
        found = jax.vmap(lambda t: self._along(x, t, constants), out_axes=((None, None), 0))(units)
        (value, gradient), hessian = found
        return _joined(value, gradient, _symmetric(hessian))

    def _columns(self, x: Any, units: Any, *constants: Any) -> Any:
        import jax

        return jax.vmap(lambda t: self._along(x, t, constants)[1])(units)

    def _bend(self, x: Any, v: Any, *constants: Any) -> Any:
        if self._reading.given == 2:
            return self._reading.outputs(x, constants)[2].reshape(self.size, self.size) @ v
        return self._along(x, v, constants)[1]

    def _given_hessian(self, x: Any, *constants: Any) -> Any:
        return self._reading.outputs(x, constants)[2]


def traced_or_reason(
    f: Callable[..., Any],
    points: Points,
    args: Sequence[Any] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
) -> Traced | str:
    """The objective of a function that JAX can read, or one sentence that says why it cannot.

    Raises
    ------
    ModelError
        The function returns something other than one real number.
    Exception
        Whatever f raises when it is called with numbers.
    """
    try:
        reading = read(f, points, args, jac, hess)
    except SurefootError:
        raise
    except Exception as refused:
        return in_words(refused)
    objective = Traced(reading, points)
    try:
        objective.prepare(points.start)
    except Exception as refused:
        return in_words(refused, "differentiate")
    return _disagreement(objective, f, points, args, jac) or objective


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
    return Reading(closed.jaxpr, (*constants, *passed), len(constants), len(closed.jaxpr.outvars) - 1, key)


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


def _disagreement(objective: Traced, f: Any, points: Points, args: Sequence[Any], jac: Any) -> str:
    def plain(x: np.ndarray) -> np.ndarray:
        result = f(points.shaped(x), *args)
        return np.array([as_value(result[0] if jac is True else result)])

    return disagreement(plain, lambda x: np.array([objective.value(x)]), points.start)


def disagreement(
    plain: Callable[[np.ndarray], np.ndarray], reading: Callable[[np.ndarray], np.ndarray], start: np.ndarray
) -> str:
    """Why the reading is not what f does when it is called with numbers; empty if nothing speaks against it.

    A function may be read and still mean something else: it draws random numbers, or catches JAX's error and goes on.
    A plain call tells, and costs little, except where f itself calls JAX, which would compile each operation: such a
    call is cut off, and the reading is believed.
    """
    import jax

    def differs(x: np.ndarray) -> tuple[float, float] | None:
        with double(), np.errstate(all="ignore"):
            one, other = plain(x), reading(x)
            apart = ~(np.abs(one - other) <= LIKE * max(np.max(np.abs(one)), np.max(np.abs(other)))) & (one != other)
        apart &= ~(np.isnan(one) & np.isnan(other))
        return (float(one[apart][0]), float(other[apart][0])) if np.any(apart) else None

    try:
        with jax.no_tracing(True):
            found = differs(start)
    except Exception:
        return ""
    # Near a zero of f two roundings may differ in every digit, so another place has to confirm it.
    aside = start + 1e-3 * np.random.default_rng(0).uniform(0.5, 1.0, len(start)) * np.maximum(np.abs(start), 1.0)
    if found is None or differs(aside) is None:
        return ""
    return f"f cannot be traced by JAX (at the start it gives {found[0]:.6g}, but {found[1]:.6g} as JAX reads it)"


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
        for value in equation.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
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


def _symmetric(hessian: Any) -> Any:
    return 0.5 * (hessian + hessian.T)


def _joined(*parts: Any) -> Any:
    """One array out, because each one costs as much as the call."""
    import jax

    return jax.lax.concatenate([jax.lax.reshape(part, (part.size,)) for part in parts], 0)
