"""What is compiled of a reading: functions of JAX arrays, each with one array of doubles as its result.

    (f, g) = value and gradient by reverse mode,    (df, H t) = d/ds (f, g)(x + s t) by forward mode over it.

All columns of H are one such product, mapped over the unit vectors. A loop that reverse mode cannot go through is
differentiated in forward mode, n tangents at once. One array comes out because each one costs as much as the call.

Reference: Griewank, Walther (2008), "Evaluating Derivatives", 2nd ed., SIAM, section 3.2, pp. 37-41 (reverse
mode); Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6(1), pp. 147-160 (forward
over reverse).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.problem.reading import Reading


@dataclass(frozen=True)
class Derivatives:
    """The functions that are compiled; x is a flat tracer (n,), the constants are those of the reading.

    Attributes
    ----------
    reading : Reading
    size : int
        Number of variables n.
    forward : bool
        Gradients in forward mode.
    """

    reading: Reading
    size: int
    forward: bool = False

    def _value_and_gradient(self, x: Any, constants: Sequence[Any]) -> tuple[Any, Any]:
        import jax

        if self.reading.given:
            value, gradient = self.reading.outputs(x, constants)[:2]
            return jax.lax.reshape(value, ()), gradient
        if not self.forward:
            return jax.value_and_grad(lambda x: self.reading.value(x, constants))(x)

        def along(t: Any) -> tuple[Any, Any]:
            return jax.jvp(lambda x: self.reading.value(x, constants), (x,), (t,))

        return jax.vmap(along, out_axes=(None, 0))(np.eye(self.size))

    def _along(self, x: Any, t: Any, constants: Sequence[Any]) -> tuple[tuple[Any, Any], Any]:
        """Value and gradient, and the Hessian times t."""
        import jax

        found, (_, image) = jax.jvp(lambda x: self._value_and_gradient(x, constants), (x,), (t,))
        return found, image

    def see(self, x: Any, *constants: Any) -> Any:
        """Value and gradient: (1 + n,)."""
        return _joined(*self._value_and_gradient(x, constants))

    def see_lanes(self, X: Any, *constants: Any) -> Any:
        """Values, then gradients, of the rows of X (m, n): (m + m n,)."""
        import jax

        return _joined(*jax.vmap(lambda x: self._value_and_gradient(x, constants))(X))

    def look_lanes(self, X: Any, *constants: Any) -> Any:
        """Values, then gradients, then Hessians of the rows of X: (m + m n + m n^2,)."""
        import jax

        return _joined(*jax.vmap(lambda x: self._with_hessian(x, constants))(X))

    def lane_values(self, X: Any, *constants: Any) -> Any:
        """Values at the rows of X: (m,)."""
        import jax

        return jax.vmap(lambda x: self.reading.value(x, constants))(X)

    def look(self, x: Any, *constants: Any) -> Any:
        """Value, gradient and Hessian: (1 + n + n^2,).

        The Hessian is as its columns come: making it symmetric would need each entry twice, for which XLA compiles
        several kernels instead of one, and wakes its threads to run them.
        """
        return _joined(*self._with_hessian(x, constants))

    def _with_hessian(self, x: Any, constants: Sequence[Any]) -> tuple[Any, Any, Any]:
        import jax

        if self.reading.given == 2:
            value, gradient, hessian = self.reading.outputs(x, constants)
            return value, gradient, hessian
        along = jax.vmap(lambda t: self._along(x, t, constants), out_axes=((None, None), 0))
        (value, gradient), hessian = along(np.eye(self.size))
        return value, gradient, hessian

    def columns(self, x: Any, *constants: Any) -> Any:
        """The Hessian, column after column: (n^2,).

        What does not depend on the column is computed once, and a large f stays in the cache, where a batch of columns
        took 4 to 30 times as long.
        """
        import jax

        places = jax.lax.iota(np.int32, self.size)

        def column(k: Any) -> Any:
            return self._along(x, jax.lax.convert_element_type(places == k, np.float64), constants)[1]

        return jax.lax.reshape(jax.lax.map(column, places), (self.size**2,))

    def bend(self, x: Any, v: Any, *constants: Any) -> Any:
        """The Hessian times v: (n,)."""
        if self.reading.given == 2:
            return self.reading.outputs(x, constants)[2].reshape(self.size, self.size) @ v
        return self._along(x, v, constants)[1]

    def given_hessian(self, x: Any, *constants: Any) -> Any:
        """The Hessian that the caller gave: (n^2,)."""
        return self.reading.outputs(x, constants)[2]


def _joined(*parts: Any) -> Any:
    """One array out, because each one costs as much as the call."""
    import jax

    return jax.lax.concatenate([jax.lax.reshape(part, (part.size,)) for part in parts], 0)
