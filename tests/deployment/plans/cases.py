"""The catalogue of plans: what each case changes, and the plans that real Terraform made of it, as they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from backbone.synthesis import output
from backbone.topology import load
from mutants.documents import REMOVED, changed
from tests.synthesis import Json, Stacks

__all__ = ["HERE", "cases", "expanded", "merged", "plans", "reduced", "synthesize_case"]

HERE = Path(__file__).parent
PLANS = HERE / "plans.jsonl"


def cases() -> dict[str, Json]:
    """The cases by what they are called."""
    found: list[Json] = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
    by_name = {case["case"]: case for case in found}
    assert len(by_name) == len(found), "two cases are called the same"
    return by_name


def merged(value: Any, patch: Any) -> Any:
    """A value with another laid over it; null takes a key out (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    found = dict(value) if isinstance(value, dict) else {}
    for key, part in patch.items():
        if part is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), part)
    return found


def patch_between(before: Any, after: Any) -> Any:
    """What `merged` makes `after` of `before` with."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone: Json = dict.fromkeys(before.keys() - after.keys())
    return gone | {key: patch_between(before.get(key), part) for key, part in after.items() if before.get(key) != part}


def synthesize_case(case: Json, folder: Path) -> None:
    """Write the stacks of a case into a folder."""
    declared = yaml.safe_load((HERE / "backbone.yaml").read_text(encoding="utf-8"))
    file = folder.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(merged(declared, case.get("topology", {})), sort_keys=False))
    output.synth(load(file), folder)
    for stack, document in edited(_read(folder), case).items():
        (folder / "stacks" / stack / "cdk.tf.json").write_text(json.dumps(document, indent=1))


def _read(folder: Path) -> Stacks:
    return {file.parent.name: json.loads(file.read_text()) for file in sorted(folder.glob("stacks/*/cdk.tf.json"))}


def edited(stacks: Stacks, case: Json) -> Stacks:
    """The stacks after the edits of a case."""
    for document in stacks.values():
        for function in document.get("resource", {}).get("aws_lambda_function", {}).values():
            function.pop("layers", None)  # moto returns neither, so that every plan would have them
            function.pop("logging_config", None)
    for edit in case.get("edits", ()):
        stack, kind, part, *within = edit["at"]
        named = stacks[stack]["resource"].setdefault(kind, {})
        name = next((name for name in named if part in name), part)
        stacks = changed(stacks, [stack, "resource", kind, name, *within], edit.get("to", REMOVED))
    for stack, part in case.get("without", ()):
        _remove(stacks[stack], part)
    for stack, outputs in case.get("outputs", {}).items():
        stacks[stack]["output"] = {**stacks[stack].get("output", {}), **outputs}
    for stack, moves in case.get("moved", {}).items():
        for kind, part, to in moves:
            name = next(name for name in stacks[stack]["resource"][kind] if part in name)
            text = (
                json.dumps(stacks[stack])
                .replace(f"{kind}.{name}.", f"{to}.")
                .replace(f'"{name}"', f'"{to.partition(".")[2]}"')
            )
            stacks[stack] = {**json.loads(text), "moved": [{"from": f"{kind}.{name}", "to": to}]}
    return stacks


def _remove(document: Json, part: str) -> None:
    """Take out the resources with a part in their name, and the order and outputs that name them."""
    gone = {f"{kind}.{name}" for kind, named in document["resource"].items() for name in named if part in name}
    assert gone, f"no resource has {part} in its name"
    for kind, named in [*document["resource"].items()]:
        document["resource"][kind] = {name: body for name, body in named.items() if f"{kind}.{name}" not in gone}
        for body in document["resource"][kind].values():
            body["depends_on"] = [address for address in body.get("depends_on", []) if address not in gone]
    document["resource"] = {kind: named for kind, named in document["resource"].items() if named}
    document["output"] = {
        name: found
        for name, found in document["output"].items()
        if not any(f"{one}." in json.dumps(found) for one in gone)
    }


def reduced(plan: Json, url: str) -> Json:
    """What is kept of a plan: what tells the changes and the values, by address."""
    text = json.dumps(plan).replace(url, "https://sqs.eu-west-1.amazonaws.com")
    plan = _filled(json.loads(text))
    root = plan["configuration"].get("root_module", {})
    changes = [
        found
        for found in plan.get("resource_changes", [])
        if found["change"]["actions"] != ["no-op"] or "previous_address" in found
    ]
    return {
        "planned": _by_address(plan.get("planned_values", {}).get("root_module", {}).get("resources", [])),
        "changes": _by_address(changes),
        "providers": plan["configuration"].get("provider_config", {}),
        "declared": _by_address(root.get("resources", [])),
        "prior": _by_address(plan.get("prior_state", {}).get("values", {}).get("root_module", {}).get("resources", [])),
    }


def expanded(kept: Json) -> Json:
    """A plan as `terraform show -json` prints it, as far as it was kept."""
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": _listed(kept["planned"])}},
        "resource_changes": _listed(kept["changes"]),
        "configuration": {
            "provider_config": kept["providers"],
            "root_module": {"resources": _listed(kept["declared"])},
        },
        "prior_state": {"values": {"root_module": {"resources": _listed(kept["prior"])}}},
    }


LEFT_OUT = {
    "schema_version",
    "sensitive_values",
    "before_sensitive",
    "after_sensitive",
    "provider_name",
    "index",
    "address",
}


def _by_address(found: list[Json]) -> Json:
    return {one["address"]: {key: part for key, part in one.items() if key not in LEFT_OUT} for one in found}


def _listed(found: Mapping[str, Json]) -> list[Json]:
    return [{"address": address, **one} for address, one in found.items()]


def _filled(value: Any) -> Any:
    """A value without its nulls, which a patch cannot hold."""
    if isinstance(value, dict):
        return {key: _filled(part) for key, part in value.items() if part is not None}
    return [_filled(part) for part in value] if isinstance(value, list) else value


@cache
def _kept() -> Json:
    found: Json = {"base": {}, "cases": {}}
    for line in PLANS.read_text(encoding="utf-8").splitlines():
        for part, plan in json.loads(line).items():
            found[part] |= plan
    return found


def plans(case: str) -> Iterator[tuple[str, Json]]:
    """The plans of a case by their stacks, those without a change as well."""
    base, patches = _kept()["base"], _kept()["cases"][case]
    for stack in sorted({*base, *patches}):
        yield stack, expanded(merged(base.get(stack), patches.get(stack, {})))


def write(base: Mapping[str, Json], made: Mapping[str, Mapping[str, Json]]) -> None:
    """Keep the plans: the base, and of each case what differs from it."""
    differing = {
        case: {stack: patch_between(base.get(stack, {}), plan) for stack, plan in found.items()}
        for case, found in made.items()
    }
    lines = [
        json.dumps({part: {name: found}}, separators=(",", ":"), sort_keys=True)
        for part, each in (("base", base), ("cases", differing))
        for name, found in each.items()
    ]
    PLANS.write_text("\n".join(lines) + "\n", encoding="utf-8")
