"""The AWS that the Terraform makes: what exists, in which account, and who may do what with it.

`check` says what AWS would refuse when it is applied, or what would fail at every event.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from backbone.patterns import Pattern, PatternError, PatternSet
from backbone.system.iam import Identity, Policy, authorize
from backbone.system.terraform import Configuration, Resource, TerraformError

__all__ = [
    "Api",
    "Archive",
    "Bus",
    "Finding",
    "Function",
    "LogGroup",
    "Queue",
    "Role",
    "Route",
    "Rule",
    "Stream",
    "Target",
    "World",
]

EVENTS = "events.amazonaws.com"

NO_PART = {
    "aws_apigatewayv2_stage",
    "aws_cloudwatch_log_delivery",
    "aws_cloudwatch_log_delivery_destination",
    "aws_cloudwatch_log_delivery_source",
}
"""Types without which events flow just the same."""


@dataclass(frozen=True)
class Finding:
    """Something that AWS would refuse or that could never work: where, what, and what it would cost."""

    address: str
    message: str

    def __str__(self) -> str:
        return f"{self.address}: {self.message}"


@dataclass(eq=False)
class Thing:
    """Something with an ARN in an account."""

    address: str
    name: str
    arn: str
    account: str
    account_id: str

    @property
    def names(self) -> tuple[str, ...]:
        """All by which a fault may call it."""
        return self.name, self.arn, self.address


@dataclass(eq=False)
class Role(Thing):
    """A role: who may assume it, and what it may do."""

    trust: Policy
    policies: list[Policy] = field(default_factory=list)

    def identity(self) -> Identity:
        """The role as a principal."""
        return Identity(self.arn, self.account_id, tuple(self.policies))


@dataclass
class Message:
    """A message in a queue, with its attributes. `hops` says how often its event was forwarded from bus to bus."""

    body: str
    attributes: dict[str, str]
    id: str = ""
    receives: int = 0
    visible_at: float = 0.0
    hops: int = 0


@dataclass(eq=False)
class Queue(Thing):
    """A queue and its messages."""

    url: str
    policy: Policy | None = None
    visibility_seconds: float = 30
    redrive_arn: str | None = None
    max_receives: int = 0
    messages: list[Message] = field(default_factory=list)


@dataclass(eq=False)
class LogGroup(Thing):
    """A log group: the events and lines in it."""

    entries: list[Any] = field(default_factory=list)


@dataclass(eq=False)
class Stream(Thing):
    """A Kinesis stream: its records as (partition key, data)."""

    records: list[tuple[str, Any]] = field(default_factory=list)


@dataclass(eq=False)
class Destination(Thing):
    """An API destination: the calls that it was sent."""

    calls: list[Any] = field(default_factory=list)


@dataclass(eq=False)
class Table(Thing):
    """A DynamoDB table."""

    key: str = ""


@dataclass(eq=False)
class Function(Thing):
    """A Lambda function, with how its asynchronous invocations are tried."""

    handler: str
    runtime: str
    code: Path
    environment: dict[str, str]
    timeout_seconds: int
    memory_mb: int
    log_group: str
    role: Role | None
    permissions: list[Policy] = field(default_factory=list)
    retry_attempts: int = 2
    max_age_seconds: int = 21_600
    failures_arn: str | None = None
    mappings: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(eq=False)
class Target:
    """Where a rule sends, how long it is tried, and what becomes of what fails."""

    address: str
    rule: Rule
    arn: str
    role: Role | None
    role_arn: str | None
    dead_letters_arn: str | None
    max_attempts: int
    max_age_seconds: int
    input: Any
    input_path: str | None
    transformer: Mapping[str, Any] | None
    partition_key_path: str | None
    to: Thing | None = None
    decisions: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it sends to, by name where it is known."""
        return self.to.name if self.to else self.arn


@dataclass(eq=False)
class Rule(Thing):
    """A rule on a bus."""

    pattern: Pattern | None
    enabled: bool
    targets: list[Target] = field(default_factory=list)


@dataclass(eq=False)
class Archive(Thing):
    """What an archive has kept of a bus, oldest first, as (time, event)."""

    bus_arn: str
    pattern: Pattern | None
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)


@dataclass(eq=False)
class Bus(Thing):
    """A bus with its policy and rules."""

    policy: Policy | None = None
    rules: list[Rule] = field(default_factory=list)
    archives: list[Archive] = field(default_factory=list)
    matching: PatternSet[Rule] = field(default_factory=lambda: PatternSet[Rule]({}))


