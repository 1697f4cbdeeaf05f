"""The deployed system: what the Terraform makes, in which account. Nothing here changes once it is read.

Resources refer to each other by ARN, and `System` finds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from backbone.aws.arn import Place
from backbone.patterns import Pattern, PatternError, PatternSet
from backbone.system.iam import Identity, Policy
from backbone.system.mapping import EventSourceMapping
from backbone.system.obstacle import Obstacle
from backbone.system.schedule import Schedule
from backbone.system.target_input import TargetInput

__all__ = [
    "ApiDestination",
    "Archive",
    "EventBus",
    "EventSourceMapping",
    "Fifo",
    "Function",
    "Index",
    "LogGroup",
    "Queue",
    "Resource",
    "Role",
    "Rule",
    "Stream",
    "System",
    "Table",
    "Target",
    "Topic",
    "TopicSubscription",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Resource:
    """A resource with an ARN in an account. `address` is its block's, `STACK/TYPE.NAME`."""

    address: str
    name: str
    arn: str
    account: str
    place: Place

    @property
    def account_id(self) -> str:
        """The id of its account."""
        return self.place.account_id

    @property
    def names(self) -> tuple[str, ...]:
        """The names a fault can match: its name, its ARN, its address."""
        return self.name, self.arn, self.address


@dataclass(frozen=True, eq=False, kw_only=True)
class Role(Resource):
    """A role: who may assume it, and what it may do."""

    trust: Policy
    policies: tuple[Policy, ...]
    boundary: Policy | None = None

    @property
    def identity(self) -> Identity:
        """The role as a principal."""
        return Identity(self.arn, self.account_id, self.policies, self.boundary)


@dataclass(frozen=True, eq=False, kw_only=True)
class Queue(Resource):
    """An SQS queue. Messages that were received `max_receives` times go to the queue at `redrive_arn`."""

    url: str
    policy: Policy | None
    delay_seconds: int
    visibility_seconds: int
    retention_seconds: int
    receive_wait_seconds: int
    max_message_bytes: int
    key: str | None
    key_reuse_seconds: int
    fifo: Fifo | None
    redrive_arn: str | None
    max_receives: int
    redrive_sources: frozenset[str] | None
    """The queues whose dead-letter queue it may be; None is every queue of its account and region."""


@dataclass(frozen=True, kw_only=True)
class Fifo:
    """What a FIFO queue does with messages that are sent twice, within the queue or within a message group."""

    by_content: bool
    within_group: bool
    limit: str


@dataclass(frozen=True, eq=False, kw_only=True)
class LogGroup(Resource):
    """A log group."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stream(Resource):
    """A Kinesis stream. Records are in the shard that their partition key's hash falls into."""

    shards: int
    retention_seconds: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ApiDestination(Resource):
    """An HTTP endpoint outside AWS that rules can call."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Topic(Resource):
    """An SNS topic with its policy, and who gets what it is sent."""

    policy: Policy | None
    subscriptions: tuple[TopicSubscription, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class TopicSubscription:
    """Who gets what a topic is sent: all of it, or what a filter matches. `raw` is without SNS's envelope."""

    address: str
    protocol: str
    endpoint: str
    raw: bool
    filter: Pattern | None
    filters_body: bool
    """Whether the filter is about the message itself, and not about its attributes: what a rule sends has none."""
    dead_letters_arn: str | None

    def wants(self, message: str) -> bool:
        """Whether the subscriber gets a message that a rule sent."""
        if self.filter is None:
            return True
        if not self.filters_body:
            return self.filter.matches({})
        try:
            return self.filter.matches(message)
        except PatternError:
            return False  # the message is no object


