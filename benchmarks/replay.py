"""Bare L1 calls: what a synthesized stack holds, resource by resource, without constructs around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

REFERENCE = re.compile(r"\$\{(aws_\w+)\.([\w-]+)\.(\w+)\}")
KEPT_APART = {"//", "provider", "depends_on"}


@dataclass(frozen=True)
class Plan:
    """The resources of a stack in an order in which each comes after those that it refers to."""

    providers: list[dict[str, Any]]
    resources: list[tuple[str, str, dict[str, Any]]]
    outputs: dict[str, Any]


def plan(document: dict[str, Any]) -> Plan:
    """What to call for a stack, worked out before the clock runs."""
    bodies = {(kind, name): body for kind, named in document["resource"].items() for name, body in named.items()}
    ordered: dict[tuple[str, str], dict[str, Any]] = {}

    def visit(key: tuple[str, str]) -> None:
        if key in ordered:
            return
        body = bodies[key]
        needed = [(kind, name) for kind, name, _ in REFERENCE.findall(str(body))]
        needed += [(kind, name) for kind, _, name in (address.partition(".") for address in body.get("depends_on", []))]
        for address in needed:
            visit(address)
        ordered[key] = body

    for key in bodies:
        visit(key)
    resources = [(kind, name, body) for (kind, name), body in ordered.items()]
    return Plan(document["provider"]["aws"], resources, document.get("output", {}))


def replay(app: Any, name: str, given: Plan, classes: list[Any], provider_class: Any) -> None:
    """Make the stack of a plan with bare calls; references are attributes of the objects, each asked for once."""
    from cdktf import TerraformOutput, TerraformStack

    by_kind = {each.TF_RESOURCE_TYPE: each for each in classes}
    stack = TerraformStack(app, name)
    providers = {
        f"aws.{provider['alias']}": provider_class(stack, f"provider-{provider['alias']}", **provider)
        for provider in given.providers
    }
    made: dict[tuple[str, str], Any] = {}
    attributes: dict[tuple[str, str, str], str] = {}

    def attribute(match: re.Match[str]) -> str:
        kind, resource, key = match.groups()
        if (kind, resource, key) not in attributes:
            attributes[kind, resource, key] = getattr(made[kind, resource], key)
        return attributes[kind, resource, key]

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: resolved(each) for key, each in value.items()}
        if isinstance(value, list):
            return [resolved(each) for each in value]
        return REFERENCE.sub(attribute, value) if isinstance(value, str) else value

    for kind, resource, body in given.resources:
        arguments = {key: resolved(value) for key, value in body.items() if key not in KEPT_APART}
        after = [made[tuple(address.split(".", 1))] for address in body.get("depends_on", [])]
        made[kind, resource] = by_kind[kind](
            stack, resource, provider=providers[body["provider"]], depends_on=after or None, **arguments
        )
    for output, body in given.outputs.items():
        TerraformOutput(stack, output, value=resolved(body["value"]), description=body["description"])
