"""The command `backbone`: a file per group of commands. All printing is here."""

from __future__ import annotations

import io
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what the terminal's encoding lacks is no error
    try:
        # Imported here, so that `main.py` can use `backbone.cli.app` without the commands, and to be interrupted.
        from backbone.cli.app import app, exit_on_error

        with exit_on_error():
            from backbone.cli import commands  # noqa: F401  (adds them)

            app()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left is to stop Node: another Ctrl-C must not break it
