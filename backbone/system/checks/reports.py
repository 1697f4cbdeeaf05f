"""What event buses report of themselves: that every level that is switched on is delivered somewhere.

Sources: EventBridge user guide, "Logging for event buses"; CloudWatch Logs API reference, PutDeliverySource and
CreateDelivery.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations

from backbone.errors import BackboneError
from backbone.system.access import LOG_DELIVERY
from backbone.system.findings import Finding, finding
from backbone.system.iam import Identity, authorize, event_source
from backbone.system.model import LogGroup, System
from backbone.system.terraform import Block, Configuration
from backbone.system.values import Values

__all__ = ["check"]

WRITING = ("logs:CreateLogStream", "logs:PutLogEvents")
LEVELS = ("ERROR", "INFO", "TRACE")


def check(system: System, configuration: Configuration) -> Iterator[Finding]:
    """Buses whose reports go nowhere, and deliveries that AWS refuses to make at once."""
    yield from _may_write(system, configuration)
    delivered, sources = _delivered(configuration)
    for block in configuration.of("aws_cloudwatch_event_bus"):
        values = Values(configuration, block)
        try:
            arn, level = values.text("arn"), values.part("log_config").text("level", "OFF")
        except BackboneError:
            continue  # it has a finding of its own
        wanted = LEVELS[: LEVELS.index(level) + 1] if level in LEVELS else ()
        for each in wanted:
            if f"{each}_LOGS" not in delivered[arn]:
                yield finding("BB601", block.id, f"log_config: what it reports at {each} is delivered nowhere")
        for source in sources[arn]:
            log_type = str(configuration.value(source, "log_type"))
            if log_type.removesuffix("_LOGS") not in wanted:
                yield finding("BB602", source.id, f"the bus reports nothing of {log_type}: its level is {level}")
    yield from _at_once(configuration)


def _delivered(configuration: Configuration) -> tuple[dict[str, set[str]], dict[str, list[Block]]]:
    """The log types of each bus that a delivery takes on, and all its sources, by the ARN of the bus."""
    delivered, sources = defaultdict[str, set[str]](set), defaultdict[str, list[Block]](list)
    taken = {
        (block.place, _text(configuration, block, "delivery_source_name"))
        for block in configuration.of("aws_cloudwatch_log_delivery")
    }
    for block in configuration.of("aws_cloudwatch_log_delivery_source"):
        bus = _text(configuration, block, "resource_arn")
        sources[bus].append(block)
        if (block.place, _text(configuration, block, "name")) in taken:
            delivered[bus].add(_text(configuration, block, "log_type"))
    return delivered, sources


def _may_write(system: System, configuration: Configuration) -> Iterator[Finding]:
    """Deliveries to a log group whose account does not let them write there."""
    sources = {
        (block.place, _text(configuration, block, "name")): block
        for block in configuration.of("aws_cloudwatch_log_delivery_source")
    }
    groups = {}
    for block in configuration.of("aws_cloudwatch_log_delivery_destination"):
        with suppress(BackboneError):  # it has a finding of its own
            values = Values(configuration, block)
            to = values.part("delivery_destination_configuration").text("destination_resource_arn")
            groups[values.text("arn")] = system.get(LogGroup, to.removesuffix(":*"))
    for block in configuration.of("aws_cloudwatch_log_delivery"):
        source = sources.get((block.place, _text(configuration, block, "delivery_source_name")))
        group = groups.get(_text(configuration, block, "delivery_destination_arn"))
        if source is None or group is None:
            continue  # a source or destination that is not there has a finding of its own
        context = event_source(_text(configuration, source, "arn"), block.place.account_id)
        for action in WRITING:
            decision = authorize(
                Identity(LOG_DELIVERY),
                action,
                f"{group.arn}:log-stream:reports",
                owner=group.account_id,
                policies=system.log_policies(group.account_id),
                context=context,
            )
            if not decision:
                words = f"{LOG_DELIVERY} may not {action} on {group.name}: what the bus reports is lost"
                yield finding("BB601", block.id, words)
        for policy in system.log_policies(group.account_id):
            other = configuration.get(policy.address)
            if other is not None and other.stack == block.stack and not configuration.depends_on(block, other):
                words = f"does not depend on {policy.address}, without which reports may not be written"
                yield finding("BB113", block.id, f"{words}; add it to depends_on")


def _at_once(configuration: Configuration) -> Iterator[Finding]:
    """Deliveries to one destination that nothing orders: AWS answers one of them with a conflict."""
    by_destination: dict[tuple[str, str], list[Block]] = defaultdict(list)
    for block in configuration.of("aws_cloudwatch_log_delivery"):
        by_destination[block.stack, _text(configuration, block, "delivery_destination_arn")].append(block)
    for blocks in by_destination.values():
        for one, other in combinations(blocks, 2):
            if not configuration.depends_on(one, other) and not configuration.depends_on(other, one):
                words = f"may be made at once with {one.id}, to one destination: AWS answers with a conflict"
                yield finding("BB603", other.id, f"{words}; add one of them to the depends_on of the other")


def _text(configuration: Configuration, block: Block, name: str) -> str:
    try:
        return str(configuration.value(block, name))
    except BackboneError:
        return ""  # it has a finding of its own
