"""Who may do what after a change and could not before, by asking the IAM engine both times."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, product

from backbone.aws.arn import Arn, ArnError
from backbone.deployment.dangers import Danger, danger
from backbone.system.iam import BUS, KEY, TRUST, Identity, Policy, Statement, authorize
from backbone.system.iam.catalogue import service
from backbone.system.iam.conditions import Condition
from backbone.system.iam.text import like
from backbone.system.keys import Key
from backbone.system.model import EventBus, Function, Queue, Resource, Role, System

__all__ = ["widened"]

STRANGER = "999999999999"
"""An account that nobody here has."""

NOBODY = "nobody-in-particular"
"""A value that no policy names: a request with it is allowed only where any value is."""

SENDING = {"events:putevents", "sqs:sendmessage", "lambda:invokefunction", "logs:createlogstream", "logs:putlogevents"}
"""What others do with a resource of a backbone; everything else is the owner's."""

PRIVILEGED = ("iam:", "organizations:", "sts:", "account:")
CONTROL = re.compile(
    r"[a-z0-9-]+:(Add|Attach|Create|Delete|Detach|Disable|Modify|Purge|Put|Remove|Set|Update)"
    r"(?!Events$|Items?$|LogEvents$|LogStream$|Message(Batch)?$|MetricData$|Objects?$|Records?$|TelemetryRecords$|TraceSegments$)"
)
"""Actions on resources themselves, and not on what is in them."""

SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount")
FROM_IDENTITY = ("aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:resourceaccount", "aws:username")
"""Keys that follow from who asks."""

MOST_REQUESTS = 400
KINDS = (
    "alias|api-destination|archive|cluster|connection|event-bus|function|group|key|layer|log-group|parameter|policy|repository"
    "|role|rule|secret|stateMachine|stream|table|user"
)
WIDE = re.compile(rf"(arn:[^:]*:[^:]*:[^:]*:[^:]*:)?(({KINDS})[:/])?[*?].*|arn:.*[*?].*:.*:.*")
"""A resource of a policy that reaches further than beneath a resource: without a name, or over accounts."""


@dataclass(frozen=True)
class Holder:
    """A resource with policies of its own, or a role with what it may do."""

    id: str
    name: str
    arn: str
    account_id: str
    policies: tuple[Policy, ...]
    identity: Identity | None = None

    @property
    def statements(self) -> list[Statement]:
        """The statements of all its policies."""
        return [statement for policy in self.policies for statement in policy.statements]

    def without_denials(self, other: Holder) -> Holder:
        """The same without the Deny statements that another one does not have."""
        kept = {_content(statement) for statement in other.statements}

        def less(policy: Policy) -> Policy:
            statements = tuple(found for found in policy.statements if found.allows or _content(found) in kept)
            return replace(policy, statements=statements)

        policies = tuple(map(less, self.policies))
        identity = self.identity and replace(self.identity, policies=policies)
        return replace(self, policies=policies, identity=identity)

    def allows(self, request: Request) -> bool:
        """Whether it allows a request."""
        who = self.identity or request.who
        policies = () if self.identity else self.policies
        context = {**request.context}
        decision = authorize(
            who, request.action, request.resource, owner=self.account_id, policies=policies, context=context
        )
        return bool(decision)


@dataclass(frozen=True)
class Request:
    """A request that a statement allows, to be tried on the policies as they were."""

    who: Identity
    action: str
    resource: str
    context: Mapping[str, str | None]

    @property
    def open_keys(self) -> list[str]:
        """The condition keys that it has any value of."""
        return [key for key, value in self.context.items() if value and NOBODY in value]


def widened(before: System, after: System, accounts: Collection[str]) -> Iterator[Danger]:
    """The dangers in what is allowed after a change and was not before; `accounts` are the ids of the backbone's."""
    old = {(holder.arn, holder.identity is None): holder for holder in _holders(before)}
    for holder in _holders(after):
        earlier = old.get((holder.arn, holder.identity is None))
        known = earlier or Holder(
            holder.id, holder.name, holder.arn, holder.account_id, (), _powerless(holder.identity)
        )
        if earlier and _same(earlier, holder):
            continue
        undenied = known.without_denials(holder)
        reasons: dict[str, str] = {}
        for statement, request in _requests(known, holder):
            if not holder.allows(request) or known.allows(request):
                continue
            why = _reason(statement, request, holder, known, accounts)
            if why is None and undenied.allows(request):
                why = "allows what a Deny kept out"
            if why:
                reasons.setdefault(why, request.action)
        for why, action in reasons.items():
            yield danger("access-widened", holder.id, f"{why} ({action}, {holder.name})")


