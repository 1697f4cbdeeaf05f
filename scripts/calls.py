"""Writes which calls the AWS provider makes for each type of resource: `python -m scripts.calls`.

It needs Terraform, the AWS provider and a minute or two. The result is what `backbone bootstrap` is held to.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from backbone.deployment import bootstrap
from tests.e2e.calls import record

DATA = Path(bootstrap.__path__[0]) / "calls.json"


def main() -> None:
    """Record the calls and write them."""
    with tempfile.TemporaryDirectory() as work:
        found = record(Path(work))
    DATA.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
