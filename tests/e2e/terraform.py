"""Real Terraform and a local AWS emulator, for the stacks as they were synthesized."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PLUGINS_VARIABLE = "TF_PLUGIN_DIR"
NOT_FOUND = f"""no AWS provider can be had: none lies in a Terraform plugin folder of this machine, and the
registry did not answer. Either give a folder by {PLUGINS_VARIABLE}, one that holds
HOST/hashicorp/aws/VERSION/PLATFORM/, or run this where `terraform init` reaches the registry.
Terraform said:
"""

MOTO_GAPS = {
    ("aws_lambda_function", "layers"): "moto knows no layers of other accounts and returns the ARN of a stand-in",
    ("aws_lambda_function", "logging_config"): "moto does not return LoggingConfig",
    ("aws_sqs_queue", "redrive_policy"): "moto returns the white space that it was given, and AWS none",
}
"""What a second plan may show, as (type, attribute), because moto takes it but does not return it; and why."""


def plugin_folder() -> Path | None:
    """The plugin folder that the environment names, else one of this machine that has an AWS provider."""
    if given := os.environ.get(PLUGINS_VARIABLE):
        return Path(given)
    places = [Path.home() / ".terraform.d" / "plugins", *Path("/").glob("usr/*/terraform/plugins")]
    places += [*Path("/").glob("usr/*/share/terraform/plugins"), *Path("/opt").glob("*plugins*")]
    pattern = "*/hashicorp/aws/*/*/terraform-provider-aws_v*"
    return next((place for place in places if any(place.glob(pattern))), None)


@contextlib.contextmanager
def moto_server(log: Path, *, guard: Path | None = None) -> Iterator[str]:
    """The address of an AWS of its own on loopback, as long as the block runs.

    With `guard`, a file, IAM's policies hold there, and the file tells of every request how it was judged.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with log.open("wb") as out:
        command = [sys.executable, "-m", "tests.e2e.emulator", "-H", "127.0.0.1", "-p", str(port)]
        if guard:
            command = [sys.executable, "-m", "tests.e2e.guard", str(port), str(guard)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        server = subprocess.Popen(
            command, stdout=out, stderr=out, env=environment | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
        )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def environment(url: str) -> dict[str, str]:
    """What Terraform finds in the environment: the emulator's address, and nothing of the user's."""
    found = {key: value for key, value in os.environ.items() if not re.match("AWS_|TF_(?!CLI_CONFIG)", key)}
    found |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    found |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    found |= {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}
    # The provider's schema makes much garbage: to collect it less often saves a third of the time of a short command.
    return found | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1", "GOGC": "400"}


@dataclass(frozen=True)
class Terraform:
    """Terraform in the folder of one stack. `more` is added to its environment."""

    folder: Path
    url: str
    more: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, good: tuple[int, ...] = (0,)) -> tuple[int, str]:
        began = time.monotonic()
        command = ["terraform", *words, *([] if words[0] == "show" else ["-no-color"])]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(self.url) | dict(self.more),
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        print(
            f"{self.folder.name}: terraform {words[0]}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True
        )
        if done.returncode not in good:
            pytest.fail(f"{self.folder.name}: terraform {' '.join(words)} failed\n{done.stdout}{done.stderr}")
        return done.returncode, done.stdout

    def init(self, *words: str) -> None:
        if shutil.which("terraform") is None:
            pytest.fail("terraform is not on the PATH; install Terraform 1.6 or newer")
        plugins = plugin_folder()
        if plugins is not None:
            self.run("init", f"-plugin-dir={plugins}", *words)
            return
        code, text = self.run("init", *words, good=(0, 1))
        if code:
            pytest.fail(NOT_FOUND + text)

    def second_plan(self, *words: str) -> list[str]:
        """What a plan right after the apply would change, without moto's gaps."""
        code, _ = self.run("plan", "-detailed-exitcode", "-out=second", *words, good=(0, 2))
        if not code:
            return []
        plan: dict[str, Any] = json.loads(self.run("show", "-json", "second")[1])
        found = [
            f"output {name}" for name, one in plan.get("output_changes", {}).items() if one["actions"] != ["no-op"]
        ]
        for one in plan["resource_changes"]:
            change = one["change"]
            if change["actions"] == ["no-op"]:
                continue
            before, after = change["before"] or {}, change["after"] or {}
            keys = {key for key in {*before, *after} if before.get(key) != after.get(key)} | {*change["after_unknown"]}
            unexplained = {key for key in keys if (one["type"], key) not in MOTO_GAPS}
            if unexplained or change["actions"] != ["update"]:
                found.append(f"{'/'.join(change['actions'])} {one['address']}: {', '.join(sorted(keys))}")
        return found

    def resources(self) -> list[str]:
        return self.run("state", "list")[1].split()
