"""Whether Terraform makes what permits something before what needs it.

EventBridge starts to deliver as soon as a target is made: what it may not deliver yet is dead-lettered, or lost where
the queue's policy is not made either. Lambda asks for the role's permissions when a failure destination or an event
source mapping is made, and refuses it without them (Lambda API reference, PutFunctionEventInvokeConfig and
CreateEventSourceMapping).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from backbone.aws.arn import Place
from backbone.errors import BackboneError
from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.iam import Policy
from backbone.system.model import Function, LogGroup, Queue, Role, System, Target
from backbone.system.pipes import Pipe
from backbone.system.terraform import Block, Configuration, TerraformError
from backbone.system.values import Values

__all__ = ["check"]


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """What may be made before what permits it."""
    for target in system.targets:
        for policy in _permits(system, target):
            if not _made_after(configuration, target.address, policy.address):
                words = f"does not depend on {policy.address}: events that come before it is made are not delivered"
                yield finding("BB113", target.address, f"{words}; add it to depends_on")
    configs = _invoke_configs(configuration)
    for function in system.of(Function):
        role = system.get(Role, function.role_arn)
        if role is None:
            continue
        for policy in role.policies:
            for address in _needing(function, replace(role, policies=(policy,)), configs):
                yield from _too_early(configuration, address, policy.address)
    yield from _pipes(system, configuration)
    yield from _machines(system, configuration)
    yield from _buckets(configuration)


def _pipes(system: System, configuration: Configuration) -> Iterator[Finding]:
    """Pipes, whose role must be allowed to read the source when they are made."""
    for pipe in system.of(Pipe):
        role, source = system.get(Role, pipe.role_arn), pipe.mapping
        for alone in [replace(role, policies=(policy,)) for policy in role.policies] if role else ():
            (policy,) = alone.policies
            if any(access.may(alone, action, source.source_arn) for action in access.READING.get(source.service, ())):
                yield from _too_early(configuration, pipe.address, policy.address)


def _machines(system: System, configuration: Configuration) -> Iterator[Finding]:
    """State machines whose log Step Functions asks for when they are made."""
    for block in configuration.of("aws_sfn_state_machine"):
        values = Values(configuration, block)
        with suppress(BackboneError):  # it has a finding of its own
            if values.part("logging_configuration").text("level", "OFF") == "OFF":
                continue
            role = system.get(Role, values.optional_text("role_arn"))
            for alone in [replace(role, policies=(policy,)) for policy in role.policies] if role else ():
                if access.may(alone, "logs:CreateLogDelivery", "*", {"aws:RequestedRegion": block.place.region}):
                    (policy,) = alone.policies
                    yield from _too_early(configuration, block.id, policy.address)


def _buckets(configuration: Configuration) -> Iterator[Finding]:
    """Policies of buckets beside what blocks public access: S3 refuses to change both at once (OperationAborted)."""
    closing: dict[tuple[Place, str], Block] = {}
    for block in configuration.of("aws_s3_bucket_public_access_block", "aws_s3_bucket_policy"):
        with suppress(BackboneError):  # it has a finding of its own
            bucket = block.place, Values(configuration, block).text("bucket")
            other = closing.setdefault(bucket, block)
            depends = configuration.depends_on
            if other.type != block.type and not (depends(block, other) or depends(other, block)):
                words = f"is made at once with {other.address}, which S3 refuses; add that to depends_on"
                yield finding("BB113", block.id, words)


def _too_early(configuration: Configuration, address: str, policy: str) -> Iterator[Finding]:
    if not _made_after(configuration, address, policy):
        words = f"does not depend on {policy}, which AWS asks for when this is made"
        yield finding("BB113", address, f"{words}; add it to depends_on", severity="error")


def _permits(system: System, target: Target) -> Iterator[Policy]:
    """What permits the delivery to a target, and to its dead-letter queue."""
    to, role = system.target_of(target.arn), system.get(Role, target.role_arn)
    if role is not None:
        yield from role.policies
    if isinstance(to, Function):
        for permission in to.permissions:
            alone = replace(to, permissions=(permission,))
            if access.invoke_permission(alone, access.EVENTS, target.rule_arn, target.account_id):
                yield permission
    elif isinstance(to, LogGroup):
        yield from system.log_policies(to.account_id)
    # A bus's policy has a finding of its own: AWS refuses the target without it.
    for queue in (to, system.get(Queue, target.dead_letters_arn)):
        if isinstance(queue, Queue) and queue.policy is not None:
            yield queue.policy


def _invoke_configs(configuration: Configuration) -> dict[str, str]:
    """The address of the block with a function's failure destination, by what it calls the function."""
    found = {}
    for block in configuration.of("aws_lambda_function_event_invoke_config"):
        with suppress(TerraformError):  # it has a finding of its own
            name = str(configuration.value(block, "function_name"))
            found[name if name.startswith("arn:") else block.place.arn("lambda", f"function:{name}")] = block.id
    return found


def _needing(function: Function, role: Role, configs: Mapping[str, str]) -> Iterator[str]:
    """What AWS refuses to make for a function unless its role may do something, which this role may."""
    if function.failures_arn and function.arn in configs and access.may(role, "sqs:SendMessage", function.failures_arn):
        yield configs[function.arn]
    for mapping in function.mappings:
        if all(access.may(role, action, mapping.source_arn) for action in access.READING.get(mapping.service, ())):
            yield mapping.address


def _made_after(configuration: Configuration, address: str, policy: str) -> bool:
    """Whether a block of the same stack as a policy is made after it; true where they are of two stacks."""
    block, other = configuration.get(address), configuration.get(policy)
    return block is None or other is None or block.stack != other.stack or configuration.depends_on(block, other)
