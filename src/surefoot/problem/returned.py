"""What a function returned: one real number, or a sentence that says what is wrong with it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from surefoot.errors import ModelError


def as_value(result: Any, what: str = "The function") -> float:
    """What a function returned, as a number.

    Raises
    ------
    ModelError
        It is not a real number; the sentence says what it is.
    """
    if type(result) is float:
        return result
    try:
        array = np.asarray(result)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype.kind in "iuf" and array.shape in ((), (1,)):
        return float(array.reshape(()))
    raise ModelError(refusal(result, array.shape, array.dtype.kind, what))


def refusal(result: Any, shape: tuple[int, ...], kind: str, what: str = "The function") -> str:
    """The sentence for a result that is not one real number."""
    if result is None:
        return f"{what} returns nothing (None); did it forget `return`?"
    if kind == "c":
        return f"{what} returns complex numbers; only a real number can be minimised (its real part or its size?)."
    if kind in "iuf" and math.prod(shape) != 1:
        return f"{what} returns an array of shape {shape}; a single number is needed (a sum of squares or a norm?)."
    if kind in "iuf":
        return f"{what} returns an array of shape {shape}; a number is needed (take the entry out with [0])."
    return f"{what} returns {type(result).__name__} {result!r:.60}; a real number is needed."
