"""A function and its start as a person types them, matched: ``"100*(y - x^2)^2 + (1 - x)^2"`` and ``"x=-1.2, y=1"``.

The order of the variables is that of the start. A name that stands on one side only is an error with a suggestion,
never a silent zero. Directions, boxes and bounds are read against the same variables.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import DataError, ExpressionError
from surefoot.problem.grammar import parse_function
from surefoot.problem.graph import CONSTANTS, Node
from surefoot.problem.graph import names as names_of
from surefoot.problem.places import Given, given
from surefoot.problem.tokens import quote, tokenize, unquote
from surefoot.problem.variables import Variables
from surefoot.problem.vectors import VectorError, elements_used, with_sizes
from surefoot.problem.writing import to_text


@dataclass(frozen=True)
class TypedFunction:
    """A function as typed, with its variables in the order of the start.

    Attributes
    ----------
    text : str
        What was typed.
    node : Node
        Its graph, whole vectors written out as sums over an index.
    variables : Variables
        Names, sizes, and the way between the flat vector and the shape of the start.
    start : ndarray, shape (n,)
        The start as a flat vector.
    """

    text: str
    node: Node
    variables: Variables
    start: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each position of the flat vector."""
        return self.variables.names

    def traceable(self) -> Callable[[Any], Any]:
        """The function of the flat vector, for JAX to trace (see `graph_jax.jax_function`)."""
        from surefoot.problem.graph_jax import jax_function

        return jax_function(self.node, self.names)


def typed_function(function: str | Node, start: str | Mapping[str, Any]) -> TypedFunction:
    """A function of variables and the point where to start, read and matched.

    Parameters
    ----------
    function : str or Node
        As `grammar.parse_function` reads it, or what it gave.
    start : str or mapping
        ``"x=-1.2, y=[1, 2]"``, ``"x[0]=1, x[1]=2"``, or ``{"x": -1.2, "y": [1, 2]}``.

    Raises
    ------
    ExpressionError
        One of the texts cannot be read, or they do not match: a variable without a start, a start that the function
        does not use, a vector where a number should stand.
    DataError
        The mapping holds what is no number, or a name that the function does not use.

    Examples
    --------
    >>> bowl = typed_function("sum(x^2) + (y - 1)^2", "y=3, x=[1, 2]")
    >>> bowl.names, bowl.start
    (('y', 'x[0]', 'x[1]'), array([3., 1., 2.]))
    """
    text, node = (function, parse_function(function)) if isinstance(function, str) else (to_text(function), function)
    point = read_start(start)
    _check_names(node, text, point, given(start, "start"))
    variables = Variables({name: None if values.ndim == 0 else len(values) for name, values in point.items()})
    written = _written_out(node, text, variables)
    return TypedFunction(text, written, variables, variables.flat(point))


def variables_of(function: str | Node) -> Variables:
    """The variables of a function in order of first appearance, a vector as long as its last index asks for.

    Raises
    ------
    ExpressionError
        The text cannot be read, or has whole vectors, whose sizes only a start can tell.

    Examples
    --------
    >>> variables_of("x[0]^2 + x[1]^2 + pi*t").sizes
    {'x': 2, 't': None}
    """
    text, node = (function, parse_function(function)) if isinstance(function, str) else (to_text(function), function)
    try:
        used = elements_used(node)
        sizes = {name: None if which is None else max(which) + 1 for name, which in used.items()}
        for constant in CONSTANTS:
            if sizes.get(constant, 0) is None:
                del sizes[constant]
        variables = Variables(sizes)
        with_sizes(node, sizes)
    except VectorError as error:
        reason, name = str(error), error.name
    else:
        return variables
    raise ExpressionError(reason, text, position_of(text, name))


