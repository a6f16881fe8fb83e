"""Turn NIST's linear reference sets (.dat) into the tables under tests/nist.

    python scripts/nist_tables.py FOLDER_WITH_DAT_FILES tests/nist

Every number is copied as it is written in the .dat file; nothing passes through floating point.
"""

import json
import re
import sys
from pathlib import Path

ORDER = [
    *["Norris", "Pontius", "NoInt1", "NoInt2", "Filip", "Longley"],
    *["Wampler1", "Wampler2", "Wampler3", "Wampler4", "Wampler5"],
]


def power(degree):
    return "x" if degree == 1 else f"I(x^{degree})"


def model(name, parameters):
    """Return formula and terms: B0 is the intercept, B1, B2, ... follow in the order of the file."""
    if name == "Longley":
        slopes = [f"x{i}" for i in range(1, parameters)]
    else:
        slopes = [power(i) for i in range(1, parameters + name.startswith("NoInt"))]
    if name.startswith("NoInt"):
        return "y ~ 0 + " + " + ".join(slopes), slopes
    return "y ~ " + " + ".join(slopes), ["(Intercept)", *slopes]


def read(path):
    """Return the description of one set and its data lines, the column names first."""
    text = path.read_text()
    head, data = re.split(r"^Data: (?=.*\by +x)", text, flags=re.M)
    estimates = re.findall(r"^ +B\d+ +(\S+) +(\S+)", head, flags=re.M)
    regression = re.search(r"^Regression +(.*)", head, flags=re.M)[1].split()
    residual = re.search(r"^Residual +(\d.*)", head, flags=re.M)[1].split()
    reference = re.search(r"^Reference: +(.*?)^ *$\s*^Data:", head, flags=re.M | re.S)[1]
    formula, terms = model(path.stem, len(estimates))
    description = {
        "reference": " ".join(reference.split()),
        "observed": "Observed Data" in head,
        "rows": int(re.search(r"(\d+) Observations", head)[1]),
        "formula": formula,
        "terms": terms,
        "coefficients": [estimate for estimate, _ in estimates],
        "standard_errors": [error for _, error in estimates],
        "sigma": re.search(r"Standard Deviation +(\S+)", head)[1],
        "r2": re.search(r"R-Squared +(\S+)", head)[1],
        "r2_is_centred": not formula.startswith("y ~ 0"),
        "f": regression[3],
        "model_df": int(regression[0]),
        "residual_df": int(residual[0]),
        "model_ss": regression[1],
        "model_ms": regression[2],
        "residual_ss": residual[1],
        "residual_ms": residual[2],
    }
    rows = [line.split() for line in data.splitlines() if line.strip()]
    assert len(rows) == description["rows"] + 1, path
    assert len({len(row) for row in rows}) == 1, path
    return description, rows


def main(source, target):
    certified = {}
    for name in ORDER:
        certified[name], rows = read(Path(source) / f"{name}.dat")
        (Path(target) / f"{name}.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    (Path(target) / "certified.json").write_text(json.dumps(certified, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
