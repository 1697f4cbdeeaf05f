"""A project of its own: the example without code, whose file can be changed, and the command run in its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.e2e.terraform import Terraform, environment, plugin_folder

__all__ = ["Project"]


class Project:
    """A copy of the example with its services, whose file can be changed."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.file = folder / "backbone.yaml"
        self.declared: dict[str, Any] = yaml.safe_load((ROOT / "backbone.yaml").read_text())
        self.declared["services"]["order-service"].pop("module")  # without code, of which moto has gaps
        self.declared["services"]["order-service"].pop("settings")
        self.declared["services"]["delivery-service"].pop("module")
        self.declared["services"]["delivery-service"].pop("settings")
        self.write()

    def write(self) -> None:
        self.file.write_text(yaml.safe_dump(self.declared, sort_keys=False))

    def run(self, *command: str, status: int = 0) -> str:
        """What a command prints; what it says of its failure when it is to fail."""
        plugins = plugin_folder()
        options = {"TF_CLI_ARGS_init": f"-plugin-dir={plugins}"} if plugins else {}
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(self.url) | options | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"{' '.join(command[1:])}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stderr if status else done.stdout

    def planned(self) -> Iterator[str]:
        """What plans of all stacks would do to resources."""
        for file in sorted(self.folder.glob("cdktf.out/stacks/*/cdk.tf.json")):
            terraform = Terraform(file.parent, self.url)
            terraform.init()
            terraform.run("plan", "-out=plan")
            changes = json.loads(terraform.run("show", "-json", "plan")[1])["resource_changes"]
            changed = [one["address"] for one in changes if one["change"]["actions"] != ["no-op"]]
            yield f"{file.parent.name}: {', '.join(changed) or 'No changes'}"
