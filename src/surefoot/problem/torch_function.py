"""Functions written for PyTorch: value and gradient by its autograd, in double precision.

    grad f = vjp(f, 1),    H v = d/dt grad f(x + t v) = vjp(<grad f, v>, 1).

Reference: Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6(1), pp. 147-160.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from surefoot.errors import ModelError
from surefoot.problem.points import Points
from surefoot.problem.remembering import Remembering, Seen
from surefoot.problem.returned import refusal


def is_torch(f: Callable[..., Any], x0: Any) -> bool:
    """Whether a function is PyTorch's: it is a module of it, or its start is made of tensors."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    owner = getattr(f, "__self__", f)
    leaves = x0.values() if isinstance(x0, dict) else x0 if isinstance(x0, (list, tuple)) else [x0]
    return isinstance(owner, torch.nn.Module) or any(isinstance(leaf, torch.Tensor) for leaf in leaves)


class TorchFunction(Remembering):
    """A function of PyTorch tensors; points come back as NumPy arrays in the shape of the start.

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` returns a tensor with one entry; x is a tensor of doubles, or a tree of them.
    points : Points
        Shape of the start.
    args : sequence
        Further arguments; tensors of floats are given as doubles, as x is, all others as they are.

    References
    ----------
    Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6(1), pp. 147-160.
    """

    source = "PyTorch"

    def __init__(self, f: Callable[..., Any], points: Points, args: Sequence[Any] = ()) -> None:
        super().__init__(points)
        self._f, self._args = f, tuple(_doubled(one) for one in args)

    def _find_value(self, here: Seen) -> None:
        import torch  # type: ignore[import-not-found]

        with torch.no_grad():
            here.value = float(self._evaluate(torch.from_numpy(here.x.copy())))

    def _find_gradient(self, here: Seen) -> None:
        value, slope, _ = self._slope(here, curved=False)
        here.value, here.gradient = float(value.detach()), _array(slope)

    def _find_hessian(self, here: Seen) -> None:
        rows = np.array([self._product(here, unit) for unit in np.eye(self.size)])
        here.hessian = 0.5 * (rows + rows.T)

    def _product(self, here: Seen, v: np.ndarray) -> np.ndarray:
        import torch  # type: ignore[import-not-found]

        _, slope, x = self._slope(here, curved=True)
        if not slope.requires_grad:
            return np.zeros(self.size)
        (image,) = torch.autograd.grad(slope @ torch.from_numpy(v.copy()), x, allow_unused=True)
        return np.zeros(self.size) if image is None else _array(image)

    def _slope(self, here: Seen, *, curved: bool) -> tuple[Any, Any, Any]:
        import torch  # type: ignore[import-not-found]

        x = torch.from_numpy(here.x.copy()).requires_grad_(True)
        with torch.enable_grad():
            value = self._evaluate(x)
            if not value.requires_grad:
                return value, torch.zeros_like(x), x
            (slope,) = torch.autograd.grad(value, x, create_graph=curved, allow_unused=True)
        return value, torch.zeros_like(x) if slope is None else slope, x

    def _evaluate(self, x: Any) -> Any:
        import torch  # type: ignore[import-not-found]

        point = self._points.rebuilt(x, lambda part, shape: part.reshape(shape))
        try:
            result = self._f(point, *self._args)
        except RuntimeError as error:
            if "dtype" not in str(error):
                raise
            reason = str(error).partition("\n")[0]
            raise ModelError(
                "The function mixes single with double precision, in which x comes: make the tensors and modules that "
                f"it uses doubles, by .double(). (PyTorch: {reason})"
            ) from None
        value = torch.as_tensor(result) if isinstance(result, (int, float)) else result
        if not isinstance(value, torch.Tensor) or value.numel() != 1 or value.is_complex():
            shape, complex_ = tuple(getattr(value, "shape", ())), getattr(value, "is_complex", lambda: False)()
            tensor = isinstance(value, torch.Tensor)
            raise ModelError(refusal(result, shape, "c" if complex_ else "f" if tensor else "O"))
        return value.reshape(())


def _doubled(given: Any) -> Any:
    """A tensor of floats in double precision, as PyTorch mixes no precisions by itself."""
    import torch  # type: ignore[import-not-found]

    return given.double() if isinstance(given, torch.Tensor) and given.is_floating_point() else given


def _array(tensor: Any) -> np.ndarray:
    array = tensor.numpy(force=True).astype(np.float64)  # also of what PyTorch keeps as a zero without storage
    array.flags.writeable = False
    return array
