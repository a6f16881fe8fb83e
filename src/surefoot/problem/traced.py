"""A function that JAX has read: value, gradient and Hessian as compiled programs.

For few variables value, gradient and Hessian are one program, because compiling is what a first answer waits for. If
the Hessians that nobody asked for come to cost as much as a program without them, that is compiled too: at most twice
the time of whoever knew it from the start. For more variables each is compiled when it is first asked for, the Hessian
column by column.

Reference: Karlin, Manasse, Rudolph, Sleator (1988), "Competitive snoopy caching", Algorithmica 3, pp. 79-119 (the rule
'rent until renting has cost as much as buying' pays at most twice the least).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.derivatives import Derivatives
from surefoot.problem.differences import product_by_gradients
from surefoot.problem.points import Points
from surefoot.problem.programs import Program, double
from surefoot.problem.reading import Reading, in_words, precision_of, read
from surefoot.problem.remembering import Remembering, Seen
from surefoot.problem.returned import as_value

if TYPE_CHECKING:
    from surefoot.problem.real import Graph

FEW = 50
"""Variables up to which value, gradient and Hessian are one program."""

CHEAP = 20e-6
"""Seconds of one call that the machinery costs by itself, whatever is computed."""

COMPILING = 0.05
"""Seconds that a program for value and gradient alone has to save before it is compiled beside the one for all."""

MOST_ENTRIES = 1 << 24
"""Numbers in one array inside f at most, over the lanes or columns that run at once: 128 MB of them."""

LIKE = 1e-6
"""Relative difference up to which a plain call and the reading give the same value."""


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
    .. [1] Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6(1), pp. 147-160.
    """

    def __init__(self, reading: Reading, points: Points, *, source: str = "JAX", notes: Sequence[str] = ()) -> None:
        roundoff, said = precision_of(reading)
        super().__init__(points, roundoff=roundoff, notes=(*notes, *said))
        self.source = source
        self._reading = reading
        self._derivatives = Derivatives(reading, points.size)
        self._breadth = max(reading.breadth, points.size)
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
        for forward, self.exact_curvature in ways:
            self._derivatives = Derivatives(self._reading, self.size, forward)
            try:
                self.see(x)
                break
            except Exception as refused:
                self._last, self._values, self._gradients = Seen(b"", np.empty(0)), 0, 0
                if (forward, self.exact_curvature) == ways[-1]:
                    raise
                reason = refused
        if not self.exact_curvature:
            self._say_uncurved(reason)

    def denotes(self) -> Graph:
        """The real function that the program denotes, for proofs."""
        from surefoot.problem.from_jax import graph_read

        return graph_read(self._reading, self.names)

    def hessian(self, x: np.ndarray) -> np.ndarray:
        here = self._here(x)
        if not here.asked_hessian and here.hessian is not None:
            self._unneeded -= 1  # it was wanted after all
        return super().hessian(x)

    def _find_value(self, here: Seen) -> None:
        self._find_gradient(here)

    def _find_gradient(self, here: Seen) -> None:
        if self._few and not self._is_wasteful():
            self._find_hessian(here)
            self._unneeded += 1
            return
        found = self._run("see", self._derivatives.see, here.x)
        here.value, here.gradient = float(found[0]), found[1:]

    def _find_hessian(self, here: Seen) -> None:
        if self._few:
            n, known, began = self.size, "look" in self._programs, perf_counter()
            found = self._run("look", self._derivatives.look, here.x)
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
            given = self._run("hessian", self._derivatives.given_hessian, x).reshape(n, n)
            return 0.5 * (given + given.T)
        columns = self._run("columns", self._derivatives.columns, x).reshape(n, n)
        return 0.5 * (columns + columns.T)

    def _product(self, here: Seen, v: np.ndarray) -> np.ndarray:
        if v.shape != (self.size,):
            raise ModelError(f"A direction of shape {v.shape} was given; a vector of {self.size} entries is needed.")
        if self._few and here.hessian is None:
            self._find_hessian(here)
        if here.hessian is not None:
            return here.hessian @ v
        found = self._or_differences(lambda: self._run("product", self._derivatives.bend, here.x, v))
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
            return self._run("see", self._derivatives.see, at)[1:]

        return product_by_gradients(gradient, x, v, self.roundoff)

    def lanes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [(len(part), self._in_lanes("lanes", self._derivatives.see_lanes, part)) for part in self._batches(X)]
        self._gradients += len(X)
        values = [found[:m] for m, found in parts]
        gradients = [found[len(found) // (self.size + 1) :].reshape(-1, self.size)[:m] for m, found in parts]
        return _one(values), _one(gradients)

    def lane_values(self, X: np.ndarray) -> np.ndarray:
        batches = self._batches(X)
        return _one([self._in_lanes("lane values", self._derivatives.lane_values, one)[: len(one)] for one in batches])

    def _batches(self, X: np.ndarray) -> list[np.ndarray]:
        """The lanes in parts whose numbers inside f fit into memory."""
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.size:
            raise ModelError(f"Points of shape {X.shape} were given; (m, {self.size}) is needed.")
        self._values += len(X)
        most = max(1, MOST_ENTRIES // self._breadth)
        most = 1 << (most.bit_length() - 1)
        return [X[at : at + most] for at in range(0, len(X), most)] or [X]

    def _in_lanes(self, name: str, function: Callable[..., Any], X: np.ndarray) -> np.ndarray:
        """A batch padded to a power of two, so that few sizes are compiled."""
        count = 1 << (max(len(X), 1) - 1).bit_length()
        if count > len(X):
            last = X[-1] if len(X) else np.zeros(self.size)
            X = np.concatenate([X, np.broadcast_to(last, (count - len(X), self.size))])
        return self._run((name, count), function, X)

    @property
    def _few(self) -> bool:
        return self.size <= FEW and self.exact_curvature and self.size * self._breadth <= MOST_ENTRIES

    def _is_wasteful(self) -> bool:
        """Whether the Hessians that nobody asked for have cost as much as a program without them."""
        if "see" in self._programs:
            return True
        return self._fastest < np.inf and self._unneeded * (self._fastest - CHEAP) > COMPILING

    def _run(self, name: Any, function: Callable[..., Any], *inputs: np.ndarray) -> np.ndarray:
        constants = self._reading.constants
        program = self._programs.get(name)
        if program is None:
            key = None if self._reading.key is None else (self._reading.key, name, self._derivatives.forward)
            program = self._programs[name] = Program(function, (*inputs, *constants), key)
            self._compilations += program.compiled
            self._compile_seconds += program.compile_seconds
        return program(*inputs, *constants)


def traced_or_reason(
    f: Callable[..., Any],
    points: Points,
    args: Sequence[Any] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
) -> Traced | str:
    """The objective of a function that JAX can read, or one sentence that says why it cannot.

    Whether the fault is the function's own is found out by calling it with numbers, which is what happens next.
    """
    try:
        reading = read(f, points, args, jac, hess)
    except Exception as refused:
        return in_words(refused)
    objective = Traced(reading, points)
    try:
        objective.prepare(points.start)
    except Exception as refused:
        return in_words(refused, "differentiate")
    return _disagreement(objective, f, points, args, jac) or objective


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


def _one(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
