"""`backbone layer`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from backbone.cli.app import AsJson, app, errors, output, print_json
from backbone.errors import MachineError

__all__ = ["Architecture", "layer"]


class Architecture(Enum):
    """An architecture that functions run on."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


@app.command()
def layer(
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="The zip.", show_default="event-backbone-ARCHITECTURE.zip")
    ] = None,
    architecture: Annotated[
        Architecture, typer.Option(help="What the functions run on that are to have it.")
    ] = Architecture.ARM64,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch the packages that the runtime needs, if they are not here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the runtime, with the packages that it needs, as a Lambda layer.

    It is for functions that are deployed from elsewhere; those of the backbone have the runtime in their zips. The same
    version of the backbone gives the same bytes on every machine.
    """
    import base64
    import hashlib

    from backbone.development.layer import layer as layer_of

    name = architecture.value
    written = file or Path(f"event-backbone-{name}.zip")
    with errors.status("Making the layer"):
        content = layer_of(Path(), architecture=name, may_fetch=fetch)
    try:
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_bytes(content)
    except OSError as error:
        raise MachineError(f"{written}: cannot be written: {error.strerror}") from None
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if as_json:
        print_json({"file": str(written), "bytes": len(content), "source_code_hash": digest})
        return
    output.print(f"{written}: {len(content) / 1024**2:.1f} MB, SHA-256 {digest}", soft_wrap=True)
    errors.print(
        f"next: aws lambda publish-layer-version --layer-name event-backbone-python313-{name} --zip-file "
        f"fileb://{written} --compatible-runtimes python3.13 --compatible-architectures {name}",
        soft_wrap=True,
    )
