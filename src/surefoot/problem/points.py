"""Points as the caller gives them, and as a walk sees them: one flat vector of doubles.

A start may be a number, an array, a list of numbers, or a tree of them (mappings, tuples, dataclasses that JAX knows).
Every result comes back in the shape of the start, and every variable has a name for sentences: ``x``, ``x[2]``,
``w[2,3]``, ``layer.w[2,3]``. Variables stand in the order in which the caller wrote them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from surefoot.errors import ModelError


class Points:
    """The correspondence of the caller's points and flat vectors.

    Parameters
    ----------
    example : number, array, list of numbers, or tree of them
        Gives the shape; whole numbers are read as doubles.

    Attributes
    ----------
    size : int
        Number of variables n.
    start : ndarray, shape (n,)
        The example, flat.
    names : tuple of str
        A name for each variable.
    leaves : tuple of (str, tuple of int)
        Name and shape of each number or array, in order.

    Raises
    ------
    ModelError
        The example holds no variables, or something that is not a finite real number.

    Examples
    --------
    >>> points = Points({"w": [[1, 2], [3, 4]], "b": 0.5})
    >>> points.names
    ('w[0,0]', 'w[0,1]', 'w[1,0]', 'w[1,1]', 'b')
    >>> points.shaped(points.start + 1)
    {'w': array([[2., 3.],
           [4., 5.]]), 'b': 1.5}
    """

    def __init__(self, example: Any) -> None:
        self._example = _plain(example)
        self._tree: Any = None
        paths: list[Any] = []
        if _is_leaf(self._example):
            found = [("x", self._example)]
        else:
            located, self._tree = _leaves_of(self._example)
            paths = [path for path, _ in located]
            found = [(_path_name(path) or "x", leaf) for path, leaf in located]
        arrays = [_numbers(name, leaf) for name, leaf in found]
        shapes = [array.shape for array in arrays]
        self.leaves = tuple(zip([name for name, _ in found], shapes, strict=True))
        order = range(len(found)) if self._tree is None else _written_order(self._example, paths)
        self._order = tuple(order)
        sizes = [array.size for array in arrays]
        self._bounds: list[tuple[int, int]] = [(0, 0)] * len(arrays)
        self.size = 0
        for leaf in self._order:
            self._bounds[leaf] = (self.size, self.size + sizes[leaf])
            self.size += sizes[leaf]
        if not self.size:
            raise ModelError("The start holds no variables; give at least one number.")
        self.start = np.concatenate([arrays[leaf].reshape(-1) for leaf in self._order])
        if not np.all(np.isfinite(self.start)):
            at = int(np.argmin(np.isfinite(self.start)))
            raise ModelError(f"The start has {self.names[at]} = {self.start[at]}; a walk starts at finite numbers.")

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for leaf in self._order for name in _entries(*self.leaves[leaf]))

    @property
    def shape(self) -> tuple[Any, ...]:
        """What two starts of the same shape have in common; it can be compared and hashed."""
        return self._tree, self._order, tuple(shape for _, shape in self.leaves)

    def shaped(self, x: np.ndarray) -> Any:
        """A flat vector in the caller's shape; nothing in it shares memory with x."""
        return self.rebuilt(np.array(x, dtype=np.float64), _to_leaf)

    def rebuilt(self, x: Any, to_leaf: Callable[[Any, tuple[int, ...]], Any]) -> Any:
        """The same for anything that can be sliced; ``to_leaf(part, shape)`` gives a part its shape."""
        if self._tree is None:
            return to_leaf(x, self.leaves[0][1])
        parts = [to_leaf(x[a:b], shape) for (a, b), (_, shape) in zip(self._bounds, self.leaves, strict=True)]
        return _as_written(self._example, self._tree.unflatten(parts))

    def flat(self, point: Any) -> np.ndarray:
        """The inverse of `shaped`.

        Raises
        ------
        ModelError
            The point has not the shape of the start.
        """
        return np.asarray(self.flattened(point, lambda leaf: _numbers("point", leaf), np.concatenate), np.float64)

    def flattened(self, point: Any, to_array: Callable[[Any], Any], join: Callable[[list[Any]], Any]) -> Any:
        """The same for anything that can be reshaped and joined."""
        if self._tree is None:
            leaves = [to_array(point)]
        else:
            import jax

            leaves, tree = jax.tree_util.tree_flatten(_plain(point))
            if tree != self._tree:
                raise ModelError(f"The point is built like {tree}, but the start like {self._tree}.")
            leaves = [to_array(leaf) for leaf in leaves]
        for leaf, (name, shape) in zip(leaves, self.leaves, strict=True):
            if leaf.shape != shape and (leaf.size != 1 or shape not in ((), (1,))):
                raise ModelError(f"{name} has shape {leaf.shape}, but shape {shape} at the start.")
        if len(leaves) == 1:
            return leaves[0].reshape(-1)
        return join([leaves[leaf].reshape(-1) for leaf in self._order])


