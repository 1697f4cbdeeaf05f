"""The way from the global bus to one service's local bus."""

from __future__ import annotations

from collections.abc import Sequence

from backbone.aws import policies
from backbone.aws.names import Names
from backbone.cdk import Construct, ITerraformDependable
from backbone.constructs.account import Account
from backbone.constructs.rule import Rule
from backbone.topology import routing
from backbone.topology.hubs import Hub
from backbone.topology.retry import Retry

__all__ = ["Forwarding"]


class Forwarding(Construct):
    """A rule that forwards what matches `pattern` from a global bus to the bus with the ARN `to`; `id` is its service.

    The rule, its role and its dead-letter queue are in `account`, which may be another than that of the bus: then
    `bus_name` is the ARN of the bus, and `rule_after` its policy where that is in the same stack.

    The bus at the other end must admit the role before the target is made, or AWS refuses the target: `after`
    is its policy where that is in the same stack; otherwise its stack is deployed first.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        bus: Hub,
        bus_name: str,
        to: str,
        pattern: routing.PatternJson,
        names: Names,
        retry: Retry,
        after: Sequence[ITerraformDependable] = (),
        rule_after: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id)
        origin = f" of {bus.key}" if bus.is_further else ""
        description = f"Forwards events{origin} to {names.called(id)}"
        rule = Rule(
            self,
            account=account,
            bus_name=bus_name,
            name=names.forwarding_rule(id, bus.key),
            description=description,
            pattern=pattern,
            dead_letters_name=names.forwarding_dead_letters(id, bus.key),
            after=rule_after,
        )
        role = rule.role(name=names.forwarding_role(id, bus.key), description=description)
        permission = role.allow("role-policy", "put-events", policies.put_events(to))
        rule.send_to(to, target_id="local-bus", role=role, retry=retry, after=[*after, permission])
        self.rule_name, self.dead_letters = rule.name, rule.dead_letters
