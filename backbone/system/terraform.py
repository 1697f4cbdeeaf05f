"""The synthesized Terraform, read back: every resource block by address, with what its expressions come to.

Only what the JSON says is used, so that whatever reads it sees what `terraform apply` would see.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from backbone.aws.arn import Place
from backbone.aws.regions import partition_of
from backbone.errors import BackboneError
from backbone.system.attributes import UNKNOWN, computed

__all__ = [
    "EXPRESSION",
    "REFERENCE",
    "VARIABLE",
    "Block",
    "Configuration",
    "Provider",
    "Stack",
    "TerraformError",
    "as_text",
    "documents",
    "load",
    "parse",
]

REFERENCE = re.compile(r"([a-z0-9_]+\.[\w-]+)\.(\w+)")
EXPRESSION = re.compile(r"(\$?)\$\{([^{}]*)\}")
VARIABLE = re.compile(r"var\.[\w-]+")


class TerraformError(BackboneError):
    """The Terraform JSON is not there or says something that cannot be read."""


@dataclass(frozen=True)
class Block:
    """A resource block of a stack, in the account and region of its provider. `body` has expressions as written."""

    stack: str
    address: str
    account: str
    place: Place
    body: dict[str, Any] = field(repr=False, hash=False)
    attributes: dict[str, Any] = field(default_factory=dict, repr=False, hash=False)
    """What is known of the resource because it was made already; empty where only the JSON is read."""

    @property
    def type(self) -> str:
        """The resource type, such as `aws_sqs_queue`."""
        return self.address.partition(".")[0]

    @property
    def id(self) -> str:
        """What tells the block from those of other stacks: `STACK/ADDRESS`."""
        return f"{self.stack}/{self.address}"


@dataclass(frozen=True)
class Provider:
    """An aliased AWS provider of a stack."""

    stack: str
    alias: str
    place: Place
    body: dict[str, Any] = field(repr=False, hash=False)

    @property
    def id(self) -> str:
        """What tells the provider from those of other stacks."""
        return f"{self.stack}/provider.aws.{self.alias}"


@dataclass
class Stack:
    """What a stack's document has, as far as it is read."""

    name: str
    constraint: str
    """The versions of the AWS provider that may be used."""
    blocks: list[Block]
    outputs: list[Block]
    providers: list[Provider]
    settings: dict[str, Any] = field(default_factory=dict)
    """The `terraform` block."""
    names: frozenset[str] = frozenset()
    """What else expressions can name: `var.NAME`, `local.NAME`, `data.TYPE.NAME` and `module.NAME`."""


