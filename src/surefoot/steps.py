"""Step rules, for ``sf.minimize(f, x0, steps=...)`` as objects: each says how far to go along a direction.

Examples
--------
>>> import surefoot as sf
>>> sf.minimize("x^2 + 10*y^2", {"x": 10, "y": 1}, method="steepest", steps=sf.steps.ExactStep()).verdict.value
'unique global minimum'
"""

from surefoot.descent.adaptive import Adaptive
from surefoot.descent.exact_step import ExactStep
from surefoot.descent.hager_zhang import HagerZhang
from surefoot.descent.line_search import Armijo, StrongWolfe
from surefoot.descent.ray import Ray, Refusal, Taken
from surefoot.descent.residuals import Damping
from surefoot.descent.schedules import Polyak, Silver
from surefoot.descent.simplex import NelderMead
from surefoot.descent.steps import FixedRate, Step
from surefoot.descent.trust_region import TrustRegion

__all__ = [
    "Adaptive", "Armijo", "Damping", "ExactStep", "FixedRate", "HagerZhang", "NelderMead", "Polyak", "Ray", "Refusal",
    "Silver", "Step", "StrongWolfe", "Taken", "TrustRegion",
]  # fmt: skip
