"""A proof as JSON: the graph, the SHA-256 of each constant, the argument with its numbers, the versions, and a seal.

Small constants are written with it, bytes in base64; of large ones only shape and digest, and who rechecks the proof
brings them. The seal is the SHA-256 of everything else in canonical form: it tells damage, not forgery, for which the
numbers are proven again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import DataError
from surefoot.plain_json import plain
from surefoot.problem.real import (
    BINARY,
    CONDITIONS,
    LEAVES,
    POWER,
    REDUCTIONS,
    STRUCTURE,
    UNARY,
    Graph,
    Node,
    digest,
)
from surefoot.problem.structure import move, subscripts

if TYPE_CHECKING:
    from surefoot.problem.domain import Domain
    from surefoot.proof.certificate import Certificate

FORMAT = "surefoot-certificate-1"
WRITTEN = 100_000
"""Numbers in all constants together up to which they are written with the proof."""
FEW = 1000
"""Numbers in a constant up to which it is written beside large ones: the literals of a program are nobody's data."""
ARITHMETIC = ("numpy", "crival", "python-flint")
KINDS = ("<f8", "|b1", "<i8")
OPERATIONS = frozenset(
    (*UNARY, POWER, *BINARY, *CONDITIONS, "where", *REDUCTIONS, "cumsum", "dot", *STRUCTURE, *LEAVES)
)


def versions() -> dict[str, str]:
    """What computed the proof."""
    from surefoot import __version__

    found = {"surefoot": __version__}
    for name in ARITHMETIC:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def seal(state: Mapping[str, Any]) -> str:
    """SHA-256 of everything but the seal.

    Examples
    --------
    >>> seal({"a": 1, "seal": "any"}) == seal({"a": 1})
    True
    """
    rest = plain({key: value for key, value in state.items() if key != "seal"})
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def sealed(state: Mapping[str, Any], graph: Graph | Mapping[str, Any]) -> dict[str, Any]:
    """A certificate with its graph, or with what a file said beside it, and its seal."""
    if not isinstance(graph, Graph):
        return plain({"format": graph["format"], **state, **{key: graph[key] for key in ("graph", "versions", "seal")}})
    whole = plain({"format": FORMAT, **state, "graph": graph_to_json(graph), "versions": versions()})
    return {**whole, "seal": seal(whole)}


def of_function(certificate: Certificate, graph: Graph, domain: Domain) -> Certificate:
    """A certificate of a whole function with what a recheck needs: the function, and where it is considered."""
    argument = {"kind": "curvature", "domain": domain.to_json()}
    return replace(certificate, graph=graph, evidence={**certificate.evidence, "argument": argument})


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """Nodes as lists, constants by digest.

    Examples
    --------
    >>> from surefoot.problem.real import Builder
    >>> build = Builder(("x",))
    >>> graph = build.graph(build.sum(build.power(build.input, 2)))
    >>> graph_from_json(graph_to_json(graph)) == graph
    True
    """
    whole = sum(array.size for array in graph.constants.values()) <= WRITTEN
    return {
        "names": list(graph.names),
        "nodes": [
            [node.operation, list(node.operands), list(node.shape), _settings(node), node.source]
            for node in graph.nodes
        ],
        "output": graph.output,
        "constants": {key: _constant(array, whole or array.size <= FEW) for key, array in graph.constants.items()},
        "notes": list(graph.notes),
    }


def _settings(node: Node) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Fraction) else _listed(value) for name, value in node.settings}


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value


