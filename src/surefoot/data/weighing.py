"""Weights and frequencies of rows, checked; a row of weight zero is left out as if it were not there."""

from __future__ import annotations

import numpy as np

from surefoot.data.factors import read_number
from surefoot.data.frame import Frame
from surefoot.data.source import Source
from surefoot.data.unusable import weight_sentence
from surefoot.errors import DataError
from surefoot.problem.graph import Node


def weighed(
    frame: Frame, weights: Node | None, frequencies: Node | None, source: Source | None
) -> tuple[Frame, np.ndarray | None, np.ndarray | None]:
    """The rows of positive weight and frequency, with both, checked."""
    if weights is None and frequencies is None:
        return frame, None, None
    found: list[np.ndarray | None] = []
    counted = np.ones(frame.rows, dtype=bool)
    for word, node in (("weight", weights), ("frequency", frequencies)):
        if node is None:
            found.append(None)
            continue
        values = read_number(node, frame)
        bad = (values < 0) | ~np.isfinite(values)
        if word == "frequency":
            bad |= values != np.floor(values)
        if np.any(bad):
            raise DataError(weight_sentence(word, node, values, frame, int(np.argmax(bad)), source))
        counted &= values > 0
        found.append(values)
    kept = [None if values is None else values[counted] for values in found]
    return frame.take(counted), kept[0], kept[1]
