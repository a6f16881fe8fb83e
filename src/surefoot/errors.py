"""What can go wrong, said in sentences.

Every message names what was wrong, where it was (file, row, column, position in the text) and what to do next.
"""

from __future__ import annotations


class SurefootError(Exception):
    """The base of every error that Surefoot raises on purpose."""


class DataError(SurefootError, ValueError):
    """The data cannot be used as asked: a missing column, an unreadable number, an empty table."""


class ModelError(SurefootError, ValueError):
    """The question makes sense, but these data or this model cannot answer it."""


class OptionError(ModelError):
    """An option means nothing here: a name that is not known, a number out of range, two that do not go together."""


class BreakdownError(ModelError):
    """A numerical method met what it cannot do; the message says what, and which method can."""


class MissingDependency(SurefootError, ImportError):
    """An optional library is needed; the message names the extra that installs it."""


class Interrupted(KeyboardInterrupt):
    """The user pressed Ctrl-C during a pass over the rows; the message says how far it had come.

    Not an ``Exception``: code that catches every ``Exception`` must not swallow a Ctrl-C.
    """


class TextError(SurefootError, ValueError):
    """A formula or an expression could not be understood; the message points at the place with a caret.

    Attributes
    ----------
    text : str
        What was typed.
    position : int
        Zero-based index in ``text`` of the first character that could not be understood.
    reason : str
        One sentence: what was wrong and what to do.
    """

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.reason = reason
        self.text = text
        self.position = max(0, min(position, len(text)))
        super().__init__(f"{reason}\n  {_window(text, self.position)}")


class FormulaError(TextError):
    """A model formula such as ``y ~ x + log(z)`` could not be understood."""


class ExpressionError(TextError):
    """A mathematical expression such as ``x^2 + 10*y^2`` could not be understood."""


def _window(text: str, position: int, width: int = 72) -> str:
    """The part of the text around the position, with a caret on the line below it."""
    start = max(0, position - width // 2)
    shown = text[start : start + width].replace("\n", " ").replace("\t", " ")
    lead = "..." if start else ""
    return f"{lead}{shown}\n  {' ' * (position - start + len(lead))}^"
