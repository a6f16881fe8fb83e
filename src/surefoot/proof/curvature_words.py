"""The argument of the rules in numbered lines, in the function's own terms: what each part is, and why.

    log(sum(exp(a1))) is convex: log-sum-exp of affine numbers

Affine parts are named a1, a2, ... where they are arrays or long; so are parts that are themselves lines, u1, u2, ...
"""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np

from surefoot.problem.domain import told_number
from surefoot.problem.real import STRUCTURE, Node
from surefoot.proof.curvature import Curvatures
from surefoot.proof.curvature_bits import AFFINE, CONCAVE, CONSTANT, CONVEX, is_affine
from surefoot.proof.shapes import EVERYWHERE, SHAPES, power_shape

_CLOSED = re.compile(r"[\w.]+(\[[^\]]*\])?|\w+\([^()]*\)")
"""Texts that need no brackets: names, elements, numbers and calls."""

LONGEST = 36
"""Of a text that is written into another one."""

MOST_LINES = 40

_FIXED = {
    "neg": "the negative of the other kind", "hypot": "a norm",
    "maximum": "the larger of two", "max": "the largest of such numbers",
    "minimum": "the smaller of two", "min": "the smallest of such numbers",
}  # fmt: skip

_INFIX = {"add": " + ", "sub": " - ", "mul": "*", "div": "/", "lt": " < ", "le": " <= ", "eq": " == ", "ne": " != "}
_CALLED = {"power": "", "maximum": "max", "minimum": "min", "lgamma": "lgamma"}
_REDUCED = {"sum": "sum", "prod": "prod", "max": "max", "min": "min", "logsumexp": "logsumexp", "cumsum": "cumsum"}


def told_curvature(bits: np.ndarray) -> str:
    """Convex, concave or affine, if all entries are."""
    if bool(np.all(bits & CONSTANT)):
        return "constant"
    for mask, word in ((AFFINE & 3, "affine"), (CONVEX, "convex"), (CONCAVE, "concave")):
        if bool(np.all((bits & mask) == mask)):
            return word
    return "convex or concave, entry by entry" if bool(np.all(bits & 3)) else "not known to bend one way"


