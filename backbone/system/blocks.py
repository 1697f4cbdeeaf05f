"""The blocks of a configuration on their way to resources: what is attached to what, and what could not be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from backbone.aws.limits import PATTERN_CHARACTERS
from backbone.patterns import Pattern, PatternError
from backbone.system.findings import Finding, finding
from backbone.system.iam import MANAGED, Kind, Policy, check_policy, read_policy
from backbone.system.terraform import Block, Configuration, TerraformError
from backbone.system.values import Values

__all__ = ["Blocks"]

T = TypeVar("T")


class Blocks:
    """Blocks by what they are attached to: a policy to its queue, a target to its rule, a route to its API.

    `boundaries` are the permissions boundaries that a bootstrap makes, by ARN; None where it was not written yet.
    """

    def __init__(
        self,
        configuration: Configuration,
        folder: Path,
        boundaries: Mapping[str, Policy | None] = MappingProxyType({}),
    ) -> None:
        self.configuration = configuration
        self.folder = folder
        self.boundaries = boundaries
        self.findings: list[Finding] = []
        self._policies: list[tuple[Policy, str]] = []
        self._attached: dict[tuple[str, str], list[Block]] = defaultdict(list)
        self.unreadable: set[str] = set()
        """The ids of the blocks that could not be read, each of which has a finding."""

    def find(self, rule: str, block: Block, message: str) -> None:
        """Note that something is wrong with a block."""
        self.findings.append(finding(rule, block.id, message))

    def try_reading(self, block: Block, read: Callable[[Values], T]) -> T | None:
        """What a block reads as; None, and a finding, when it cannot be read."""
        try:
            return read(Values(self.configuration, block))
        except TerraformError as error:
            self.unreadable.add(block.id)
            self.find("BB101", block, str(error).removeprefix(f"{block.id}: "))
            return None

    def attach(self, block: Block, to: str) -> None:
        """Note what a block is attached to, by whatever its type names: an ARN, a URL or an id."""
        self._attached[block.type, to].append(block)

    def attached(self, type: str, to: str) -> Iterator[Values]:
        """The blocks of a type that are attached to something. Each is given out once."""
        return (Values(self.configuration, block) for block in self._attached.pop((type, to), []))

    def read_attached(self, type: str, to: str, read: Callable[[Values], T]) -> tuple[T, ...]:
        """What the attached blocks of a type read as, without those that cannot be read."""
        found = [self.try_reading(values.block, read) for values in self.attached(type, to)]
        return tuple(part for part in found if part is not None)

    def policy(
        self, values: Values, kind: Kind, name: str = "policy", *, resource: str = "", document: Any = None
    ) -> Policy:
        """A policy document of a block, or one made from its arguments."""
        given = document or values.text(name)
        policy = read_policy(values.block.id, given, kind, resource=resource)
        self._policies.append((policy, "" if document else name))
        return policy

    def policy_findings(self) -> Iterator[Finding]:
        """Every mistake of every policy that was read."""
        for policy, argument in self._policies:
            for problem in (*policy.problems, *check_policy(policy)):
                where = ", ".join(filter(None, (argument, problem.where))) + ": " if argument else ""
                yield finding("BB501", policy.address, f"{where}{problem.message}", severity=problem.severity)

    def policies(self, type: str, to: str, kind: Kind) -> tuple[Policy, ...]:
        """The policies that are attached to a resource."""
        return self.read_attached(type, to, lambda values: self.policy(values, kind))

    @cached_property
    def customer_policies(self) -> dict[str, Policy]:
        """The managed policies that the stacks make, by ARN."""
        found: dict[str, Policy] = {}
        for block in self.configuration.of("aws_iam_policy"):
            policy = self.try_reading(block, lambda values: self.policy(values, MANAGED))
            arn = self.try_reading(block, lambda values: values.text("arn"))
            if policy is not None and arn is not None:
                found[arn] = policy
        return found

    def only_policy(self, type: str, to: str, kind: Kind, *, resource: str) -> Policy | None:
        """The policy that is attached to a resource which can have one; a second one is a finding."""
        blocks = list(self.attached(type, to))
        for values in blocks[1:]:
            self.find("BB103", values.block, f"{to} has a policy already, of {blocks[0].block.id}: the last apply wins")
        if not blocks:
            return None
        return self.try_reading(blocks[-1].block, lambda values: self.policy(values, kind, resource=resource))

    def own_policy(self, values: Values, type: str, to: str, kind: Kind, *, resource: str) -> Policy | None:
        """A resource's policy: its own argument, or the block that is attached, which the apply writes last."""
        attached = self.only_policy(type, to, kind, resource=resource)
        if values.optional_text("policy") is None:
            return attached
        if attached is not None:
            words = f"policy: {attached.address} is another: the last apply wins"
            self.find("BB103", values.block, words)
            return attached
        return self.policy(values, kind, resource=resource)

    def pattern(self, values: Values) -> Pattern | None:
        """The event pattern of a block; None when it has none. A pattern over the quota is a finding."""
        text = values.optional_text("event_pattern")
        if text is None:
            return None
        try:
            pattern = Pattern.parse(text)
        except PatternError as error:
            raise TerraformError(f"{values.block.id}: event_pattern: {error}") from None
        if pattern.too_long:
            got = f"event_pattern: $: got {len(pattern.to_json()):,} characters; allowed: {PATTERN_CHARACTERS:,}"
            self.find("BB104", values.block, f"{got}; split the rule, or have AWS raise the quota")
        for warning in pattern.warnings:
            self.findings.append(finding("BB104", values.block.id, f"event_pattern: {warning}", severity="warning"))
        return pattern

    def left_over(self, words: Callable[[Block], str]) -> None:
        """Note what is attached to something that no stack makes; `words` says what that is."""
        for blocks in self._attached.values():
            for block in blocks:
                self.find("BB105", block, f"refers to {words(block)}, which no stack makes")
