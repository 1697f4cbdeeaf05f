"""What a shell completes of the values that the file here declares; nothing where it cannot be read."""

from __future__ import annotations

from pathlib import Path

__all__ = ["accounts", "environments", "services"]


def accounts(begun: str) -> list[str]:
    """The accounts whose names begin so."""
    return _declared("accounts", begun)


def environments(begun: str) -> list[str]:
    """The environments whose names begin so."""
    return _declared("environments", begun)


def services(begun: str) -> list[str]:
    """The services whose names begin so."""
    return _declared("services", begun)


def _declared(key: str, begun: str) -> list[str]:
    """The names below a key of the file and of those that it includes, without a look at whether they are valid."""
    from backbone.errors import BackboneError
    from backbone.topology import find, source
    from backbone.topology.include import join
    from backbone.topology.raw import mapping

    try:
        found = join(source.read(find(Path())), source.read).source.value
    except (BackboneError, OSError):
        return []
    return sorted(name for name in mapping(found, key) if name.startswith(begun))
