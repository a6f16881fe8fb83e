"""Exact Hessians: what is singular everywhere is decided, and what bends down somewhere is not called convex."""

import numpy as np
import pytest

from surefoot.problem.domain import Domain
from surefoot.proof import symbolic_hessian
from surefoot.proof.quotient_signs import plain_sign
from surefoot.proof.quotients import Field
from surefoot.proof.rewrites import plainly
from surefoot.verbs.convexity import _graph

POSITIVE = "x > 0, y > 0"
BOX = "1 <= x, x <= 2, -1/2 <= y, y <= 1/2, 1 <= z, z <= 2"


def found(text: str, domain: str | None):
    graph = plainly(_graph(text, None, ()))
    proven = symbolic_hessian.prove(graph, Domain.of(domain, graph.names))
    return None if proven is None else proven.curvature.value


@pytest.mark.parametrize(
    ("text", "domain", "kind"),
    [
        ("-x*y/(x + y)", POSITIVE, "convex"),
        ("x*log(x) + y*log(y) - (x + y)*log(x + y)", POSITIVE, "convex"),
        ("(x - y)*log(x/y)", POSITIVE, "convex"),
        ("(sqrt(x) - sqrt(y))^2", POSITIVE, "convex"),
        ("sqrt(x*y)", POSITIVE, "concave"),
        ("x^2 + y^2 - sqrt(1 + x^2 + y^2)", None, "convex"),
        ("(x + z)/(x*z - y^2)", BOX.replace("1/2", "0.5"), "convex"),
        ("x*log(x) + (1 - x)*log(1 - x) + 2*x*(1 - x)", "0 < x < 1", "convex"),
        ("log(exp(x) + exp(y))", None, "convex"),
        ("abs(x)*abs(y)/(x + y)", "x < 0, y < 0", "convex"),
        # The same, a little beyond.
        ("x^2 + y^2 - 2.0000001*sqrt(1 + x^2 + y^2)", None, None),
        ("x*log(x) + (1 - x)*log(1 - x) + 2.0000001*x*(1 - x)", "0 < x < 1", None),
        ("x*log(x) + y*log(y) - 1.0000001*(x + y)*log(x + y)", POSITIVE, None),
        ("x^0.5*y^0.5000001", POSITIVE, None),
        ("-x*y/(x + y)", None, None),
        ("x*y", POSITIVE, None),
        # A root that vanishes inside of the domain is not smooth there.
        ("sqrt(x^2 + y^2 - 2*x*y)", None, None),
        ("(x^2)^0.75 - x*y + y^2", None, None),
    ],
)
def test_what_minors_show(text, domain, kind):
    assert found(text, domain) == kind


def test_signs_are_those_of_values():
    """Random polynomials with squares and signs in them, against their values at random points of the bounds."""
    rng = np.random.default_rng(4)
    field = Field([0.0, -1.0, -np.inf], [np.inf, 2.0, np.inf])
    x, y, z = field.gens[:3]
    terms = [x, -x, y + 1, y - 2, z**2, x * z + 1, (x - z) ** 2, x**2 + x * z + z**2, y - 1, z - x, x + 3, field.one]
    points = np.column_stack([rng.exponential(2.0, 100), rng.uniform(-1, 2, 100), 3 * rng.standard_normal(100)])
    seen = set()
    for _ in range(150):
        one, two, three, four = (terms[k] for k in rng.integers(0, len(terms), 4))
        polynomial = one * two + int(rng.integers(-1, 2)) * three * four
        sign = plain_sign(field, polynomial)
        seen.add(sign)
        values = [
            sum(
                float(int(c.p) / int(c.q)) * np.prod(p ** np.array(list(map(int, e[:3]))))
                for e, c in polynomial.to_dict().items()
            )
            for p in points
        ]
        if sign is not None:
            assert min(np.multiply(values, sign)) >= -1e-9
            assert sign or not np.any(values)
    assert seen >= {1, -1, None}
