"""Minimisers beside each other: each gets the same compiled float64 derivatives, and says what it did in one form.

The derivatives are compiled before the clock of the walk starts. Surefoot and Optimistix compile for themselves; what
that took is told apart, and so is the time of Surefoot's judge. All seconds are those of the processor, which a busy
machine changes least, with one thread for each run.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.cutest_problems import LARGE, SMALL, Problem

TOLERANCE = 1e-8
"""Gradient, or what a peer has in its place, that every peer is asked for."""

STEPS = 10_000


class OutOfTime(Exception):
    """Raised inside a peer by the function that it calls, when its time is spent."""


@dataclass(frozen=True)
class Walk:
    """What one solver did on one problem.

    ``claim`` is what it says of ``x``: nothing, success, or the name of a verdict. ``stated`` is the gradient that
    it says it is at, or was asked for: nan where it stopped for another reason.
    """

    x: np.ndarray
    claim: str
    stated: float
    message: str
    looks: int
    products: int
    hessians: int
    compiling: float
    walking: float
    judging: float = 0.0


class Programs:
    """f of a problem with its derivatives; each is compiled once and called by all, and every call is counted."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.seconds: dict[str, float] = {}
        self.begin(np.inf)

    def begin(self, seconds: float) -> None:
        self.looks = self.products = self.hessians = 0
        self.lowest, self.best = np.inf, self.problem.start
        self.last: tuple[bytes, float, np.ndarray] | None = None
        self.deadline = time.process_time() + seconds

    def _compile(self, name: str, program: Callable[..., Any], *shapes: np.ndarray) -> Any:
        import jax

        start = time.process_time()
        compiled = jax.jit(program).lower(*shapes).compile()
        self.seconds[name] = time.process_time() - start
        return compiled

    @cached_property
    def look_program(self) -> Any:
        import jax

        return self._compile("look", jax.value_and_grad(self.problem.f), self.problem.start)

    @cached_property
    def hessian_program(self) -> Any:
        import jax

        return self._compile("hessian", jax.hessian(self.problem.f), self.problem.start)

    @cached_property
    def product_program(self) -> Any:
        import jax

        def product(x: Any, v: Any) -> Any:
            return jax.jvp(jax.grad(self.problem.f), (x,), (v,))[1]

        return self._compile("product", product, self.problem.start, self.problem.start)

    def look(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient; the point before is remembered, as some peers ask for them one by one."""
        if self.last is not None and self.last[0] == x.tobytes():
            return self.last[1], self.last[2]
        self._in_time()
        self.looks += 1
        value, gradient = self.look_program(x)
        self.last = (x.tobytes(), float(value), np.array(gradient))
        if self.last[1] < self.lowest:
            self.lowest, self.best = self.last[1], x.copy()
        return self.last[1], self.last[2]

    def hessian(self, x: np.ndarray) -> np.ndarray:
        self._in_time()
        self.hessians += 1
        return np.array(self.hessian_program(x))

    def product(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        self._in_time()
        self.products += 1
        return np.array(self.product_program(x, np.asarray(v, float)))

    def _in_time(self) -> None:
        if time.process_time() > self.deadline:
            raise OutOfTime


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Ends a peer that is out of time without calling the function, as in a long factorisation.

    It looks at the clock once a second: a timer of the processor's time would make that clock coarse.
    """
    end = time.process_time() + seconds

    def ring(number: int, frame: Any) -> None:
        if time.process_time() > end:
            raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


Ended = tuple[np.ndarray, bool, float, str]
"""The point, whether the peer says success, the gradient that this states, and its message."""

Began = Callable[[], None]
"""Called when all is compiled and the walk begins."""


@dataclass(frozen=True)
class Peer:
    """A peer that walks on the compiled programs: those that it needs, and the most variables that it is for."""

    run: Callable[[Programs], Ended]
    needs: tuple[str, ...]
    largest: int = SMALL

    def solve(self, programs: Programs, seconds: float, began: Began) -> Walk:
        for name in self.needs:
            getattr(programs, f"{name}_program")
        compiling = sum(programs.seconds[name] for name in self.needs)
        began()
        programs.begin(seconds)
        start = time.process_time()
        try:
            with alarm(seconds + 1.0):
                x, success, stated, message = self.run(programs)
        except OutOfTime:
            x, success, stated, message = programs.best, False, np.nan, "out of time"
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:  # a peer that broke still has its best
            x, success, stated, message = programs.best, False, np.nan, f"{type(error).__name__}: {error}"
        walking = time.process_time() - start
        claim = "success" if success else ""
        return Walk(x, claim, stated, message, programs.looks, programs.products, programs.hessians, compiling, walking)


def scipy(method: str, **options: float) -> Callable[[Programs], Ended]:
    def run(programs: Programs) -> Ended:
        from scipy.optimize import minimize

        found = minimize(
            programs.look,
            programs.problem.start,
            jac=True,
            method=method,
            hess=programs.hessian if method == "trust-exact" else None,
            hessp=programs.product if method == "Newton-CG" else None,
            options={"maxiter": STEPS, **options},
        )
        by_gradient = method in ("BFGS", "trust-exact") or "GRADIENT" in found.message.upper()
        stated = options.get("gtol", np.nan) if by_gradient else np.nan
        return np.asarray(found.x), bool(found.success), stated, str(found.message)

    return run


def ipopt(programs: Programs) -> Ended:
    """Ipopt with exact Hessians, dense; its tolerance is meant for f scaled so that the first gradient is 100."""
    from cyipopt import Problem as Posed  # type: ignore[attr-defined]

    size, start = programs.problem.size, programs.problem.start
    lower = np.tril_indices(size)

    class Callbacks:
        def objective(self, x: np.ndarray) -> float:
            return programs.look(x)[0]

        def gradient(self, x: np.ndarray) -> np.ndarray:
            return programs.look(x)[1]

        def hessianstructure(self) -> tuple[np.ndarray, np.ndarray]:
            return lower

        def hessian(self, x: np.ndarray, multipliers: np.ndarray, factor: float) -> np.ndarray:
            return factor * programs.hessian(x)[lower]

    first = float(np.max(np.abs(programs.look(start)[1])))
    peer = Posed(n=size, m=0, problem_obj=Callbacks())
    seconds = max(programs.deadline - time.process_time(), 1e-3)
    options = {"print_level": 0, "sb": "yes", "tol": TOLERANCE, "max_iter": STEPS, "max_cpu_time": seconds}
    for name, value in options.items():
        peer.add_option(name, value)
    x, told = peer.solve(start)
    return np.asarray(x), told["status"] == 0, TOLERANCE * max(1.0, first / 100), told["status_msg"].decode()


@dataclass(frozen=True)
class Optimistix:
    """Optimistix's BFGS: the whole optimiser is one compiled program, so that only the end of its process stops it."""

    largest: int = SMALL

    def solve(self, programs: Programs, seconds: float, began: Began) -> Walk:
        import jax
        import optimistix

        f, start = programs.problem.f, programs.problem.start
        method = optimistix.BFGS(rtol=TOLERANCE, atol=TOLERANCE)

        def program(x: Any) -> Any:
            found = optimistix.minimise(lambda y, _: f(y), method, x, max_steps=STEPS, throw=False)
            return found.value, found.result == optimistix.RESULTS.successful, found.stats["num_steps"]

        clock = time.process_time()
        compiled = jax.jit(program).lower(start).compile()
        compiling = time.process_time() - clock
        began()
        clock = time.process_time()
        x, success, steps = jax.block_until_ready(compiled(start))
        walking = time.process_time() - clock
        claim = "success" if success else ""
        return Walk(np.asarray(x), claim, np.nan, "", int(steps), 0, 0, compiling, walking)


@dataclass(frozen=True)
class Surefoot:
    """``sf.minimize`` as a user calls it, its time told apart as it tells it: the walk itself, the judge, and the rest.

    The rest is reading f and compiling, for which the peers' derivatives were compiled before.
    """

    method: str = "auto"
    largest: int = LARGE

    def solve(self, programs: Programs, seconds: float, began: Began) -> Walk:
        import surefoot as sf

        began()
        clock, wall = time.process_time(), time.perf_counter()
        result = sf.minimize(programs.problem.f, programs.problem.start, method=self.method, max_seconds=seconds)  # type: ignore[attr-defined]
        whole, wall = time.process_time() - clock, time.perf_counter() - wall
        counts, stop = result.counts, result.stop
        walking = whole * (result.seconds - result.compile_seconds) / wall
        judging = whole * result.proof_seconds / wall
        return Walk(
            np.asarray(result.x),
            result.verdict.name,
            float(stop.tolerance),
            str(stop),
            max(counts.values, counts.gradients),
            counts.products,
            counts.hessians,
            whole - walking - judging,
            walking,
            judging,
        )


Solver = Peer | Optimistix | Surefoot

SOLVERS: dict[str, Solver] = {
    "surefoot": Surefoot(),
    "BFGS": Peer(scipy("BFGS", gtol=TOLERANCE), ("look",)),
    "L-BFGS-B": Peer(scipy("L-BFGS-B", gtol=TOLERANCE, ftol=1e-15, maxfun=1_000_000), ("look",), LARGE),
    "trust-exact": Peer(scipy("trust-exact", gtol=TOLERANCE), ("look", "hessian")),
    "Newton-CG": Peer(scipy("Newton-CG", xtol=TOLERANCE), ("look", "product"), LARGE),
    "Ipopt": Peer(ipopt, ("look", "hessian")),
    "Optimistix BFGS": Optimistix(),
    "BFGS, defaults": Peer(scipy("BFGS"), ("look",)),
    "L-BFGS-B, defaults": Peer(scipy("L-BFGS-B"), ("look",), LARGE),
    "trust-exact, defaults": Peer(scipy("trust-exact"), ("look", "hessian")),
    "Newton-CG, defaults": Peer(scipy("Newton-CG"), ("look", "product"), LARGE),
}
"""By the name that the tables have; SciPy's own tolerances beside tight ones, as they stop early."""


def missing(name: str) -> str:
    """Why this solver cannot run here; nothing where it can."""
    from importlib.util import find_spec

    if name == "Ipopt" and find_spec("cyipopt") is None:
        return "cyipopt is not installed: see scripts/ipopt.sh"
    if name == "Optimistix BFGS" and find_spec("optimistix") is None:
        return "optimistix is not installed: make bench installs it"
    if name == "surefoot":
        import surefoot

        if not hasattr(surefoot, "minimize"):
            return "this Surefoot has no sf.minimize"
    return ""