@dataclass(frozen=True)
class Route:
    """A route of an API: a method (or ANY), the path's parts, and who may call it."""

    address: str
    key: str
    authorization: str
    authorizer: Mapping[str, Any] | None
    function: Function | None

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path's parameters; None when the route is another."""
        if self.key == "$default":
            return {}
        wanted, _, template = self.key.partition(" ")
        if wanted not in ("ANY", method):
            return None
        parts, given = template.strip("/").split("/"), path.strip("/").split("/")
        found: dict[str, str] = {}
        for index, part in enumerate(parts):
            if part.endswith("+}"):
                found[part[1:-2]] = "/".join(given[index:])
                return found if given[index:] != [] else None
            if index >= len(given) or (not part.startswith("{") and part != given[index]):
                return None
            if part.startswith("{"):
                found[part[1:-1]] = given[index]
        return found if len(parts) == len(given) else None


@dataclass(eq=False)
class Api(Thing):
    """An HTTP API: its routes, the most specific first."""

    id: str
    region: str
    execution_arn: str
    routes: list[Route] = field(default_factory=list)


class World:
    """Everything that the stacks in a folder make."""

    def __init__(self, configuration: Configuration, folder: Path) -> None:
        self.configuration = configuration
        self._folder = folder
        self.things: dict[str, Thing] = {}
        self.apis: list[Api] = []
        self.log_policies: dict[str, list[Policy]] = defaultdict(list)
        self.account_ids: dict[str, str] = {}
        self.not_simulated: list[str] = []
        self.findings: list[Finding] = []
        for one in configuration:
            self.account_ids[one.account] = one.place.account_id
            arn = one.place.bus("default")
            if arn not in self.things:
                self.things[arn] = Bus(f"{one.account}/default", "default", arn, one.account, one.place.account_id)
        # Things first; then, kind by kind, what finds the things that it joins.
        for kind, make in {**_MAKE, **_JOIN}.items():
            for one in configuration.of(kind):
                make(self, one)
        known = {*_MAKE, *_JOIN, *NO_PART}
        self.not_simulated = [one.id for one in configuration if one.type not in known]
        for bus in self.of(Bus):
            bus.matching = PatternSet((rule, rule.pattern) for rule in bus.rules if rule.pattern and rule.enabled)
        for target in self.targets():
            target.to = self.things.get(target.arn) or self.things.get(target.arn.removesuffix(":*"))
            self._check_target(target)
        for function in self.of(Function):
            self._check_function(function)
        for api in self.apis:
            self._check_api(api)

    def of(self, kind: type[Found]) -> Iterator[Found]:
        """All things of a kind."""
        return (one for one in self.things.values() if isinstance(one, kind))

    def targets(self) -> Iterator[Target]:
        """The targets of all rules."""
        return (target for bus in self.of(Bus) for rule in bus.rules for target in rule.targets)

    def find(self, kind: type[Found], name: str) -> Found | None:
        """The first thing of a kind with a name, ARN or address; None when there is none."""
        return next((one for one in self.of(kind) if name in one.names), None)

    def add(self, one: Resource, thing: Thing) -> None:
        """Put a thing into the world; two of one ARN are a finding."""
        if thing.arn in self.things:
            self.findings.append(Finding(one.id, f"{thing.arn} is made by {self.things[thing.arn].address} already"))
        self.things[thing.arn] = thing

    def value(self, one: Resource, name: str, default: Any = None) -> Any:
        """What an argument of a resource comes to."""
        return self.configuration.value(one, name, default)

    def block(self, one: Resource, name: str) -> dict[str, Any]:
        """A nested block of a resource, written as an object or as a list of one; empty when there is none."""
        found = self.configuration.value(one, name) or {}
        found = found[0] if isinstance(found, list) else found
        return dict(found)

    def basics(self, one: Resource, name: str = "name") -> tuple[str, str, str, str, str]:
        """Address, name, ARN, account and account id of a resource."""
        value = str(self.value(one, name))
        return one.id, value, str(self.value(one, "arn")), one.account, one.place.account_id

    def policy(self, one: Resource, name: str = "policy") -> Policy:
        """A policy document of a resource; TerraformError when it is no JSON object."""
        try:
            document = json.loads(self.value(one, name))
        except (TypeError, ValueError):
            raise TerraformError(f"{one.id}: {name} is not a policy in JSON") from None
        return Policy(one.id, document)

    def code(self, one: Resource) -> Path:
        """Where a function's zip is."""
        return self._folder / "stacks" / one.stack / str(self.value(one, "filename", ""))

    def missing(self, one: Resource, what: str) -> None:
        """Note that a resource refers to something that no stack makes."""
        self.findings.append(Finding(one.id, f"refers to {what}, which no stack makes"))

    def bus_of(self, one: Resource) -> Bus | None:
        """The bus that a resource names or gives by ARN."""
        name = str(self.value(one, "event_bus_name", "default"))
        bus = self.things.get(name if name.startswith("arn:") else one.place.bus(name))
        if not isinstance(bus, Bus):
            self.missing(one, f"the bus {name}")
            return None
        return bus

    def function_of(self, one: Resource) -> Function | None:
        """The function that a resource names or gives by ARN."""
        name = str(self.value(one, "function_name"))
        function = self.things.get(name if name.startswith("arn:") else one.place.arn("lambda", f"function:{name}"))
        if not isinstance(function, Function):
            self.missing(one, f"the function {name}")
            return None
        return function

    def depends_on(self, one: Resource, other: Resource) -> bool:
        """Whether Terraform makes a resource after another of its stack."""
        seen, stack = set[str](), [one]
        while stack:
            current = stack.pop()
            text = json.dumps({key: value for key, value in current.body.items() if key != "//"})
            addresses = set(re.findall(r"\$\{([a-z0-9_]+\.[\w-]+)\.", text)) | set(current.body.get("depends_on", []))
            for address in addresses - seen:
                if address == other.address:
                    return True
                seen.add(address)
                stack.append(self.configuration.get(current.stack, address))
        return False

    def _check_target(self, target: Target) -> None:
        """What would go wrong with every event that a target is sent."""
        decision = self.may_deliver(target, {}, ahead=True)
        if decision is not None:
            code, why = decision
            fate = self._fate(target)
            self.findings.append(Finding(target.address, f"{code}: {why}; every event that the rule matches {fate}"))
        if target.dead_letters_arn is None:
            words = "has no dead-letter queue: what cannot be delivered is lost without a trace"
            self.findings.append(Finding(target.address, words))
        elif refusal := self.may_dead_letter(target):
            self.findings.append(Finding(target.address, f"{refusal}; what cannot be delivered is lost"))
        resource = self._resource(target.address)
        if isinstance(target.to, Bus) and target.to.policy and resource:
            policy = self._resource(target.to.policy.address)
            if policy and policy.stack == resource.stack and not self.depends_on(resource, policy):
                words = (
                    f"does not depend on {policy.address}: AWS refuses a target whose bus does not admit the role "
                    "yet, so the first apply can fail; add it to depends_on"
                )
                self.findings.append(Finding(target.address, words))

    def _fate(self, target: Target) -> str:
        if target.dead_letters_arn is None or self.may_dead_letter(target):
            return "would be lost"
        return f"would go to {target.dead_letters_arn.rpartition(':')[2]}"

    def _check_function(self, function: Function) -> None:
        if function.role is None:
            self.findings.append(Finding(function.address, "its role is made by no stack"))
        elif function.failures_arn and not self._may_fail(function.role, function.failures_arn):
            words = f"{function.role.name} may not send to {function.failures_arn}: what the function fails at is lost"
            self.findings.append(Finding(function.address, words))
        if not function.failures_arn:
            words = "has no failure destination: events that the function fails at are lost"
            self.findings.append(Finding(function.address, words))
        for mapping in function.mappings:
            for action in ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"):
                if function.role and not self._may(function.role, action, str(mapping["event_source_arn"])):
                    words = f"{function.role.name} may not {action} on {mapping['event_source_arn']}"
                    self.findings.append(Finding(str(mapping["address"]), f"{words}: nothing reaches the function"))

    def _check_api(self, api: Api) -> None:
        for route in api.routes:
            if route.function is None:
                self.findings.append(Finding(route.address, "its integration leads to no function of these stacks"))
            elif not self.may_invoke(
                route.function, "apigateway.amazonaws.com", f"{api.execution_arn}/x/x", api.account_id
            ):
                words = f"{route.function.name} has no permission for this API: calls are answered with 500"
                self.findings.append(Finding(route.address, words))

    def _resource(self, id: str) -> Resource | None:
        stack, _, address = id.partition("/")
        return next(
            (one for one in self.configuration.of(address.partition(".")[0]) if one.id == f"{stack}/{address}"), None
        )

    def _may(self, role: Role, action: str, arn: str) -> bool:
        owner = arn.split(":")[4]
        return bool(authorize(role.identity(), action, arn, owner=owner, policy=None, context={}))

    def _may_fail(self, role: Role, arn: str) -> bool:
        return self._may(role, "sqs:SendMessage", arn)

    def may_invoke(self, function: Function, service: str, source_arn: str, source_account: str) -> str | None:
        """The permission by which a service may invoke a function; None when it may not."""
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
        for permission in function.permissions:
            decision = authorize(
                Identity(service), "lambda:InvokeFunction", function.arn, owner="", policy=permission, context=context
            )
            if decision:
                return decision.why
        return None

    def may_dead_letter(self, target: Target) -> str | None:
        """Why EventBridge may not send to a target's dead-letter queue; None when it may."""
        queue = self.things.get(target.dead_letters_arn or "")
        if not isinstance(queue, Queue):
            return f"the dead-letter queue {target.dead_letters_arn} is made by no stack"
        context = {"aws:SourceArn": target.rule.arn, "aws:SourceAccount": target.rule.account_id}
        decision = authorize(
            Identity(EVENTS), "sqs:SendMessage", queue.arn, owner=queue.account_id, policy=queue.policy, context=context
        )
        return None if decision else f"{decision.why} (dead-letter queue {queue.name})"

    def may_deliver(self, target: Target, context: Mapping[str, str], *, ahead: bool = False) -> tuple[str, str] | None:
        """The error code and the words with which a delivery fails; None when it is allowed.

        `context` has the condition keys of the event. With `ahead` there is no event yet, and conditions on it count
        as met.
        """
        known = FROM_TARGET if ahead else None
        to, rule = target.to, target.rule
        if to is None:
            supported = any(f":{service}:" in target.arn for service in ("events", "sqs", "lambda", "logs", "kinesis"))
            if supported:
                return "NO_RESOURCE", f"{target.arn} is made by no stack"
            return "NO_RESOURCE", f"targets such as {target.arn} are not simulated"
        source = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
        if isinstance(to, Function):
            if self.may_invoke(to, EVENTS, rule.arn, rule.account_id):
                return None
            return "NO_PERMISSIONS", f"{to.name} has no permission for events.amazonaws.com and this rule"
        if isinstance(to, Queue):
            decision = authorize(
                Identity(EVENTS), "sqs:SendMessage", to.arn, owner=to.account_id, policy=to.policy, context=source
            )
            return None if decision else ("NO_PERMISSIONS", decision.why)
        if isinstance(to, LogGroup):
            policies = self.log_policies[to.account_id]
            for service in (EVENTS, "delivery.logs.amazonaws.com"):
                for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
                    allowed = any(
                        authorize(Identity(service), action, f"{to.arn}:*", owner="", policy=one, context=source)
                        for one in policies
                    )
                    if not allowed:
                        return "NO_PERMISSIONS", f"no logs resource policy allows {service} {action} on {to.name}"
            return None
        actions: dict[type[Thing], str] = {
            Bus: "events:PutEvents",
            Stream: "kinesis:PutRecord",
            Destination: "events:InvokeApiDestination",
        }
        action = actions.get(type(to), "")
        if not action:
            return "NO_RESOURCE", f"targets such as {target.arn} are not simulated"
        if target.role is None:
            missing = f"the role {target.role_arn} is made by no stack" if target.role_arn else "the target has no role"
            return "FAILED_TO_ASSUME_ROLE", missing
        trusted = authorize(
            Identity(EVENTS), "sts:AssumeRole", target.role.arn, owner="", policy=target.role.trust, context=source
        )
        if not trusted:
            return "FAILED_TO_ASSUME_ROLE", f"{target.role.name} does not trust events.amazonaws.com for this rule"
        more = {
            "aws:PrincipalArn": target.role.arn,
            "aws:PrincipalAccount": target.role.account_id,
            "events:eventBusInvocation": "true",
        }
        decision = authorize(
            target.role.identity(),
            action,
            to.arn,
            owner=to.account_id,
            policy=to.policy if isinstance(to, Bus) else None,
            context={**context, **more},
            known=known,
        )
        return None if decision else ("NO_PERMISSIONS", decision.why)


