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
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.derivatives import Derivatives
from surefoot.problem.differences import product_by_gradients
from surefoot.problem.lane_programs import MANY, MOST_ENTRIES, LanePrograms
from surefoot.problem.points import Points
from surefoot.problem.programs import Program, double
from surefoot.problem.reading import Reading, in_words, precision_of, read
from surefoot.problem.remembering import Counts, Remembering, Seen
from surefoot.problem.returned import as_value

if TYPE_CHECKING:
    from surefoot.problem.real import Graph

FEW = 50
"""Variables up to which value, gradient and Hessian are one program."""

CHEAP = 20e-6
"""Seconds of one call that the machinery costs by itself, whatever is computed."""

COMPILING = 0.05
"""Seconds that a program for value and gradient alone has to save before it is compiled beside the one for all."""

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
    Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6(1), pp. 147-160.
    """

    def __init__(self, reading: Reading, points: Points, *, source: str = "JAX", notes: Sequence[str] = ()) -> None:
        roundoff, said = precision_of(reading)
        super().__init__(points, roundoff=roundoff, notes=(*notes, *said))
        self.source = source
        self._reading = reading
        self._derivatives = Derivatives(reading, points.size)
        self._breadth = max(reading.breadth, points.size)
        self._programs: dict[Any, Program] = {}
        self._lane_programs = self._lanes_of(reading)
        self._many, self._rent = 0, 0.0
        self._fastest, self._unneeded = np.inf, 0

    def prepare(self, x: np.ndarray, lanes: int = 0) -> None:
        """Compile what the first step needs, and find how the function can be differentiated.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The start.
        lanes : int
            So many points will be looked at at once: the program for them comes first, and serves the start as well.

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
                self._open(x, lanes)
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

    def _open(self, x: np.ndarray, lanes: int) -> None:
        """Compile for many points; where Hessians do not come with them, the program for one point beside it."""
        self._many, self._lane_programs = 0, self._lanes_of(self._reading)
        if not lanes or not self._few:
            return
        here, self._many = self._here(x), min(lanes, 2 * MANY)
        if not self._lane_programs.together:
            self._program("look", self._derivatives.look, x, beside=True)
            values, gradients = self._lane_programs.see(self._derivatives, self._lane(x))
            here.value, here.gradient = float(values[0]), _locked(gradients[0])

    def _lanes_of(self, reading: Reading) -> LanePrograms:
        return LanePrograms(self._run, self.size, reading.breadth, self._few)

    def _lane(self, x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(x, (self._many, self.size))

    @property
    def _serves_as_lanes(self) -> bool:
        return self._many > 0 and self._lane_programs.together and self._few and self._rent <= COMPILING

    def _find_as_lane(self, here: Seen) -> bool:
        """Whether the program for many points served; it does until that has cost as much as one for a single point."""
        if not self._serves_as_lanes:
            return False
        known, began = len(self._programs), perf_counter()
        here.value, gradient, hessian = self._lane_programs.look_at(self._derivatives, self._lane(here.x))
        here.gradient, here.hessian = _locked(gradient), _locked(hessian)
        if len(self._programs) == known:  # what the program itself took to compile is no rent
            self._rent += max(perf_counter() - began - CHEAP, 0.0)
        return True

    def hessian(self, x: np.ndarray) -> np.ndarray:
        here = self._here(x)
        if not here.asked_hessian and here.columns is not None:
            self._unneeded -= 1  # it was wanted after all
        return super().hessian(x)

    def _find_value(self, here: Seen) -> None:
        self._find_gradient(here)

    def _find_gradient(self, here: Seen) -> None:
        if self._find_as_lane(here):
            return
        if self._few and not self._is_wasteful():
            self._find_all(here)
            self._unneeded += 1
            return
        found = self._run("see", self._derivatives.see, here.x)
        here.value, here.gradient = float(found[0]), found[1:]

    def _find_hessian(self, here: Seen) -> None:
        if here.columns is None and self._find_as_lane(here):
            return
        if self._few:
            if here.columns is None:
                self._find_all(here)
            assert here.columns is not None
            here.hessian = _symmetric(here.columns.reshape(self.size, self.size))
            return
        found = self._or_differences(lambda: self._hessian_by_parts(here.x))
        if found is None:
            columns = np.array([self._product_by_gradients(here.x, unit) for unit in np.eye(self.size)])
            found = _symmetric(columns)
        here.hessian = found

    def _find_all(self, here: Seen) -> None:
        """Value, gradient and the columns of the Hessian by one program."""
        n, known, began = self.size, "look" in self._programs, perf_counter()
        found = self._run("look", self._derivatives.look, here.x)
        if known:
            self._fastest = min(self._fastest, perf_counter() - began)
        here.value, here.gradient, here.columns = float(found[0]), found[1 : n + 1], found[n + 1 :]

    def _hessian_by_parts(self, x: np.ndarray) -> np.ndarray:
        n = self.size
        if self._reading.given == 2:
            given = self._run("hessian", self._derivatives.given_hessian, x).reshape(n, n)
            return _symmetric(given)
        return _symmetric(self._run("columns", self._derivatives.columns, x).reshape(n, n))

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

    def sees(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.lanes(X) if self._serves_as_lanes else super().sees(X)

    def lanes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = self._lane_programs.see(self._derivatives, X)
        self._values += len(X)
        self._gradients += len(X)
        return found

    def lane_values(self, X: np.ndarray) -> np.ndarray:
        self._values += len(X)
        return self._lane_programs.heights(self._derivatives, X)

    def hessians(self, X: np.ndarray) -> np.ndarray:
        if not (self._few and self._lane_programs.together):
            return super().hessians(X)
        self._hessians += len(X)
        return self._lane_programs.look(self._derivatives, X)[2]

    @property
    def counts(self) -> Counts:
        programs = self._programs.values()
        return replace(
            super().counts, compilations=sum(one.compiled for one in programs),
            compile_seconds=sum(one.compile_seconds for one in programs),
        )  # fmt: skip

    @property
    def _few(self) -> bool:
        return self.size <= FEW and self.exact_curvature and self.size * self._breadth <= MOST_ENTRIES

    def _is_wasteful(self) -> bool:
        """Whether the Hessians that nobody asked for have cost as much as a program without them."""
        if "see" in self._programs:
            return True
        return self._fastest < np.inf and self._unneeded * (self._fastest - CHEAP) > COMPILING

    def _run(self, name: Any, function: Callable[..., Any], *inputs: np.ndarray) -> np.ndarray:
        program = self._programs.get(name)
        if program is None:
            program = self._program(name, function, *inputs)
        return program(*inputs, *self._reading.constants)

    def _program(self, name: Any, function: Callable[..., Any], *inputs: np.ndarray, beside: bool = False) -> Program:
        key = None if self._reading.key is None else (self._reading.key, name, self._derivatives.forward)
        program = Program(function, (*inputs, *self._reading.constants), key, beside=beside)
        self._programs[name] = program
        return program


def traced_or_reason(
    f: Callable[..., Any],
    points: Points,
    args: Sequence[Any] = (),
    jac: Callable[..., Any] | bool | None = None,
    hess: Callable[..., Any] | None = None,
    lanes: int = 0,
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
        objective.prepare(points.start, lanes)
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


def _symmetric(hessian: np.ndarray) -> np.ndarray:
    return _locked(0.5 * (hessian + hessian.T))


def _locked(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