class Configuration:
    """The stacks of one synthesis: their resource blocks, which it iterates over, their outputs and providers."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        found = list(stacks)
        self._by_id = {block.id: block for stack in found for block in stack.blocks}
        self._by_type: dict[str, list[Block]] = defaultdict(list)
        for block in self._by_id.values():
            self._by_type[block.type].append(block)
        self.outputs = tuple(output for stack in found for output in stack.outputs)
        """The outputs, as blocks of no account."""
        self.providers = tuple(provider for stack in found for provider in stack.providers)
        self.settings = {stack.name: stack.settings for stack in found}
        """The `terraform` block of each stack."""
        self.names = {stack.name: stack.names for stack in found}
        """What expressions of each stack can name beside its resources, such as `var.NAME`."""
        self.constraints = {stack.name: stack.constraint for stack in found}
        """The versions of the AWS provider that each stack may use."""
        self._dependencies: dict[str, frozenset[str]] = {}
        self._values: dict[tuple[str, str], Any] = {}
        self._resolving: set[tuple[str, str]] = set()

    def __iter__(self) -> Iterator[Block]:
        return iter(self._by_id.values())

    def of(self, *types: str) -> Iterator[Block]:
        """The blocks of some resource types, in the order of the files."""
        if len(types) == 1:
            return iter(self._by_type.get(types[0], ()))
        return (block for block in self if block.type in types)

    def get(self, id: str) -> Block | None:
        """The block with an id, `STACK/ADDRESS`; None when there is none."""
        return self._by_id.get(id)

    def value(self, block: Block, name: str, default: Any = None) -> Any:
        """What an argument or attribute of a block comes to; the default when it is absent, null or unknown."""
        found = self._value(block, name)
        return default if found is UNKNOWN or found is None else found

    def resolve(self, block: Block, value: Any) -> Any:
        """A value of a block's body with every expression replaced; TerraformError when one cannot be.

        A variable stays as written: its value is given at apply.
        """
        if isinstance(value, dict):
            return {name: self.resolve(block, part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.resolve(block, part) for part in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        if (whole := EXPRESSION.fullmatch(value)) and not whole[1]:
            return self._expression(block, whole[2])
        return EXPRESSION.sub(
            lambda found: found[0][1:] if found[1] else as_text(self._expression(block, found[2])), value
        )

    def depends_on(self, block: Block, other: Block) -> bool:
        """Whether Terraform makes a block after another one of its stack."""
        seen, waiting = set[str](), [block]
        while waiting:
            current = waiting.pop()
            for address in self.dependencies(current) - seen:
                if address == other.address:
                    return True
                seen.add(address)
                if (found := self.get(f"{current.stack}/{address}")) is not None:
                    waiting.append(found)
        return False

    def dependencies(self, block: Block) -> frozenset[str]:
        """The addresses that a block names in expressions and in depends_on."""
        if block.id not in self._dependencies:
            text = json.dumps({key: value for key, value in block.body.items() if key != "//"})
            named = (REFERENCE.match(part[1].strip()) for part in EXPRESSION.findall(text) if not part[0])
            explicit = block.body.get("depends_on")
            addresses = explicit if isinstance(explicit, list) else []
            self._dependencies[block.id] = frozenset([*(found[1] for found in named if found), *map(str, addresses)])
        return self._dependencies[block.id]

    def _value(self, block: Block, name: str) -> Any:
        key = (block.id, name)
        if key in self._values:
            return self._values[key]
        if key in self._resolving:
            raise TerraformError(f"{block.id}: {name} refers to itself; Terraform reports a cycle")
        self._resolving.add(key)
        try:
            found = self.resolve(block, block.body.get(name))
            if found is None:
                found = block.attributes.get(name)
            if found is None:
                other = partial(self._value, block)
                made = computed(block.type, block.id, block.place, name, other)
                found = None if made is UNKNOWN and name in block.body else made
            self._values[key] = found
        finally:
            self._resolving.discard(key)
        return self._values[key]

    def _expression(self, block: Block, text: str) -> Any:
        text = text.strip()
        if VARIABLE.fullmatch(text):
            return f"${{{text}}}"
        reference = REFERENCE.fullmatch(text)
        if reference is None:
            raise TerraformError(
                f"{block.id}: ${{{text}}} cannot be resolved; a reference such as ${{aws_sqs_queue.name.arn}} can"
            )
        target = self.get(f"{block.stack}/{reference[1]}")
        if target is None:
            raise TerraformError(f"{block.id}: ${{{text}}} refers to a resource that is not in the stack")
        value = self._value(target, reference[2])
        if value is UNKNOWN:
            raise TerraformError(f"{block.id}: ${{{text}}}: the attribute is not known before the resource is made")
        return value


def as_text(value: Any) -> str:
    """A value inside a text, as Terraform writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def load(folder: Path) -> Configuration:
    """All stacks that were synthesized into a folder; TerraformError when there are none or one is broken."""
    return parse(documents(folder))


def documents(folder: Path) -> dict[Path, Any]:
    """The JSON values of all stacks in a folder, by the files that have them; TerraformError as `load` raises it."""
    files = sorted(folder.glob("stacks/*/cdk.tf.json"))
    if not files:
        inside = list(folder.glob("*/cdk.tf.json"))
        known = f" (it is itself the folder of stacks: name {folder.parent})" if inside else ""
        raise TerraformError(f"{folder}: no synthesized stacks there{known}; run `backbone synth` first")
    return {file: _document(file) for file in files}


def parse(documents: Mapping[Path, Any]) -> Configuration:
    """The stacks whose JSON values are given, each by the file that has them, STACK/cdk.tf.json."""
    return Configuration(_stack(file, document) for file, document in documents.items())