Found = TypeVar("Found", bound=Thing)

FROM_TARGET = frozenset(["aws:PrincipalArn", "aws:PrincipalAccount", "events:eventBusInvocation"])


def _bus(world: World, one: Resource) -> None:
    world.add(one, Bus(*world.basics(one)))


def _queue(world: World, one: Resource) -> None:
    redrive = json.loads(world.value(one, "redrive_policy") or "{}")
    world.add(
        one,
        Queue(
            *world.basics(one),
            url=str(world.value(one, "url")),
            visibility_seconds=float(world.value(one, "visibility_timeout_seconds") or 30),
            redrive_arn=redrive.get("deadLetterTargetArn"),
            max_receives=int(redrive.get("maxReceiveCount", 0)),
        ),
    )


def _log_group(world: World, one: Resource) -> None:
    world.add(one, LogGroup(*world.basics(one)))


def _stream(world: World, one: Resource) -> None:
    world.add(one, Stream(*world.basics(one)))


def _destination(world: World, one: Resource) -> None:
    world.add(one, Destination(*world.basics(one)))


def _table(world: World, one: Resource) -> None:
    world.add(one, Table(*world.basics(one), key=str(world.value(one, "hash_key"))))


def _role(world: World, one: Resource) -> None:
    world.add(one, Role(*world.basics(one), trust=world.policy(one, "assume_role_policy")))


