"""The runtime and the packages that it needs as a Lambda layer, for functions that are deployed from elsewhere."""

from __future__ import annotations

from pathlib import Path

from backbone import locked
from backbone.development.lock import PLATFORMS, fetch
from backbone.errors import BackboneError
from backbone.synthesis.package import pack, shipped_runtime
from backbone.synthesis.requirements import Locked

__all__ = ["LayerError", "layer"]

LOCK = Path(__file__).with_name("layer.lock")
"""The exact versions of what the runtime needs, without what Lambda's Python has itself: boto3 and what that needs.
`make lock` writes it of `layer.txt`."""


class LayerError(BackboneError):
    """The layer cannot be made."""


def layer(project: Path, *, architecture: str, may_fetch: bool) -> bytes:
    """The zip of the layer for an architecture: the same bytes on every machine for a version of the backbone.

    The packages are those in `.backbone/packages` of a folder. With `may_fetch` they are fetched from an index when
    they are not there; LayerError without it, LockCommandError when uv cannot do it, and PackageError when Lambda would
    not take the layer.
    """
    key = locked.key(LOCK.read_bytes())
    folder = locked.lambda_folder(project, key, architecture)
    if may_fetch:
        fetch(LOCK, folder, "--no-deps", *PLATFORMS[architecture])
    if not folder.is_dir():
        raise LayerError(f"the packages of the layer are not in {folder}; fetch them: backbone layer --fetch")
    contents = shipped_runtime() | {path: file.read_bytes() for path, file in Locked(key, folder).files()}
    # Where Lambda's Python looks for what a layer has (Lambda developer guide, "Packaging your layer content").
    return pack(
        {f"python/{path}": data for path, data in contents.items()}, or_else="leave the packages to other layers"
    )
