"""What the functions do: nothing."""

from __future__ import annotations


def work(event: object, _context: object) -> object:
    return event
