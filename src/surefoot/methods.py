"""Directions, for ``sf.minimize(f, x0, method=...)`` as objects: each says which way to go.

Examples
--------
>>> import surefoot as sf
>>> sf.minimize("x^4 + y^2", {"x": 1, "y": 1}, method=sf.methods.HeavyBall(0.8), steps=0.05).steps > 50
True
"""

from surefoot.descent.conjugate import NonlinearConjugateGradients
from surefoot.descent.directions import Direction, HeavyBall, Nesterov, SteepestDescent, Way
from surefoot.descent.newton import Newton
from surefoot.descent.quasi_newton import BFGS, LBFGS
from surefoot.descent.residuals import GaussNewton, LevenbergMarquardt
from surefoot.descent.trust_region import TrustRegionNewton, TrustRegionProducts

__all__ = [
    "BFGS", "LBFGS", "Direction", "GaussNewton", "HeavyBall", "LevenbergMarquardt", "Nesterov", "Newton",
    "NonlinearConjugateGradients", "SteepestDescent", "TrustRegionNewton", "TrustRegionProducts", "Way",
]  # fmt: skip