class Words:
    """Texts for the nodes of a graph.

    Parameters
    ----------
    known : Curvatures
        What the rules have read.
    """

    def __init__(self, known: Curvatures) -> None:
        self.known, self.graph = known, known.graph
        self.affine: dict[int, str] = {}
        self.parts: dict[int, str] = {}

    def argument(self) -> list[str]:
        """A line for each part that bends, operands first, and what the affine names mean."""
        wanted, stack = set(), [self.graph.output]
        while stack:
            place = stack.pop()
            if place in wanted or not self._bends(place):
                continue
            wanted.add(place)
            stack.extend(self._below(place))
        lines = []
        for place in sorted(wanted):
            node = self.graph.nodes[place]
            if node.operation in STRUCTURE and place != self.graph.output:
                continue
            text = self.text(place, whole=True)
            bits = told_curvature(self.known.bits(place))
            where = f" ({node.source})" if ":" in node.source else ""
            last = place == self.graph.output
            if not last:
                self.parts[place] = f"u{len(self.parts) + 1}"
            head = "The function" if last else self.parts[place]
            lines.append(f"{head} = {text} is {bits}: {self.reason(place, node)}{where}.")
        meanings = [
            f"{name} is affine in {self._variables()}{self._entries(place)}." for place, name in self.affine.items()
        ]
        if len(lines) > MOST_LINES:
            left = len(lines) - MOST_LINES
            lines = [*lines[: MOST_LINES // 2], f"({left} more steps of the same kind)", *lines[-MOST_LINES // 2 :]]
        return meanings + lines

    def _bends(self, place: int) -> bool:
        return self.known.depends[place] and not bool(is_affine(self.known.bits(place)).all())

    def _below(self, place: int) -> list[int]:
        node = self.graph.nodes[place]
        if place in self.known.added or place in self.known.patterns:
            return []
        if node.operation == "where":
            branch = self.known.branch(place)
            decided = self.known.bounds.truth(node.operands[0]).decided.all()
            return [branch] if branch is not None else list(node.operands[1:]) if decided else []
        return list(node.operands)

    def reason(self, place: int, node: Node) -> str:
        """Why a node is what its bits say."""
        if place in self.known.added:
            return "a function of one affine number, decided by itself"
        if place in self.known.patterns:
            return "an entropy x*log(x) or x*log(x/y), or a perspective y*phi(x/y)"
        operation, bits = node.operation, self.known.bits(place)
        told = told_curvature(bits)
        if operation in _FIXED:
            return _FIXED[operation]
        if operation in STRUCTURE:
            return "the same numbers"
        if operation in ("add", "sub", "sum", "cumsum", "dot"):
            return f"a sum of {told} terms"
        if operation in ("mul", "div") and self._has_constant(node):
            return "a multiple, with the sign that it takes"
        if operation == "logsumexp":
            return f"log-sum-exp of {told_curvature(self.known.bits(node.operands[0]))} numbers"
        if operation == "where":
            decided = self.known.bounds.truth(node.operands[0]).decided.all()
            return "each entry takes one branch" if decided else "an entropy, 0 at 0"
        inner = told_curvature(self.known.bits(node.operands[0]))
        if operation == "log" and inner not in ("affine", "concave"):
            return "the logarithm of a sum or product of log-convex numbers"
        if operation in ("mul", "div", "prod", "power") and not self._is_plain(place, node):
            return self._by_degree(place, node, bits)
        return self._by_shape(node, inner, told)

    def _by_shape(self, node: Node, inner: str, told: str) -> str:
        """An elementary function of something affine, or of something that bends as its slope wants."""
        shape = power_shape(node["exponent"]) if node.operation == "power" else SHAPES.get(node.operation)
        name = "the logistic function" if node.operation == "logistic" else node.operation
        if node.operation == "power":
            name = f"the power {told_number(node['exponent'])}"
        if shape is None:
            return f"{name} on the range of what is {inner}"
        regions = shape.convex if told == "convex" else shape.concave
        there = "" if regions == EVERYWHERE else " on the range of its argument"
        if inner == "affine":
            return f"{name} is {told}{there}, its argument affine"
        way = "rises" if inner == told else "falls"
        return f"{name} is {told} and {way}{there}, its argument {inner}"

    def _is_plain(self, place: int, node: Node) -> bool:
        """Whether a power needs no more than its own shape."""
        return node.operation == "power" and bool(is_affine(self.known.bits(node.operands[0])).all())

    def _by_degree(self, place: int, node: Node, bits: np.ndarray) -> str:
        degrees = self.known.degrees
        degree, order = degrees.degree(place), degrees.order(place)
        if bool(np.all(bits & CONVEX)):
            if isinstance(degree, Fraction) and degree > 1:
                return f"its root of degree {degree} is convex and not negative"
            if isinstance(degree, Fraction) and degree == 1:
                return "a norm, or a quotient such as x^2/y, of degree 1"
            return "its logarithm is convex" if node.operation != "power" else "a power that bends and rises like that"
        if order is not None and order <= 1:
            return f"a product of concave factors, of order {order} in all"
        return "a power that bends and rises like that"

    def _has_constant(self, node: Node) -> bool:
        return any(not self.known.depends[k] for k in node.operands[-2:]) and not (
            node.operation == "div" and self.known.depends[node.operands[1]]
        )

    # Texts

    def text(self, place: int, *, whole: bool = False) -> str:
        """A node as text: its own operation if ``whole``, else its name if it has one or is long."""
        node = self.graph.nodes[place]
        if not whole and place in self.parts:
            return self.parts[place]
        if node.operation == "input" or not self.known.depends[place]:
            return self._leaf(place, node)
        variable = self._variable(place, node)
        if variable:
            return variable
        if not whole and place in self.affine:
            return self.affine[place]
        if node.operation in STRUCTURE and len(node.operands) == 1:
            return self.text(node.operands[0], whole=whole and self._bends(place))
        text = self._operation(node)
        if whole and self._bends(place):
            return text
        if len(text) <= LONGEST and not self._holds_array(place):
            return text
        if bool(is_affine(self.known.bits(place)).all()):
            self.affine[place] = f"a{len(self.affine) + 1}"
            return self.affine[place]
        return text if len(text) <= 2 * LONGEST else f"{node.operation}(...)"

    def _holds_array(self, place: int) -> bool:
        """Whether an affine part has constants that are arrays, so that its text would say little."""
        if not bool(is_affine(self.known.bits(place)).all()):
            return False
        stack, seen = [place], set()
        while stack:
            k = stack.pop()
            if k in seen:
                continue
            seen.add(k)
            value = self.graph.value(k)
            if value is not None:
                if value.size > 1 and not np.all(value == value.flat[0]):
                    return True
                continue
            stack.extend(self.graph.nodes[k].operands)
        return False

    def _operation(self, node: Node) -> str:
        operation = node.operation
        if operation == "power":
            base, c = self._bracketed(node.operands[0]), node["exponent"]
            if c == Fraction(1, 2):
                return f"sqrt({self.text(node.operands[0])})"
            told = told_number(c)
            return f"{base}^{told}" if c > 0 and told.isdigit() else f"{base}^({told})"
        if operation == "neg":
            return f"-{self._bracketed(node.operands[0])}"
        if operation in _INFIX:
            loose = operation in ("add", "sub")
            one = self.text(node.operands[0]) if loose else self._bracketed(node.operands[0])
            other = self.text(node.operands[1]) if operation == "add" else self._bracketed(node.operands[1])
            return f"{one}{_INFIX[operation]}{other}"
        name = _REDUCED.get(operation) or _CALLED.get(operation) or operation
        return f"{name}({', '.join(self.text(k) for k in node.operands)})"

    def _bracketed(self, place: int) -> str:
        text = self.text(place)
        return text if _CLOSED.fullmatch(text) else f"({text})"

    def _leaf(self, place: int, node: Node) -> str:
        if node.operation == "input":
            wholes = list(dict.fromkeys(name.partition("[")[0] for name in self.graph.names))
            return wholes[0] if len(wholes) == 1 else f"({self._variables()})"
        value = self.graph.value(place)
        if value is None:
            return self._operation(node) if len(node.operands) == 1 else "c"
        if value.size and value.dtype != bool and np.all(value == value.flat[0]):
            return told_number(Fraction(float(value.flat[0]))) if np.isfinite(value.flat[0]) else str(value.flat[0])
        return "c"

    def _variable(self, place: int, node: Node) -> str:
        """The name of a variable, if a node is one number of x."""
        if node.size != 1 or node.operation not in STRUCTURE:
            return ""
        form = self.known.forms.of(place, 0)
        if form is None or form.rest or len(form.terms) != 1:
            return ""
        ((which, c),) = form.terms.items()
        return self.graph.names[which] if c == 1 else ""

    def _variables(self) -> str:
        names = self.graph.names
        wholes = list(dict.fromkeys(name.partition("[")[0] for name in names))
        return ", ".join(names) if len(names) <= 3 else ", ".join(wholes[:4]) + (", ..." if len(wholes) > 4 else "")

    def _entries(self, place: int) -> str:
        size = self.graph.nodes[place].size
        return f" ({size:,} entries)" if size > 1 else ""
