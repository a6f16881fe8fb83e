"""How large a whole number can be that counts conditions: a program's may run over, and then it is no whole number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.problem.real import CONDITIONS, STRUCTURE, Builder


def largest(build: Builder, place: int) -> float:
    """A bound on the size of a whole number that counts conditions, infinite if there is none to be seen."""
    bounds: dict[int, float] = {}
    waiting = [place]
    while waiting:
        here = waiting[-1]
        node = build.nodes[here]
        left = [k for k in node.operands if k not in bounds and node.operation not in CONDITIONS]
        if left and here not in bounds:
            waiting += left
            continue
        waiting.pop()
        if here not in bounds:
            bounds[here] = _largest(build, here, [bounds.get(k, np.inf) for k in node.operands])
    return bounds[place]


def _largest(build: Builder, place: int, sizes: Sequence[float]) -> float:
    node = build.nodes[place]
    if node.operation in CONDITIONS:
        return 1.0
    match node.operation:
        case "constant":
            return float(np.abs(build.constants[node["digest"]].astype(float)).max(initial=0.0))
        case "add" | "sub":
            return sum(sizes)
        case "mul":
            return sizes[0] * sizes[1] if max(sizes) < np.inf else np.inf
        case "sum" | "cumsum":
            return sizes[0] * build.nodes[node.operands[0]].size
        case "where":
            return max(sizes[1:])
        case "sign":
            return 1.0
        case "neg" | "abs" | "max" | "min" | "maximum" | "minimum":
            return max(sizes)
    return max(sizes) if node.operation in STRUCTURE else np.inf
