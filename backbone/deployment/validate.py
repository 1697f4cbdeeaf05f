"""What `terraform validate` says of the stacks, in the form of findings."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError
from backbone.system.findings import Finding, finding

__all__ = ["TerraformProgramError", "validate"]


class TerraformProgramError(BackboneError):
    """Terraform is not there, or cannot get the provider."""


def validate(folder: Path, *, plugin_dir: Path | None = None, program: str = "terraform") -> list[Finding]:
    """The diagnostics of `terraform validate` for every stack in a folder; nothing is written there.

    TerraformProgramError when there is no Terraform on the path or `terraform init` fails, which needs the registry
    or, with `plugin_dir`, a folder of unpacked providers.
    """
    if shutil.which(program) is None:
        raise TerraformProgramError(
            f"--terraform: there is no {program} on the PATH; install it, or leave the option out"
        )
    return [
        found for file in sorted(folder.glob("stacks/*/cdk.tf.json")) for found in _stack(file, plugin_dir, program)
    ]


def _stack(file: Path, plugin_dir: Path | None, program: str) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(file.parent, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*"))
        options = [f"-plugin-dir={plugin_dir.resolve()}"] if plugin_dir else []
        ready = _run([program, "init", "-backend=false", "-input=false", "-no-color", *options], place)
        if ready.returncode:
            words = " ".join(ready.stderr.split())[:300]
            raise TerraformProgramError(f"--terraform: {file.parent}: terraform init failed: {words}")
        verdict = _run([program, "validate", "-json"], place)
    for diagnostic in json.loads(verdict.stdout or "{}").get("diagnostics", []):
        yield _finding(file.parent.name, diagnostic)


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own


def _finding(stack: str, diagnostic: dict[str, Any]) -> Finding:
    address = diagnostic.get("address") or (diagnostic.get("snippet") or {}).get("context") or "stack"
    words = " ".join(str(diagnostic.get(key, "")) for key in ("summary", "detail")).strip()
    severity = "error" if diagnostic.get("severity") == "error" else "warning"
    return finding("BB193", f"{stack}/{address}", " ".join(words.split()), severity=severity)  # type: ignore[arg-type]
