"""Random real graphs of every operation, on arrays of several shapes, for fuzzing what reads them in intervals."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from surefoot.problem.real import BINARY, REDUCTIONS, UNARY, Builder, Graph

EXPONENTS = tuple(map(Fraction, ("2", "3", "-1", "-2", "1/2", "-1/2", "3/2", "1/3", "5/2", "0", "4")))


def random_graph(rng: np.random.Generator, variables: int = 3, steps: int = 8) -> Graph:
    """A function of a few variables, of so many random operations on numbers, vectors and matrices."""
    build = Builder([f"x[{k}]" for k in range(variables)])
    build.source = "drawn at random"
    known = [build.input]
    for _ in range(steps):
        known.append(_step(rng, build, known))
    ends = [build.sum(place) if build.shape(place) else place for place in (known[-1], known[-2])]
    return build.graph(build.add(*ends) if rng.random() < 0.7 else build.mul(*ends))


def _step(rng: np.random.Generator, build: Builder, known: list[int]) -> int:
    # The latest are the likeliest, so that graphs grow deep.
    u = known[max(0, len(known) - 1 - int(rng.geometric(0.5)) + 1)]
    kind = rng.choice(["unary", "power", "binary", "affine", "reduce", "structure", "dot", "where", "cumsum"],
                      p=[0.26, 0.1, 0.22, 0.12, 0.08, 0.1, 0.05, 0.05, 0.02])  # fmt: skip
    shape = build.shape(u)
    if kind == "unary":
        return build.unary(str(rng.choice(UNARY)), u)
    if kind == "power":
        return build.power(u, EXPONENTS[rng.integers(len(EXPONENTS))])
    if kind == "affine":
        scaled = build.mul(u, build.constant(np.round(rng.normal(size=shape), 2)))
        return build.add(scaled, build.constant(np.round(rng.normal(size=shape), 2)))
    if kind == "binary":
        return build.binary(str(rng.choice(BINARY)), u, _alike(rng, build, known, u))
    if kind == "where":
        v = _alike(rng, build, known, u)
        condition = build.condition(str(rng.choice(["lt", "le", "ne"])), u, v)
        if rng.random() < 0.3:
            condition = build.condition("or", condition, build.condition("not", build.condition("lt", v, u)))
        return build.where(condition, build.mul(u, v), build.unary("sin", v))
    if kind == "reduce" and shape and build.nodes[u].size:
        return build.reduce(str(rng.choice(REDUCTIONS)), u, (int(rng.integers(len(shape))),))
    if kind == "cumsum" and shape:
        return build.cumsum(u, int(rng.integers(len(shape))), bool(rng.random() < 0.5))
    if kind == "dot" and shape:
        v = _alike(rng, build, known, u)
        axis = int(rng.integers(len(shape)))
        if len(shape) == 2 and rng.random() < 0.5:
            return build.dot(u, v, ((axis,), (axis,)), ((1 - axis,), (1 - axis,)))
        return build.dot(u, v, ((axis,), (axis,)))
    return _structure(rng, build, u)


def _alike(rng: np.random.Generator, build: Builder, known: list[int], u: int) -> int:
    """A node of the same shape, if need be a constant."""
    shape = build.shape(u)
    same = [k for k in known if build.shape(k) in (shape, ())]
    if same and rng.random() < 0.8:
        v = int(rng.choice(same))
        return build.alike(u, v)[1]
    return build.constant(np.round(rng.normal(size=shape), 2))


def _structure(rng: np.random.Generator, build: Builder, u: int) -> int:
    shape = build.shape(u)
    if not shape:
        return build.broadcast(u, (2,), ())
    match rng.integers(0, 7):
        case 0:
            return build.broadcast(u, (2, *shape), tuple(range(1, len(shape) + 1))) if len(shape) < 2 else build.sum(u)
        case 1:
            return build.reverse(u, (0,))
        case 2:
            return build.slice(u, (0,) * len(shape), (max(1, shape[0] - 1), *shape[1:]))
        case 3:
            return build.concatenate([u, build.unary("sin", u)], 0) if shape[0] < 4 else u
        case 4:
            return build.pad(u, ((1, 0, 0), *[(0, 0, 0)] * (len(shape) - 1)))
        case 5:
            return build.transpose(u, tuple(reversed(range(len(shape)))))
        case _:
            return build.take(u, rng.integers(-1, int(np.prod(shape)), size=(2, 2)))
