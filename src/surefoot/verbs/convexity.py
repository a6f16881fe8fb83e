"""The verb of whole functions: whether one is convex."""

from __future__ import annotations

from typing import Any

from surefoot.errors import ModelError, OptionError
from surefoot.problem.domain import Domain
from surefoot.problem.graph import Apply, Name, Number
from surefoot.problem.real import Graph
from surefoot.proof.certificate import Certificate
from surefoot.proof.certificate_file import of_function
from surefoot.proof.convexity import decide


def convexity(f: Any, example: Any = None, domain: Any = None, *, args: tuple = ()) -> Certificate:
    """Decide whether a function is convex, strictly, strongly, concave, affine or not convex, and prove it.

    The claim is about the real function that f denotes, in exact arithmetic; derivatives that somebody gave are not
    looked at. Rounding is never taken for an argument: what cannot be proven is undecided.

    Parameters
    ----------
    f : callable, str or Objective
        Code written with `jax.numpy`, of one argument; typed text, ``"x^2 + y^2"``; or what `minimize` works on.
    example : number, array, mapping or pytree, optional
        A point that gives the shape; needed for code, and for text with whole vectors (``sum(x^2)``).
    domain : str, pairs, mapping, Box or LinearConstraint, optional
        Where the function is considered: ``"x > 0, x + y <= 3"``, bounds for each variable, which include their ends,
        or ``scipy.optimize.LinearConstraint``. All of R^n if not given.
    args : tuple
        Further arguments of f, data that do not vary.

    Returns
    -------
    Certificate
        ``verdict`` is a `Curvature`, ``convex`` True, False or None, ``lines`` the argument. Where f is defined on a
        part of the domain only, and that part is convex, the claim is about it, and ``domain`` says so.

    Raises
    ------
    ModelError
        f cannot be read: it is not JAX code, or gives no number; or no point is in the domain.
    OptionError
        An example is missing.
    ExpressionError
        The text of the function or of the domain cannot be understood.

    References
    ----------
    Grant, Boyd, Ye (2006), "Disciplined convex programming", in: Global Optimization, Springer, pp. 155-210.

    Klaus, Merk, Wiedom, Laue, Giesen (2022), "Convexity certificates from Hessians", NeurIPS 35.

    Examples
    --------
    >>> found = convexity("log(1 + exp(x)) + x^2")
    >>> found.convex, found.verdict.value, found.rigour.value
    (True, 'strongly convex', 'proven')
    >>> convexity("x^2/y", domain="y > 0").claim
    'The function is convex where y > 0.'
    """
    graph = _graph(f, example, args)
    region = Domain.of(domain, graph.names)
    return of_function(decide(graph, region), graph, region)


def _graph(f: Any, example: Any, args: tuple) -> Graph:
    """The real function that f denotes."""
    if isinstance(f, Graph):
        return f
    if isinstance(f, str | Number | Name | Apply):
        return _of_text(f, example)
    if hasattr(f, "see") and hasattr(f, "shaped"):
        if not hasattr(f, "denotes"):
            raise ModelError(f"f runs as {f.source}, which cannot be read as a real function; write it with jax.numpy.")
        return f.denotes()
    if not callable(f):
        raise ModelError(f"f is {type(f).__name__} {f!r:.60}; a function, or the text of an expression, is needed.")
    if example is None:
        raise OptionError("An example is needed with code: a point that gives the shape, as example=np.zeros(3).")
    from surefoot.problem.from_jax import real_graph

    return real_graph(f, example, args)


def _of_text(f: Any, example: Any) -> Graph:
    from surefoot.problem.from_text import real_graph_of_text
    from surefoot.problem.grammar import parse_function
    from surefoot.problem.typed import typed_function, variables_of
    from surefoot.problem.vectors import with_sizes

    if example is not None:
        typed = typed_function(f, example)
        return real_graph_of_text(typed.node, typed.names)
    variables = variables_of(f)
    node = parse_function(f) if isinstance(f, str) else f
    return real_graph_of_text(with_sizes(node, variables.sizes), variables.names)