def _function(world: World, one: Resource) -> None:
    role = world.things.get(str(world.value(one, "role")))
    world.add(
        one,
        Function(
            *world.basics(one, "function_name"),
            handler=str(world.value(one, "handler")),
            runtime=str(world.value(one, "runtime")),
            code=world.code(one),
            environment={
                key: str(value) for key, value in world.block(one, "environment").get("variables", {}).items()
            },
            timeout_seconds=int(world.value(one, "timeout") or 3),
            memory_mb=int(world.value(one, "memory_size") or 128),
            log_group=str(world.block(one, "logging_config").get("log_group", "")),
            role=role if isinstance(role, Role) else None,
        ),
    )


def _api(world: World, one: Resource) -> None:
    address, name, execution_arn = one.id, str(world.value(one, "name")), str(world.value(one, "execution_arn"))
    api = Api(
        address,
        name,
        execution_arn,
        one.account,
        one.place.account_id,
        id=str(world.value(one, "id")),
        region=one.place.region,
        execution_arn=execution_arn,
    )
    world.add(one, api)
    world.apis.append(api)


def _bus_policy(world: World, one: Resource) -> None:
    if bus := world.bus_of(one):
        bus.policy = world.policy(one)


def _queue_policy(world: World, one: Resource) -> None:
    url = world.value(one, "queue_url")
    queue = next((queue for queue in world.of(Queue) if queue.url == url), None)
    if queue is None:
        world.missing(one, f"the queue {url}")
    else:
        queue.policy = world.policy(one)


