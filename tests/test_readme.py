"""The README tells the truth: its output is what the command prints, its Python runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

# What differs between two runs or two BLAS libraries: the time taken, and residues of rounding.
VARIES = [r" +\d+\.\d\d s$", r"backward error \S+", r"every column to\s+\S+ At", r"at least \d+ digits$"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def settled(text: str) -> str:
    for pattern in VARIES:
        text = re.sub(pattern, "...", text, flags=re.MULTILINE)
    return text


def test_the_printed_output_is_what_the_command_prints():
    call = [sys.executable, "-m", "surefoot", "fit", "customer ~ nist", "examples/ozone.csv"]
    run = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    assert settled(blocks("text")[0]) == settled(run.stdout)
    assert run.stderr == ""


def test_the_python_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    code, arrays = blocks("python")
    assert len(code.strip().splitlines()) <= 8
    names: dict[str, object] = {}
    exec(code, names)
    assert "unique global minimum" in capsys.readouterr().out
    exec(arrays, names)
    assert settled(capsys.readouterr().out) == settled(blocks("text")[1])


def test_every_page_that_the_readme_links_to_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
