"""WHERE rows come from: sources, formulas, named columns, passes over the rows."""
