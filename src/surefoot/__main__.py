"""``python -m surefoot`` is the command line."""

from surefoot.apps.entry import main

main()
