"""The synthesized Terraform, read back: every resource by address, with what its expressions come to.

Only what the JSON says is used, so that whatever reads it sees what `terraform apply` would see. Attributes that
AWS makes up (ARNs, URLs, ids) are made as AWS makes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backbone.aws.arn import Place
from backbone.aws.regions import partition_of
from backbone.errors import BackboneError

__all__ = ["Configuration", "Resource", "TerraformError", "load"]


class TerraformError(BackboneError):
    """The Terraform JSON is not there or says something that cannot be read."""


@dataclass(frozen=True)
class Resource:
    """A resource of a stack, in the account and region of its provider. `body` has the expressions as written."""

    stack: str
    address: str
    account: str
    place: Place
    body: dict[str, Any] = field(repr=False, hash=False)

    @property
    def type(self) -> str:
        """The resource type, such as `aws_sqs_queue`."""
        return self.address.partition(".")[0]

    @property
    def id(self) -> str:
        """What tells it from resources of other stacks."""
        return f"{self.stack}/{self.address}"


class Configuration:
    """The resources of all stacks of one synthesis."""

    def __init__(self, resources: list[Resource]) -> None:
        self._by_id = {one.id: one for one in resources}
        self._values: dict[tuple[str, str], Any] = {}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_id.values())

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of some types, in the order of the files."""
        return (one for one in self if one.type in types)

    def get(self, stack: str, address: str) -> Resource:
        """A resource of a stack; TerraformError when there is none."""
        try:
            return self._by_id[f"{stack}/{address}"]
        except KeyError:
            raise TerraformError(f"{stack}: there is no resource {address}") from None

    def value(self, resource: Resource, name: str, default: Any = None) -> Any:
        """What an argument or attribute of a resource comes to; the default when it is neither given nor known."""
        key = (resource.id, name)
        if key not in self._values:
            if name in resource.body:
                self._values[key] = self.resolve(resource, resource.body[name])
            elif name in _COMPUTED.get(resource.type, {}):
                self._values[key] = _COMPUTED[resource.type][name](self, resource)
            else:
                return default
        return self._values[key]

    def resolve(self, resource: Resource, value: Any) -> Any:
        """A value of a resource's body with every expression in it replaced; TerraformError when one cannot be."""
        if isinstance(value, dict):
            return {name: self.resolve(resource, one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.resolve(resource, one) for one in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        if whole := re.fullmatch(r"\$\{([^{}]*)\}", value):
            return self._expression(resource, whole[1])
        return re.sub(r"(?<!\$)\$\{([^{}]*)\}", lambda one: str(self._expression(resource, one[1])), value)

    def _expression(self, resource: Resource, text: str) -> Any:
        reference = re.fullmatch(r"([a-z0-9_]+\.[\w-]+)\.(\w+)", text.strip())
        if reference is None:
            raise TerraformError(
                f"{resource.id}: ${{{text}}} cannot be resolved; a reference such as ${{aws_sqs_queue.name.arn}} can"
            )
        target = self._by_id.get(f"{resource.stack}/{reference[1]}")
        if target is None:
            raise TerraformError(f"{resource.id}: ${{{text}}} refers to a resource that is not in the stack")
        value = self.value(target, reference[2], _UNKNOWN)
        if value is _UNKNOWN:
            raise TerraformError(f"{resource.id}: ${{{text}}}: the attribute is not known before the resource is made")
        return value


_UNKNOWN = object()


def load(folder: Path) -> Configuration:
    """All stacks that were synthesized into a folder; TerraformError when there are none or one is broken."""
    files = sorted(folder.glob("stacks/*/cdk.tf.json"))
    if not files:
        raise TerraformError(f"{folder}: no synthesized stacks there; run `backbone synth` first")
    resources: list[Resource] = []
    for file in files:
        try:
            read = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TerraformError(f"{file}: cannot be read: {error}; run `backbone synth` again") from None
        resources += _resources(file, read)
    return Configuration(resources)


def _resources(file: Path, read: dict[str, Any]) -> Iterator[Resource]:
    places = {f"aws.{one.get('alias')}": _place(file, one) for one in read.get("provider", {}).get("aws", [])}
    for kind, named in read.get("resource", {}).items():
        for name, body in named.items():
            provider = body.get("provider")
            if provider not in places:
                raise TerraformError(
                    f"{file}: {kind}.{name}: the provider is {provider!r}; allowed: {', '.join(places) or 'none'}"
                )
            account = str(provider).removeprefix("aws.")
            yield Resource(file.parent.name, f"{kind}.{name}", account, places[provider], body)


def _place(file: Path, provider: dict[str, Any]) -> Place:
    region, ids = provider.get("region", ""), provider.get("allowed_account_ids", [])
    if len(ids) != 1:
        raise TerraformError(f"{file}: provider aws.{provider.get('alias')}: one allowed_account_ids is needed")
    return Place(partition_of(region) or "aws", region, ids[0])


def _named(service: str, prefix: str = "", attribute: str = "name") -> Callable[[Configuration, Resource], str]:
    return lambda all_, one: one.place.arn(service, f"{prefix}{all_.value(one, attribute)}")


def _rule_arn(all_: Configuration, one: Resource) -> str:
    bus, name = all_.value(one, "event_bus_name", "default"), all_.value(one, "name")
    return one.place.arn("events", f"rule/{name}") if bus == "default" else one.place.rule(bus, name)


def _queue_url(all_: Configuration, one: Resource) -> str:
    return f"https://sqs.{one.place.region}.{_suffix(one.place)}/{one.place.account_id}/{all_.value(one, 'name')}"


def _invoke_arn(all_: Configuration, one: Resource) -> str:
    place, path = one.place, f"lambda:path/2015-03-31/functions/{all_.value(one, 'arn')}/invocations"
    return f"arn:{place.partition}:apigateway:{place.region}:{path}"


def _made_up(length: int) -> Callable[[Configuration, Resource], str]:
    """An id that AWS draws: the same for the same resource each time."""
    return lambda _all, one: hashlib.sha256(f"{one.place}{one.address}".encode()).hexdigest()[:length]


def _suffix(place: Place) -> str:
    return "amazonaws.com.cn" if place.partition == "aws-cn" else "amazonaws.com"


def _api_endpoint(all_: Configuration, one: Resource) -> str:
    return f"https://{all_.value(one, 'id')}.execute-api.{one.place.region}.{_suffix(one.place)}"


def _same(attribute: str) -> Callable[[Configuration, Resource], Any]:
    return lambda all_, one: all_.value(one, attribute)


_COMPUTED: dict[str, dict[str, Callable[[Configuration, Resource], Any]]] = {
    "aws_cloudwatch_event_bus": {"arn": _named("events", "event-bus/"), "id": _same("name")},
    "aws_cloudwatch_event_rule": {"arn": _rule_arn},
    "aws_cloudwatch_event_archive": {"arn": _named("events", "archive/")},
    "aws_cloudwatch_log_group": {"arn": _named("logs", "log-group:"), "id": _same("name")},
    "aws_iam_role": {"arn": lambda all_, one: one.place.iam(f"role/{all_.value(one, 'name')}"), "id": _same("name")},
    "aws_sqs_queue": {"arn": _named("sqs"), "url": _queue_url, "id": _queue_url},
    "aws_lambda_function": {"arn": _named("lambda", "function:", "function_name"), "invoke_arn": _invoke_arn},
    "aws_dynamodb_table": {"arn": _named("dynamodb", "table/"), "id": _same("name")},
    "aws_kinesis_stream": {"arn": _named("kinesis", "stream/")},
    "aws_cloudwatch_event_connection": {"arn": _named("events", "connection/")},
    "aws_cloudwatch_event_api_destination": {"arn": _named("events", "api-destination/")},
    "aws_apigatewayv2_api": {
        "id": _made_up(10),
        "api_endpoint": _api_endpoint,
        "execution_arn": _named("execute-api", "", "id"),
    },
    "aws_apigatewayv2_integration": {"id": _made_up(7)},
    "aws_apigatewayv2_authorizer": {"id": _made_up(6)},
    "aws_cloudwatch_log_delivery_source": {"arn": _named("logs", "delivery-source:")},
    "aws_cloudwatch_log_delivery_destination": {"arn": _named("logs", "delivery-destination:")},
}
"""Attributes that a resource has beside its arguments, where AWS forms them from its arguments."""
