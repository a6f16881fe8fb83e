"""Sums and logarithms that are written with a shift, or in pieces: what comes out, and what belongs together.

    log sum c exp(u - m) = log sum c exp(u) - m        max(a, b) + softplus(-|a - b|) = log(exp a + exp b)
    softplus(-|u|) = softplus(u) - u/2 - |u|/2         min(a, b) = a + b - max(a, b)

Reference: Blanchard, Higham, Higham (2021), "Accurately computing the log-sum-exp and softmax functions", IMA Journal
of Numerical Analysis 41(4), pp. 2311-2330 (the spellings with a shift).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from surefoot.proof.plain_sums import PlainSums, added_again, is_double

_STEPS = ("slice", "concatenate", "logsumexp", "reshape", "reverse")
"""What a step of a running log-sum-exp adds to."""


class ShiftsAndPieces(PlainSums):
    """Of a graph on its way into a new builder."""

    def without_shift(self, place: int) -> tuple[int, int] | None:
        """``log sum c exp(u - m) = log sum c exp(u) - m`` where m is the same for all terms, and total."""
        build, node = self.build, self.build.nodes[place]
        if node.operation not in ("sum", "cumsum", "dot"):
            return None
        at, axes = 0, node["axes"] if node.operation == "sum" else ()
        if node.operation == "cumsum":
            axes = (node["axis"],)
        elif node.operation == "dot":
            at = next((k for k in range(2) if self.is_constant(node.operands[1 - k])), -1)
            if at < 0 or node["batch"][0]:
                return None
            axes = node["contract"][at]
        parts = self._shifted(node.operands[at], axes)
        if parts is None:
            return None
        moved, shift = parts
        if node.operation == "dot":
            if build.nodes[shift].size != 1:
                return None
            shift = build.broadcast(build.reshape(shift, ()), node.shape, ())
        elif node.operation == "cumsum":
            shift = build.broadcast(shift, node.shape, [axis for axis in range(len(node.shape)) if axis not in axes])
        operands = [moved if k == at else one for k, one in enumerate(node.operands)]
        whole = added_again(build, node, operands, build.constants)
        return whole, shift

    def _shifted(self, place: int, axes: Sequence[int]) -> tuple[int, int] | None:
        """``c exp(u)`` and m of ``c exp(u - m)``, if m repeats along axes and there is more than it in the exponent."""
        build, node = self.build, self.build.nodes[place]
        if node.operation != "exp":
            for k, factor in enumerate(node.operands):
                moves = (node.operation == "mul" and self.is_constant(node.operands[1 - k])) or (
                    node.operation == "where" and k > 0 and self.filled(node.operands[3 - k]) == 0.0
                )
                inner = self._shifted(factor, axes) if moves else None
                if inner is not None:
                    again = [inner[0] if one == factor else one for one in node.operands]
                    return added_again(build, node, again, build.constants), inner[1]
            return None
        kept, shifts = self.along(node.operands[0], axes)
        if not shifts or not kept or not all(map(self.is_total, dict(shifts))):
            return None
        left = [n for axis, n in enumerate(node.shape) if axis not in axes]
        return build.unary("exp", self.combined(dict(kept), node.shape)), self.combined(dict(shifts), left)

    def along(self, place: int, axes: Sequence[int]) -> tuple[list, list]:
        """The terms of a sum that vary along axes, and those that do not, without these axes."""
        kept, shifts = [], []
        for term, c in self.terms(place).items():
            moved = None if self.is_constant(term) else self.same_along(term, axes)
            (kept if moved is None else shifts).append((term if moved is None else moved, c))
        fine = all(is_double(c) for _, c in (*kept, *shifts))
        return (kept, shifts) if fine else ([], [])

    def same_along(self, place: int, axes: Sequence[int]) -> int | None:
        """What a node repeats along axes, in the shape without them; None if it is not the same along all of them."""
        node = self.build.nodes[place]
        if node.operation != "broadcast":
            return None
        inner, where = node.operands[0], node["axes"]
        shape = self.build.shape(inner)
        if any(axis in axes and n != 1 for axis, n in zip(where, shape, strict=True)):
            return None
        left = [n for axis, n in zip(where, shape, strict=True) if axis not in axes]
        rest = [axis for axis in range(len(node.shape)) if axis not in axes]
        spread = tuple(rest.index(axis) for axis in where if axis not in axes)
        return self.build.broadcast(self.build.reshape(inner, left), [node.shape[axis] for axis in rest], spread)

    def without_folds(self, terms: dict[int, Fraction]) -> dict[int, Fraction]:
        """What is written with sizes or smaller ones, beside them, with what it is without.

        ``softplus(-k|u|) = softplus(k u) - k u/2 - k|u|/2``, ``min(a, b) = a + b - max(a, b)``, and ``v + softplus(u -
        v) = log(exp(u) + exp(v))`` where v is no sum.
        """
        for term, c in list(terms.items()):
            if not c or not terms.get(term):
                continue
            if (pair := self.split(term, "minimum")) and (other := self.build.binary("maximum", *pair)) in terms:
                changes = {term: -c, other: -c, pair[0]: c, pair[1]: c}
            elif (inner := self.split(term, "softplus")) is not None:
                changes = self._unfolded(terms, term, inner[0], c)
            else:
                continue
            for place, more in changes.items():
                for part, times in self.terms(place).items():
                    terms[part] = terms.get(part, Fraction(0)) + more * times
        return terms

    def _unfolded(self, terms: dict[int, Fraction], soft: int, inner: int, c: Fraction) -> dict[int, Fraction]:
        build, exponent = self.build, self.terms(inner)
        if len(exponent) == 1:
            ((size, k),) = exponent.items()
            u = self.split(size, "abs")
            others = ((other, self.split(other, "abs")) for other in terms) if u and k < 0 and is_double(k) else ()
            for other, v in others:
                times = self.ratio(u[0], v[0]) if u and v else None
                if times and u:
                    whole = build.unary("softplus", self.combined({u[0]: -k}, build.shape(inner)))
                    return {soft: -c, whole: c, u[0]: c * k / 2, other: c * k / 2 * abs(times)}
        for v, k in exponent.items():
            if k == -1 and terms.get(v) == c and not self.is_constant(v) and build.nodes[v].operation in _STEPS:
                rest = {place: times for place, times in exponent.items() if place != v and times}
                if rest and all(map(is_double, rest.values())):
                    return {soft: -c, v: -c, self._log_of_two(self.combined(rest, build.shape(v)), v): c}
        return {}

    def with_pairs(self, terms: dict[int, Fraction]) -> dict[int, Fraction]:
        """``c max(a, b) + c softplus(-|a - b|) = c log(exp a + exp b)``."""
        for soft, c in list(terms.items()):
            inner = self.split(soft, "softplus")
            negative = self.split(inner[0], "neg") if inner else None
            size = self.split(negative[0], "abs") if negative else None
            if not size or not c:
                continue
            gap = {k: v for k, v in self.terms(size[0]).items() if v and self.filled(k) != 0.0}
            for larger, other in list(terms.items()):
                pair = self.split(larger, "maximum")
                if pair is None or other * c <= 0 or larger == soft:
                    continue
                between = self.difference(*pair)
                if gap not in (between, {k: -v for k, v in between.items()}):
                    continue
                shared = min(c, other, key=abs)
                joint = self._log_of_two(*pair)
                terms[soft], terms[larger] = c - shared, other - shared
                terms[joint] = terms.get(joint, Fraction(0)) + shared
                terms = {k: v for k, v in terms.items() if v or k not in (soft, larger)}
                break
        return terms

    def _log_of_two(self, a: int, b: int) -> int:
        """``log(exp(a) + exp(b))``."""
        build = self.build
        for one, other in ((a, b), (b, a)):
            if self.filled(one) == 0.0:
                return build.unary("softplus", other)
        shape = build.shape(a)
        return build.reduce(
            "logsumexp", build.concatenate([build.reshape(one, (1, *shape)) for one in (a, b)], 0), (0,)
        )