def _log_policy(world: World, one: Resource) -> None:
    world.log_policies[one.place.account_id].append(world.policy(one, "policy_document"))


def _role_policy(world: World, one: Resource) -> None:
    name = str(world.value(one, "role"))
    role = world.things.get(one.place.iam(f"role/{name}"))
    if isinstance(role, Role):
        role.policies.append(world.policy(one))
    else:
        world.missing(one, f"the role {name}")


def _permission(world: World, one: Resource) -> None:
    function = world.function_of(one)
    if function is None:
        return
    condition: dict[str, Any] = {}
    if source := world.value(one, "source_arn"):
        condition["ArnLike"] = {"aws:SourceArn": source}
    if account := world.value(one, "source_account"):
        condition["StringEquals"] = {"aws:SourceAccount": account}
    statement = {
        "Sid": one.address.partition(".")[2],
        "Effect": "Allow",
        "Principal": {"Service": world.value(one, "principal")},
        "Action": world.value(one, "action"),
        "Resource": function.arn,
        "Condition": condition,
    }
    function.permissions.append(Policy(one.id, {"Statement": [statement]}))


def _invoke_config(world: World, one: Resource) -> None:
    function = world.function_of(one)
    if function is None:
        return
    function.retry_attempts = int(world.value(one, "maximum_retry_attempts", 2))
    function.max_age_seconds = int(world.value(one, "maximum_event_age_in_seconds", 21_600))
    on_failure = world.block(one, "destination_config").get("on_failure") or {}
    on_failure = on_failure[0] if isinstance(on_failure, list) else on_failure
    function.failures_arn = on_failure.get("destination")


def _mapping(world: World, one: Resource) -> None:
    if function := world.function_of(one):
        names = ("batch_size", "event_source_arn", "function_response_types")
        function.mappings.append({name: world.value(one, name) for name in names} | {"address": one.id})