def _powerless(who: Identity | None) -> Identity | None:
    return who and Identity(who.name, who.account_id, ())


def _same(one: Holder, other: Holder) -> bool:
    def texts(holder: Holder) -> set[tuple[object, ...]]:
        return {_content(found) for found in holder.statements}

    limits = [holder.identity and holder.identity.boundary for holder in (one, other)]
    return texts(one) == texts(other) and (limits[0] is None) == (limits[1] is None)


def _content(found: Statement) -> tuple[object, ...]:
    """What a statement says, whatever it is called and wherever it stands."""
    return found.allows, found.principals, found.actions, found.but_actions, found.resources, found.conditions


def _holders(system: System) -> Iterator[Holder]:
    for bus in system.of(EventBus):
        yield _holder(bus, [bus.policy] if bus.policy else [])
    for queue in system.of(Queue):
        yield _holder(queue, [queue.policy] if queue.policy else [])
    for function in system.of(Function):
        yield _holder(function, function.permissions)
    for key in system.of(Key):
        yield _holder(key, [key.policy] if key.policy else [])
    for role in system.of(Role):
        yield _holder(role, [role.trust])
        yield _holder(role, role.policies, role.identity)
    for place in system.accounts.values():
        if policies := system.log_policies(place.account_id):
            arn = place.arn("logs", "*")
            yield Holder(policies[0].address, f"logs of {place.account_id}", arn, place.account_id, policies)


def _holder(resource: Resource, policies: Iterable[Policy], identity: Identity | None = None) -> Holder:
    found = tuple(policies)
    address = found[0].address if found else resource.address
    return Holder(address, resource.name, resource.arn, resource.account_id, found, identity)


def _requests(before: Holder, after: Holder) -> Iterator[tuple[Statement, Request]]:
    """Requests that the statements of a holder allow, one or more of each kind."""
    statements = [*before.statements, *after.statements]
    for statement in after.statements:
        if not statement.allows:
            continue
        for who in [after.identity] if after.identity else _identities(statement, after):
            for action in _actions(statement, after):
                keys = _values((other for other in statements if _is_about(other, action)), who)
                every = product(_resources(statement, after), product(*keys.values()))
                for resource, values in islice(every, MOST_REQUESTS):
                    yield statement, Request(who, action, resource, dict(zip(keys, values, strict=True)))


def _is_about(statement: Statement, action: str) -> bool:
    return any(like(pattern.lower(), action.lower()) for pattern in statement.actions) is not statement.but_actions


def _identities(statement: Statement, holder: Holder) -> Iterator[Identity]:
    named = statement.principals
    if named is None or named.everyone or named.but:
        yield Identity(f"arn:aws:iam::{STRANGER}:root", STRANGER)
        return
    yield from (Identity(name) for name in sorted(named.services))
    for account_id in sorted(named.accounts):
        yield Identity(f"arn:aws:iam::{account_id}:root", account_id)
    for arn in sorted(named.arns):
        if arn.count(":") > 4 and not arn.endswith(":root"):
            yield Identity(arn, arn.split(":")[4])


def _actions(statement: Statement, holder: Holder) -> list[str]:
    """What a statement allows, of each wildcard one action that is most likely not meant."""
    if statement.but_actions:
        return ["iam:CreateRole"]
    found = []
    for pattern in statement.actions:
        if "*" not in pattern and "?" not in pattern:
            found.append(pattern)
            continue
        prefix, _, name = pattern.partition(":")
        if prefix == "*":
            prefix, name = ("iam", "*") if holder.identity else (holder.arn.split(":")[2], "*")
        known = service(prefix)
        actions = known.matching(name) if known else ()
        unusual = [action.name for action in actions if action.name.lower() not in SENDING]
        found.append(next((one for one in unusual if ":Delete" in one), unusual[0] if unusual else pattern))
    return found


