"""Terraform plans, as `terraform show -json` prints them: what changes, and the system before and after.

Source of the format: Terraform's documentation, "JSON output format". OpenTofu prints the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from backbone.aws.arn import Arn, ArnError, Place
from backbone.aws.regions import partition_of
from backbone.errors import BackboneError
from backbone.system.terraform import Block, Provider, Stack

__all__ = ["Action", "Change", "Plan", "PlanError", "declared", "read_plan"]

Action = Literal["create", "update", "replace", "delete", "forget", "import", "move"]
Json = dict[str, Any]

ACTIONS: dict[tuple[str, ...], Action] = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("forget",): "forget",
    ("create", "delete"): "replace",
    ("delete", "create"): "replace",
}
WITHOUT_TEMPLATE = re.compile(
    r"(.*_|^)(policy|policy_document|event_pattern|pattern|format|target|uri|template|source_arn)$"
)
"""Arguments whose text is made of references and more, so that a plan does not tell what it comes to."""


NOWHERE = "", Place("", "", "")


class PlanError(BackboneError):
    """A file is not a plan as `terraform show -json` prints it."""


@dataclass(frozen=True)
class Change:
    """What a plan does to a resource. `before` and `after` have its attributes; what is not known yet is absent."""

    stack: str
    address: str
    action: Action
    before: Json = field(repr=False, hash=False)
    after: Json = field(repr=False, hash=False)
    unknown: Json = field(repr=False, hash=False)
    place: Place
    previous_address: str | None = None

    @property
    def type(self) -> str:
        """The resource type."""
        return self.address.partition(".")[0]

    @property
    def id(self) -> str:
        """What tells the resource from those of other stacks: `STACK/ADDRESS`."""
        return f"{self.stack}/{self.address}"

    @property
    def removes(self) -> bool:
        """Whether what was there is destroyed, be it to make it anew."""
        return self.action in ("delete", "replace")

    def differs(self, name: str) -> bool:
        """Whether an argument changes, or may change since it is not known yet."""
        return bool(self.unknown.get(name)) or self.before.get(name) != self.after.get(name)


@dataclass(frozen=True)
class Plan:
    """The plan of a stack: the stack as it was and as it will be, and the changes in between."""

    stack: str
    before: Stack
    after: Stack
    changes: tuple[Change, ...]
    guessed: tuple[str, ...]
    """The resources of `after` with an argument that is known after the apply only, by id."""

    @property
    def done(self) -> Plan:
        """The plan that is left when this one was applied: nothing changes any more."""
        return Plan(self.stack, self.after, self.after, (), ())


def read_plan(document: Any, stack: str, *, synthesized: Mapping[str, Any] | None = None) -> Plan:
    """The plan of a stack; PlanError when it is none.

    A plan does not tell what an argument comes to that is known after the apply only. It is taken from the synthesized
    document of the stack, where that is given, else from what it was before.
    """
    with _reading(document, stack):
        return _Reader(document, stack, synthesized or {}).plan()


def declared(document: Any, stack: str) -> set[str]:
    """The addresses of the resources in a plan's configuration; PlanError when it is no plan."""
    with _reading(document, stack):
        return {found["address"] for found in document["configuration"]["root_module"].get("resources", [])}


@contextmanager
def _reading(document: Any, stack: str) -> Iterator[None]:
    if not isinstance(document, dict) or not isinstance(document.get("configuration"), dict):
        raise PlanError(f"{stack}: this is no plan; allowed: what `terraform show -json PLAN` prints")
    if document.get("errored"):
        raise PlanError(f"{stack}: Terraform came to an error in this plan, so that it is not whole; plan again")
    try:
        yield
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise PlanError(f"{stack}: the plan cannot be read: {type(error).__name__}: {error}") from None


