"""A residual function that JAX has read: residuals, Jacobian and second derivatives as compiled programs.

    J by columns, J e_j, forward mode        (m >= n, or where reverse mode cannot go)
    J by rows, e_i' J, reverse mode          (m < n)
    r''(v, v)                                forward over forward
    S(w) = d/dx (J'w)                        forward over reverse

Reference: Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, sections 3.1-3.2, pp. 31-60.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import ModelError, OptionError, SurefootError
from surefoot.problem.losses import Loss
from surefoot.problem.objective import Objective
from surefoot.problem.points import Points
from surefoot.problem.programs import Program
from surefoot.problem.reading import Reading, precision_of, read, read_answers
from surefoot.problem.residual import Known, Residuals
from surefoot.problem.summed import Summed
from surefoot.problem.traced import Traced, disagreement, in_words

if TYPE_CHECKING:
    from surefoot.problem.real import Graph
    from surefoot.problem.typed_residuals import TypedResiduals

FEW, SMALL = 50, 100_000
"""Variables, and entries of J, up to which residuals and Jacobian are one program."""
BATCHES = (8, 32, 64)
"""Directions that are pushed through at once: few sizes, so that few programs are compiled."""


DEAR = 2.0
"""Seconds that compiling residual and Jacobian took, above which a second derivative is not compiled for a step."""


class TracedResiduals(Residuals):
    """The residual function of a reading.

    Parameters
    ----------
    reading : Reading
        Its first output is the residual vector, its second, if the caller gave one, the Jacobian.
    points : Points
        Shape of the start.
    rows : int
        m.
    typed : TypedResiduals, optional
        What was read, if it is text: a proof is about what was typed.
    """

    source = "JAX"

    def __init__(self, reading: Reading, points: Points, rows: int, typed: TypedResiduals | None = None) -> None:
        self.typed = typed
        roundoff, said = precision_of(reading)
        super().__init__(points, rows, roundoff=roundoff, notes=said)
        self._reading = reading
        self._programs: dict[Any, Program] = {}
        self._reverse = True
        self._together = bool(reading.given) or (points.size <= FEW and rows * points.size <= SMALL)

    def prepare(self) -> None:
        """Evaluate at the start, and find out whether reverse mode goes through.

        Raises
        ------
        Exception
            What JAX says if it can differentiate in neither way.
        """
        start = self._here(self.points.start)
        try:
            self._find(start, self._together)
            if not self._together:
                self.products(self.points.start, np.zeros((1, self.size)))
        except Exception:
            if self.rows >= self.size:
                raise
            self._reverse = False
            self._find(start, self._together)
        self._residuals, self._jacobians = 1, int(self._together)

    def _find(self, here: Known, jacobian: bool) -> None:
        x, n, m = here.x, self.size, self.rows
        if self.is_sparse:
            if not jacobian:
                here.residual = self._run("at", self._at, x)
                return
            seeds = self._seeds()
            found = self._run(("compressed", len(seeds)), self._pushed, x, seeds).reshape(len(seeds) + 1, m)
            here.residual, here.jacobian = found[0], self._compressed(x, seeds, found[1:])
        elif self._together:
            found = self._run("see", self._see, x)
            here.residual, here.jacobian = found[:m], found[m:].reshape(m, n)
        else:
            if here.residual is None:
                here.residual = self._run("at", self._at, x)
            if jacobian:
                here.jacobian = self._by_parts(x)

    def _by_parts(self, x: np.ndarray) -> np.ndarray:
        if self.rows >= self.size or not self._reverse:
            return self.products(x, np.eye(self.size)).T
        return self._in_batches("pulled", self._pulled, x, np.eye(self.rows), self.size)

    def products(self, x: np.ndarray, V: np.ndarray) -> np.ndarray:
        return self._in_batches("products", self._products_of, x, V, self.rows)

    def _in_batches(self, name: str, function: Callable[..., Any], x: Any, V: np.ndarray, width: int) -> np.ndarray:
        """Directions padded to one of few numbers at once."""
        count = next((size for size in BATCHES if size >= len(V)), BATCHES[-1])
        found = np.empty((len(V), width))
        for first in range(0, len(V), count):
            part = V[first : first + count]
            padded = np.zeros((count, V.shape[1]))
            padded[: len(part)] = part
            found[first : first + count] = self._run((name, count), function, x, padded).reshape(count, width)[
                : len(part)
            ]
        return found

    def along(self, x: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        if self._compile_seconds > DEAR and ("along", self._reverse) not in self._programs:
            return None
        self._products += 1
        return self._if_possible(lambda: self._run("along", self._along, x, v))

    def bends(self, x: np.ndarray, w: np.ndarray) -> np.ndarray | None:
        self._hessians += 1
        found = self._if_possible(lambda: self._run("bends", self._bends, x, w))
        return None if found is None else found.reshape(self.size, self.size)

    def bend(self, x: np.ndarray, w: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        self._products += 1
        return self._if_possible(lambda: self._run("bend", self._bend, x, w, v))

    def _if_possible(self, find: Callable[[], np.ndarray]) -> np.ndarray | None:
        """What JAX can differentiate twice; forward mode alone where it cannot go backwards."""
        while self.exact_curvature:
            try:
                return find()
            except Exception as refused:
                if self._reverse:
                    self._reverse = False
                    continue
                self.exact_curvature = False
                reason = in_words(refused, "differentiate").replace("differentiated", "differentiated twice")
                self.notes = (*self.notes, f"{reason}: steps rely on first derivatives alone.")
        return None

    def objective(self, loss: Loss) -> Objective:
        import jax.numpy as jnp

        if self._together and self.exact_curvature and not self._reading.given:
            return Summed(self, loss)

        def total(x: Any, *constants: Any) -> Any:
            flat = self.points.flattened(x, jnp.asarray, jnp.concatenate)
            return loss.total(self._reading.outputs(flat, constants)[0], jnp)

        try:
            objective = Traced(read(total, self.points, self._reading.constants), self.points)
            objective.prepare(self.points.start)
        except SurefootError:
            raise
        except Exception:
            return Summed(self, loss)
        return objective

    def denotes(self, loss: Loss) -> Graph:
        from surefoot.problem.denoted_residuals import graph_of_traced, graph_of_typed

        if self.typed is not None:
            return graph_of_typed(self.typed, loss)
        return graph_of_traced(self._reading, self.points, loss)

    def _run(self, name: Any, function: Callable[..., Any], *inputs: np.ndarray) -> np.ndarray:
        constants = self._reading.constants
        place = (name, self._reverse)
        program = self._programs.get(place)
        if program is None:
            key = None if self._reading.key is None else (self._reading.key, "residual", place)
            program = self._programs[place] = Program(function, (*inputs, *constants), key)
            self._compilations += program.compiled
            self._compile_seconds += program.compile_seconds
        return program(*inputs, *constants)

    # What the programs compute, written in JAX: x is a tracer, each returns one flat array of doubles.

    def _at(self, x: Any, *constants: Any) -> Any:
        return self._reading.outputs(x, constants)[0]

    def _see(self, x: Any, *constants: Any) -> Any:
        import jax
        import jax.numpy as jnp

        if self._reading.given:
            r, jacobian = self._reading.outputs(x, constants)
            return jnp.concatenate([r, jacobian])
        if self.rows < self.size and self._reverse:
            r, pull = jax.vjp(lambda x: self._at(x, *constants), x)
            jacobian = jax.vmap(lambda u: pull(u)[0])(np.eye(self.rows))
        else:
            r, columns = self._images(x, np.eye(self.size), constants)
            jacobian = columns.T
        return jnp.concatenate([r, jacobian.reshape(-1)])

    def _images(self, x: Any, V: Any, constants: Sequence[Any]) -> tuple[Any, Any]:
        """Residuals, and J v for each row of V."""
        import jax

        def along(v: Any) -> tuple[Any, Any]:
            return jax.jvp(lambda x: self._at(x, *constants), (x,), (v,))

        return jax.vmap(along, out_axes=(None, 0))(V)

    def _pushed(self, x: Any, V: Any, *constants: Any) -> Any:
        import jax.numpy as jnp

        r, images = self._images(x, V, constants)
        return jnp.concatenate([r, images.reshape(-1)])

    def _products_of(self, x: Any, V: Any, *constants: Any) -> Any:
        return self._images(x, V, constants)[1].reshape(-1)

    def _pulled(self, x: Any, U: Any, *constants: Any) -> Any:
        import jax

        _, pull = jax.vjp(lambda x: self._at(x, *constants), x)
        return jax.vmap(lambda u: pull(u)[0])(U).reshape(-1)

    def _along(self, x: Any, v: Any, *constants: Any) -> Any:
        import jax

        def slope(x: Any) -> Any:
            return jax.jvp(lambda x: self._at(x, *constants), (x,), (v,))[1]

        return jax.jvp(slope, (x,), (v,))[1]

    def _slope(self, x: Any, w: Any, constants: Sequence[Any]) -> Any:
        """J'w."""
        import jax

        if self._reverse:
            return jax.grad(lambda x: w @ self._at(x, *constants))(x)
        return self._images(x, np.eye(self.size), constants)[1] @ w

    def _bend(self, x: Any, w: Any, v: Any, *constants: Any) -> Any:
        import jax

        return jax.jvp(lambda x: self._slope(x, w, constants), (x,), (v,))[1]

    def _bends(self, x: Any, w: Any, *constants: Any) -> Any:
        import jax

        found = jax.vmap(lambda v: self._bend(x, w, v, *constants))(np.eye(self.size))
        return (0.5 * (found + found.T)).reshape(-1)