def _constant(array: np.ndarray, written: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": array.dtype.str, "shape": list(array.shape)}
    if written:
        found["bytes"] = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return found


def graph_from_json(state: Mapping[str, Any], data: Any = None) -> Graph:
    """The graph that was written, its constants checked against their digests.

    Parameters
    ----------
    state : mapping
        What `graph_to_json` gave.
    data : array, iterable of arrays, or mapping of arrays, optional
        Constants that were not written, and any others that the caller holds the proof to.

    Raises
    ------
    DataError
        A constant is missing, or is not the one of the proof; or the graph is no graph.
    """
    brought = _brought(data)
    constants, used = {}, set()
    for key, head in state["constants"].items():
        constants[key] = _read_constant(key, head, brought, used)
    for name, array in brought.items():
        if name not in used:
            raise DataError(
                f"The constant {name} with shape {array.shape} is not one of this proof: its SHA-256 "
                f"{digest(np.asarray(array, dtype=float))[:16]}... is none of those that the certificate names."
            )
    nodes: list[Node] = []
    for row in state["nodes"]:
        nodes.append(_read_node(row, nodes, constants))
    output = state["output"]
    names = tuple(str(name) for name in state["names"])
    sound = isinstance(output, int) and 0 <= output < len(nodes) and not nodes[output].shape
    if not sound or nodes[0].operation != "input" or nodes[0].shape != (len(names),):
        raise DataError("The certificate is damaged: its graph has no input or no output that is a number.")
    return Graph(tuple(nodes), output, names, constants, tuple(state["notes"]))


def _brought(data: Any) -> dict[str, np.ndarray]:
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return {str(name): np.asarray(array) for name, array in data.items()}
    if isinstance(data, np.ndarray) or not isinstance(data, Iterable):
        data = [data]
    return {f"number {k}": np.asarray(array) for k, array in enumerate(data, start=1)}


def _read_constant(key: str, head: Mapping[str, Any], brought: Mapping[str, np.ndarray], used: set[str]) -> np.ndarray:
    shape, kind = tuple(head["shape"]), head["kind"]
    if kind not in KINDS:
        raise DataError(f"The certificate is damaged: a constant of the kind {kind!r} is none of a graph.")
    found = None
    for name, array in brought.items():
        for view in (array, array.T):
            if view.size == int(np.prod(shape)) and (own := _same(view.reshape(shape), kind, key)) is not None:
                found = own
                used.add(name)
    if found is None and "bytes" in head:
        found = np.frombuffer(base64.b64decode(head["bytes"], validate=True), dtype=kind).reshape(shape)
        if digest(found) != key:
            raise DataError(
                f"The constant {key[:16]}... in the certificate does not have that SHA-256: it was changed."
            )
    if found is None:
        raise DataError(
            f"The proof needs the constant of shape {shape} with the SHA-256 {key[:16]}..., which is too large to be "
            "in the certificate: bring it as data=."
        )
    found.setflags(write=False)
    return found


def _same(array: np.ndarray, kind: str, key: str) -> np.ndarray | None:
    """The array as the graph holds it, if it is the one of the digest."""
    try:
        own = np.array(array, dtype=kind)
    except (TypeError, ValueError):
        return None
    return own if digest(own) == key else None


def _read_node(row: Any, before: Sequence[Node], constants: Mapping[str, np.ndarray]) -> Node:
    operation, operands, shape, settings, source = row
    k = len(before)
    read = {name: Fraction(value) if name == "exponent" else _tupled(value) for name, value in settings.items()}
    node = Node(operation, tuple(operands), tuple(shape), tuple(sorted(read.items())), source)
    ordered = all(type(j) is int and 0 <= j < k for j in node.operands)
    known = operation in OPERATIONS or operation == "unknown"
    held = operation not in ("constant", "take") or read.get("digest") in constants
    if not (ordered and known and held) or (operation == "input") != (k == 0):
        raise DataError(f"The certificate is damaged: node {k} of its graph, {operation!r}, is none of a graph.")
    if not _fits(node, [before[j].shape for j in node.operands], constants):
        raise DataError(f"The certificate is damaged: node {k} of its graph, {operation!r}, has another shape.")
    return node


def _fits(node: Node, shapes: Sequence[tuple[int, ...]], constants: Mapping[str, np.ndarray]) -> bool:
    """Whether a node has the number of operands and the shape that its operation gives."""
    operation = node.operation
    if operation in ("input", "unknown"):
        return True
    if operation == "constant":
        return not shapes and constants[node["digest"]].shape == node.shape
    if operation in STRUCTURE:
        places = constants[node["digest"]] if operation == "take" else None
        parts = [np.broadcast_to(0.0, shape) for shape in shapes]
        count = len(parts) >= 1 if operation == "concatenate" else len(parts) == 1
        return count and move(node, parts, places).shape == node.shape
    if operation == "dot":
        one, other = shapes
        ends = subscripts(node, len(one), len(other)).replace("...", "").split("->")
        first, second = ends[0].split(",")
        lengths = dict(zip(first, one, strict=True))
        alike = all(lengths.setdefault(letter, n) == n for letter, n in zip(second, other, strict=True))
        return alike and tuple(lengths[letter] for letter in ends[1]) == node.shape
    if operation in REDUCTIONS:
        (shape,) = shapes
        axes = node["axes"]
        left = tuple(n for axis, n in enumerate(shape) if axis not in axes)
        return len(set(axes)) == len(axes) and all(0 <= a < len(shape) for a in axes) and left == node.shape
    if operation == "cumsum" and not (0 <= node["axis"] < len(node.shape) and type(node["reverse"]) is bool):
        return False
    count = 3 if operation == "where" else 2 if operation in BINARY else CONDITIONS.get(operation, 1)
    return len(shapes) == count and all(shape == node.shape for shape in shapes)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(one) for one in value) if isinstance(value, list) else value
