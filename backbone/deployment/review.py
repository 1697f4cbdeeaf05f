"""A review of plans: what they change for events, in words by service, and what is dangerous in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from backbone.deployment.changes import dangers_of
from backbone.deployment.dangers import RULES, Danger, danger
from backbone.deployment.differences import Difference, publishing_words, receiving_words, without_accounts, words_of
from backbone.deployment.flows import Renaming
from backbone.deployment.widening import widened
from backbone.system.access import API_GATEWAY, SENDING, dead_letter_refusal, delivery_refusal, invoke_permission
from backbone.system.findings import SEVERITIES, Severity
from backbone.system.http_model import HttpApi
from backbone.system.iam import Identity, authorize, managed_policy
from backbone.system.model import EventBus, Function, LogGroup, Queue, System
from backbone.system.pipes import Pipe
from backbone.system.plan import Change, Plan
from backbone.system.reader import reading_of
from backbone.system.terraform import Configuration

__all__ = ["Review", "review"]

PRINCIPAL = "aws:principalarn"


@dataclass(frozen=True)
class Review:
    """What plans do: words by service, dangers with the gravest first, and the changes themselves."""

    words: Mapping[str, Sequence[str]]
    dangers: Sequence[Danger]
    changes: Sequence[Change]

    @property
    def severity(self) -> Severity | None:
        """The gravest severity of a danger; None when there is none."""
        return self.dangers[0].severity if self.dangers else None

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many resources are created, updated and so on."""
        return Counter(change.action for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """The review as JSON values."""
        return {
            "severity": self.severity,
            "counts": dict(self.counts),
            "services": {name: list(words) for name, words in self.words.items()},
            "dangers": [
                {
                    "rule": found.rule,
                    "severity": found.severity,
                    "resource": found.id,
                    "message": found.message,
                    "effect": RULES[found.rule].effect,
                    "advice": RULES[found.rule].advice,
                }
                for found in self.dangers
            ],
            "changes": [{"action": change.action, "resource": change.id} for change in self.changes],
        }


def review(plans: Sequence[Plan], waves: Sequence[Collection[str]] = (), accounts: Collection[str] = ()) -> Review:
    """Review the plans of a backbone, those of all its stacks, or of some.

    `waves` are the stacks in the order in which the plans will be applied; without it all of them count as applied at
    the same time. `accounts` are the ids of the backbone's accounts, beside those of the plans.
    """
    before, after = _system(plan.before for plan in plans), _system(plan.after for plan in plans)
    changes = [change for plan in plans for change in plan.changes]
    known = {*accounts, *(place.account_id for system in (before, after) for place in system.accounts.values())}
    moved = {f"{change.stack}/{change.previous_address}": change.id for change in changes if change.previous_address}
    flows = Difference(before, after, Renaming(moved))
    guessed = {plan.stack for plan in plans if plan.guessed}
    dangers = [
        *(found for change in changes for found in dangers_of(change)),
        *flows.dangers(),
        *widened(before, after, known),
        *_refused(before, after, guessed),
        *_detached(before, after, moved),
        *_sent_elsewhere(before, after, known if accounts else ()),
        *_handled_twice(before, after),
        *_shut_out(before, after),
        *_unlogged(before, after),
        *_unknown_policies(changes),
        *_orders(plans, waves, flows, changes),
    ]
    unique = {(found.rule, found.id, found.message): found for found in dangers}
    ordered = sorted(unique.values(), key=lambda found: (SEVERITIES.index(found.severity), found.rule, found.id))
    return Review(words_of(flows, changes), ordered, changes)


def _system(stacks: Iterator[Any]) -> System:
    return reading_of(Configuration(stacks), Path()).system


def _refused(before: System, after: System, guessed: Collection[str]) -> Iterator[Danger]:
    """Dead letters and calls of APIs that are refused from now on.

    What is new in a stack of `guessed` is left out: its policies are known after the apply only.
    """
    earlier = {target.address: _dead_letters_refused(before, target) for target in before.targets}
    for target in after.targets:
        is_new = target.address not in earlier
        if earlier.get(target.address) or (is_new and target.address.partition("/")[0] in guessed):
            continue
        if why := _dead_letters_refused(after, target):
            yield danger("dead-letters-refused", target.address, why)
    stopped, known = dict(_stopped_routes(after)), dict(_stopped_routes(before))
    for address in sorted(stopped.keys() - known.keys()):
        if address.partition("/")[0] not in guessed:
            yield danger("route-stopped", address, stopped[address])


def _detached(before: System, after: System, moved: Mapping[str, str]) -> Iterator[Danger]:
    """Where failures went and go no longer."""
    known = {moved.get(address, address): place for address, place in _failure_places(before)}
    for address, place in _failure_places(after):
        if known.get(address) and not place:
            yield danger("dead-letters-detached", address, f"what fails no longer goes to {known[address]}")


def _sent_elsewhere(before: System, after: System, accounts: Collection[str]) -> Iterator[Danger]:
    """Targets that lead out of the backbone, whose accounts may be unknown, and logs that hold more than before."""
    known = {target.address: target for target in before.targets}
    for target in after.targets:
        earlier, account_id = known.get(target.address), target.arn.split(":")[4] if target.arn.count(":") > 4 else ""
        if accounts and account_id and account_id not in accounts and (earlier is None or earlier.arn != target.arn):
            yield danger("sent-elsewhere", target.address, f"events go to {target.arn}, outside of the backbone")
        is_log = isinstance(after.target_of(target.arn), LogGroup)
        if is_log and earlier and earlier.input.input_transformer and target.input.is_whole:
            yield danger("detail-logged", target.address, f"{target.rule_name} logs whole events")


def _handled_twice(before: System, after: System) -> Iterator[Danger]:
    """Queues whose messages come back before their function must be done."""
    earlier = dict(_impatient(before))
    for address, words in _impatient(after):
        if address not in earlier:
            yield danger("handled-twice", address, words)


def _impatient(system: System) -> Iterator[tuple[str, str]]:
    for function in system.of(Function):
        for mapping in function.mappings:
            queue = system.get(Queue, mapping.source_arn)
            if queue is not None and queue.visibility_seconds < function.timeout_seconds:
                words = f"messages are hidden for {queue.visibility_seconds} s, and {function.name} may take"
                yield queue.address, f"{words} {function.timeout_seconds} s"


def _failure_places(system: System) -> Iterator[tuple[str, str | None]]:
    for target in system.targets:
        yield target.address, target.dead_letters_arn
    for queue in system.of(Queue):
        yield queue.address, queue.redrive_arn
    for function in system.of(Function):
        yield function.address, function.failures_arn or function.dead_letters_arn
        for mapping in function.mappings:
            yield mapping.address, mapping.failures_arn
    for pipe in system.of(Pipe):
        yield pipe.address, pipe.mapping.failures_arn


def _dead_letters_refused(system: System, target: Any) -> str | None:
    return dead_letter_refusal(system, target) if target.dead_letters_arn else None


def _stopped_routes(system: System) -> Iterator[tuple[str, str]]:
    for api in system.of(HttpApi):
        for route in api.routes:
            function = system.get(Function, route.function_arn)
            if route.integration is not None and route.function_arn is None:
                continue  # it is answered by something else
            if function is None or not invoke_permission(function, API_GATEWAY, f"{api.arn}/x/x", api.account_id):
                yield route.address, f"{route.key} can no longer invoke its function"


def _shut_out(before: System, after: System) -> Iterator[Danger]:
    """Buses that no longer admit a sender of an account that is in no plan."""
    here = {place.account_id for place in before.accounts.values()}
    for bus in after.of(EventBus):
        known = before.get(EventBus, bus.arn)
        for statement in known.policy.statements if known and known.policy else ():
            named = [value.text for one in statement.conditions if one.key.lower() == PRINCIPAL for value in one.values]
            for arn in sorted({*named, *(statement.principals.arns if statement.principals else ())}):
                account_id = arn.split(":")[4] if arn.count(":") > 4 else arn
                who = Identity(arn, account_id)
                if known and account_id not in here and _admits(known, who) and not _admits(bus, who):
                    yield danger("receiving-ends", bus.address, f"{bus.name} no longer admits {arn}")


def _admits(bus: EventBus, who: Identity) -> bool:
    policies = [bus.policy] if bus.policy else []
    put = SENDING["events"]
    return bool(authorize(who, put, bus.arn, owner=bus.account_id, policies=policies, context={}, ahead=True))


def _unlogged(before: System, after: System) -> Iterator[Danger]:
    """Buses that stay, and whose events are no longer logged."""
    for bus in after.of(EventBus):
        known = before.get(EventBus, bus.arn)
        if known is not None and _logs(before, known) and not _logs(after, bus):
            yield danger("event-log-removed", bus.address, f"events on {bus.name} are no longer logged")


def _logs(system: System, bus: EventBus) -> bool:
    event = {"source": "any.source", "detail-type": "Any", "account": "0", "region": bus.place.region, "detail": {}}
    return any(
        isinstance(system.target_of(target.arn), LogGroup) and delivery_refusal(system, target, {}) is None
        for rule in system.rules_by_bus[bus.arn].matching(event)
        for target in rule.targets
    )


def _unknown_policies(changes: Sequence[Change]) -> Iterator[Danger]:
    for change in changes:
        arn = str(change.after.get("policy_arn", ""))
        if change.type == "aws_iam_role_policy_attachment" and ":aws:policy/" in arn and managed_policy(arn) is None:
            yield danger("unknown-policy", change.id, f"{change.after.get('role')} gets {arn}")


def _orders(
    plans: Sequence[Plan], waves: Sequence[Collection[str]], flows: Difference, changes: Sequence[Change]
) -> Iterator[Danger]:
    """What is interrupted after a wave although it goes on in the end, or begins before it is let through."""
    code = {
        change.before.get("function_name"): change.stack for change in changes if change.type == "aws_lambda_function"
    }
    done: set[str] = set()
    for number, wave in enumerate(waves[:-1], 1):
        done |= {*wave}
        if not any(plan.changes for plan in plans if plan.stack in wave):
            continue
        if not any(plan.changes for plan in plans if plan.stack not in done):
            break
        system = _system(plan.after if plan.stack in done else plan.before for plan in plans)
        between = flows.between(system)
        when = f"between waves {number} and {number + 1}"
        receiving = flows.before.receiving & flows.after.receiving - between.receiving
        for who, words in receiving_words("stops", receiving, between.receiving):
            yield danger("order", who, f"{when}, {words}")
        publishing = flows.before.publishing & flows.after.publishing - between.publishing
        early = {one for one in flows.published - between.publishing if one.function and code.get(one.function) in done}
        for who, words in publishing_words("may not", {*without_accounts(publishing), *early}, between.publishing):
            yield danger("order", who, f"{when}, {words}")
