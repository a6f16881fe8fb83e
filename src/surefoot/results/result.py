"""The answer of a minimisation: where it landed, why it stopped, what that point is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from surefoot.descent.stop import Reason, Stop
from surefoot.descent.trace import Trace
from surefoot.problem.objective import Counts, Objective
from surefoot.proof.certificate import Certificate, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from matplotlib.figure import Figure
    from scipy.optimize import OptimizeResult

    from surefoot.descent.memory import Memory
    from surefoot.results.starts import Starts


@dataclass(frozen=True)
class Result:
    """Three answers that are never mixed: where (``x``, ``value``), why (``stop``), and what (``verdict``).

    Attributes
    ----------
    x : array, number, mapping or pytree
        The point, in the shape of the start.
    value : float
        f(x).
    gradient : like ``x``
        grad f(x).
    stop : Stop
        The one reason why the walk ended, with its numbers.
    certificate : Certificate
        What the point is, and on what evidence: a proof where one closes, which is tried when this is first asked for.
    judged : Certificate
        What the judge made of it in floating point.
    trace : Trace
        One row for each trial, accepted or not.
    counts : Counts
        Evaluations, and what was compiled for them.
    multipliers : mapping of str to float
        Of the variables that stand at a bound: the slope of f on the way into the box, which is what the bound costs.
    advice : tuple of str
        Sentences, each only where there is evidence for it.
    method : str
        What ran: direction and step rule; of several, that which found the point.
    story : tuple of str
        Where ``auto`` took more than one method: which, when and why.
    names : tuple of str
        A name for each variable.
    flat : ndarray, shape (n,)
        The point as one vector, in the order of ``names``.
    slope : ndarray, shape (n,)
        The gradient likewise.
    start : ndarray, shape (n,)
        Where the walk began.
    seconds, proof_seconds, compile_seconds : float
        For the walk with its compilations; for the judge; of the first, what compiling took.
    starts : Starts or None
        Every minimum found, where many starts were asked for.
    memory : Memory or None
        What the method has learnt on the way, for ``resume``; saved, but not shown.

    Examples
    --------
    >>> import surefoot as sf
    >>> result = sf.minimize("(x - 1)^2 + 10*(y + 2)^2", {"x": 0, "y": 0})
    >>> {name: float(value) for name, value in result.x.items()}
    {'x': 1.0, 'y': -2.0}
    >>> result.judged.verdict.value, result.verdict.value
    ('strict local minimum', 'unique global minimum')
    """

    x: Any
    value: float
    gradient: Any
    stop: Stop
    judged: Certificate
    trace: Trace
    counts: Counts
    multipliers: Mapping[str, float]
    advice: tuple[str, ...]
    method: str
    story: tuple[str, ...]
    names: tuple[str, ...]
    flat: np.ndarray
    slope: np.ndarray
    start: np.ndarray
    seconds: float
    proof_seconds: float
    source: str
    title: str
    objective: Objective | None = None
    starts: Starts | None = None
    compile_seconds: float = 0.0
    memory: Memory | None = field(default=None, repr=False)
    prover: Callable[[Result], Certificate] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def certificate(self) -> Certificate:
        """What the point is, and on what evidence."""
        return self.judged if self.prover is None else self.prover(self)

    @property
    def verdict(self) -> Verdict:
        """What the point is."""
        return cast(Verdict, self.certificate.verdict)

    @property
    def steps(self) -> int:
        """Steps taken."""
        return max((row.step for row in self.trace.rows if row.accepted), default=0)

    def after(self, before: Result) -> Result:
        """The same with the trace, the start and the seconds of the result that it resumed."""
        ago, steps = before.seconds, before.steps
        later = tuple(replace(row, step=row.step + steps, seconds=row.seconds + ago) for row in self.trace.rows[1:])
        return replace(self, trace=Trace(before.trace.rows + later), start=before.start, seconds=self.seconds + ago)

    def summary(self) -> str:
        """The answer as ``surefoot minimize`` prints it."""
        from surefoot.report.minima import summary_text

        return summary_text(self)

    def __str__(self) -> str:
        return self.summary()

    def to_scipy(self) -> OptimizeResult:
        """As SciPy's ``OptimizeResult``; its ``success`` says that the point is stationary, as asked or to rounding.

        Whether it is a minimum is another question, which only ``verdict`` answers.

        Examples
        --------
        >>> import surefoot as sf
        >>> sf.minimize("x^2", {"x": 3.0}).to_scipy().success
        True
        """
        from scipy.optimize import OptimizeResult

        return OptimizeResult(
            x=self.flat.copy(), fun=self.value, jac=self.slope.copy(), success=self._is_stationary(),
            status=list(Reason).index(self.stop.reason), message=f"{self.stop}; {self.certificate.claim}",
            nit=self.steps, nfev=self.counts.values, njev=self.counts.gradients, nhev=self.counts.hessians,
        )  # fmt: skip

    def _is_stationary(self) -> bool:
        if self.stop.reason in (Reason.NOISE, Reason.TOLERANCE):
            return True
        doubtful = self.verdict in (Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE, Verdict.INFIMUM_NOT_ATTAINED)
        return self.stop.reason in (Reason.STALLED, Reason.KINK) and not doubtful

    def plot(self, path: str | Path | None = None) -> Figure:
        """The walk: f and its gradient against the evaluations, and for two variables the contour map with the path.

        Parameters
        ----------
        path : path, optional
            Write the picture there too: PNG, SVG or PDF by its ending.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        from surefoot.report.downhill import draw_result, written
        from surefoot.results.picture import gather

        figure = draw_result(self, gather(self))
        return figure if path is None else written(figure, path)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON; the trace as columns."""
        from surefoot.results.saved import to_json

        return to_json(self)

    def save(self, path: str | Path) -> None:
        """Write everything but the function as JSON, for ``sf.load``.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        from surefoot.results.saved import save

        save(self, path)
