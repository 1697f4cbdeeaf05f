"""The AsyncAPI document: valid by AsyncAPI's own JSON Schema, and right about the events."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from backbone.development import asyncapi, contracts, samples
from backbone.development.contracts import Contract
from backbone.topology import Topology
from tests.conftest import EXAMPLES, example
from tests.development.rich import CONTRACTS
from tests.development.test_models import NODE_MODULES

Json = dict[str, Any]


@pytest.fixture(scope="module")
def specification() -> jsonschema.Draft7Validator:
    schema = json.loads((NODE_MODULES / "@asyncapi" / "specs" / "schemas" / "3.0.0.json").read_text())
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_documents_of_the_examples_are_valid(name: str, specification: jsonschema.Draft7Validator) -> None:
    specification.validate(asyncapi.document(example(name)))


def test_a_document_that_is_not_valid_is_refused(specification: jsonschema.Draft7Validator) -> None:
    document = asyncapi.document(example("single"))
    document["operations"]["order-service.send"]["action"] = "publish"
    with pytest.raises(jsonschema.ValidationError):
        specification.validate(document)


def test_who_sends_and_receives_what() -> None:
    document = asyncapi.document(example("all-features"))
    bus = document["channels"]["globalBus"]
    assert bus["address"] == "arn:aws:events:eu-central-1:111111111111:event-bus/shop.events"
    prefix = "#/channels/globalBus/messages/"
    found = {
        name: [message["$ref"].removeprefix(prefix) for message in operation["messages"]]
        for name, operation in document["operations"].items()
    }
    assert found == {
        "audit-log-that-has-a-name-which-is-longer-than-some-names-may-get-in-aws.receive": [
            "billing.Invoice.Paid",
            "intake.Upload.Received",
        ],
        "billing.receive": ["delivery-service.Delivery.Updated.v1", "order-service.Order.Created"],
        "billing.send": ["billing.Invoice.Paid"],
        "delivery-service.receive": ["order-service.Order.Created"],
        "delivery-service.send": ["delivery-service.Delivery.Updated.v1"],
        "intake.send": ["intake.Task.Changed", "intake.Upload.Received"],
        "order-service.receive": ["billing.Invoice.Paid", "delivery-service.Delivery.Updated.v1"],
        "order-service.send": ["order-service.Order.Created", "order-service.Order.Updated"],
    }
    assert {name.removeprefix(prefix) for names in found.values() for name in names} == set(bus["messages"])


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda each: f"{each.detail_type} of {each.publisher}")
def test_messages_are_events(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, specification: jsonschema.Draft7Validator
) -> None:
    def published_by(topology: Topology, service: str) -> list[Contract]:
        return [contract] if service == "order-service" else []

    monkeypatch.setattr(asyncapi, "_hub", lambda topology, contract: topology.main)

    monkeypatch.setattr(asyncapi, "published_by", published_by)
    monkeypatch.setattr(contracts, "published_by", published_by)
    document = asyncapi.document(example("single"))
    specification.validate(document)
    (key,) = document["components"]["messages"]
    event = samples.event(contract, region="eu-west-1", account_id="111111111111")
    message = jsonschema.Draft7Validator({**document, "$ref": f"#/components/messages/{key}/payload"})
    message.validate(event)
    broken: list[Json] = [event | {"source": "other"}, event | {"detail": {"data": event["detail"]["data"]}}]
    if contract.schema:
        meta, data = event["detail"]["meta"], event["detail"]["data"]
        broken.append(event | {"detail": {"data": data, "meta": meta | {"version": 9}}})
        broken += [
            event | {"detail": {"data": {one: data[one] for one in data if one != name}, "meta": meta}}
            for name in contract.schema.get("required", [])
        ]
    assert [message.is_valid(each) for each in broken] == [False] * len(broken)
