"""What the tests of the data room share: a formula and a table become a design and its matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.data.design import Design
from surefoot.data.design_learning import Request, learn_design
from surefoot.data.frame import read_frame
from surefoot.data.source import open_source


def learnt(formula: str, table, rows: int = 122_880, **request) -> Design:
    """The design of a formula over a table that is read so many rows at a time."""
    source = open_source(table)
    return learn_design(Request(formula, **request), source, lambda names: frames_of(source, names, rows))


def frames_of(source, names: Sequence[str], rows: int = 122_880):
    start = 0
    for batch in source.batches(list(names), rows=rows):
        yield read_frame(batch, start)
        start += batch.num_rows


def matrix_of(design: Design, table, rows: int = 122_880) -> np.ndarray:
    """The predictors of the rows that a fit would use."""
    source = open_source(table)
    blocks = [design.block(frame, source) for frame in frames_of(source, design.variables, rows)]
    return np.vstack([block.matrix for block in blocks])[:, : len(design.names)]


def columns_of(formula: str, table, rows: int = 122_880, **request) -> dict[str, np.ndarray]:
    """Column by name."""
    design = learnt(formula, table, rows, **request)
    return dict(zip(design.names, matrix_of(design, table, rows).T, strict=True))
