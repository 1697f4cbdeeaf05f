"""Records what this version makes of the examples, at its release: `python -m tests.released`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from backbone.version import __version__
from tests.conftest import EXAMPLES, example
from tests.released import ADDRESSES, DEPLOYED, LAYOUT
from tests.synthesis import Json, synthesize
from tests.test_addresses import lines


def write() -> None:
    for name in EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            made = synthesize(example(name), Path(folder) / "cdktf.out")
        (ADDRESSES / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines(made)), encoding="utf-8")
        if name == LAYOUT:
            kept = {"version": __version__, "stacks": {stack: _without_metadata(one) for stack, one in made.items()}}
            DEPLOYED.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _without_metadata(stack: Json) -> Json:
    """The stack without what CDKTF notes for itself."""
    kinds = {
        kind: {name: {key: value for key, value in body.items() if key != "//"} for name, body in named.items()}
        for kind, named in stack["resource"].items()
    }
    return {key: value for key, value in stack.items() if key != "//"} | {"resource": kinds}


if __name__ == "__main__":
    write()
