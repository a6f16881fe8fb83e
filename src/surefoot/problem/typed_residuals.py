"""Residuals as a person types them: one text for each, or one text for many.

    10*(y - x^2)                     one residual
    x[i+1] - x[i]^2, i=0..8          nine of them, one for each value of the index; several indices, the first outermost
    y - a*exp(-b*t)                  as many as the vectors y and t have numbers

Variables have their start as in `typed`; other names are given numbers that stay as they are (the data). The positions
of errors are those of the text in which they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import ExpressionError, OptionError
from surefoot.problem.grammar import parse_function
from surefoot.problem.graph import CONSTANTS, Apply, Node
from surefoot.problem.graph import names as names_of
from surefoot.problem.places import given
from surefoot.problem.tokens import tokenize
from surefoot.problem.typed import position_of, read_start, suggestion
from surefoot.problem.variables import Variables
from surefoot.problem.vectors import VectorError, elements_used, with_sizes

OPENING = "sum("
"""A text with indices is read as a sum over them whose terms stay apart."""
_OPENS, _CLOSES = ("LPAR", "LBRACKET"), ("RPAR", "RBRACKET")


@dataclass(frozen=True)
class TypedResiduals:
    """Residuals as typed, with their variables in the order of the start.

    Attributes
    ----------
    texts : tuple of str
        What was typed.
    nodes : tuple of Node
        The graph of each; one that stands for many is a sum whose outer indices, as many as ``depths`` says, run over
        them.
    depths : tuple of int
    variables : Variables
        Names, sizes, and the way between the flat vector and the shape of the start.
    start : ndarray, shape (n,)
        The start as a flat vector.
    known : tuple of str
        Names of the numbers that do not vary.
    numbers : ndarray, shape (len(known),)
        And these numbers.
    """

    texts: tuple[str, ...]
    nodes: tuple[Node, ...]
    depths: tuple[int, ...]
    variables: Variables
    start: np.ndarray
    known: tuple[str, ...]
    numbers: np.ndarray

    def traceable(self) -> Callable[[Any], Any]:
        """The residuals as a function of the flat vector, (n,) -> (m,), for JAX to trace."""
        from surefoot.problem.graph_jax import jax_terms

        names = (*self.variables.names, *self.known)
        parts = [jax_terms(node, depth, names) for node, depth in zip(self.nodes, self.depths, strict=True)]

        def residuals(x: Any) -> Any:
            import jax.numpy as jnp

            whole = jnp.concatenate([x, self.numbers]) if len(self.numbers) else x
            return jnp.concatenate([part(whole) for part in parts])

        return residuals


def typed_residuals(
    texts: str | Sequence[str], start: str | Mapping[str, Any], known: str | Mapping[str, Any] | None = None
) -> TypedResiduals:
    """Residuals, the point where to start, and the numbers that stay as they are, read and matched.

    Parameters
    ----------
    texts : str or sequence of str
        One text for each residual, or for each family of them.
    start : str or mapping
        As for `typed.typed_function`.
    known : str or mapping, optional
        Likewise, for the names that do not vary.

    Raises
    ------
    ExpressionError
        A text cannot be read, or they do not match: a name without a number, a number that no residual uses.
    DataError
        A mapping holds what is no number, or a name that no residual uses.
    OptionError
        There is no text, or what is given is none; or a name is given a start and a number.

    Examples
    --------
    >>> both = typed_residuals(["10*(y - x^2)", "1 - x"], "x=-1.2, y=1")
    >>> both.variables.names, both.depths
    (('x', 'y'), (0, 0))
    >>> typed_residuals("y - a*exp(-b*t)", "a=1, b=1", "t=[0, 1], y=[5, 3]").depths
    (1,)
    """
    written = (texts,) if isinstance(texts, str) else tuple(texts)
    if not written or not all(isinstance(text, str) for text in written):
        raise OptionError('Residuals are typed one by one, as ["10*(y - x^2)", "1 - x"]; here is something else.')
    read = [_read(text) for text in written]
    point, fixed = read_start(start), {} if known is None else read_start(known)
    twice = [name for name in fixed if name in point]
    if twice:
        raise OptionError(f"{twice[0]} is given a start and a number that stays as it is; keep one.")
    _check_names(read, written, point, fixed, start, known)
    sizes = {name: None if values.ndim == 0 else len(values) for name, values in {**point, **fixed}.items()}
    sized = [_sized(node, depth, text, sizes) for (node, depth), text in zip(read, written, strict=True)]
    variables = Variables({name: sizes[name] for name in point})
    _check_elements([node for node, _ in sized], written, variables)
    others = Variables({name: sizes[name] for name in fixed})
    return TypedResiduals(
        written, tuple(node for node, _ in sized), tuple(depth for _, depth in sized), variables,
        variables.flat(point), others.names, others.flat(fixed),
    )  # fmt: skip


def _read(text: str) -> tuple[Node, int]:
    """The graph of a text, and how many indices stand behind it."""
    commas, ranges = _at_the_top(text)
    if not commas:
        return parse_function(text), 0
    if not ranges:
        reason = "A comma here stands before an index, as in x[i+1] - x[i], i=0..8; give several residuals one by one."
        raise ExpressionError(reason, text, commas[0])
    try:
        return parse_function(f"{OPENING}{text})"), ranges
    except ExpressionError as error:
        reason, position = error.reason, error.position - len(OPENING)
    raise ExpressionError(reason, text, position)


def _at_the_top(text: str) -> tuple[list[int], int]:
    """Where commas stand outside all brackets, and how many ranges follow them."""
    depth, commas, ranges = 0, [], 0
    for token in tokenize(text):
        depth += (token.kind in _OPENS) - (token.kind in _CLOSES)
        if depth == 0 and token.kind == "COMMA":
            commas.append(token.start)
        ranges += depth == 0 and token.kind == "DOTS"
    return commas, ranges


def _check_names(read: Any, texts: Any, point: Any, fixed: Any, start: Any, known: Any) -> None:
    """Every name has a number, and every number is used."""
    used = dict.fromkeys(name for node, _ in read for name in names_of(node))
    unused = [name for name in (*point, *fixed) if name not in used]
    for (node, _), text in zip(read, texts, strict=True):
        for name in names_of(node):
            if name not in point and name not in fixed and name not in CONSTANTS:
                guess = suggestion(name, unused) or "; give it a start, or a number that stays as it is"
                raise ExpressionError(f"Nothing is given to {name}{guess}.", text, _where(text, name))
    if not any(name in used for name in point):
        raise ExpressionError("These residuals have no variables, so there is nothing to fit.", texts[0], 0)
    parts = [*given(start, "start"), *(given(known, "start") if known is not None else ())]
    for part in parts:
        if part.name in unused:
            guess = suggestion(part.name, used)
            part.refuse(f"{part.name} is given a value, but no residual uses it{guess or '; remove it'}.")


def _where(text: str, name: str) -> int:
    """Where a name stands first."""
    if not _at_the_top(text)[1]:
        return position_of(text, name)
    return max(0, position_of(f"{OPENING}{text})", name) - len(OPENING))


def _sized(node: Node, depth: int, text: str, sizes: Mapping[str, int | None]) -> tuple[Node, int]:
    """The graph with whole vectors written out; one that is a vector itself stands for its elements."""
    if not depth and any(size is not None for size in sizes.values()):
        try:
            return with_sizes(Apply("sum", (node,)), sizes), 1
        except VectorError:
            pass  # no vector, or something is wrong that is said better without the sum around it
    try:
        return with_sizes(node, sizes), depth
    except VectorError as error:
        reason, name = str(error), error.name
    raise ExpressionError(reason, text, _where(text, name))


def _check_elements(nodes: Sequence[Node], texts: Sequence[str], variables: Variables) -> None:
    """Every element of a vector that is given a start is used by some residual."""
    used: dict[str, set[int]] = {}
    for node in nodes:
        for name, which in elements_used(node).items():
            used.setdefault(name, set()).update(which or ())
    for name, size in variables.sizes.items():
        left = sorted(set(range(size or 0)) - used.get(name, set()))
        if left:
            spare = f"{name}[{left[0]}]" if len(left) == 1 else f"{name}[{left[0]}] and {len(left) - 1} more"
            text = next(text for text in texts if name in names_of(_read(text)[0]))
            reason = f"The start gives {spare}, but no residual uses it; shorten {name}."
            raise ExpressionError(reason, text, _where(text, name))