def read_start(start: str | Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The numbers of a start: shape () for a single one, (k,) for a vector.

    Raises
    ------
    ExpressionError, DataError
        The start cannot be read, has intervals, or leaves out elements of a vector.

    Examples
    --------
    >>> read_start("x=-1.2, y[0]=1, y[1]=2^3")
    {'x': array(-1.2), 'y': array([1., 8.])}
    """
    found: dict[str, np.ndarray] = {}
    elements: dict[str, dict[int, Given]] = {}
    for part in given(start, "start"):
        if part.form == "interval":
            part.refuse(f"A start is one point, and {part.shown} is given an interval; write {part.shown}=1.")
        if not np.isfinite(part.values).all():
            part.refuse(f"The start of {part.shown} is not finite.")
        if part.values.ndim > (1 if part.index is None else 0):
            part.refuse(f"{part.shown} takes {'one number' if part.index is not None else 'a number or a vector'}.")
        if part.name in (found if part.index is not None else elements):
            part.refuse(f"The start gives {part.name} as a whole and by its elements; keep one.")
        if part.index is None:
            found[part.name] = part.values
        else:
            found.pop(part.name, None)
            elements.setdefault(part.name, {})[part.index] = part
    order = dict.fromkeys(part.name for part in given(start, "start"))
    for name, parts in elements.items():
        gap = next((k for k in range(len(parts)) if k not in parts), None)
        if gap is not None:
            parts[max(parts)].refuse(f"The start gives {name}[{max(parts)}] but not {name}[{gap}]; give every element.")
        found[name] = np.array([float(parts[k].values) for k in range(len(parts))])
    return {name: found[name] for name in order}


def read_direction(direction: str | Mapping[str, Any], variables: Variables) -> np.ndarray:
    """A direction (n,): numbers for some variables, zero for those that are not named.

    Raises
    ------
    ExpressionError, DataError
        It cannot be read, names what is no variable, has another size, or is zero.

    Examples
    --------
    >>> read_direction("y=1", Variables({"x": None, "y": None}))
    array([0., 1.])
    """
    vector = np.zeros(variables.size)
    parts = given(direction, "direction")
    for part in parts:
        place = _place(part, variables, "direction")
        if part.form == "interval" or not np.isfinite(part.values).all():
            part.refuse(f"A direction has finite numbers; {part.shown} is given something else.")
        whole = variables.sizes[part.name] is not None and part.index is None
        if part.values.shape != ((place.stop - place.start,) if whole else ()):
            wanted = f"a vector of {place.stop - place.start} numbers" if whole else "one number"
            part.refuse(f"{part.shown} takes {wanted} in a direction.")
        vector[place] = part.values
    if not vector.any():
        parts[0].refuse("This direction is zero; it points nowhere.")
    return vector


def read_box(box: str | Mapping[str, Any], variables: Variables) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper corner (n,) of a box with an interval for every variable.

    Parameters
    ----------
    box : str or mapping
        ``"x=-5..5, y=[0, 3]"``, or ``{"x": (-5, 5), "y": (0, 3)}``. An interval that is given to a vector is that of
        each element; elements have their own by ``"x[0]=0..1"``, or ``{"x": [(0, 1), (2, 3)]}`` for all of them.

    Raises
    ------
    ExpressionError, DataError
        It cannot be read, names what is no variable, leaves one out, or an interval is empty or endless.

    Examples
    --------
    >>> read_box("y=0..3, x=-pi..pi", Variables({"x": 2, "y": None}))
    (array([-3.14159265, -3.14159265,  0.        ]), array([3.14159265, 3.14159265, 3.        ]))
    """
    lower, upper, parts = _intervals(box, variables, "box")
    missing = np.flatnonzero(np.isnan(lower))
    if len(missing):
        name = variables.names[missing[0]]
        raise DataError(f"The box has no interval for {name}; add {name}=-1..1 with the ends that you mean.")
    for part in parts:
        place = _place(part, variables, "box")
        if not (np.isfinite(lower[place]).all() and np.isfinite(upper[place]).all()):
            part.refuse(f"The interval of {part.shown} is endless; a box is finite.")
        if np.any(lower[place] == upper[place]):
            part.refuse(f"The interval of {part.shown} is a single point; give it two different ends.")
    return lower, upper


def read_bounds(bounds: str | Mapping[str, Any], variables: Variables) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper bounds (n,): as `read_box`, but endless where nothing is said, or where ``inf`` is.

    Examples
    --------
    >>> read_bounds("x=0..inf", Variables({"x": None, "y": None}))
    (array([  0., -inf]), array([inf, inf]))
    """
    lower, upper, _ = _intervals(bounds, variables, "bounds")
    return np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)


def _intervals(
    box: str | Mapping[str, Any], variables: Variables, what: str
) -> tuple[np.ndarray, np.ndarray, list[Given]]:
    """The ends of the intervals, NaN where none is given; one that is given to an element goes before that of all."""
    lower, upper = np.full(variables.size, np.nan), np.full(variables.size, np.nan)
    parts = given(box, what)
    for part in sorted(parts, key=lambda part: part.index is not None):
        place = _place(part, variables, what)
        count = place.stop - place.start
        if part.form == "value" or part.values.shape not in ((2,), (count, 2)):
            part.refuse(f"{part.shown} takes an interval: {part.shown}=-5..5, or (-5, 5) in Python.")
        ends = np.broadcast_to(part.values, (count, 2))
        if np.any(ends[:, 0] > ends[:, 1]):
            low, high = ends[np.argmax(ends[:, 0] > ends[:, 1])]
            part.refuse(
                f"The interval of {part.shown} runs downwards, from {low:g} to {high:g}; the lower end is first."
            )
        lower[place], upper[place] = ends[:, 0], ends[:, 1]
    return lower, upper, parts


def _place(part: Given, variables: Variables, what: str) -> slice:
    """Where in the flat vector the variable of this part is."""
    if part.name not in variables.sizes:
        part.refuse(f"The {what} names {part.name}, which is no variable here{suggestion(part.name, variables.sizes)}.")
    place, size = variables.places[part.name], variables.sizes[part.name]
    if part.index is None:
        return place
    if size is None or part.index >= size:
        has = "is a single number" if size is None else f"has {size} numbers, counted from 0"
        part.refuse(f"There is no {part.shown}: {part.name} {has}.")
    return slice(place.start + part.index, place.start + part.index + 1)


def _check_names(node: Node, text: str, point: Mapping[str, np.ndarray], parts: Sequence[Given]) -> None:
    """Every variable has a start, and everything that is given is used."""
    used = names_of(node)
    if not used:
        raise ExpressionError("This function has no variables, so there is nothing to minimise.", text, 0)
    unused = [name for name in point if name not in used]
    for name in used:
        if name not in point and name not in CONSTANTS:
            known = {"e": " (The number e is exp(1).)"}.get(name, "")
            guess = suggestion(name, unused) or f"; add {quote(name)}=1 with the value that you mean"
            raise ExpressionError(f"The start gives nothing to {name}{guess}.{known}", text, position_of(text, name))
    for part in parts:
        if part.name in unused:
            guess = suggestion(part.name, used)
            part.refuse(
                f"The start gives {part.name} a value, but the function does not use it{guess or '; remove it'}."
            )


def _written_out(node: Node, text: str, variables: Variables) -> Node:
    try:
        written = with_sizes(node, variables.sizes)
        for name, which in elements_used(written).items():
            left = sorted(set(range(variables.sizes.get(name) or 0)) - (which or set()))
            if left:
                spare = f"{name}[{left[0]}]" if len(left) == 1 else f"{name}[{left[0]}] and {len(left) - 1} more"
                raise VectorError(f"The start gives {spare}, but the function does not use it; shorten {name}.", name)
        return written
    except VectorError as error:
        reason, name = str(error), error.name
    raise ExpressionError(reason, text, position_of(text, name))


def suggestion(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """What a name that is not known may have meant, as the end of a sentence; empty where nothing is near.

    Examples
    --------
    >>> suggestion("rat", ["rate", "height"])
    '; did you mean rate'
    """
    lowered = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name, list(known), n=2) or [lowered[k] for k in [name.lower()] if k in lowered]
    if not near and len(known) == 1:
        near = list(known)
    return f"; did you mean {' or '.join(near)}?"[:-1] if near else ""


def position_of(text: str, name: str) -> int:
    """Where a variable stands first: where another name in its place would be a variable too, and not an index."""
    try:
        places = [token for token in tokenize(text) if token.kind == "NAME" and unquote(token.text) == name]
    except ExpressionError:  # the text of a graph may be longer than what is read
        return 0
    for token in places:
        other = f"{text[: token.start]}`?`{text[token.start + len(token.text) :]}"
        try:
            if "?" in names_of(parse_function(other)):
                return token.start
        except ExpressionError:
            continue
    return 0
