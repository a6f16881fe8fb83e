"""A JAX program as a real graph: what it computes, on the real numbers.

    f(x) -> jaxpr -> nodes        operation by operation, by their names: `jax_rules`, `jax_moves`, `jax_windows`

Inner functions are read inline: compiled ones, those to be recomputed, and those with derivatives of their own, whose
**value is what counts and never the derivative that somebody gave**. A library function is taken for the mathematical
one only if its body is, node for node, that of the library (`library`). Loops of known length are unrolled, or done for
all steps at once where the steps know nothing of each other. This file alone knows how JAX keeps its programs.

Reference: Bradbury et al. (2018), "JAX: composable transformations of Python+NumPy programs", and its documentation,
"Understanding jaxprs".
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.drawing import Call, Drawing, Value
from surefoot.problem.jax_library import notes, recognised
from surefoot.problem.jax_loops import LOOPS
from surefoot.problem.jax_moves import MOVES
from surefoot.problem.jax_rules import RULES
from surefoot.problem.jax_windows import WINDOWS
from surefoot.problem.points import Points
from surefoot.problem.programs import double
from surefoot.problem.reading import Reading, in_words, read
from surefoot.problem.real import Builder, Graph
from surefoot.problem.real_floating import value
from surefoot.problem.returned import as_value
from surefoot.problem.traced import disagreement
from surefoot.problem.whole_numbers import largest

INLINE = (
    "jit", "pjit", "closed_call", "core_call", "call", "remat", "remat2", "checkpoint", "custom_jvp_call",
    "custom_vjp_call", "custom_vjp_call_jaxpr", "custom_vmap_call", "composite",
)  # fmt: skip
"""Operations that are a function of their own."""

SELECTING = (
    "argmax", "argmin", "sort", "top_k", "convert_element_type", "bitcast_convert_type", "gather", "sign", "floor",
    "ceil", "round", "nextafter", "clamp", "select_n",
)  # fmt: skip
"""Operations whose result on known doubles does not round."""

SHORT = ("float32", "float16", "bfloat16")
"""Types of numbers with fewer digits than a double."""

FOREIGN = ("callback", "ffi_call")
"""How names of operations end that call something else."""

RANDOM = ("random_", "threefry", "rng_")
"""How names of operations begin that draw random numbers."""


def real_graph(f: Callable[..., Any], example: Any, arguments: Sequence[Any] = ()) -> Graph:
    """The real function that a function written with `jax.numpy` denotes.

    Parameters
    ----------
    f : callable
        ``f(x, *arguments)`` gives a number; x has the shape of the example.
    example : number, array, list of numbers, or tree of them
        A point, for its shape.
    arguments : sequence
        Data that do not vary.

    Returns
    -------
    Graph
        Over the flat vector of the variables, in the order and with the names that an `Objective` has for them.
        Operations that nothing is known of are nodes ``"unknown"``, with their names and the lines that wrote them.

    Raises
    ------
    ModelError
        f cannot be traced by JAX, does not give a number, or the example holds no finite numbers.

    References
    ----------
    Bradbury et al. (2018), "JAX: composable transformations of Python+NumPy programs".

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> graph = real_graph(lambda p: jnp.sum(p["w"] ** 2) + p["b"], {"w": [1.0, 2.0], "b": 0.0})
    >>> graph.names
    ('w[0]', 'w[1]', 'b')
    >>> [node.operation for node in graph.nodes]
    ['input', 'slice', 'reshape', 'slice', 'power', 'sum', 'add']
    """
    points = Points(example)
    try:
        reading = read(f, points, arguments)
    except ModelError:
        raise
    except Exception as refused:
        raise ModelError(
            f"{in_words(refused)}, so what it computes cannot be read. Write it with jax.numpy, or as text."
        ) from refused
    graph = graph_read(reading, points.names)
    apart = "" if any(node.operation == "unknown" for _, node in graph) else _disagreement(graph, f, points, arguments)
    if apart:
        raise ModelError(f"{apart}, so nothing can be proven about it. Let it depend on nothing but x.")
    return graph


def _disagreement(graph: Graph, f: Callable[..., Any], points: Points, arguments: Sequence[Any]) -> str:
    def plain(x: np.ndarray) -> np.ndarray:
        return np.array([as_value(f(points.shaped(x), *arguments))])

    return disagreement(plain, lambda x: np.array([value(graph, x)]), points.start)


def graph_read(reading: Reading, names: Sequence[str], then: Callable[[Builder, int], int] | None = None) -> Graph:
    """The real function that JAX has read already.

    Parameters
    ----------
    reading : Reading
        Of a program; what counts is the first thing that it gives.
    names : sequence of str
        The variables.
    then : callable, optional
        Makes one number of the array that the program gives: given a builder and the place of the array, it gives the
        place of the number.
    """
    build = Builder(names)
    reader = _Reader(Drawing(build))
    with double(), np.errstate(all="ignore"):
        constants = [reader.known(array) for array in reading.constants]
        closed, passed = constants[: reading.closed], constants[reading.closed :]
        found = reader.run(reading.jaxpr, closed, [build.input, *passed])[0]
        place = reader.draw.place(found)
        graph = build.graph(build.reshape(place if then is None else then(build, place), ()))
    return replace(graph, notes=(*graph.notes, *notes({node.operation for node in graph.nodes})))


def _kind(kind: Any) -> str:
    """What numbers of a type stand for."""
    name = str(kind)
    if name == "bool":
        return "truth"
    if name.startswith(("float", "bfloat")) and name != "float0":
        return "real"
    return "whole" if name.startswith(("int", "uint")) else "other"


def _body(equation: Any) -> tuple[Any, Sequence[Any]]:
    """The program inside of an operation, and its constants."""
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr", "call"):
        inner = equation.params.get(name)
        if inner is not None:
            return _opened(inner)
    raise KeyError(equation.primitive.name)


def _opened(program: Any) -> tuple[Any, Sequence[Any]]:
    return getattr(program, "jaxpr", program), getattr(program, "consts", ())


class _Reader:
    """Reads programs, one operation after the other."""

    def __init__(self, draw: Drawing) -> None:
        self.draw = draw
        self._sources: dict[int, tuple[Any, str]] = {}
        self._at = ""  # the user's line that called the library function being read

    def known(self, array: Any, kind: Any = None) -> Value:
        """A constant: doubles as they are, short floating-point numbers as the doubles they are."""
        kind = getattr(array, "dtype", None) if kind is None else kind
        meaning = _kind(kind if kind is not None else np.asarray(array).dtype)
        if meaning == "other":
            return self.draw.unknown(f"constant of type {kind}", (), np.shape(array))
        found = np.asarray(array) if kind is None else np.asarray(array, dtype=kind)
        return found.astype(float) if meaning == "real" else found

    def run(self, program: Any, constants: Sequence[Any], inputs: Sequence[Value]) -> list[Value]:
        """The results of a program."""
        values: dict[Any, Value] = dict(zip(program.constvars, constants, strict=True))
        values.update(zip(program.invars, inputs, strict=True))

        def of(atom: Any) -> Value:
            return self.known(atom.val, atom.aval.dtype) if hasattr(atom, "val") else values[atom]

        for equation in program.eqns:
            self.draw.build.source = self._source(equation)
            found = self._apply(equation, [of(atom) for atom in equation.invars])
            for atom, one in zip(equation.outvars, found, strict=True):
                values[atom] = one if isinstance(one, int) else np.asarray(one)
                if isinstance(one, int) and str(atom.aval.dtype) in SHORT:
                    self.draw.build.notes.append(
                        f"f computes in {atom.aval.dtype} on the way; what is said is true of f without that rounding."
                    )
        return [of(atom) for atom in program.outvars]

    def _apply(self, equation: Any, values: list[Value]) -> list[Value]:
        name = equation.primitive.name
        if not equation.outvars:
            return []
        found: Any = None
        if name in INLINE:
            found = self._inline(equation, values)
        elif name in ("cond", "scan", "while"):
            found = LOOPS[name](self, equation, values)
        elif not name.startswith(RANDOM):
            call = self._call(equation)
            rule = RULES.get(name) or MOVES.get(name) or WINDOWS.get(name)
            found = rule(self.draw, values, call) if rule is not None else None
            if found is None and _can_run(call, values):
                kinds = [atom.aval.dtype for atom in equation.invars]
                cast = [np.asarray(one, dtype=kind) for one, kind in zip(values, kinds, strict=True)]
                found = [self.known(one) for one in call.run(*cast)]
            if found is not None and call.kind == "whole" and name not in MOVES and not self._holds(equation, found):
                found = None
        if found is None:
            return [self.draw.unknown(name, values, atom.aval.shape) for atom in equation.outvars]
        return found if isinstance(found, list) else [found]

    def _holds(self, equation: Any, found: Any) -> bool:
        """Whether a type of whole numbers holds what depends on the input: it may not run over."""
        if isinstance(found, (np.ndarray, list)):
            return True
        kind = equation.outvars[0].aval.dtype
        signed = kind.kind == "i" or equation.primitive.name == "convert_element_type"
        return signed and largest(self.draw.build, found) <= np.iinfo(kind).max

    def _call(self, equation: Any) -> Call:
        def run(*arrays: Any) -> list[Any]:
            found = equation.primitive.bind(*arrays, **equation.params)
            return list(found) if equation.primitive.multiple_results else [found]

        return Call(
            equation.primitive.name,
            equation.params,
            tuple(_kind(atom.aval.dtype) for atom in equation.invars),
            tuple((tuple(atom.aval.shape), _kind(atom.aval.dtype)) for atom in equation.outvars),
            run,
        )

    # Functions inside

    def inner(self, program: Any, inputs: Sequence[Value]) -> list[Value]:
        """The results of a program with its own constants."""
        body, constants = _opened(program)
        return self.run(body, [self.known(one) for one in constants], inputs)

    def _inline(self, equation: Any, values: list[Value]) -> list[Value]:
        body, constants = _body(equation)
        before = self._at
        if not self._at and _is_library(body):
            self._at = self.draw.build.source
        try:
            found = self.run(body, [self.known(one) for one in constants], values)
            atom = recognised(self, body, values, found)
        finally:
            self._at = before
        return found if atom is None else [atom]

    # Lines of the user's files

    def _source(self, equation: Any) -> str:
        if self._at:
            return self._at
        held = self._sources.get(id(equation))
        if held is None:
            held = self._sources[id(equation)] = (equation, _line(equation))
        return held[1]


def _can_run(call: Call, values: Sequence[Value]) -> bool:
    """Whether what the program computes is the real value itself."""
    if not all(isinstance(value, np.ndarray) for value in values) or "other" in call.kinds:
        return False
    kinds = [*call.kinds, *(kind for _, kind in call.outputs)]
    return call.name in SELECTING or ("real" not in kinds and "other" not in kinds and not call.name.endswith(FOREIGN))


@cache
def _folders() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders of JAX and of this package, and those of installed libraries."""
    import jax
    import jaxlib

    own = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
    own += [os.path.dirname(str(library.__file__)) for library in (jax, jaxlib)]
    paths = sysconfig.get_paths()
    return tuple(one + os.sep for one in own), tuple(paths[name] for name in ("stdlib", "purelib", "platlib"))


def _line(equation: Any) -> str:
    """File and line of the user's that wrote an operation; empty if JAX does not know."""
    try:
        frames = [(str(one.file_name), int(one.line_num)) for one in equation.source_info.traceback.frames]
    except Exception:  # the record of places is JAX's own, and its form is no promise
        return ""
    own, installed = _folders()
    outside = [one for one in frames if not one[0].startswith((*own, "<frozen"))]
    mine = [one for one in outside if not one[0].startswith(installed)] or outside
    return f"{os.path.basename(mine[0][0])}:{mine[0][1]}" if mine else ""


def _is_library(program: Any) -> bool:
    """Whether JAX itself wrote the function that a program was read from."""
    place = str(getattr(getattr(program, "debug_info", None), "func_src_info", "") or "")
    return any(folder in place for folder in _folders()[0][1:])
