"""Surefoot minimises functions and fits models to data, and says truthfully what the answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surefoot import methods, steps
    from surefoot.data.engine import Progress
    from surefoot.data.source import open_source
    from surefoot.descent.stop import Stop
    from surefoot.descent.trace import Trace
    from surefoot.models.base import Fit
    from surefoot.problem.box import Box
    from surefoot.problem.checked import check_gradient
    from surefoot.proof.certificate import Certificate, Curvature, Rigour, Verdict
    from surefoot.results.result import Result
    from surefoot.results.survey import Survey
    from surefoot.verbs.certifying import certify, recheck, safe_rate
    from surefoot.verbs.convexity import convexity
    from surefoot.verbs.fits import compare, fit, lstsq
    from surefoot.verbs.loading import load
    from surefoot.verbs.minima import compass, draw_walks, minimize
    from surefoot.verbs.residuals import least_squares
    from surefoot.verbs.surveys import survey

__version__ = "0.1.0"

_HOMES = {
    "fit": "surefoot.verbs.fits",
    "lstsq": "surefoot.verbs.fits",
    "minimize": "surefoot.verbs.minima",
    "compass": "surefoot.verbs.minima",
    "certify": "surefoot.verbs.certifying",
    "recheck": "surefoot.verbs.certifying",
    "safe_rate": "surefoot.verbs.certifying",
    "draw_walks": "surefoot.verbs.minima",
    "least_squares": "surefoot.verbs.residuals",
    "survey": "surefoot.verbs.surveys",
    "check_gradient": "surefoot.problem.checked",
    "convexity": "surefoot.verbs.convexity",
    "compare": "surefoot.verbs.fits",
    "load": "surefoot.verbs.loading",
    "Result": "surefoot.results.result",
    "Survey": "surefoot.results.survey",
    "Stop": "surefoot.descent.stop",
    "Trace": "surefoot.descent.trace",
    "Box": "surefoot.problem.box",
    "Fit": "surefoot.models.base",
    "Certificate": "surefoot.proof.certificate",
    "Curvature": "surefoot.proof.certificate",
    "Verdict": "surefoot.proof.certificate",
    "Rigour": "surefoot.proof.certificate",
    "Progress": "surefoot.data.engine",
    "open_source": "surefoot.data.source",
}

_NAMESPACES = ("methods", "steps")

__all__ = [
    "Box", "Certificate", "Curvature", "Fit", "Progress", "Result", "Rigour", "Stop", "Survey", "Trace", "Verdict",
    "certify", "check_gradient", "compare", "compass", "convexity", "draw_walks", "fit", "least_squares", "load",
    "lstsq", "methods", "minimize", "open_source", "recheck", "safe_rate", "steps", "survey",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first used: ``import surefoot`` itself costs next to nothing."""
    from importlib import import_module

    if name in _NAMESPACES:
        return import_module(f"surefoot.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'surefoot' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
