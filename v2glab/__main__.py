"""``python -m v2glab`` is the command ``v2glab``."""

from v2glab.cli import main

main()
