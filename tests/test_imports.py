"""What is imported, and what that costs: measured in processes of their own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

OZONE = Path(__file__).parents[1] / "examples" / "ozone.csv"
HEAVY = {"jax", "duckdb", "matplotlib", "pandas", "formulaic", "polars", "torch", "statsmodels", "sklearn"}


def modules_after(code, tmp_path):
    """The top-level packages that a fresh interpreter has imported by the end of this code."""
    listing = tmp_path / "modules.json"
    ending = f"import sys, json; open({str(listing)!r}, 'w').write(json.dumps(sorted(sys.modules)))"
    whole = f"import atexit\natexit.register(lambda: exec({ending!r}))\n{code}"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(listing.read_text())}


def run(*arguments):
    return f"from surefoot.apps.cli import run\nassert run({[str(one) for one in arguments]!r}) == 0"


def test_importing_the_package_imports_almost_nothing(tmp_path):
    bare, ours = modules_after("pass", tmp_path), modules_after("import surefoot", tmp_path)
    assert "surefoot" in ours
    assert not ours & (HEAVY | {"numpy", "scipy", "pyarrow", "lark", "rich", "cyclopts"})
    assert ours - bare <= {"surefoot", "typing", "collections", "functools", "operator", "keyword", "reprlib", "types",
                           "contextlib", "_collections", "_functools", "_operator", "re", "enum", "copyreg", "_typing",
                           "warnings", "_sre", "__future__"}  # fmt: skip


def test_every_public_name_is_there(tmp_path):
    ours = modules_after("import surefoot as sf\nfor name in sf.__all__: assert getattr(sf, name), name", tmp_path)
    assert not ours & HEAVY


@pytest.mark.parametrize(
    "arguments",
    [["customer ~ nist"], ["customer ~ nist", "--json"], ["customer ~ poly(nist, 2) + bs(nist, df=4)"],
     ["log(customer) ~ nist", "--errors", "HC3", "--test", "nist = 1"]],
    ids=["plain", "json", "learnt", "robust"],
)  # fmt: skip
def test_a_fit_at_the_command_line_imports_no_more_than_it_needs(arguments, tmp_path):
    ours = modules_after(run("fit", arguments[0], OZONE, *arguments[1:]), tmp_path)
    assert not ours & (HEAVY - {"duckdb"})
    assert "duckdb" in ours


def test_only_the_algebra_of_formulas_imports_formulaic(tmp_path):
    """Formulaic imports pandas by itself: that is what the short way avoids."""
    assert "formulaic" in modules_after(run("fit", "customer ~ nist*I(nist^2)", OZONE), tmp_path)
    assert "formulaic" not in modules_after(run("fit", "customer ~ 0 + nist + I(nist^2)", OZONE), tmp_path)


def test_refusals_are_as_light_as_answers(tmp_path):
    code = f"from surefoot.apps.cli import run\nassert run(['fit', 'customer ~ log(nist, 2)', {str(OZONE)!r}]) == 2"
    assert not modules_after(code, tmp_path) & (HEAVY - {"duckdb"})


def test_help_reads_no_engine(tmp_path):
    ours = modules_after("from surefoot.apps.cli import run\nassert run(['fit', '--help']) == 0", tmp_path)
    assert not ours & (HEAVY | {"pyarrow", "scipy", "numpy"})


def seconds(*command):
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
    return time.perf_counter() - start


def alternating(first, second, times):
    """The median of each, run by turns so that a busy moment meets both; one run before counts for nothing."""
    seconds(*first), seconds(*second)
    pairs = [(seconds(*first), seconds(*second)) for _ in range(times)]
    return tuple(map(median, zip(*pairs, strict=True)))


@pytest.mark.alone
def test_the_import_costs_less_than_a_seventh_of_a_second():
    ours, bare = alternating([sys.executable, "-c", "import surefoot"], [sys.executable, "-c", "pass"], 7)
    assert ours - bare < 0.15


@pytest.mark.alone
def test_a_cold_fit_is_no_slower_than_importing_statsmodels():
    ours, theirs = alternating(
        [Path(sys.executable).with_name("surefoot"), "fit", "customer ~ nist", OZONE],
        [sys.executable, "-c", "import statsmodels.formula.api"],
        5,
    )
    assert ours <= theirs
