"""The real function that a caller's f denotes, whatever it is written in, and a point of it: what proofs begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.graph import Apply, Name, Number
from surefoot.problem.real import Graph


@dataclass(frozen=True)
class Denoted:
    """A real function and a point.

    Attributes
    ----------
    graph : Graph
    x : ndarray, shape (n,)
        The point as a flat vector.
    shaped : callable
        Gives a flat vector back in the caller's shape.
    """

    graph: Graph
    x: np.ndarray
    shaped: Callable[[np.ndarray], Any]


def denoted(f: Any, x: Any, args: Sequence[Any] = ()) -> Denoted:
    """Read a function as a real graph.

    Parameters
    ----------
    f : callable, str, Node or Objective
        JAX code of one argument in the shape of x (and ``*args``); typed text; or an objective made of one of them.
    x : number, array, mapping, text or pytree
        A point.
    args : sequence
        Further arguments of f.

    Raises
    ------
    ModelError
        f is PyTorch or NumPy, so that nothing can be proven of it; or the point does not fit.
    ExpressionError
        A text cannot be read.

    Examples
    --------
    >>> found = denoted("x^2 + y", "x=1, y=2")
    >>> found.graph.names, found.x.tolist(), found.shaped(found.x)
    (('x', 'y'), [1.0, 2.0], {'x': 1.0, 'y': 2.0})
    """
    if isinstance(f, str | Number | Name | Apply):
        from surefoot.problem.from_text import real_graph_of_text
        from surefoot.problem.typed import typed_function

        typed = typed_function(f, x)
        return Denoted(real_graph_of_text(typed.node, typed.names), typed.start, typed.variables.shaped)
    if hasattr(f, "see") and hasattr(f, "shaped"):
        if not hasattr(f, "denotes"):
            raise ModelError(UNREAD.format(f.source))
        flat = x if isinstance(x, np.ndarray) and x.shape == (f.size,) else f.flat(x)
        return Denoted(f.denotes(), np.array(flat, dtype=float), f.shaped)
    if not callable(f):
        raise ModelError(f"f is {type(f).__name__} {f!r:.60}; a function, or the text of an expression, is needed.")
    from surefoot.problem.torch_function import is_torch

    if is_torch(f, x):
        raise ModelError(UNREAD.format("PyTorch"))
    from surefoot.problem.from_jax import real_graph
    from surefoot.problem.points import Points

    points = Points(x)
    return Denoted(real_graph(f, x, args), points.start, points.shaped)


UNREAD = (
    "f runs as {}, which cannot be read as a real function, so nothing can be proven of it. Write it with jax.numpy, "
    "or as text."
)