@dataclass(frozen=True, eq=False, kw_only=True)
class Table(Resource):
    """A DynamoDB table. `keys` are its partition key and, if it has one, its sort key."""

    keys: tuple[str, ...]
    attribute_types: Mapping[str, str]
    """Of the attributes that are keys, of the table or of an index: S, N or B."""
    global_indexes: tuple[Index, ...]
    local_indexes: tuple[Index, ...]
    stream_arn: str | None
    stream_view: str
    expiry_attribute: str | None
    """The attribute that says when an item is to be deleted, in seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index of a table, and which attributes it has beside the keys."""

    name: str
    keys: tuple[str, ...]
    projection: str
    projected: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Function(Resource):
    """A Lambda function, with how its asynchronous invocations are tried. `code` is None for one without a zip here."""

    handler: str
    runtime: str
    architecture: str
    code: Path | None
    code_hash: str | None
    layers: tuple[str, ...]
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int
    log_group: str
    role_arn: str
    permissions: tuple[Policy, ...]
    retry_attempts: int
    max_age_seconds: int
    failures_arn: str | None
    successes_arn: str | None
    dead_letters_arn: str | None
    reserved_concurrency: int | None
    """How many invocations may run at once; None is as many as the account has left."""
    mappings: tuple[EventSourceMapping, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """Where a rule sends, how long it is tried, and what becomes of what fails."""

    address: str
    rule_arn: str
    rule_name: str
    account: str
    account_id: str
    arn: str
    role_arn: str | None
    dead_letters_arn: str | None
    max_attempts: int
    max_age_seconds: int
    input: TargetInput
    partition_key_path: str | None
    partition_key: str | None = None
    """Of a stream, where the same key goes with everything."""
    message_group: str | None
    task_definition_arn: str | None
    """Of a cluster of ECS: what is run there."""
    task_role_arns: tuple[str, ...]
    """The roles that the task definition names, where the stacks make it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Rule(Resource):
    """A rule on a bus, with a pattern, a schedule or both."""

    bus_arn: str
    pattern: Pattern | None
    schedule: Schedule | None
    enabled: bool
    targets: tuple[Target, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Archive(Resource):
    """An archive of a bus; without a pattern it keeps everything, and with 0 days for ever."""

    bus_arn: str
    pattern: Pattern | None
    retention_days: int


@dataclass(frozen=True, eq=False, kw_only=True)
class EventBus(Resource):
    """An event bus with its policy."""

    policy: Policy | None


Found = TypeVar("Found", bound=Resource)


class System:
    """Every resource of the stacks in a folder, by ARN, and who is where."""

    def __init__(
        self,
        resources: Iterable[Resource],
        *,
        accounts: Mapping[str, Place],
        log_policies: Mapping[str, Sequence[Policy]],
        services: Mapping[str, str] | None = None,
        not_simulated: Iterable[str] = (),
        layers: Mapping[str, tuple[str, ...]] | None = None,
        packages: Mapping[str, Path] | None = None,
        obstacles: Iterable[Obstacle] = (),
        published_on: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self.resources: Mapping[str, Resource] = {resource.arn: resource for resource in resources}
        self.accounts = dict(accounts)
        self.services = dict(services or {})  # the service of each block, by address; of the bus's account none
        self.not_simulated = tuple(not_simulated)  # the addresses of blocks that no part of the simulator reads
        self.layers = dict(layers or {})  # what was declared to be in them, as requirements, by patterns of ARNs
        self.packages = dict(packages or {})  # that the functions of a service need: their folder here, by service
        self.obstacles = tuple(obstacles)  # what is in the way behind targets that are not simulated
        self._published_on = dict(
            published_on or {}
        )  # the ARN of the bus of what is declared, by detail-type and source
        self._log_policies = {account_id: tuple(policies) for account_id, policies in log_policies.items()}
        by_kind: dict[type[Resource], list[Resource]] = defaultdict(list)
        for resource in self.resources.values():
            by_kind[type(resource)].append(resource)
        self._by_kind = by_kind

    def of(self, kind: type[Found]) -> Sequence[Found]:
        """The resources of a kind, in the order of the files."""
        return self._by_kind.get(kind, [])  # type: ignore[return-value] # filled by exact type

    def get(self, kind: type[Found], arn: str | None) -> Found | None:
        """The resource of a kind at an ARN; None when it is none of these stacks or of another kind."""
        found = self.resources.get(arn or "")
        return found if isinstance(found, kind) else None

    def find(self, kind: type[Found], name: str) -> Found | None:
        """The first resource of a kind with a name, ARN or address; None when there is none."""
        return next((resource for resource in self.of(kind) if name in resource.names), None)

    def target_of(self, arn: str) -> Resource | None:
        """What a target's ARN leads to; a log group's may end in `:*`."""
        return self.resources.get(arn) or self.resources.get(arn.removesuffix(":*"))

    def obstacle_behind(self, target: Target) -> Obstacle | None:
        """Why all is lost that a target is sent; None when nothing is known to be in the way."""
        named = (target.arn, target.task_definition_arn)
        return next((each for each in self.obstacles if not {*each.behind}.isdisjoint(named)), None)

    def log_policies(self, account_id: str) -> tuple[Policy, ...]:
        """The resource policies of CloudWatch Logs in an account."""
        return self._log_policies.get(account_id, ())

    def account_name(self, account_id: str) -> str:
        """The name of an account in the file; its id where it has none."""
        return self._account_names.get(account_id, account_id)

    @cached_property
    def _account_names(self) -> dict[str, str]:
        return {place.account_id: name for name, place in self.accounts.items()}

    @cached_property
    def organization(self) -> str | None:
        """The organization that bus policies ask for: all accounts of the stacks count as members of it."""
        policies = (bus.policy for bus in self.of(EventBus) if bus.policy)
        conditions = (condition for policy in policies for one in policy.statements for condition in one.conditions)
        asked = (one.values[0].text for one in conditions if one.key.lower() == "aws:principalorgid")
        return next(asked, None)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The targets of all rules."""
        return tuple(target for rule in self.of(Rule) for target in rule.targets)

    @cached_property
    def rules_by_bus(self) -> Mapping[str, PatternSet[Rule]]:
        """The enabled rules of each bus, by its ARN, ready to be matched."""
        by_bus: dict[str, list[tuple[Rule, Pattern]]] = defaultdict(list)
        for rule in self.of(Rule):
            if rule.pattern is not None and rule.enabled:
                by_bus[rule.bus_arn].append((rule, rule.pattern))
        return {bus.arn: PatternSet(by_bus[bus.arn]) for bus in self.of(EventBus)}

    @cached_property
    def hubs(self) -> tuple[EventBus, ...]:
        """The buses that forward to other buses."""
        forwarding = {target.rule_arn for target in self.targets if self.get(EventBus, target.arn) is not None}
        buses = {rule.bus_arn for rule in self.of(Rule) if rule.arn in forwarding}
        return tuple(bus for bus in self.of(EventBus) if bus.arn in buses)

    def hub_of(self, detail_type: str, source: str) -> EventBus | None:
        """The global bus that an event is declared to be put on, else the only one; None when there are several."""
        found = self.get(EventBus, self._published_on.get((detail_type, source)))
        return found or (self.hubs[0] if len(self.hubs) == 1 else None)

    def matching(self, event: Mapping[str, Any]) -> list[Rule]:
        """The rules that match an event, whichever bus they are on; PatternError when it is not an event."""
        return [rule for rules in self.rules_by_bus.values() for rule in rules.matching(event)]

    def reached(self, event: Mapping[str, Any], bus: EventBus) -> list[Rule]:
        """The rules that match an event which is put on a bus: those of that bus, and of the buses it is forwarded to.

        An event is forwarded once only. Permissions are not asked.
        """
        found = list(self.rules_by_bus[bus.arn].matching(event))
        for arn in dict.fromkeys(target.arn for rule in found for target in rule.targets):
            if arn in self.rules_by_bus:
                found += self.rules_by_bus[arn].matching(event)
        return found
