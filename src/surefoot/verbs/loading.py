"""The verb of loading: whatever was saved, a fit or a result, comes back as what it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.errors import DataError

if TYPE_CHECKING:
    from surefoot.models.array_saved import LoadedArrayFit
    from surefoot.models.fit import FormulaFit
    from surefoot.proof.certificate import Certificate
    from surefoot.results.result import Result
    from surefoot.results.survey import Survey


def load(path: str | Path) -> FormulaFit | LoadedArrayFit | Result | Certificate | Survey:
    """Read what ``save`` wrote: a fit of a formula or of arrays, the result of a minimisation, a proof, or a survey.

    Parameters
    ----------
    path : path
        The JSON file.

    Raises
    ------
    DataError
        The file is missing, or holds something else.

    Examples
    --------
    >>> import os, tempfile
    >>> import surefoot as sf
    >>> fit = sf.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [2.1, 3.9, 6.2, 7.8]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.json")
    ...     fit.save(path)
    ...     bool((sf.load(path).coef == fit.coef).all())
    True
    """
    state = _read(path)
    # A walk's own reader is imported only for a walk: a saved fit needs none of it.
    if str(state.get("format")).startswith("surefoot-certificate"):
        from surefoot.proof.certificate import Certificate

        try:
            return Certificate.from_json(state)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is not a certificate that Surefoot saved, or it is damaged: {error!r}.") from None
    if str(state.get("format")).startswith("surefoot-result"):
        from surefoot.results.saved import result_from_json

        return result_from_json(state, path)
    if str(state.get("format")).startswith("surefoot-survey"):
        from surefoot.results.survey import survey_from_json

        return survey_from_json(state, path)
    from surefoot.models.saved import FORMAT, fit_from_state

    found = fit_from_state(state, path)
    if found is None:
        raise DataError(f"{path} is not a saved model of this version (format {FORMAT!r}). Save it again with --save.")
    return found


def _read(path: str | Path) -> Mapping[str, Any]:
    try:
        state = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"The model {path} could not be read: {error.strerror or error}.") from None
    except ValueError:
        raise DataError(
            f"{path} is not a saved model: it holds no JSON. Models are written with --save or Fit.save()."
        ) from None
    return state if isinstance(state, Mapping) else {}


__all__ = ["load"]
