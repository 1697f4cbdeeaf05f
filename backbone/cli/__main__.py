"""What `python -m backbone.cli` runs."""

from backbone.cli import main

main()
