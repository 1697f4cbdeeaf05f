"""A service: its local bus, and what its own module adds to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, Unpack

from backbone.aws import policies
from backbone.aws.limits import FUNCTION_NAME_CHARACTERS, PATTERN_CHARACTERS, SCHEDULE_NAME_CHARACTERS
from backbone.aws.names import DEFAULT_BUS, NameOf, Names
from backbone.cdk import Construct, IamRolePolicy
from backbone.constructs.account import Account
from backbone.constructs.event_bus import EventBus
from backbone.constructs.function import Code, Function, FunctionSettings, powertools_layer
from backbone.constructs.pipe import Pipe, PipeSettings, PipeSource, PipeTarget
from backbone.constructs.rule import Template
from backbone.constructs.schedule import Called, Schedule, ScheduleGroup, ScheduleSettings
from backbone.constructs.stream import Stream
from backbone.constructs.stream_reader import StreamReader
from backbone.constructs.subscription import BufferSettings, Receiver, Subscription
from backbone.constructs.table import Table, TableSettings
from backbone.errors import BackboneError
from backbone.patterns import Pattern, PatternError
from backbone.topology import routing
from backbone.topology.hubs import Hub, elsewhere_json
from backbone.topology.logs import BusLog
from backbone.topology.publications import Publication
from backbone.topology.retry import Retry
from backbone.topology.subscriptions import SubscriptionEntry

__all__ = ["Service", "Surroundings"]

Setting = TypeVar("Setting", bool, int, str)


OUTBOX_PATTERN = {
    "dynamodb": {"NewImage": {"outbox": {"S": [{"exists": True}]}}},
    "eventName": ["INSERT", "MODIFY"],
}
"""The changes of items by which an event may have been written."""


@dataclass(frozen=True)
class Surroundings:
    """What is around a service: its account, the global buses, and what holds for all services of the backbone.

    `bus_arn` is that of the global bus which it publishes on, but for what is in `elsewhere`. `forwarders` are the
    global buses whose forwarding rules are not of its own account. `powertools_layer` is the ARN of the layer to use in
    place of AWS's public one.
    """

    account: Account
    names: Names
    bus_arn: str
    retry: Retry
    elsewhere: Mapping[Publication, Hub] = field(default_factory=dict)
    forwarders: Sequence[Hub] = ()
    reports: BusLog | None = None
    powertools_layer: str | None = None
    confidential: routing.Confidential | None = None


class Service(Construct):
    """What a module's `build(service)` gets: the service's surroundings, and the ways to add to it.

    `subscriptions` is what the file says; what the module makes of it is in `published` and `subscribed`, and
    `asked` has the settings that it asked for, to be compared. `layers` has the ARNs of the layers with Powertools
    that its functions have. `code` is None for a service without a module, `bus_name` for one that
    receives nothing; with `makes_bus` that bus is made.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        around: Surroundings,
        source: str,
        bus_name: str | None,
        makes_bus: bool,
        subscriptions: Sequence[SubscriptionEntry],
        settings: Mapping[str, bool | int | str],
        code: Code | None,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, id)
        self.account = around.account
        self.source = source
        self.log_retention_days = log_retention_days
        self.published: set[Publication] = set()
        self.subscribed: set[str] = set()
        self.asked: set[str] = set()
        self.outputs: dict[str, str] = {}
        self.layers: set[str] = set()
        self._groups: dict[str, Construct] = {}
        self._schedules: ScheduleGroup | None = None
        self._name, self._around = id, around
        self._subscriptions, self._settings, self._code = subscriptions, settings, code
        self._bus_name = bus_name
        self.local_bus = self._bus(bus_name) if bus_name and makes_bus else None

    @property
    def bus(self) -> EventBus:
        """The local bus that is made for the service; BackboneError where the file says that none is."""
        if self.local_bus is None:
            name = self.bus_name
            raise BackboneError(f"services.{self._name}: receives on {name!r}, a bus that exists: it is not made here")
        return self.local_bus

    @property
    def bus_name(self) -> str:
        """The name of the local bus, which may be one that exists; BackboneError where the service receives nothing."""
        if self._bus_name is None:
            raise BackboneError(
                f"services.{self._name}.receives: got 'none', so there is no local bus, and {self._name} cannot "
                "subscribe to anything; take receives out of the file"
            )
        return str(self.local_bus.name) if self.local_bus else self._bus_name

    def _bus(self, name: str) -> EventBus:
        around, names = self._around, self._around.names
        roles = {
            hub.place.iam(f"role/{names.forwarding_role(self._name, hub.key)}"): hub.place for hub in around.forwarders
        }
        return EventBus(
            self,
            "bus",
            account=self.account,
            name=name,
            description=f"Events for {around.names.called(self._name)}, from the global bus only",
            # A forwarding role of this account needs nothing but its own policy.
            policy=policies.local_bus(self.account.place.bus(name), roles) if roles else None,
            log_retention_days=self.log_retention_days,
            retry=around.retry,
            reports=around.reports,
            confidential=around.confidential,
        )

    def name_of(self, role: str, longest: int = FUNCTION_NAME_CHARACTERS) -> str:
        """The physical name of something in the service: unique in the account, at most `longest` characters."""
        return self._around.names.of_service(self._name, role, longest)

    def setting(self, name: str, *, default: Setting) -> Setting:
        """What the file sets for the service, else the default; its type is the default's."""
        self.asked.add(name)
        value = self._settings.get(name, default)
        if type(value) is not type(default):
            kind = {bool: "true or false", int: "a whole number", str: "text"}[type(default)]
            raise BackboneError(f"services.{self._name}.settings.{name}: got {value!r}; allowed: {kind}")
        return value

    def output(self, name: str, value: str) -> None:
        """Make something an output of the service's stack."""
        self.outputs[name] = value

    def function(
        self,
        id: str,
        *,
        handler: str,
        environment: Mapping[str, str] | None = None,
        layers: Sequence[str] = (),
        **settings: Unpack[FunctionSettings],
    ) -> Function:
        """A function of the service's code. Its environment says where the global bus is and what the source is.

        `layers` are the ARNs of layers that it has beside that with Powertools, which is the last.
        """
        if self._code is None:
            raise TypeError(f"{self._name} has no module, so there is no code that a function could run")
        return self._function(
            self,
            id,
            name_of=self.name_of,
            code=self._code,
            handler=handler,
            environment=environment or {},
            layers=layers,
            **settings,
        )

    def _function(
        self,
        scope: Construct,
        id: str,
        *,
        name_of: NameOf,
        code: Code,
        handler: str,
        environment: Mapping[str, str],
        layers: Sequence[str] = (),
        **settings: Unpack[FunctionSettings],
    ) -> Function:
        given = {
            "EVENT_BUS_ARN": self._around.bus_arn,
            **({"EVENT_BUS_ARNS": elsewhere} if (elsewhere := elsewhere_json(self._around.elsewhere)) else {}),
            "EVENT_SOURCE": self.source,
            "POWERTOOLS_METRICS_NAMESPACE": self._around.names.backbone,
            "POWERTOOLS_SERVICE_NAME": self._around.names.called(self._name),
        }
        layer = self._around.powertools_layer or powertools_layer(self.account.place)
        self.layers.add(layer)
        return Function(
            scope,
            id,
            account=self.account,
            name_of=name_of,
            code=code,
            handler=handler,
            layers=[*layers, layer],
            environment={**given, **environment},
            log_retention_days=self.log_retention_days,
            **settings,
        )

    def table(
        self,
        id: str,
        *,
        key: str,
        outbox: Sequence[str] = (),
        source: str | None = None,
        **settings: Unpack[TableSettings],
    ) -> Table:
        """A table of the service; with an `outbox` of detail-types its items may carry events of them.

        They have the service's own source, unless another `source` that the file declares is given.

        An event in the attribute `outbox` of an item (`backbone.runtime.Outbox`) is on the global bus as soon as a
        function of the runtime has read the table's stream.
        """
        name = self.name_of(id)
        settings["streamed"] = bool(outbox) or settings.get("streamed", False)
        table = Table(self, id, account=self.account, name=name, key=key, **settings)
        if outbox:
            environment = {"EVENT_SOURCE": source} if source else None
            relay = self.function(f"{id}-outbox", handler="backbone.runtime.relay.on_stream", environment=environment)
            self.grant_publish(relay, *outbox, source=source)
            self.read(table, by=relay, pattern=OUTBOX_PATTERN)
        return table

    def read(self, source: Table | Stream, *, by: Function, pattern: Mapping[str, Any] | None = None) -> StreamReader:
        """Have a function read the changes of a table, which must be `streamed`, or the records of a stream."""
        return StreamReader(by, "reader", account=self.account, function=by, source=source, pattern=pattern)

    def grant_publish(self, function: Function, *detail_types: str, source: str | None = None) -> IamRolePolicy:
        """Let a function put events of these types on their global bus, under the service's own source or another.

        Another source must be among what the file says that the service publishes.
        """
        under = source or self.source
        buses: dict[str, list[str]] = {}
        for detail_type in detail_types:
            self.published.add(event := Publication(detail_type, under))
            hub = self._around.elsewhere.get(event)
            buses.setdefault(hub.arn if hub else self._around.bus_arn, []).append(detail_type)
        documents = [policies.put_events(arn, source=under, detail_types=types) for arn, types in buses.items()]
        statements = [statement for document in documents for statement in document["Statement"]]
        name = "publish" if under == self.source else f"publish-{under}"
        return function.grant(name, policies.document(*statements))

    def subscribe(
        self,
        id: str,
        *events: str,
        to: Receiver,
        partition_key_path: str | None = None,
        template: Template | None = None,
        **settings: Unpack[BufferSettings],
    ) -> Subscription:
        """Deliver events of these types: those from the sources and of the detail that the file's entries say.

        An entry with a name is meant by that, and an entry without a detail-type by its source. What several of these
        entries take comes once.
        """
        self.subscribed |= set(events)
        wanted = [entry for entry in self._subscriptions if entry.called in events]
        found = {entry.called for entry in wanted}
        wanted += [SubscriptionEntry.model_construct(detail_type=name) for name in events if name not in found]
        return Subscription(
            self,
            id,
            account=self.account,
            bus_name=self.bus_name,
            name_of=self.name_of,
            pattern=self._pattern(id, wanted),
            to=to,
            retry=self._around.retry,
            partition_key_path=partition_key_path,
            template=template,
            **settings,
        )

    def schedule(
        self,
        id: str,
        expression: str,
        *,
        to: Called,
        input: Mapping[str, Any] | None = None,
        **settings: Unpack[ScheduleSettings],
    ) -> Schedule:
        """Call something at the times of an expression: `at(…)`, `rate(…)` or `cron(…)` of EventBridge Scheduler.

        A function is called directly, with `input` as its event, and tried again as its own settings say.
        """
        if self._schedules is None:
            name = self.name_of("schedules", SCHEDULE_NAME_CHARACTERS)
            self._schedules = ScheduleGroup(self, "schedules", account=self.account, name=name)
        return Schedule(
            self,
            id,
            account=self.account,
            group=self._schedules,
            name_of=self.name_of,
            expression=expression,
            to=to,
            retry=self._around.retry,
            input=input,
            **settings,
        )

    def pipe(self, id: str, *, source: PipeSource, to: PipeTarget, **settings: Unpack[PipeSettings]) -> Pipe:
        """Send what is in a queue, a stream or a `streamed` table to something of the service, without code."""
        return Pipe(
            self,
            id,
            account=self.account,
            name_of=self.name_of,
            source=source,
            to=to,
            log_retention_days=self.log_retention_days,
            **settings,
        )

    def relay(self, id: str, *, pattern: routing.PatternJson, publishes: str, code: Code) -> Subscription:
        """Publish what matches a pattern on the account's default bus as events of a type; `code` has the runtime."""

        def name_of(role: str, longest: int = FUNCTION_NAME_CHARACTERS, /) -> str:
            return self.name_of(self._around.names.relay(role), longest)

        function = self._function(
            self._group("relay-functions"),
            id,
            name_of=name_of,
            code=code,
            handler="backbone.runtime.aws_events.on_event",
            environment={"RELAY_DETAIL_TYPE": publishes},
        )
        self.grant_publish(function, publishes)
        return Subscription(
            self._group("relays"),
            id,
            account=self.account,
            bus_name=DEFAULT_BUS,
            name_of=name_of,
            pattern=pattern,
            to=function,
            retry=self._around.retry,
        )

    def _group(self, id: str) -> Construct:
        """A node that holds constructs under names that the file gives them."""
        if id not in self._groups:
            self._groups[id] = Construct(self, id)
        return self._groups[id]

    def _pattern(self, id: str, wanted: Sequence[SubscriptionEntry]) -> routing.PatternJson:
        """The pattern of a rule; BackboneError where EventBridge would refuse it, though it takes each entry alone."""
        pattern = routing.subscription(wanted)
        try:
            read = Pattern.parse(routing.to_json(pattern))
        except PatternError as error:
            why = str(error)
        else:
            if not read.too_long:
                return pattern
            why = f"{len(read.to_json()):,} characters; allowed: at most {PATTERN_CHARACTERS:,}"
        names = ", ".join(entry.called for entry in wanted)
        raise BackboneError(
            f"services.{self._name}: the pattern of the rule {id!r}, for {names}: {why}; call service.subscribe for "
            "some of them by themselves"
        )
