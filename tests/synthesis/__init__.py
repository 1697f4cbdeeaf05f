"""Synthesizing in tests, and finding one's way in what comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.synthesis import output
from backbone.topology import Topology

Json = dict[str, Any]
Stacks = dict[str, Json]
"""The document of each stack by its name, in the order of deployment."""

DOCUMENTS = ("assume_role_policy", "event_pattern", "policy", "policy_document")
REFERENCE = re.compile(r"\$\{(aws_\w+)\.([\w-]+)\.(\w+)\}")


def synthesize(topology: Topology, folder: Path) -> Stacks:
    return {one.name: json.loads(one.file.read_text()) for one in output.synth(topology, folder)}


@dataclass(frozen=True)
class Resource:
    stack: str
    kind: str
    name: str
    body: Json

    @property
    def address(self) -> str:
        return f"{self.kind}.{self.name}"

    @property
    def path(self) -> str:
        """The construct's path below its stack."""
        path: str = self.body["//"]["metadata"]["path"]
        return path.partition("/")[2]

    @property
    def account(self) -> str:
        provider: str = self.body["provider"]
        return provider.removeprefix("aws.")

    def document(self, key: str) -> Json:
        found: Json = json.loads(self.body[key])
        return found


def resources(stacks: Stacks, kind: str | None = None) -> list[Resource]:
    found = []
    for stack, document in stacks.items():
        for each, named in document.get("resource", {}).items():
            if kind in (None, each):
                found += [Resource(stack, each, name, body) for name, body in named.items()]
    return found


def bodies(stacks: Stacks) -> dict[str, Json]:
    """Every resource by its address, without the path that holds the stack's name."""
    found = {one.address: {key: value for key, value in one.body.items() if key != "//"} for one in resources(stacks)}
    assert len(found) == len(resources(stacks))
    return found


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def decoded(document: Json) -> Json:
    """The document as a reviewer reads it: with the JSON inside of it as JSON."""

    def decode(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {one: decode(one, each) for one, each in value.items()}
        if isinstance(value, list):
            return [decode("", each) for each in value]
        return json.loads(value) if key in (*DOCUMENTS, "redrive_policy") else value

    result: Json = decode("", document)
    return result
