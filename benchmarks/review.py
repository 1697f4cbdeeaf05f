"""How long the review of a large backbone's plans takes, and how much memory."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from backbone import topology
from backbone.synthesis import output
from benchmarks.synthesis import run, topology_text

Json = dict[str, Any]
SIZES = (100, 500)
CHANGES = {
    "one subscription more": ("subscribes: [S1.Created]", "subscribes: [S1.Created, S2.Created]"),
    "all logs kept longer": ("organization_id", "logs: {retention_days: 30}\norganization_id"),
}
"""What is replaced in the file, once."""
SUBSCRIBES = re.compile(r"subscribes: \[(.*)\]")
REFERENCE = re.compile(r"\$\{([\w.-]+)\}")


def plan(before: Json, after: Json) -> Json:
    """What `terraform show -json` prints of a plan between two documents, without what AWS adds to a resource."""
    old, new = _bodies(before), _bodies(after)
    providers = {
        f"aws.{one['alias']}": {
            "alias": one["alias"],
            "expressions": {name: {"constant_value": one[name]} for name in ("region", "allowed_account_ids")},
        }
        for one in after["provider"]["aws"]
    }
    return {
        "configuration": {
            "provider_config": providers,
            "root_module": {"resources": [_declared(address, body) for address, body in new.items()]},
        },
        "prior_state": {"values": {"root_module": {"resources": [_made(*one) for one in old.items()]}}},
        "planned_values": {"root_module": {"resources": [_made(*one) for one in new.items()]}},
        "resource_changes": [
            _made(address, {}) | {"change": _change(old.get(address), new.get(address))} for address in {**old, **new}
        ],
    }


def _bodies(document: Json) -> dict[str, Json]:
    return {f"{kind}.{name}": body for kind, named in document["resource"].items() for name, body in named.items()}


def _made(address: str, body: Json) -> Json:
    values = {key: value for key, value in body.items() if key not in ("//", "depends_on", "provider")}
    return {"address": address, "mode": "managed", "type": address.partition(".")[0], "values": values}


def _declared(address: str, body: Json) -> Json:
    expressions = {
        key: {"references": found} if (found := REFERENCE.findall(json.dumps(value))) else {"constant_value": value}
        for key, value in _made(address, body)["values"].items()
    }
    return {"address": address, "provider_config_key": body["provider"], "expressions": expressions}


def _change(old: Json | None, new: Json | None) -> Json:
    actions = ["create"] if old is None else ["delete"] if new is None else ["no-op"] if old == new else ["update"]
    return {"actions": actions, "before": old, "after": new}


def write(count: int, change: tuple[str, str], folder: Path) -> list[Path]:
    """The plans of so many services, each with an account and a state of its own, for a change of the file."""
    text = topology_text(count, "per-account")
    before = _synthesize(text, folder / "before")
    after = _synthesize(text.replace(*change, 1), folder / "after")
    files = []
    for name in after:
        files.append(folder / f"{name}.plan.json")
        files[-1].write_text(json.dumps(plan(before[name], after[name])))
    return files


def _synthesize(text: str, folder: Path) -> Mapping[str, Json]:
    """The stacks of a file, each service with a function that handles what it subscribes to."""
    text = SUBSCRIBES.sub(_with_code, text)
    return {one.name: json.loads(one.file.read_text()) for one in output.synth(topology.parse(text), folder)}


def _with_code(subscribes: re.Match[str]) -> str:
    names = subscribes[1].replace(",", "")
    return f'{subscribes[0]}, module: benchmarks.worker, settings: {{subscribes: "{names}"}}'


def main(console: Console) -> None:
    """Print the table."""
    backbone = str(Path(sys.executable).parent / "backbone")
    table = Table("services", "change", "resources", "s", "MB", title="backbone review, whole process")
    for count in SIZES:
        for words, change in CHANGES.items():
            with tempfile.TemporaryDirectory() as place:
                files = write(count, change, Path(place))
                command = [backbone, "review", "--fail-on", "never", "--stacks", str(Path(place) / "after")]
                seconds, size = run([*command, *map(str, files)])
                made = sum(len(json.loads(file.read_text())["resource_changes"]) for file in files)
            table.add_row(str(count), words, str(made), f"{seconds:.1f}", f"{size / 2**20:.0f}")
    console.print(table)