def _document(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TerraformError(f"{file}: cannot be read: {error}; run `backbone synth` again") from None


def _stack(file: Path, document: Any) -> Stack:
    if not isinstance(document, dict):
        raise TerraformError(f"{file}: got {type(document).__name__}; allowed: an object, as Terraform's JSON has it")
    variables = _mapping(file, "variable", document.get("variable"))
    providers = list(_providers(file, _with_defaults(document.get("provider"), variables)))
    places = {f"aws.{provider.alias}": provider.place for provider in providers}
    blocks, outputs = [], []
    for kind, named in _mapping(file, "resource", document.get("resource")).items():
        for name, body in _mapping(file, kind, named).items():
            body = _mapping(file, f"{kind}.{name}", body)
            provider = body.get("provider")
            if not isinstance(provider, str) or provider not in places:
                raise TerraformError(
                    f"{file}: {kind}.{name}: the provider is {provider!r}; allowed: {', '.join(places) or 'none'}"
                )
            alias, place = provider.removeprefix("aws."), _place(places[provider], body.get("region"))
            blocks.append(Block(file.parent.name, f"{kind}.{name}", alias, place, body))
    for name, body in _mapping(file, "output", document.get("output")).items():
        body = _mapping(file, f"output.{name}", body)
        outputs.append(Block(file.parent.name, f"output.{name}", "", Place("", "", ""), body))
    settings = _mapping(file, "terraform", document.get("terraform"))
    names = frozenset(_names(file, document))
    return Stack(file.parent.name, _constraint(file, document), blocks, outputs, providers, settings, names)


def _names(file: Path, document: dict[str, Any]) -> Iterator[str]:
    for key, word in (("variable", "var"), ("locals", "local"), ("module", "module")):
        yield from (f"{word}.{name}" for name in _mapping(file, key, document.get(key)))
    for kind, named in _mapping(file, "data", document.get("data")).items():
        yield from (f"data.{kind}.{name}" for name in _mapping(file, f"data.{kind}", named))


def _with_defaults(value: Any, variables: Mapping[str, Any]) -> Any:
    """A value with the defaults of variables in place of the variables that have a text as their default."""
    if isinstance(value, dict):
        return {key: _with_defaults(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_defaults(item, variables) for item in value]
    if not isinstance(value, str):
        return value

    def default(found: re.Match[str]) -> str:
        declared = variables.get(found[1])
        text = declared.get("default") if isinstance(declared, dict) else None
        return text if isinstance(text, str) else found[0]

    return re.sub(r"\$\{var\.([\w-]+)\}", default, value)


def _place(place: Place, region: Any) -> Place:
    """Where a resource is: in its provider's region, or in one that it names itself, which provider 6 allows."""
    if not isinstance(region, str) or EXPRESSION.search(region):
        return place
    return Place(partition_of(region) or place.partition, region, place.account_id)


def _constraint(file: Path, document: dict[str, Any]) -> str:
    """The versions of the AWS provider that the stack asks for; empty when it asks for none."""
    found = document
    for key in ("terraform", "required_providers", "aws"):
        found = _mapping(file, key, found.get(key))
    return str(found.get("version") or "")


def _mapping(file: Path, key: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TerraformError(f"{file}: {key}: got {json.dumps(value)[:60]}; allowed: an object")
    return value


def _providers(file: Path, providers: Any) -> Iterator[Provider]:
    """The aliased providers, each for one account and region."""
    given = _mapping(file, "provider", providers).get("aws", [])
    for provider in given if isinstance(given, list) else [given]:
        read = _mapping(file, "provider.aws", provider)
        alias, region, ids = read.get("alias"), read.get("region"), read.get("allowed_account_ids")
        if not isinstance(alias, str) or not isinstance(region, str):
            raise TerraformError(f"{file}: provider aws: alias and region are needed; got {alias!r} and {region!r}")
        if not isinstance(ids, list) or len(ids) != 1 or not re.fullmatch(r"[0-9]{12}", str(ids[0])):
            raise TerraformError(
                f"{file}: provider aws.{alias}: allowed_account_ids: got {ids!r}; allowed: one account id of 12 digits"
            )
        yield Provider(file.parent.name, alias, Place(partition_of(region) or "aws", region, str(ids[0])), read)
