"""The real function that a sum of losses denotes, for proofs: the graph of the residuals, and the loss behind it.

    linear    sum r^2
    soft_l1   2 s sum (sqrt(s^2 + r^2) - s)
    huber     sum r^2 where |r| <= s, else s (2 |r| - s)
    cauchy    s^2 sum log1p((r/s)^2)
    arctan    s^2 sum arctan((r/s)^2)

which are ``sum s^2 rho((r/s)^2)`` of `losses` in exact arithmetic, in the forms that proofs read best. The Jacobian and
the derivatives of a loss that a caller gave do not count: a proof differentiates what they are derivatives of.

Reference: Huber, Ronchetti (2009), "Robust Statistics", 2nd ed., Wiley, section 7.8, pp. 175-178.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from surefoot.errors import ModelError
from surefoot.problem.from_text import Known, terms_of_text
from surefoot.problem.losses import Loss
from surefoot.problem.real import Builder, Graph

if TYPE_CHECKING:
    from surefoot.problem.points import Points
    from surefoot.problem.reading import Reading
    from surefoot.problem.typed_residuals import TypedResiduals


def graph_of_traced(reading: Reading, points: Points, loss: Loss) -> Graph:
    """The real function of residuals that JAX has read.

    Raises
    ------
    ModelError
        The loss is a function of the caller's that JAX cannot read.
    """
    from surefoot.problem.from_jax import graph_read

    if not loss.is_given:
        return graph_read(reading, points.names, lambda build, r: total(build, r, loss))
    return graph_read(_with_loss(reading, points, loss), points.names)


def graph_of_typed(typed: TypedResiduals, loss: Loss) -> Graph:
    """The real function of residuals as they were typed.

    Raises
    ------
    ModelError
        The loss is a function of the caller's: of text it is not read.

    Examples
    --------
    >>> from surefoot.problem.losses import loss_of
    >>> from surefoot.problem.real_floating import value
    >>> from surefoot.problem.typed_residuals import typed_residuals
    >>> typed = typed_residuals(["10*(y - x^2)", "1 - x"], "x=-1.2, y=1")
    >>> float(value(graph_of_typed(typed, loss_of("linear")), typed.start).round(6))
    24.2
    """
    if loss.is_given:
        raise ModelError(f"the loss {loss.name} is a function of its own, which is not read together with text")
    build, known = Builder(typed.variables.names), Known(typed.known, typed.numbers)
    terms = (terms_of_text(build, node, depth, known) for node, depth in zip(typed.nodes, typed.depths, strict=True))
    parts = [total(build, place, loss) for place in terms]
    whole = parts[0]
    for part in parts[1:]:
        whole = build.add(whole, part)
    return build.graph(whole)


def total(build: Builder, r: int, loss: Loss) -> int:
    """The place of the sum of the losses of an array of residuals.

    Examples
    --------
    >>> from surefoot.problem.losses import loss_of
    >>> build = Builder(("x", "y"))
    >>> graph = build.graph(total(build, build.input, loss_of("huber", 2.0)))
    >>> sorted({node.operation for node in graph.nodes if node.shape == (2,)})
    ['abs', 'broadcast', 'input', 'le', 'mul', 'power', 'sub', 'where']
    """
    return LOSSES[loss.name](build, r, loss.scale)


def _with_loss(reading: Reading, points: Points, loss: Loss) -> Reading:
    """The program with the loss that a caller gave behind it."""
    import jax.numpy as jnp

    from surefoot.problem.reading import in_words, read

    def whole(x: Any, *constants: Any) -> Any:
        flat = points.flattened(x, jnp.asarray, jnp.concatenate)
        return loss.total(reading.outputs(flat, constants)[0], jnp)

    try:
        return read(whole, points, reading.constants)
    except Exception as refused:
        raise ModelError(in_words(refused).replace("f cannot", f"the loss {loss.name} cannot", 1)) from None


def _linear(build: Builder, r: int, s: float) -> int:
    return build.sum(build.power(r, 2))


def _soft(build: Builder, r: int, s: float) -> int:
    scale = build.constant(s)
    square = build.add(build.power(r, 2), _squared(build, s))
    rest = build.sum(build.sub(build.power(square, Fraction(1, 2)), scale))
    return build.mul(scale, build.mul(build.constant(2.0), rest))


def _huber(build: Builder, r: int, s: float) -> int:
    size, scale = build.unary("abs", r), build.constant(s)
    beyond = build.mul(scale, build.sub(build.mul(build.constant(2.0), size), scale))
    return build.sum(build.where(build.condition("le", size, scale), build.power(r, 2), beyond))


def _cauchy(build: Builder, r: int, s: float) -> int:
    return build.mul(_squared(build, s), build.sum(build.unary("log1p", _relative(build, r, s))))


def _arctan(build: Builder, r: int, s: float) -> int:
    return build.mul(_squared(build, s), build.sum(build.unary("arctan", _relative(build, r, s))))


def _relative(build: Builder, r: int, s: float) -> int:
    """``(r/s)^2``."""
    return build.power(build.div(r, build.constant(s)), 2)


def _squared(build: Builder, s: float) -> int:
    """``s^2``, exactly: as a number where it is a double."""
    exact = Fraction(s) ** 2
    near = float(s * s) if abs(s) < 1e150 else 0.0
    return build.constant(near) if Fraction(near) == exact else build.power(build.constant(s), 2)


LOSSES: dict[str, Callable[[Builder, int, float], int]] = {
    "linear": _linear, "soft_l1": _soft, "huber": _huber, "cauchy": _cauchy, "arctan": _arctan,
}  # fmt: skip
"""The sum of each loss, by its name."""
