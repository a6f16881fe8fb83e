"""``surefoot certify`` and ``surefoot recheck``: what is printed, written, and the exit codes."""

import json

import numpy as np

from surefoot.apps.cli import run


def shown(capsys, *arguments):
    code = run([str(one) for one in arguments])
    return code, capsys.readouterr()


def test_a_proof_is_printed_in_numbered_lines(capsys):
    code, out = shown(capsys, "certify", "(x^2 - 2)^2", "--at", "x=1.41421356")
    assert code == 0 and out.out.startswith("strict local minimum (proven): A strict local minimum lies at most ")
    assert "x = 1.414213562" in out.out and "Krawczyk" in out.out


def test_a_proof_is_written_rechecked_and_fails_when_it_is_changed(capsys, tmp_path):
    path = tmp_path / "proof.json"
    code, out = shown(capsys, "certify", "x^2 - y^2", "--at", "x=0, y=0", "--save", path)
    assert code == 0 and f"Proof written to {path}" in out.out
    assert shown(capsys, "recheck", path)[0] == 0
    path.write_text(path.read_text().replace('"SADDLE"', '"LOCAL_MAXIMUM"'))
    code, out = shown(capsys, "recheck", path)
    assert code == 1 and "seal is broken" in out.out
    code, out = shown(capsys, "recheck", path, "--json")
    assert json.loads(out.out)["holds"] is False


def test_json_holds_the_graph_and_nothing_else_is_printed(capsys):
    code, out = shown(capsys, "certify", "-x^4", "--at", "x=0", "--json")
    state = json.loads(out.out)
    assert code == 0 and state["verdict"] == "DEGENERATE" and state["graph"]["names"] == ["x"]


def test_bounds_and_an_open_question(capsys):
    code, out = shown(capsys, "certify", "x + y^2", "--at", "x=0, y=0", "--bounds", "x=0..inf")
    assert code == 0 and "unique global minimum" in out.out
    code, out = shown(capsys, "certify", "-abs(x)", "--at", "x=0")
    assert code == 0 and out.out.startswith("inconclusive") and "abs in abs(x)" in out.out


def test_wrong_calls_are_sentences(capsys, tmp_path):
    outside = ("certify", "x^2", "--at", "x=5", "--bounds", "x=0..1")
    for arguments in (("certify", "x^2 +", "--at", "x=0"), ("certify", "x^2", "--at", "y=0"), outside,
                      ("recheck", tmp_path / "none.json")):  # fmt: skip
        code, out = shown(capsys, *arguments)
        assert code in (1, 2) and out.err and "Traceback" not in out.err
    array = tmp_path / "a.npy"
    np.save(array, np.ones(3))
    path = tmp_path / "proof.json"
    shown(capsys, "certify", "x^2", "--at", "x=0", "--save", path)
    code, out = shown(capsys, "recheck", path, "--data", array)
    assert code in (1, 2) and "not one of this proof" in out.err