class _Reader:
    def __init__(self, document: Json, stack: str, synthesized: Mapping[str, Any]) -> None:
        self._document, self._stack, self._synthesized = document, stack, synthesized
        configuration = document["configuration"]
        self._declared = {one["address"]: one for one in configuration["root_module"].get("resources", [])}
        self._providers = {
            key: found
            for key, one in configuration.get("provider_config", {}).items()
            if (found := self._provider(one)) is not None
        }
        prior = document.get("prior_state", {}).get("values", {}).get("root_module", {}).get("resources", [])
        self._prior = {one["address"]: one for one in prior if one.get("mode") == "managed"}
        planned = document.get("planned_values", {}).get("root_module", {}).get("resources", [])
        self._planned = {one["address"]: one for one in planned if one.get("mode") == "managed"}
        self._places = dict(self._find_places())
        self._guessed: list[str] = []

    def plan(self) -> Plan:
        changes = tuple(self._changes())
        before = self._made(self._before())
        after = self._made(self._after())
        return Plan(self._stack, before, after, changes, tuple(self._guessed))

    def _provider(self, found: Json) -> Provider | None:
        expressions = found.get("expressions", {})
        region = expressions.get("region", {}).get("constant_value")
        ids = expressions.get("allowed_account_ids", {}).get("constant_value")
        if region is None or not ids:
            return None
        alias = found.get("alias", "")
        return Provider(self._stack, alias, Place(partition_of(region) or "aws", region, str(ids[0])), {})

    def _find_places(self) -> Iterator[tuple[str, tuple[str, Place]]]:
        """The alias and place of each resource.

        What leaves has no provider in a plan: it is where its ARN says, or where the resources beside it are.
        """
        by_account = {provider.place.account_id: provider for provider in self._providers.values()}
        region = next((provider.place.region for provider in self._providers.values()), "")
        near: dict[str, Counter[str]] = {}
        known: dict[str, Provider] = {}
        for address in {**self._declared, **self._prior}:
            provider = self._providers.get(self._declared.get(address, {}).get("provider_config_key", ""))
            if provider is None and len(self._providers) == 1:
                (provider,) = self._providers.values()
            if provider is None and (account := _account(self._prior.get(address, {}))) is not None:
                place = Place(account.partition, account.region or region, account.account_id)
                made = Provider(self._stack, place.account_id, place, {})
                provider = by_account.setdefault(place.account_id, made)
            if provider is not None:
                known[address] = provider
                near.setdefault(_group(address), Counter())[provider.place.account_id] += 1
        for address in {**self._declared, **self._prior}:
            if address not in known and (beside := near.get(_group(address))):
                known[address] = by_account[beside.most_common(1)[0][0]]
        self._all_providers = tuple(by_account.values())
        for address, provider in known.items():
            yield address, (provider.alias, provider.place)

    def _made(self, blocks: Iterable[Block]) -> Stack:
        return Stack(self._stack, "", list(blocks), [], list(self._all_providers))

    def _before(self) -> Iterator[Block]:
        for address, found in self._prior.items():
            if address in self._places:
                alias, place = self._places[address]
                yield Block(self._stack, address, alias, place, _filled(found.get("values", {})))

    def _after(self) -> Iterator[Block]:
        changes = self._document.get("resource_changes", [])
        unknown = {one["address"]: one["change"].get("after_unknown", {}) for one in changes}
        for address, found in self._planned.items():
            if address not in self._places:
                continue
            alias, place = self._places[address]
            written, values = self._written(address), found.get("values", {})
            body: Json = {}
            for name, expression in self._declared[address].get("expressions", {}).items():
                value, open_ = values.get(name), unknown.get(address, {}).get(name)
                body[name] = self._argument(address, name, expression, value, open_, written.get(name))
            body = {name: value for name, value in body.items() if value is not None}
            if depends_on := self._declared[address].get("depends_on"):
                body["depends_on"] = depends_on
            if written.get("//"):
                body["//"] = written["//"]
            yield Block(self._stack, address, alias, place, body, attributes=_filled(values))

    def _written(self, address: str) -> Json:
        kind, _, name = address.partition(".")
        found: Json = self._synthesized.get("resource", {}).get(kind, {}).get(name, {})
        return found

    def _argument(self, address: str, name: str, expression: Any, value: Any, unknown: Any, written: Any) -> Any:
        """What an argument comes to: what was written where it refers to others, else its planned value."""
        if written is not None and _refers(expression):
            return written
        if _is_leaf(expression):
            return self._leaf(address, name, expression.get("references", ()), value, unknown)
        blocks = expression if isinstance(expression, list) else [expression]
        values = value if isinstance(value, list) else [{}] * len(blocks)
        opens = unknown if isinstance(unknown, list) else [{}] * len(blocks)
        if len(blocks) != len(values):
            return value
        return [
            {
                key: found
                for key, part in block.items()
                if (found := self._argument(address, key, part, one.get(key), open_.get(key), None)) is not None
            }
            for block, one, open_ in zip(blocks, values, opens, strict=False)
        ]

    def _leaf(self, address: str, name: str, references: list[str], value: Any, unknown: Any) -> Any:
        """A value without what was written: a reference where it is what that refers to, else the planned value.

        Of what is not known yet, the text as it was, with references in place of what they were.
        """
        if not unknown:
            is_reference = references and value is not None and value == self._attribute(self._planned, references[0])
            return f"${{{references[0]}}}" if is_reference else value
        if not WITHOUT_TEMPLATE.match(name) and references:
            return f"${{{references[0]}}}"
        self._guessed.append(f"{self._stack}/{address}")
        text = self._prior.get(address, {}).get("values", {}).get(name)
        for reference in references if isinstance(text, str) else ():
            if isinstance(was := self._attribute(self._prior, reference), str) and was:
                text = text.replace(was, f"${{{reference}}}")
        return text

    def _attribute(self, resources: Mapping[str, Json], reference: str) -> Any:
        """What a reference such as TYPE.NAME.ATTRIBUTE comes to; None where it is not known."""
        address, _, attribute = reference.rpartition(".")
        return resources.get(address, {}).get("values", {}).get(attribute)

    def _changes(self) -> Iterator[Change]:
        for found in self._document.get("resource_changes", []):
            change = found["change"]
            action = ACTIONS.get(tuple(change["actions"]))
            if found.get("mode") != "managed":
                continue
            if action is None and change.get("importing"):
                action = "import"
            if action is None and found.get("previous_address"):
                action = "move"
            if action is None:
                continue
            _, place = self._places.get(found["address"], NOWHERE)
            yield Change(
                self._stack,
                found["address"],
                action,
                _filled(change.get("before") or {}),
                _filled(change.get("after") or {}),
                change.get("after_unknown") or {},
                place,
                found.get("previous_address"),
            )


def _is_leaf(expression: Any) -> bool:
    """Whether an expression is a value and not a block."""
    return isinstance(expression, dict) and (
        not expression or bool({"constant_value", "references"} & expression.keys())
    )


def _refers(expression: Any) -> bool:
    """Whether an expression, or one in a block, refers to other resources."""
    if isinstance(expression, list):
        return any(_refers(part) for part in expression)
    return "references" in expression or (not _is_leaf(expression) and any(map(_refers, expression.values())))


def _filled(values: Json) -> Json:
    """The values without those that the provider puts where nothing was given."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _account(resource: Json) -> Place | None:
    """Where a resource is, as its own ARN says."""
    arn = resource.get("values", {}).get("arn")
    if not isinstance(arn, str) or resource.get("type") == "aws_cloudwatch_event_target":
        return None  # the ARN of a target is of what it leads to
    try:
        found = Arn.parse(arn)
    except ArnError:
        return None
    return Place(found.partition, found.region, found.account_id) if found.account_id else None


def _group(address: str) -> str:
    """The construct of a resource, as cdktf writes it into addresses: a service, the forwarding to it."""
    return "_".join(address.partition(".")[2].split("_")[:2])
