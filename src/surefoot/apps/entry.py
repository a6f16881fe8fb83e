"""Where the process begins: light, so that a Ctrl-C in its first moments is answered with a sentence too."""

from __future__ import annotations

import sys

from surefoot.apps.interrupts import leave, undisturbed


def main() -> None:
    """Load the command line and run it."""
    try:
        with undisturbed():
            from surefoot.apps import cli
    except KeyboardInterrupt:
        print("\nsurefoot: Stopped by Ctrl-C; nothing was written.", file=sys.stderr)
        leave(130)
    cli.main()
