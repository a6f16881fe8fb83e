"""Every example in a docstring runs as a test."""

from doctest import ELLIPSIS
from pathlib import Path

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.rest import DocTestParser

pytest_collect_file = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS)],
    path=str(Path(__file__).parent / "src"),
    patterns=["*.py"],
    document_types={".py": PythonDocStringDocument},
).pytest()