def traced_residuals_or_reason(
    residual: Callable[..., Any], points: Points, args: Sequence[Any], jac: Callable[..., Any] | None
) -> TracedResiduals | str:
    """The residual function that JAX can read, or one sentence that says why it cannot.

    Raises
    ------
    ModelError
        It returns something other than real numbers.
    """
    rows = 0

    def answers(inputs: tuple[Any, ...]) -> list[Any]:
        nonlocal rows
        import jax.numpy as jnp

        r = joined(residual(*inputs), jnp)
        rows = r.shape[0]
        if jac is None:
            return [r]
        return [r, as_jacobian(jnp.asarray(jac(*inputs)), rows, points.size).reshape(-1)]

    try:
        reading = read_answers(answers, points, args)
        found = TracedResiduals(reading, points, rows)
    except SurefootError:
        raise
    except Exception as refused:
        return in_words(refused)
    try:
        found.prepare()
    except Exception as refused:
        return in_words(refused, "differentiate")
    return disagreement(lambda x: joined(residual(points.shaped(x), *args), np), found.at, points.start) or found


def read_typed(
    texts: str | Sequence[str], x0: Any, args: Any, jac: Callable[..., Any] | None
) -> tuple[TracedResiduals, np.ndarray]:
    """Residuals as they are typed, and their start.

    Raises
    ------
    ExpressionError
        A text cannot be read, or does not match the start.
    OptionError
        A Jacobian is given, which is exact anyway; or the further arguments are no numbers by names.
    """
    from surefoot.problem.typed_residuals import typed_residuals

    if jac is not None:
        raise OptionError("Typed residuals have an exact Jacobian: leave jac away.")
    known = None if isinstance(args, tuple | list) and not args else args
    if known is not None and not isinstance(known, str | Mapping):
        raise OptionError('The further numbers of typed residuals have names: args={"t": [0, 1, 2]}.')
    typed = typed_residuals(texts, x0, known)
    residuals, rows = typed.traceable(), 0

    def answers(inputs: tuple[Any, ...]) -> list[Any]:
        nonlocal rows
        r = residuals(*inputs)
        rows = r.shape[0]
        return [r]

    reading = read_answers(answers, Points(typed.start), ())
    found = TracedResiduals(reading, Points(typed.variables.shaped(typed.start)), rows, typed)
    found.source = "text"
    found.prepare()
    return found, typed.start


