"""``python -m surefoot`` is the command line."""

from surefoot.apps.cli import main

main()
