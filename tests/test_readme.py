"""The README tells the truth: its output is what the command prints, its Python runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

# What differs between two runs or two BLAS libraries: the time taken, and residues of rounding.
VARIES = [
    r" +\d+\.\d\d s$",
    r"backward error \S+",
    r"every column to\s+\S+ At",
    r"at least \d+ digits$",
    r"proven in \d+\.\d\d s",
    r"within \S+ of these",
]

# Of a walk also how many looks it took, and the spaces beside numbers that are longer or shorter.
OF_A_WALK = [r"\d[-\d.]*e[-+]\d+", r"[\d,]+ (step|evaluation|gradient|Hessian)s?", r" +"]
PRINTED = re.findall(r"<!-- output of: (surefoot [^\n]*) -->\n```text\n(.*?)```", README, flags=re.DOTALL)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def settled(text: str) -> str:
    for pattern in VARIES:
        text = re.sub(pattern, "...", text, flags=re.MULTILINE)
    return text


def walked(text: str) -> str:
    text = settled(text)
    for pattern in OF_A_WALK:
        text = re.sub(pattern, " ", text)
    return text


@pytest.mark.parametrize(("command", "printed"), PRINTED, ids=[command.split()[1] for command, _ in PRINTED])
def test_the_printed_output_is_what_the_command_prints(command, printed):
    run = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    reading = settled if "fit" in command else walked
    assert reading(printed) == reading(run.stdout)
    assert run.stderr == ""


def test_every_command_that_is_shown_has_its_output_checked():
    shown = [
        line for block in blocks("console") for line in re.findall(r"^\$ (surefoot .*)$", block, flags=re.MULTILINE)
    ]
    checked = {command for command, _ in PRINTED}
    assert {re.sub(r" --report \S+", "", command) for command in shown} == checked
    assert len(checked) == 3


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