def _plain(example: Any) -> Any:
    """Lists of numbers as the array that they stand for, and mappings that JAX does not know as dictionaries."""
    if isinstance(example, Mapping):
        if type(example) is dict:
            return {key: _plain(value) for key, value in example.items()}
        import jax

        return dict(example) if jax.tree_util.all_leaves([example]) else example
    return np.asarray(example) if _is_list_of_numbers(example) else example


def _is_list_of_numbers(value: Any) -> bool:
    if type(value) not in (list, tuple) or not value:
        return False
    if all(isinstance(one, (int, float, np.number)) for one in value):
        return True
    return all(type(one) in (list, tuple) and len(one) == len(value[0]) and _is_list_of_numbers(one) for one in value)


def _is_leaf(example: Any) -> bool:
    return hasattr(example, "__array__") or isinstance(example, (int, float, complex, str)) or example is None


def _leaves_of(example: Any) -> tuple[list[tuple[Any, Any]], Any]:
    import jax

    return jax.tree_util.tree_flatten_with_path(example)


def _numbers(name: str, leaf: Any) -> np.ndarray:
    try:
        array = np.asarray(leaf)
        if array.dtype.kind == "O" and array.size and leaf is not None:
            array = array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        kind = "complex numbers" if array.dtype.kind == "c" else f"{type(leaf).__name__} {leaf!r}"
        raise ModelError(f"{name} is {kind:.80}; variables are real numbers or arrays of them.")
    return array.astype(np.float64)


def _to_leaf(part: np.ndarray, shape: tuple[int, ...]) -> Any:
    return part.reshape(shape) if shape else float(part.reshape(())[()])


def _entries(name: str, shape: tuple[int, ...]) -> Sequence[str]:
    if not shape:
        return (name,)
    return [f"{name}[{','.join(map(str, index))}]" for index in np.ndindex(shape)]


def _path_name(path: Sequence[Any]) -> str:
    """``layer.w``, ``[0].w``: the way from the root of a tree to a leaf."""
    name = ""
    for step in path:
        key = getattr(step, "key", getattr(step, "name", None))
        if key is None:
            name = f"{name or 'x'}[{getattr(step, 'idx', step)}]"
        else:
            name = f"{name}.{key}" if name else str(key)
    return name


def _written_order(example: Any, paths: Sequence[Sequence[Any]]) -> list[int]:
    """JAX sorts the keys of a dictionary; the caller wrote them in another order."""

    def rank(leaf: int) -> list[int]:
        node, places = example, []
        for step in paths[leaf]:
            if type(node) is not dict:
                if not isinstance(node, (list, tuple)) or not hasattr(step, "idx"):
                    break
                places.append(step.idx)
                node = node[step.idx]
                continue
            places.append(list(node).index(step.key))
            node = node[step.key]
        return [*places, leaf]

    return sorted(range(len(paths)), key=rank)


def _as_written(example: Any, rebuilt: Any) -> Any:
    """The dictionaries of a rebuilt tree with their keys in the order of the example's."""
    if type(example) is dict:
        return {key: _as_written(value, rebuilt[key]) for key, value in example.items()}
    if isinstance(example, (list, tuple)):
        parts = [_as_written(one, two) for one, two in zip(example, rebuilt, strict=True)]
        return type(example)(*parts) if hasattr(example, "_fields") else type(example)(parts)
    return rebuilt
