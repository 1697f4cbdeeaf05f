"""The rules of the synthesized buses: their patterns, checked, and where they send what they match."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from backbone.errors import BackboneError
from backbone.patterns import MAX_CHARACTERS, Pattern, PatternError, PatternSet
from backbone.system.terraform import Configuration

__all__ = ["Rule", "RuleError", "matching", "read"]


class RuleError(BackboneError):
    """A rule that EventBridge would refuse."""


@dataclass(frozen=True)
class Rule:
    """A rule: the bus it is on as its ARN, and the ARNs of its targets. A rule of a schedule has no pattern."""

    address: str
    name: str
    account: str
    bus: str
    pattern: Pattern | None
    targets: tuple[str, ...]
    enabled: bool


def read(configuration: Configuration) -> list[Rule]:
    """Every rule of all stacks; RuleError with every pattern that EventBridge would refuse."""
    targets: dict[str, list[str]] = defaultdict(list)
    for target in configuration.of("aws_cloudwatch_event_target"):
        bus, rule = configuration.value(target, "event_bus_name", "default"), configuration.value(target, "rule")
        targets[f"{target.account}/{bus}/{rule}"].append(str(configuration.value(target, "arn")))
    rules, wrong = [], []
    for one in configuration.of("aws_cloudwatch_event_rule"):
        bus, name = (str(configuration.value(one, key, "default")) for key in ("event_bus_name", "name"))
        try:
            pattern = _pattern(configuration.value(one, "event_pattern"))
        except PatternError as error:
            wrong.append(f"{one.id}: event_pattern: {error}")
            continue
        rules.append(
            Rule(
                one.id,
                name,
                one.account,
                one.place.bus(bus),
                pattern,
                tuple(targets[f"{one.account}/{bus}/{name}"]),
                configuration.value(one, "state", "ENABLED") != "DISABLED",
            )
        )
    if wrong:
        raise RuleError("\n".join(wrong))
    return rules


def matching(rules: list[Rule], event: dict[str, Any]) -> list[Rule]:
    """The rules that match an event, whichever bus it is on; PatternError when it is no event."""
    live = PatternSet((number, one.pattern) for number, one in enumerate(rules) if one.pattern and one.enabled)
    return [rules[number] for number in live.matching(event)]


def _pattern(text: str | None) -> Pattern | None:
    if text is None:
        return None
    pattern = Pattern.parse(text)
    if pattern.too_long:
        length = len(pattern.to_json())
        raise PatternError(
            "$", f"{length:,} characters", f"{MAX_CHARACTERS:,}; split the rule, or have AWS raise the quota"
        )
    return pattern
