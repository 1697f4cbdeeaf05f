"""A service: its local bus, and what its own module adds to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from backbone.aws import policies
from backbone.aws.limits import QUEUE, ROLE, RULE
from backbone.aws.names import Names
from backbone.cdk import Construct
from backbone.constructs.account import Account
from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.bus import EventBus
from backbone.constructs.function import Function, powertools_layer
from backbone.constructs.stream import Stream
from backbone.constructs.subscription import Subscription
from backbone.errors import BackboneError
from backbone.synthesis.package import Package
from backbone.topology import routing
from backbone.topology.routing import Wanted

__all__ = ["Service"]

Setting = TypeVar("Setting", bool, int, str)


class Service(Construct):
    """What a module's `build(service)` gets: the service's surroundings, and the ways to add to it.

    `subscriptions` is what the file says; what the module makes of it is in `published` and `subscribed`, and
    `asked` has the settings that it asked for, to be compared.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: Account,
        names: Names,
        source: str,
        global_bus_arn: str,
        bus_name: str,
        bus_policy: policies.Document,
        subscriptions: Sequence[Wanted],
        settings: Mapping[str, bool | int | str],
        code: Package | None,
        code_file: str,
        powertools_layer_arn: str | None,
        log_retention_days: int,
        max_age_seconds: int,
        max_attempts: int,
        report_level: str | None,
        report_detail: str,
    ) -> None:
        super().__init__(scope, id)
        self.account = account
        self.source = source
        self.log_retention_days = log_retention_days
        self.published: set[str] = set()
        self.subscribed: set[str] = set()
        self.asked: set[str] = set()
        self.outputs: dict[str, str] = {}
        self._name = id
        self._names = names
        self._global_bus_arn = global_bus_arn
        self._subscriptions = subscriptions
        self._settings = settings
        self._max_age_seconds, self._max_attempts = max_age_seconds, max_attempts
        self._layer_arn = powertools_layer_arn
        self._code, self._code_file = code, code_file
        self.bus = EventBus(
            self,
            "bus",
            account=account,
            name=bus_name,
            description=f"Events for {id}, from the global bus only",
            policy=bus_policy,
            log_retention_days=log_retention_days,
            max_age_seconds=max_age_seconds,
            max_attempts=max_attempts,
            report_level=report_level,
            report_detail=report_detail,
        )

    def name_of(self, role: str, longest: int = 64) -> str:
        """The physical name of something in the service: unique in the account, at most `longest` characters."""
        return self._names.of_service(self._name, role, longest)

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
        memory_mb: int = 512,
        timeout_seconds: int = 15,
        reserved_concurrency: int | None = None,
        retry_attempts: int = 2,
        max_age_seconds: int = 21_600,
    ) -> Function:
        """A function of the service's code. Its environment says where the global bus is and what the source is."""
        if self._code is None:
            raise TypeError(f"{self._name} has no module, so there is no code that a function could run")
        given = {
            "EVENT_BUS_ARN": self._global_bus_arn,
            "EVENT_SOURCE": self.source,
            "POWERTOOLS_METRICS_NAMESPACE": self._names.backbone,
            "POWERTOOLS_SERVICE_NAME": self._name,
        }
        return Function(
            self,
            id,
            account=self.account,
            name=self.name_of(id),
            role_name=self._role_name(id),
            failures_name=self.name_of(f"{id}-failures", QUEUE),
            code=self._code,
            code_file=self._code_file,
            handler=handler,
            layers=(self._layer_arn or powertools_layer(self.account.place),),
            environment={**given, **(environment or {})},
            log_retention_days=self.log_retention_days,
            memory_mb=memory_mb,
            timeout_seconds=timeout_seconds,
            reserved_concurrency=reserved_concurrency,
            retry_attempts=retry_attempts,
            max_age_seconds=max_age_seconds,
        )

    def _role_name(self, id: str) -> str:
        """IAM knows no regions, so the name holds the region."""
        return self.name_of(f"{id}-{self.account.place.region}", ROLE)

    def grant_publish(self, function: Function, *detail_types: str) -> None:
        """Let a function put events of these types, with the service's source, on the global bus."""
        self.published |= set(detail_types)
        document = policies.put_events(self._global_bus_arn, source=self.source, detail_types=detail_types)
        function.grant("publish", document)

    def subscribe(
        self,
        id: str,
        *detail_types: str,
        to: Function | Stream | ApiDestination,
        buffer: bool = False,
        partition_key_path: str | None = None,
    ) -> Subscription:
        """Deliver events of these types, from the sources that the file says."""
        self.subscribed |= set(detail_types)
        wanted = [one for one in self._subscriptions if one.detail_type in detail_types]
        found = {one.detail_type for one in wanted}
        wanted += [Wanted(one, None) for one in detail_types if one not in found]
        return Subscription(
            self,
            id,
            bus=self.bus,
            pattern=routing.subscription(wanted),
            name=self.name_of(id, RULE),
            dead_letters_name=self.name_of(f"{id}-dead-letters", QUEUE),
            role_name=self._role_name(id),
            buffer_name=self.name_of(f"{id}-buffer", QUEUE),
            to=to,
            buffer=buffer,
            partition_key_path=partition_key_path,
            max_age_seconds=self._max_age_seconds,
            max_attempts=self._max_attempts,
        )
