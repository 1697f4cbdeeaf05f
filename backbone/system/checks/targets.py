"""Rules and their targets: what could never be delivered."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.aws.limits import TARGETS_PER_RULE
from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.model import Archive, EventBus, LogGroup, Rule, System, Target
from backbone.system.terraform import Configuration

__all__ = ["check"]


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with rules and their targets."""
    on_buses: list[Rule | Archive] = [*system.of(Rule), *system.of(Archive)]
    for resource in on_buses:
        if system.get(EventBus, resource.bus_arn) is None:
            words = f"refers to the bus {resource.bus_arn}, which no stack makes"
            yield finding("BB105", resource.address, words)
    for rule in system.of(Rule):
        if (count := len(rule.targets)) > TARGETS_PER_RULE:
            words = f"has {count} targets; allowed: {TARGETS_PER_RULE}; use a second rule with the same pattern"
            yield finding("BB106", rule.address, words)
    for rule in system.of(Rule):
        if not rule.enabled:
            yield finding("BB205", rule.address, "is switched off: nothing is delivered by it")
        if not rule.targets:
            yield finding("BB206", rule.address, "has no target: what it matches goes nowhere")
    for target in system.targets:
        yield from _target(system, configuration, target)
    for obstacle in system.obstacles:
        yield finding(obstacle.rule, obstacle.address, obstacle.words)


def _target(system: System, configuration: Configuration, target: Target) -> Iterator[Finding]:
    """What would go wrong with every event that a target is sent."""
    refused = access.dead_letter_refusal(system, target)
    if access.service_of(target.arn) in access.TARGETS_NOT_SIMULATED and system.target_of(target.arn) is None:
        yield finding("BB190", target.address, f"not simulated: what becomes of events in {target.arn}")
    if (refusal := access.delivery_refusal(system, target, {}, ahead=True)) is not None:
        lost = target.dead_letters_arn is None or refused
        fate = "would be lost" if lost else f"would go to {str(target.dead_letters_arn).rpartition(':')[2]}"
        yield finding("BB201", target.address, f"{refusal}; every event that the rule matches {fate}")
    if target.dead_letters_arn is None:
        words = "has no dead-letter queue: what cannot be delivered is lost without a trace"
        yield finding("BB202", target.address, words)
    elif refused:
        yield finding("BB203", target.address, f"{refused}; what cannot be delivered is lost")
    bus = system.get(EventBus, target.arn)
    for problem in target.input.problems(other_account=bus is not None and bus.account_id != target.account_id):
        yield finding("BB207", target.address, f"{problem}; AWS refuses the target")
    if isinstance(system.target_of(target.arn), LogGroup):
        yield from _log_template(target)
    yield from _order_of_creation(system, configuration, target)


def _log_template(target: Target) -> Iterator[Finding]:
    """A log group takes a timestamp and a text as message (AWS CDK's documentation, `LogGroupTargetInputOptions`)."""
    transformer = target.input.input_transformer
    if transformer is not None and transformer.keys != {"timestamp", "message"}:
        words = (
            f"input_template is {transformer.template!r}; a log group takes only "
            '{"timestamp": <time>, "message": "a text"}, with any values'
        )
        yield finding("BB207", target.address, words)


def _order_of_creation(system: System, configuration: Configuration, target: Target) -> Iterator[Finding]:
    bus = system.get(EventBus, target.arn)
    block = configuration.get(target.address)
    policy = configuration.get(bus.policy.address) if bus and bus.policy else None
    if block and policy and policy.stack == block.stack and not configuration.depends_on(block, policy):
        words = (
            f"does not depend on {policy.address}: AWS refuses a target whose bus does not admit the role yet, so the "
            "first apply can fail; add it to depends_on"
        )
        yield finding("BB204", target.address, words)
