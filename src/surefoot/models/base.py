"""What every fit can be asked, whichever road it came by: coefficients by name, intervals, tests, a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from surefoot.errors import ModelError, OptionError
from surefoot.models.hypotheses import Hypothesis, parse_hypotheses, wald
from surefoot.models.statistics import t_quantile, t_two_sided
from surefoot.proof.certificate import Certificate, Verdict

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Coefficient:
    """One coefficient with everything known of it.

    Attributes
    ----------
    name : str
        As in ``fit.names``.
    value, stderr, t, p : float
        NaN where the coefficient was dropped as aliased.
    interval : tuple of float
        At the fit's level.
    digits : float
        How many digits of the value are determined.
    """

    name: str
    value: float
    stderr: float
    t: float
    p: float
    interval: tuple[float, float]
    digits: float


class Fit(ABC):
    """A least squares fit: ``FormulaFit`` of a formula and data, ``ArrayFit`` of arrays.

    Attributes
    ----------
    names : tuple of str
        Names of the coefficients.
    coef, stderr : ndarray, shape (p,)
        In the order of ``names``; of several right-hand sides one column each.
    digits : ndarray
        Decimal digits of each coefficient that are determined.
    level : float
        Of the intervals, if no other is asked for.
    method, stop : str
        What ran and why it stopped.
    certificate : Certificate
        What the point is, with the evidence.
    """

    level: float
    method: str

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]: ...

    @property
    @abstractmethod
    def coef(self) -> np.ndarray: ...

    @property
    @abstractmethod
    def covariance_factor(self) -> np.ndarray:
        """``F`` with ``F F'`` the covariance of the coefficients, shape (p, r); NaN where it is not known."""

    @property
    @abstractmethod
    def df(self) -> float:
        """Degrees of freedom of the t distribution that goes with the standard errors."""

    @property
    @abstractmethod
    def stderr(self) -> np.ndarray: ...

    if TYPE_CHECKING:  # fields of the one, properties of the other

        @property
        def digits(self) -> np.ndarray: ...

        @property
        def certificate(self) -> Certificate: ...

    @property
    def verdict(self) -> Verdict:
        verdict = self.certificate.verdict
        assert isinstance(verdict, Verdict)  # of a point, never of a function
        return verdict

    @property
    def t(self) -> np.ndarray:
        """Coefficient over standard error."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.coef / self.stderr

    @property
    def p(self) -> np.ndarray:
        """Two-sided probability of a larger t if the coefficient were zero."""
        return t_two_sided(self.t, self.df)

    def __getitem__(self, name: str) -> Coefficient:
        """The coefficient of that name."""
        self._need_one_side()
        if name not in self.names:
            raise KeyError(f"There is no coefficient named {name!r}; there are {', '.join(map(repr, self.names))}.")
        k = self.names.index(name)
        low, high = self.interval()[k]
        return Coefficient(
            name, float(self.coef[k]), float(self.stderr[k]), float(self.t[k]), float(self.p[k]),
            (float(low), float(high)), float(self.digits[k]),
        )  # fmt: skip

    def interval(self, level: float | None = None) -> np.ndarray:
        """Confidence intervals of the coefficients, shape (p, 2), or (p, k, 2) for k right-hand sides.

        Parameters
        ----------
        level : float, optional
            Between 0 and 1; the level of the fit if not given.

        Examples
        --------
        >>> import surefoot as sf
        >>> fit = sf.fit("y ~ 1", {"y": [1.0, 2.0, 3.0]})
        >>> fit.interval(0.95).round(2).tolist()
        [[-0.48, 4.48]]
        """
        half = t_quantile(checked_level(self.level if level is None else level), self.df) * self.stderr
        return np.stack([self.coef - half, self.coef + half], axis=-1)

    def test(self, hypothesis: str) -> Hypothesis:
        """Test linear hypotheses such as ``"x1 = x2"``, ``"x1 + 2*x2 = 3"`` or ``"x1 = 0, x2 = 0"`` (jointly).

        Raises
        ------
        ExpressionError
            The text names no coefficient, or is not linear in them.
        ModelError
            The data do not determine the combination.

        Examples
        --------
        >>> import surefoot as sf
        >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
        >>> round(fit.test("x = 2").p, 3)
        0.576
        """
        self._need_one_side()
        matrix, right = parse_hypotheses(hypothesis, self.names)
        self._need_determined(hypothesis, matrix)
        return wald(hypothesis, matrix, right, self.coef, self.covariance_factor, self.df)

    def table(self) -> pa.Table:
        """The coefficient table as Arrow: name, estimate, standard error, t, p, interval, digits."""
        import pyarrow as pa

        self._need_one_side()
        low, high = self.interval().T
        return pa.table(
            {
                "name": list(self.names), "estimate": self.coef, "stderr": self.stderr, "t": self.t, "p": self.p,
                "lower": low, "upper": high, "digits": self.digits,
            }
        )  # fmt: skip

    def _need_one_side(self) -> None:
        if self.coef.ndim > 1:
            raise ModelError("This is of one right-hand side: fit the columns of b one by one, or take fit.coef.")

    @abstractmethod
    def _need_determined(self, hypothesis: str, matrix: np.ndarray) -> None:
        """Refuse combinations that the data do not determine."""


def checked_level(level: float) -> float:
    """The level, if it is one."""
    if not 0 < level < 1:
        raise OptionError(f"A confidence level lies between 0 and 1, as 0.95 does; {level:g} does not.")
    return level