def _resources(statement: Statement, holder: Holder) -> list[str]:
    if holder.identity is None and not holder.arn.endswith("*"):
        return [holder.arn]
    if statement.but_resources:
        return [f"arn:aws:sqs:eu-west-1:{holder.account_id}:{NOBODY}"]
    return [found.pattern.replace("*", NOBODY).replace("?", "x") for found in statement.resources] or [holder.arn]


def _values(statements: Iterable[Statement], who: Identity) -> dict[str, list[str | None]]:
    """The condition keys that statements ask for, each with the values that they name and with another."""
    found: dict[str, list[str | None]] = {}
    for statement in statements:
        for condition in statement.conditions:
            key = condition.key.lower()
            if key in FROM_IDENTITY or (key in SOURCE_KEYS and not who.is_service):
                continue
            values = found.setdefault(key, [_other(condition)])
            values += [value for value in _named(condition) if value not in values]
    return found


def _other(condition: Condition) -> str | None:
    match condition.operator.family:
        case "Arn":
            return f"arn:aws:events:eu-west-1:{STRANGER}:rule/{NOBODY}"
        case "Bool":
            return "false"
        case "String":
            return NOBODY
    return None


def _named(condition: Condition) -> list[str]:
    if condition.operator.family == "Null":
        return [NOBODY]
    return [value.pattern.replace("*", "x").replace("?", "x") for value in condition.values]


def _reason(
    statement: Statement, request: Request, holder: Holder, before: Holder, accounts: Collection[str]
) -> str | None:
    """Why it would be dangerous if a request is allowed now; None when that is what a backbone does."""
    if holder.identity is not None:
        return _reason_of_role(statement, request, accounts)
    who, kind = request.who, holder.policies[0].kind
    if not who.is_service and who.account_id not in accounts:
        everyone = statement.principals is None or statement.principals.everyone or statement.principals.but
        return f"lets {'anybody' if everyone else f'the account {who.account_id}'} in"
    name = who.name if who.is_service else f"the account {who.account_id}"
    if request.open_keys:
        return f"lets {name} in with any {', '.join(request.open_keys)}"
    if kind is not TRUST and who.account_id == holder.account_id:
        return None  # its own policies decide
    if request.action.lower() not in SENDING and kind not in (TRUST, KEY):
        return f"lets {name} do more than send"
    if who.is_service:
        return None
    if kind is TRUST:
        return f"may be assumed by {who.name}"
    if kind is not BUS and who.account_id != holder.account_id:
        return f"lets {name} in, which is not its own"
    return _taken_source(request, before, accounts)


def _taken_source(request: Request, before: Holder, accounts: Collection[str]) -> str | None:
    """A source that was another account's alone."""
    source = request.context.get("events:source")
    for account_id in sorted({*accounts} - {request.who.account_id, before.account_id}) if source else ():
        other = Identity(f"arn:aws:iam::{account_id}:root", account_id)
        types = {value for found in before.statements for one in found.conditions for value in _named(one)}
        for detail_type in types | {str(request.context.get("events:detail-type"))}:
            context = {**request.context, "events:detail-type": detail_type}
            if before.allows(Request(other, request.action, request.resource, context)):
                return f"lets the account {request.who.account_id} publish as {source}, a source of {account_id}"
    return None


def _reason_of_role(statement: Statement, request: Request, accounts: Collection[str]) -> str | None:
    prefix = request.action.partition(":")[0]
    if statement.but_actions or any("*" in action for action in statement.actions):
        return f"may do more than is named, such as {request.action}"
    if request.action.lower().startswith(PRIVILEGED) or CONTROL.match(request.action):
        return f"may {request.action}"
    known = service(prefix)
    action = next(iter(known.matching(request.action.partition(":")[2])), None) if known else None
    if NOBODY in request.resource and (action is None or action.resources) and _is_wide(statement, request):
        return f"may use any resource of {prefix}"
    if request.open_keys:
        return f"may {request.action} with any {', '.join(request.open_keys)}"
    try:
        account = Arn.parse(request.resource).account_id
    except ArnError:
        return None
    return f"may use {request.resource} of another account" if account and account not in {*accounts, "aws"} else None


def _is_wide(statement: Statement, request: Request) -> bool:
    patterns = [found.pattern for found in statement.resources]
    return statement.but_resources or any(
        WIDE.fullmatch(pattern) and ":execute-api:" not in pattern
        for pattern in patterns
        if pattern.replace("*", NOBODY).replace("?", "x") == request.resource
    )