def joined(result: Any, numpy: Any) -> Any:
    """What a residual function returned, as one vector.

    Raises
    ------
    ModelError
        It holds something other than real numbers, or nothing.
    """
    import jax

    leaves = jax.tree_util.tree_leaves(result)
    if not leaves:
        raise ModelError(f"The residual function returns {result!r}: no residuals; did it forget `return`?")
    parts = []
    for leaf in leaves:
        try:
            part = numpy.asarray(leaf)
        except TypeError:
            raise ModelError(_refusal(leaf)) from None
        if numpy is np and part.dtype.kind == "O":
            part = np.asarray(None)
        if part.dtype.kind not in "iufV":
            raise ModelError(_refusal(leaf))
        parts.append(part.reshape(-1))
    whole = parts[0] if len(parts) == 1 else numpy.concatenate(parts)
    if not whole.size:
        raise ModelError("The residual function returns no residuals: an empty array.")
    return whole


def _refusal(leaf: Any) -> str:
    kind = getattr(getattr(leaf, "dtype", None), "kind", "")
    if kind == "c" or isinstance(leaf, complex):
        return "The residual function returns complex numbers; give their real and imaginary parts as two residuals."
    return f"The residual function returns {type(leaf).__name__} {leaf!r:.60}; residuals are real numbers."


def as_jacobian(given: Any, rows: int, columns: int) -> Any:
    """The Jacobian that a caller gave, shape (m, n).

    Raises
    ------
    ModelError
        It has another size.
    """
    if given.shape == (rows, columns) or (given.ndim < 2 and given.size == rows * columns):
        return given.reshape(rows, columns)
    if given.ndim > 2 and given.size == rows * columns:
        return given.reshape(rows, columns)
    raise ModelError(
        f"The Jacobian that was given has shape {given.shape}; {rows} residuals of {columns} variables need "
        f"({rows}, {columns})."
    )