def _rule(world: World, one: Resource) -> None:
    bus = world.bus_of(one)
    if bus is None:
        return
    text = world.value(one, "event_pattern")
    try:
        pattern = Pattern.parse(text) if text else None
    except PatternError as error:
        world.findings.append(Finding(one.id, f"event_pattern: {error}"))
        return
    enabled = world.value(one, "state", "ENABLED") != "DISABLED"
    rule = Rule(*world.basics(one), pattern=pattern, enabled=enabled)
    bus.rules.append(rule)
    world.add(one, rule)


def _target(world: World, one: Resource) -> None:
    bus = world.bus_of(one)
    name = world.value(one, "rule")
    rule = next((rule for rule in bus.rules if rule.name == name), None) if bus else None
    if rule is None:
        world.missing(one, f"the rule {name}")
        return
    retry = world.block(one, "retry_policy")
    role_arn = world.value(one, "role_arn")
    role = world.things.get(str(role_arn))
    rule.targets.append(
        Target(
            address=one.id,
            rule=rule,
            arn=str(world.value(one, "arn")),
            role=role if isinstance(role, Role) else None,
            role_arn=role_arn,
            dead_letters_arn=world.block(one, "dead_letter_config").get("arn"),
            max_attempts=int(retry.get("maximum_retry_attempts", 185)),
            max_age_seconds=int(retry.get("maximum_event_age_in_seconds", 86_400)),
            input=world.value(one, "input"),
            input_path=world.value(one, "input_path"),
            transformer=world.block(one, "input_transformer") or None,
            partition_key_path=world.block(one, "kinesis_target").get("partition_key_path"),
        )
    )


def _archive(world: World, one: Resource) -> None:
    arn = str(world.value(one, "event_source_arn"))
    bus = world.things.get(arn)
    if not isinstance(bus, Bus):
        world.missing(one, f"the bus {arn}")
        return
    text = world.value(one, "event_pattern")
    archive = Archive(*world.basics(one), bus_arn=arn, pattern=Pattern.parse(text) if text else None)
    bus.archives.append(archive)
    world.add(one, archive)


def _route(world: World, one: Resource) -> None:
    api = next((api for api in world.apis if api.id == world.value(one, "api_id")), None)
    if api is None:
        world.missing(one, "its API")
        return
    integration = str(world.value(one, "target", "")).removeprefix("integrations/")
    uri = next(
        (
            str(world.value(each, "integration_uri"))
            for each in world.configuration.of("aws_apigatewayv2_integration")
            if world.value(each, "id") == integration
        ),
        "",
    )
    found = re.search(r"arn:[^/]+:function:[^/]+", uri)
    function = world.things.get(found[0]) if found else None
    authorizer_id = world.value(one, "authorizer_id")
    authorizer = next(
        (
            world.block(each, "jwt_configuration")
            for each in world.configuration.of("aws_apigatewayv2_authorizer")
            if world.value(each, "id") == authorizer_id
        ),
        None,
    )
    route = Route(
        one.id,
        str(world.value(one, "route_key")),
        str(world.value(one, "authorization_type", "NONE")),
        authorizer,
        function if isinstance(function, Function) else None,
    )
    api.routes.append(route)
    api.routes.sort(
        key=lambda each: (each.key == "$default", each.key.startswith("ANY"), each.key.count("{"), each.key)
    )


def _referred(_world: World, _one: Resource) -> None:
    """Read along with the resource that refers to it."""


_MAKE = {
    "aws_cloudwatch_event_bus": _bus,
    "aws_sqs_queue": _queue,
    "aws_cloudwatch_log_group": _log_group,
    "aws_kinesis_stream": _stream,
    "aws_cloudwatch_event_connection": _referred,
    "aws_cloudwatch_event_api_destination": _destination,
    "aws_dynamodb_table": _table,
    "aws_iam_role": _role,
    "aws_lambda_function": _function,
    "aws_apigatewayv2_api": _api,
}
_JOIN = {
    "aws_cloudwatch_event_bus_policy": _bus_policy,
    "aws_sqs_queue_policy": _queue_policy,
    "aws_cloudwatch_log_resource_policy": _log_policy,
    "aws_iam_role_policy": _role_policy,
    "aws_lambda_permission": _permission,
    "aws_lambda_function_event_invoke_config": _invoke_config,
    "aws_lambda_event_source_mapping": _mapping,
    "aws_cloudwatch_event_rule": _rule,
    "aws_cloudwatch_event_target": _target,
    "aws_cloudwatch_event_archive": _archive,
    "aws_apigatewayv2_integration": _referred,
    "aws_apigatewayv2_authorizer": _referred,
    "aws_apigatewayv2_route": _route,
}
