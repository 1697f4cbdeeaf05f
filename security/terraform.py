"""What checkov says of the stacks, and parliament of every policy document in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from backbone.system import terraform
from security.stacks import Synthesized
from security.tools import environment
from security.verdict import Found

__all__ = ["GateError", "checkov", "parliament"]

POLICIES = ("policy", "assume_role_policy", "policy_document", "access_policy")


class GateError(Exception):
    """A tool did not do its work, so that its silence would say nothing."""


def checkov(systems: Iterable[Synthesized], folder: Path) -> list[Found]:
    """The checks that fail. GateError when checkov does not read all that it is given."""
    stacks: set[str] = set()
    for system in systems:
        for name, document in system.documents():
            place = Path(system.name, name)
            (folder / place).mkdir(parents=True)
            # A file for each type: of most resources that fail it tells the name and the file only.
            for kind, named in document.get("resource", {}).items():
                stacks.add(f"/{place.as_posix()}")
                (folder / place / f"{kind}.tf.json").write_text(json.dumps({"resource": {kind: named}}))
    options = ["--framework", "terraform_json", "--skip-download", "--compact", "-o", "json"]
    done = subprocess.run(
        [environment("checkov") / "checkov", "-d", folder, *options], capture_output=True, text=True, check=False
    )
    try:
        read: dict[str, Any] = json.loads(done.stdout)
        results, errors = read["results"], read["summary"]["parsing_errors"]
    except (ValueError, KeyError, TypeError):
        raise GateError(f"checkov: {done.stderr[-2_000:] or done.stdout[-2_000:]}") from None
    seen = {str(Path(result["file_path"]).parent) for result in (*results["passed_checks"], *results["failed_checks"])}
    missed = stacks - seen
    if errors or missed:
        raise GateError(
            f"checkov: {errors} files that it could not parse; not read: {', '.join(sorted(missed)) or 'none'}"
        )
    return [_found(failed) for failed in results["failed_checks"]]


def _found(failed: Mapping[str, Any]) -> Found:
    topology, _, file = failed["file_path"].removeprefix("/").split("/")
    address = f"{file.removesuffix('.tf.json')}.{failed['resource'].partition('.')[2]}"
    return Found(failed["check_id"], topology, address, failed["check_name"])


ANALYZE = """
import json, sys, parliament
for text in json.load(sys.stdin):
    found = parliament.analyze_policy_string(text, ignore_private_auditors=True).findings
    print(json.dumps([[each.issue, str(each.detail)] for each in found]))
"""
"""What runs in parliament's environment: a line for each document."""


def parliament(systems: Iterable[Synthesized]) -> Iterator[Found]:
    """What it finds in the policy documents, with all references resolved."""
    documents = [(system.name, *policy) for system in systems for policy in _policies(system)]
    if not documents:
        raise GateError("parliament: there are no policy documents")
    done = subprocess.run(
        [environment("parliament") / "python", "-c", ANALYZE],
        input=json.dumps([text for *_, text in documents]),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(documents):
        raise GateError(f"parliament: {done.stderr[-2_000:]}")
    for (name, address, _), line in zip(documents, lines, strict=True):
        for issue, detail in json.loads(line):
            yield Found(f"parliament:{issue}", name, address, detail)


def _policies(system: Synthesized) -> Iterator[tuple[str, str]]:
    configuration = terraform.load(system.folder)
    for block in configuration:
        for argument in POLICIES:
            value = configuration.value(block, argument)
            if isinstance(value, str) and value.lstrip().startswith("{"):
                yield block.address, value
