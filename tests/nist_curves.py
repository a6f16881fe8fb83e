"""NIST's nonlinear reference sets that break codes most often: data, both starts, certified values as decimal strings.

    digits(estimate, CURVES["MGH10"].coefficients[0])    # tests/nistdata.py

Source: NIST Statistical Reference Datasets, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Curve:
    """One set."""

    name: str
    model: Callable[[Any, Any, Any], Any]  # of b, x and the exponential
    starts: tuple[tuple[float, ...], ...]
    certified: str  # coefficients, then their standard errors, then the sum of squares
    data: str  # y and x in turn

    @property
    def coefficients(self) -> list[str]:
        return self.certified.split()[: len(self.starts[0])]

    @property
    def standard_errors(self) -> list[str]:
        return self.certified.split()[len(self.starts[0]) : -1]

    @property
    def sum_of_squares(self) -> str:
        return self.certified.split()[-1]

    @property
    def y(self) -> np.ndarray:
        return np.array(self.data.split(), dtype=float)[::2]

    @property
    def x(self) -> np.ndarray:
        return np.array(self.data.split(), dtype=float)[1::2]

    def residual(self, b: Any) -> Any:
        """In JAX."""
        return self.model(b, self.x, jnp.exp) - self.y

    def plain(self, b: Any) -> Any:
        """In NumPy."""
        return self.model(np.asarray(b), self.x, np.exp) - self.y


def _boxbod(b: Any, x: Any, exp: Any) -> Any:
    return b[0] * (1 - exp(-b[1] * x))


def _mgh09(b: Any, x: Any, exp: Any) -> Any:
    return b[0] * (x**2 + b[1] * x) / (x**2 + b[2] * x + b[3])


def _mgh10(b: Any, x: Any, exp: Any) -> Any:
    return b[0] * exp(b[1] / (x + b[2]))


def _mgh17(b: Any, x: Any, exp: Any) -> Any:
    return b[0] + b[1] * exp(-b[3] * x) + b[2] * exp(-b[4] * x)


def _misra1a(b: Any, x: Any, exp: Any) -> Any:
    return b[0] * (1 - exp(-b[1] * x))


def _rat43(b: Any, x: Any, exp: Any) -> Any:
    return b[0] / (1 + exp(b[1] - b[2] * x)) ** (1 / b[3])


def _thurber(b: Any, x: Any, exp: Any) -> Any:
    return (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


# fmt: off
_ALL = (
    # Box, Hunter, Hunter (1978), "Statistics for Experimenters", Wiley, pp. 483-487.
    Curve("BoxBOD", _boxbod, ((1.0, 1.0), (100.0, 0.75)),
        """
        2.1380940889E+02 5.4723748542E-01 1.2354515176E+01 1.0455993237E-01 1.1680088766E+03
        """, """
        109 1 149 2 149 3 191 5 213 7 224 10
        """),
    # Kowalik, Osborne (1978), "Methods for Unconstrained Optimization Problems", Elsevier.
    Curve("MGH09", _mgh09, ((25.0, 39.0, 41.5, 39.0), (0.25, 0.39, 0.415, 0.39)),
        """
        1.9280693458E-01 1.9128232873E-01 1.2305650693E-01 1.3606233068E-01 1.1435312227E-02 1.9633220911E-01
        8.0842031232E-02 9.0025542308E-02 3.0750560385E-04
        """, """
        0.1957 4 0.1947 2 0.1735 1 0.16 0.5 0.0844 0.25 0.0627 0.167 0.0456 0.125 0.0342 0.1 0.0323 0.0833 0.0235
        0.0714 0.0246 0.0625
        """),
    # Meyer (1970), "Theoretical and computational aspects of nonlinear regression", Academic Press, pp. 465-486.
    Curve("MGH10", _mgh10, ((2.0, 400000.0, 25000.0), (0.02, 4000.0, 250.0)),
        """
        5.6096364710E-03 6.1813463463E+03 3.4522363462E+02 1.5687892471E-04 2.3309021107E+01 7.8486103508E-01
        8.7945855171E+01
        """, """
        34780 50 28610 55 23650 60 19630 65 16370 70 13720 75 11540 80 9744 85 8261 90 7030 95 6005 100 5147 105
        4427 110 3820 115 3307 120 2872 125
        """),
    # Osborne (1972), "Some aspects of nonlinear least squares calculations", Academic Press, pp. 171-189.
    Curve("MGH17", _mgh17, ((50.0, 150.0, -100.0, 1.0, 2.0), (0.5, 1.5, -1.0, 0.01, 0.02)),
        """
        3.7541005211E-01 1.9358469127E+00 -1.4646871366E+00 1.2867534640E-02 2.2122699662E-02 2.0723153551E-03
        2.2031669222E-01 2.2175707739E-01 4.4861358114E-04 8.9471996575E-04 5.4648946975E-05
        """, """
        0.844 0 0.908 10 0.932 20 0.936 30 0.925 40 0.908 50 0.881 60 0.85 70 0.818 80 0.784 90 0.751 100 0.718 110
        0.685 120 0.658 130 0.628 140 0.603 150 0.58 160 0.558 170 0.538 180 0.522 190 0.506 200 0.49 210 0.478 220
        0.467 230 0.457 240 0.448 250 0.438 260 0.431 270 0.424 280 0.42 290 0.414 300 0.411 310 0.406 320
        """),
    # Misra (1978), "Dental Research Monomolecular Adsorption Study", NIST.
    Curve("Misra1a", _misra1a, ((500.0, 0.0001), (250.0, 0.0005)),
        """
        2.3894212918E+02 5.5015643181E-04 2.7070075241E+00 7.2668688436E-06 1.2455138894E-01
        """, """
        10.07 77.6 14.73 114.9 17.94 141.1 23.93 190.8 29.61 239.9 35.18 289 40.02 332.8 44.82 378.4 50.76 434.8
        55.05 477.3 61.01 536.8 66.4 593.1 75.47 689.1 81.78 760
        """),
    # Ratkowsky (1983), "Nonlinear Regression Modeling", Marcel Dekker, pp. 62, 88.
    Curve("Rat43", _rat43, ((100.0, 10.0, 1.0, 1.0), (700.0, 5.0, 0.75, 1.3)),
        """
        6.9964151270E+02 5.2771253025E+00 7.5962938329E-01 1.2792483859E+00 1.6302297817E+01 2.0828735829E+00
        1.9566123451E-01 6.8761936385E-01 8.7864049080E+03
        """, """
        16.08 1 33.83 2 65.8 3 97.2 4 191.55 5 326.2 6 386.87 7 520.53 8 590.03 9 651.92 10 724.93 11 699.56 12
        689.96 13 637.56 14 717.41 15
        """),
    # Thurber (1979), "Semiconductor electron mobility modeling", NIST.
    Curve("Thurber", _thurber,
        ((1000.0, 1000.0, 400.0, 40.0, 0.7, 0.3, 0.03), (1300.0, 1500.0, 500.0, 75.0, 1.0, 0.4, 0.05)),
        """
        1.2881396800E+03 1.4910792535E+03 5.8323836877E+02 7.5416644291E+01 9.6629502864E-01 3.9797285797E-01
        4.9727297349E-02 4.6647963344E+00 3.9571156086E+01 2.8698696102E+01 5.5675370270E+00 3.1333340687E-02
        1.4984928198E-02 6.5842344623E-03 5.6427082397E+03
        """, """
        80.574 -3.067 84.248 -2.981 87.264 -2.921 87.195 -2.912 89.076 -2.84 89.608 -2.797 89.868 -2.702 90.101
        -2.699 92.405 -2.633 95.854 -2.481 100.696 -2.363 101.06 -2.322 401.672 -1.501 390.724 -1.46 567.534 -1.274
        635.316 -1.212 733.054 -1.1 759.087 -1.046 894.206 -0.915 990.785 -0.714 1090.109 -0.566 1080.914 -0.545
        1122.643 -0.4 1178.351 -0.309 1260.531 -0.109 1273.514 -0.103 1288.339 0.01 1327.543 0.119 1353.863 0.377
        1414.509 0.79 1425.208 0.963 1421.384 1.006 1442.962 1.115 1464.35 1.572 1468.705 1.841 1447.894 2.047
        1457.628 2.2
        """),
)
# fmt: on

CURVES = {curve.name: curve for curve in _ALL}
