"""Surefoot minimises functions and fits models to data, and says truthfully what the answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surefoot.data.engine import Progress
    from surefoot.data.source import open_source
    from surefoot.models.base import Fit
    from surefoot.proof.certificate import Certificate, Rigour, Verdict
    from surefoot.verbs.fits import compare, fit, load, lstsq

__version__ = "0.1.0"

_HOMES = {
    "fit": "surefoot.verbs.fits",
    "lstsq": "surefoot.verbs.fits",
    "compare": "surefoot.verbs.fits",
    "load": "surefoot.verbs.fits",
    "Fit": "surefoot.models.base",
    "Certificate": "surefoot.proof.certificate",
    "Verdict": "surefoot.proof.certificate",
    "Rigour": "surefoot.proof.certificate",
    "Progress": "surefoot.data.engine",
    "open_source": "surefoot.data.source",
}

__all__ = ["Certificate", "Fit", "Progress", "Rigour", "Verdict", "compare", "fit", "load", "lstsq", "open_source"]


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first used: ``import surefoot`` itself costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'surefoot' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
