"""The command `backbone`: a file per group of commands. All printing is here."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    # Imported here, so that `main.py` can use `backbone.cli.app` without the commands.
    from backbone.cli import development, patterns, simulate, topology  # noqa: F401  (each adds its commands)
    from backbone.cli.app import app, exit_on_error

    with exit_on_error():
        app()
