"""What AWS would refuse of a system when it is applied, or what would fail at every event."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system import access
from backbone.system.findings import Finding
from backbone.system.model import Archive, EventBus, Function, HttpApi, Role, Rule, System, Target
from backbone.system.terraform import Configuration

__all__ = ["check"]

POLLING = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""What Lambda does to a queue with the function's role (Lambda developer guide, "Using Lambda with Amazon SQS")."""


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """Everything that is wrong with a system that could be read."""
    on_buses: list[Rule | Archive] = [*system.of(Rule), *system.of(Archive)]
    for resource in on_buses:
        if system.get(EventBus, resource.bus_arn) is None:
            words = f"refers to the bus {resource.bus_arn}, which no stack makes"
            yield _error("BB105", resource.address, words)
    for target in system.targets:
        yield from _target(system, configuration, target)
    for function in system.of(Function):
        yield from _function(system, function)
    for api in system.of(HttpApi):
        yield from _api(system, api)


def _target(system: System, configuration: Configuration, target: Target) -> Iterator[Finding]:
    """What would go wrong with every event that a target is sent."""
    refused = access.dead_letter_refusal(system, target)
    if (refusal := access.delivery_refusal(system, target, {}, ahead=True)) is not None:
        lost = target.dead_letters_arn is None or refused
        fate = "would be lost" if lost else f"would go to {str(target.dead_letters_arn).rpartition(':')[2]}"
        yield _error("BB201", target.address, f"{refusal}; every event that the rule matches {fate}")
    if target.dead_letters_arn is None:
        words = "has no dead-letter queue: what cannot be delivered is lost without a trace"
        yield _error("BB202", target.address, words)
    elif refused:
        yield _error("BB203", target.address, f"{refused}; what cannot be delivered is lost")
    yield from _order_of_creation(system, configuration, target)


def _order_of_creation(system: System, configuration: Configuration, target: Target) -> Iterator[Finding]:
    bus = system.get(EventBus, target.arn)
    block = configuration.get(target.address)
    policy = configuration.get(bus.policy.address) if bus and bus.policy else None
    if block and policy and policy.stack == block.stack and not configuration.depends_on(block, policy):
        words = (
            f"does not depend on {policy.address}: AWS refuses a target whose bus does not admit the role yet, so the "
            "first apply can fail; add it to depends_on"
        )
        yield _error("BB204", target.address, words)


def _function(system: System, function: Function) -> Iterator[Finding]:
    role = system.get(Role, function.role_arn)
    if role is None:
        yield _error("BB301", function.address, "its role is made by no stack")
    elif function.failures_arn and not access.may(role, "sqs:SendMessage", function.failures_arn):
        words = f"{role.name} may not send to {function.failures_arn}: what the function fails at is lost"
        yield _error("BB302", function.address, words)
    if not function.failures_arn:
        words = "has no failure destination: events that the function fails at are lost"
        yield _error("BB303", function.address, words)
    for mapping in function.mappings:
        for action in POLLING:
            if role and not access.may(role, action, mapping.source_arn):
                words = f"{role.name} may not {action} on {mapping.source_arn}: nothing reaches the function"
                yield _error("BB304", mapping.address, words)


def _api(system: System, api: HttpApi) -> Iterator[Finding]:
    for route in api.routes:
        function = system.get(Function, route.function_arn)
        if function is None:
            yield _error("BB401", route.address, "its integration leads to no function of these stacks")
        elif not access.invoke_permission(function, access.API_GATEWAY, f"{api.arn}/x/x", api.account_id):
            words = f"{function.name} has no permission for this API: calls are answered with 500"
            yield _error("BB402", route.address, words)


def _error(rule: str, address: str, message: str) -> Finding:
    return Finding(rule, "error", address, message)
