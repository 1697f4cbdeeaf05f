"""Every kind of finding, by its id: a file per subject."""

from __future__ import annotations

from backbone.system.catalogue import declared, events, functions, policies, terraform
from backbone.system.catalogue.entry import Entry

__all__ = ["CATALOGUE"]

CATALOGUE: dict[str, Entry] = dict(
    sorted(entry for part in (declared, events, functions, policies, terraform) for entry in part.ENTRIES.items())
)
"""Every kind of finding, by its id."""
