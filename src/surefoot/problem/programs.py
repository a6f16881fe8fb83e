"""Compiled programs, and a memory of them by what they compute.

Python code that JAX traced is a jaxpr: a list of operations. Two traces with the same operations on the same shapes are
the same program, whatever function they came from, so the memory is keyed by the operations and not by the function. A
function whose surroundings changed (a global, an attribute, a closed-over number) is thereby a new program, and never
answered by an old one; a lambda that is made anew for each call is the old one. Arrays that were closed over are
arguments of the program: new data of the same shape compile nothing.

Everything runs in double precision, in a context of its own, and leaves the caller's configuration of JAX as it is.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

REMEMBERED = 128
"""Programs that are kept; the one unused for longest goes first."""

CUSTOM_RULES = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
"""Operations whose derivative is a Python function, which no comparison can look into."""

_memory: OrderedDict[Any, Any] = OrderedDict()


class NotComparable(Exception):
    """A jaxpr holds something that cannot be compared with what another holds."""


def double() -> AbstractContextManager[Any]:
    """Double precision inside, without touching the caller's configuration."""
    import jax

    return jax.enable_x64(True)


class Program:
    """One function of arrays, compiled; it returns one array of doubles.

    Attributes
    ----------
    compile_seconds : float
        What tracing and compiling took; 0 if it was remembered. Compiling beside other work counts until it is needed.
    compiled : bool
        Whether it was compiled now.

    Notes
    -----
    With ``beside`` it is traced now, so that what cannot be differentiated is known, and compiled in a thread; the
    first call waits for that.
    """

    def __init__(
        self, function: Callable[..., Any], examples: Sequence[Any], key: Any, *, beside: bool = False
    ) -> None:
        import jax

        began = time.perf_counter()
        self.compiled = False
        key = None if key is None else (key, tuple((one.shape, one.dtype) for one in examples), jax.default_backend())
        executable = _remembered(key)
        if executable is None:
            with double():
                traced = jax.jit(lambda *inputs: function(*inputs)).trace(*map(_struct, examples))
                if key is None:
                    key = _own_key(traced.jaxpr)
                    executable = _remembered(key)
                if executable is None:
                    lowered = traced.lower()
                    executable = _Awaited(lowered.compile, self, key) if beside else lowered.compile()
                    self.compiled = True
            if not isinstance(executable, _Awaited):
                _remember(key, executable)
        self._call: Callable[..., Any] = executable
        self._context = jax.enable_x64
        self.compile_seconds = time.perf_counter() - began if self.compiled else 0.0

    def __call__(self, *inputs: Any) -> np.ndarray:
        with self._context(True):
            return np.asarray(self._call(*inputs))


class _Awaited:
    """An executable that a thread compiles; it puts itself into its program's place when it is first called."""

    def __init__(self, compile_: Callable[[], Any], program: Program, key: Any) -> None:
        self._program, self._key = program, key
        self._found: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(compile_,), name="compiling")
        self._thread.start()

    def _run(self, compile_: Callable[[], Any]) -> None:
        try:
            self._found = compile_()
        except BaseException as error:  # it belongs to whoever needs the program
            self._error = error

    def __call__(self, *inputs: Any) -> Any:
        began = time.perf_counter()
        self._thread.join()
        if self._error is not None:
            raise self._error
        _remember(self._key, self._found)
        self._program._call = self._found
        self._program.compile_seconds += time.perf_counter() - began
        return self._found(*inputs)


def to_device(array: Any) -> Any:
    """An array where the programs read it, in its own precision."""
    import jax

    with double():
        return jax.device_put(np.array(array)) if isinstance(array, np.ndarray) else jax.device_put(array)


def structure(jaxpr: Any, *, rules: bool = True) -> Any:
    """What a jaxpr computes, as something that can be compared and hashed.

    Parameters
    ----------
    jaxpr : jaxpr
        Without its constants, whose values do not count.
    rules : bool
        Whether it may still be differentiated, so that derivatives given as Python functions count; they cannot be
        compared.

    Raises
    ------
    NotComparable
        Equal keys would not mean equal programs.
    """
    places: dict[Any, int] = {}

    def place(atom: Any) -> Any:
        if hasattr(atom, "val"):
            value = np.asarray(atom.val)
            return "literal", atom.aval, value.dtype, value.tobytes()
        return places.setdefault(atom, len(places))

    rows: list[Any] = [tuple((place(one), one.aval) for one in [*jaxpr.constvars, *jaxpr.invars])]
    for equation in jaxpr.eqns:
        custom = equation.primitive.name in CUSTOM_RULES
        if custom and rules:
            raise NotComparable(equation.primitive.name)
        # Once a program is compiled, only the function itself counts, not the rules for its derivative.
        names = [name for name in equation.params if not custom or name in ("call_jaxpr", "fun_jaxpr")]
        params = tuple((name, _frozen(equation.params[name], rules)) for name in sorted(names))
        inputs = tuple(map(place, equation.invars))
        rows.append((equation.primitive, inputs, tuple((place(one), one.aval) for one in equation.outvars), params))
    rows.append(tuple(map(place, jaxpr.outvars)))
    return tuple(rows)


def _frozen(value: Any, rules: bool) -> Any:
    if hasattr(value, "eqns") and hasattr(value, "jaxpr"):
        return structure(value.jaxpr, rules=rules), tuple(_frozen(one, rules) for one in value.consts)
    if hasattr(value, "eqns"):
        return structure(value, rules=rules)
    if isinstance(value, (tuple, list)):
        return type(value).__name__, tuple(_frozen(one, rules) for one in value)
    if isinstance(value, dict):
        return tuple((str(key), _frozen(one, rules)) for key, one in sorted(value.items(), key=lambda item: str(item)))
    if hasattr(value, "__array__") and hasattr(value, "shape"):
        array = np.asarray(value)
        return array.shape, array.dtype, array.tobytes()
    try:
        hash(value)
    except TypeError:
        raise NotComparable(type(value).__name__) from None
    return type(value).__name__, value


def _own_key(jaxpr: Any) -> Any:
    """The key of a program that has already been differentiated; None if it has none."""
    try:
        return structure(jaxpr.jaxpr, rules=False), tuple(_frozen(one, False) for one in jaxpr.consts)
    except NotComparable:
        return None


def _struct(example: Any) -> Any:
    import jax

    return jax.ShapeDtypeStruct(example.shape, example.dtype)


def _remembered(key: Any) -> Any:
    if key is None or key not in _memory:
        return None
    _memory.move_to_end(key)
    return _memory[key]


def _remember(key: Any, executable: Any) -> None:
    if key is None:
        return
    _memory[key] = executable
    while len(_memory) > REMEMBERED:
        _memory.popitem(last=False)
