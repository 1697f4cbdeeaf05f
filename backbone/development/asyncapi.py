"""The whole backbone as an AsyncAPI document: the global bus, and which service sends and receives which events."""

from __future__ import annotations

import re
from typing import Any

from backbone.development.contracts import Contract, published_by, received_by
from backbone.runtime.envelope import Meta
from backbone.topology import Topology
from backbone.topology.hubs import Hub
from backbone.topology.publications import Publication
from backbone.topology.routing import to_json
from backbone.topology.subscriptions import words

__all__ = ["document"]

Json = dict[str, Any]

BUS = "globalBus"


def _channel(hub: Hub) -> str:
    return f"{hub.key}.{BUS}" if hub.is_further else BUS


def document(topology: Topology) -> Json:
    """The AsyncAPI 3.0 document of a backbone; its messages are whole events as EventBridge delivers them.

    Schemas are written as AsyncAPI's own schema format has them, which is JSON Schema draft 07.
    """
    contracts = [each for service in sorted(topology.services) for each in published_by(topology, service)]
    place = topology.main.place
    schemas: Json = {"Meta": _without_definitions(Meta.model_json_schema(mode="serialization"), "Meta", {})}
    messages = {_key(each): _message(each, schemas) for each in contracts}
    channels = {
        _channel(hub): {
            "address": hub.arn,
            "title": f"The global bus{f' {hub.key}' if hub.is_further else ''} of {topology.name}",
            "description": "Every service publishes here by PutEvents, and receives from its own local bus, to which "
            "the global bus forwards."
            if len(topology.hubs) == 1
            else "The services on it publish here by PutEvents, and receive from their own local buses, to which the "
            "global bus forwards.",
            "servers": [{"$ref": "#/servers/eventbridge"}],
            "messages": {
                _key(each): {"$ref": f"#/components/messages/{_key(each)}"}
                for each in contracts
                if _hub(topology, each) == hub
            },
        }
        for hub in topology.hubs.values()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"The event backbone {topology.name}", "version": "1"},
        "defaultContentType": "application/json",
        "servers": {
            "eventbridge": {"host": f"events.{place.region}.{place.dns_suffix}", "protocol": "https"},
        },
        "channels": channels,
        "operations": {
            name: operation
            for service in sorted(topology.services)
            for name, operation in _operations(topology, service).items()
        },
        "components": {"messages": messages, "schemas": schemas},
    }


def _operations(topology: Topology, service: str) -> Json:
    filters = " ".join(
        f"Of {words(entry)} only those whose detail matches {to_json(entry.pattern['detail'])}."
        for entry in topology.services[service].subscribes
        if entry.detail is not None
    )
    operations = {"send": published_by(topology, service), "receive": received_by(topology, service)}
    found: Json = {}
    for action, contracts in operations.items():
        for hub in topology.hubs_of(service):
            if on_hub := [each for each in contracts if _hub(topology, each) == hub]:
                channel = _channel(hub)
                found[f"{service}.{action}{f'.{hub.key}' if hub.is_further else ''}"] = {
                    "action": action,
                    "title": f"What {service} {'publishes' if action == 'send' else 'subscribes to'}",
                    **({"description": filters} if action == "receive" and filters else {}),
                    "channel": {"$ref": f"#/channels/{channel}"},
                    "messages": [{"$ref": f"#/channels/{channel}/messages/{_key(each)}"} for each in on_hub],
                }
    return found


def _hub(topology: Topology, contract: Contract) -> Hub:
    return topology.hub_of(contract.publisher, Publication(contract.detail_type, contract.source))


def _key(contract: Contract) -> str:
    """What tells a message from all others, of the characters that AsyncAPI allows in a key."""
    source = f".{_safe(contract.source)}" if contract.is_other_source else ""
    version = f".v{contract.version}" if contract.version else ""
    return f"{contract.publisher}{source}.{_safe(contract.detail_type)}{version}"


def _message(contract: Contract, schemas: Json) -> Json:
    key = _key(contract)
    data: Json = {"type": "object"}
    meta: Json = {"$ref": "#/components/schemas/Meta"}
    if contract.schema is not None:
        schemas[key] = _without_definitions(contract.schema, key, schemas)
        data = {"$ref": f"#/components/schemas/{key}"}
        meta = {"allOf": [meta, {"properties": {"version": {"const": contract.version}}}]}
    return {
        "name": contract.detail_type,
        "title": contract.detail_type,
        "summary": (contract.schema or {}).get("description") or f"{contract.publisher} publishes no schema of it.",
        "correlationId": {"location": "$message.payload#/detail/meta/correlation_id"},
        "payload": {
            "type": "object",
            "properties": {
                **{name: {"type": "string"} for name in ("version", "id", "account", "region")},
                "time": {"type": "string", "format": "date-time"},
                "source": {"const": contract.source},
                "detail-type": {"const": contract.detail_type},
                "resources": {"type": "array", "items": {"type": "string"}},
                "detail": {
                    "type": "object",
                    "properties": {"data": data, "meta": meta},
                    "required": ["data", "meta"],
                },
            },
            "required": ["version", "id", "account", "region", "time", "source", "detail-type", "resources", "detail"],
        },
    }


def _without_definitions(schema: Json, key: str, schemas: Json) -> Json:
    """A schema whose definitions are schemas of the document, under names that begin with `key`."""
    for name, definition in schema.get("$defs", {}).items():
        schemas[f"{key}.{_safe(name)}"] = _in_document(definition, key)
    rest = {name: value for name, value in schema.items() if name not in ("$defs", "$schema")}
    found: Json = _in_document(rest, key)
    return found


def _in_document(part: Any, key: str) -> Any:
    """A part of a schema as it is written there: references lead to the document's schemas."""
    if isinstance(part, list):
        return [_in_document(item, key) for item in part]
    if not isinstance(part, dict):
        return part
    found: Json = {}
    for name, value in part.items():
        match name:
            case "$ref":
                found[name] = f"#/components/schemas/{key}.{_safe(value.removeprefix('#/$defs/'))}"
            case "properties":
                found[name] = {field: _in_document(shape, key) for field, shape in value.items()}
            case "const" | "default" | "enum" | "examples":
                found[name] = value
            case "discriminator":  # AsyncAPI's own is another, and nothing that is valid depends on it
                continue
            case _:
                found["items" if name == "prefixItems" else name] = _in_document(value, key)
    return found


def _safe(name: str) -> str:
    """A name of the characters that AsyncAPI allows in keys, with the codes of others."""
    return re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}_" if found[0] != "_" else "_", name)
