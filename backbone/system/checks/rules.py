"""Rules on buses of other accounts, which their policies must let the rules' owners make and change.

Source: EventBridge user guide, "Permissions for event buses", example "Send events to and create rules on a bus in
another account".
"""

from __future__ import annotations

from collections.abc import Iterator

from backbone.aws.arn import Arn
from backbone.system.findings import Finding, finding
from backbone.system.iam import Identity, authorize
from backbone.system.model import EventBus, Rule, System

__all__ = ["check"]

NEEDED = ("PutRule", "DescribeRule", "PutTargets", "ListTargetsByRule", "RemoveTargets", "DeleteRule")
"""What Terraform calls to make, read and remove a rule and its targets (provider source, internal/service/events)."""


def check(system: System) -> Iterator[Finding]:
    """Rules that their owner may not make, or not change once they are made."""
    for rule in system.of(Rule):
        bus = system.get(EventBus, rule.bus_arn)
        hub = Arn.parse(rule.bus_arn).account_id
        if hub == rule.account_id:
            continue
        if bus is None:
            words = f"no stack makes the bus {rule.bus_arn}, and nothing is known of its policy"
            yield finding("BB720", rule.address, words, severity="warning")
            continue
        root = Identity(rule.place.root, rule.account_id)
        policies = [bus.policy] if bus.policy else []
        for operation, creator in (("PutRule", None), *((each, rule.account_id) for each in NEEDED)):
            action = f"events:{operation}"
            if not authorize(
                root, action, rule.arn, owner=hub, policies=policies, context={"events:creatorAccount": creator}
            ):
                words = f"the policy of {bus.name} in {hub} does not let {rule.account_id} call {action} on {rule.arn}"
                yield finding("BB720", rule.address, words)
                break
