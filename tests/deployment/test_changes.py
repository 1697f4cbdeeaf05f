"""Dangers in the change of one resource, of each kind and in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from backbone.aws.arn import Place
from backbone.deployment.changes import CUTS, REMOVED, REPLACEABLE, SWITCHED_OFF, dangers_of
from backbone.deployment.flows import owner
from backbone.system.checks.keys import KEYS
from backbone.system.plan import Action, Change

Json = dict[str, Any]


def change(kind: str, before: Json, after: Json, action: Action = "update", unknown: Json | None = None) -> Change:
    return Change("stack", f"{kind}.x", action, before, after, unknown or {}, Place("aws", "eu-west-1", "1" * 12))


def rules(kind: str, before: Json, after: Json, action: Action = "update", unknown: Json | None = None) -> list[str]:
    there = {"id": "x"} if action == "update" else {}
    return [found.rule for found in dangers_of(change(kind, there | before, there | after, action, unknown))]


def nested(path: str, value: Any) -> Json:
    """Arguments with a value at a path, as a plan has them: blocks are lists of one, policies are JSON."""
    name, _, rest = path.partition(".")
    if not rest:
        return {} if value is None else {name: value}
    if name == "redrive_policy":
        return {name: f'{{"{rest}": {value if isinstance(value, int) else chr(34) + str(value) + chr(34)}}}'}
    return {name: [nested(rest, value)]}


@pytest.mark.parametrize(("kind", "cut"), [(kind, cut) for kind, cuts in CUTS.items() for cut in cuts])
def test_a_number_may_grow_and_not_fall(kind: str, cut: Any) -> None:
    more, less = nested(cut.path, 30), nested(cut.path, 29)
    assert rules(kind, more, less) == [cut.rule]
    assert rules(kind, less, more) == []
    assert rules(kind, more, more) == []
    unset = nested(cut.path, cut.forever) if cut.forever is not None else {}
    if cut.default > 30:
        assert rules(kind, unset, more) == [cut.rule]
        assert rules(kind, more, unset) == []
    assert rules(kind, more, {}, unknown={cut.path.partition(".")[0]: True}) == []


@pytest.mark.parametrize("kind", REMOVED)
def test_what_is_destroyed_is_lost(kind: str) -> None:
    assert rules(kind, {"name": "x"}, {}, "delete") == [REMOVED[kind]]
    assert rules(kind, {"name": "x"}, {"name": "y"}, "replace") == ([] if kind in REPLACEABLE else [REMOVED[kind]])
    assert rules(kind, {}, {"name": "x"}, "create") == []


def test_failures_of_a_bus_keep_their_place() -> None:
    kind, path = "aws_cloudwatch_event_bus", "dead_letter_config.arn"
    assert rules(kind, nested(path, "a"), {}) == ["dead-letters-detached"]
    assert rules(kind, nested(path, "a"), nested(path, "b")) == []
    assert rules(kind, {}, nested(path, "a")) == []
    assert rules(kind, nested(path, "a"), {}, unknown={path.partition(".")[0]: True}) == []


@pytest.mark.parametrize(("kind", "path"), KEYS.items())
def test_keys_stay(kind: str, path: str) -> None:
    assert "encryption-removed" in rules(kind, nested(path, "k1"), {})
    assert rules(kind, nested(path, "k1"), nested(path, "k2")) == ["key-changed"]
    assert rules(kind, {}, nested(path, "k1")) == []


@pytest.mark.parametrize(
    ("kind", "rule", "path"), [(kind, rule, path) for kind, found in SWITCHED_OFF.items() for rule, path, _ in found]
)
def test_switches_stay_on(kind: str, rule: str, path: str) -> None:
    assert rules(kind, nested(path, True), nested(path, False)) == [rule]
    assert rules(kind, nested(path, True), {}) == [rule]
    assert rules(kind, nested(path, False), nested(path, True)) == []


def test_a_key_in_place_of_encryption_by_the_service_is_no_danger() -> None:
    before, after = {"sqs_managed_sse_enabled": True}, {"sqs_managed_sse_enabled": False, "kms_master_key_id": "k"}
    assert rules("aws_sqs_queue", before, after) == []


CORS = "cors_configuration"
TABLE = "aws_dynamodb_table"
RESERVED = "reserved_concurrent_executions"
SIGNED = {"authorization_type": "AWS_IAM"}
JWT = {"authorization_type": "JWT"}
ENDPOINT = {"invocation_endpoint": "https://a"}
ISSUER = {"jwt_configuration": [{"issuer": "a"}]}


def mode(name: str) -> Json:
    return {"stream_mode_details": [{"stream_mode": name}]}


def ttl(attribute: str) -> Json:
    return {"ttl": [{"enabled": True, "attribute_name": attribute}]}


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("aws_cloudwatch_event_archive", {}, {"event_pattern": '{"source":["a"]}'}, ["archive-narrowed"]),
        ("aws_cloudwatch_event_archive", {"event_pattern": "{}"}, {"event_pattern": "{ }"}, []),
        ("aws_cloudwatch_event_archive", {"event_pattern": "{}"}, {}, []),
        ("aws_cloudwatch_event_api_destination", ENDPOINT, {"invocation_endpoint": "https://b"}, ["sent-elsewhere"]),
        ("aws_cloudwatch_event_api_destination", ENDPOINT, ENDPOINT, []),
        ("aws_iam_role", {"permissions_boundary": "arn:b"}, {}, ["access-widened"]),
        ("aws_iam_role", {}, {"permissions_boundary": "arn:b"}, []),
        ("aws_lambda_event_source_mapping", {}, {"filter_criteria": [{"filter": []}]}, ["mapping-narrowed"]),
        ("aws_lambda_event_source_mapping", {"filter_criteria": [{"filter": []}]}, {}, []),
        ("aws_pipes_pipe", {}, {"source_parameters": [{"filter_criteria": [{"filter": [{}]}]}]}, ["mapping-narrowed"]),
        ("aws_pipes_pipe", {"source_parameters": [{"filter_criteria": [{"filter": [{}]}]}]}, {}, []),
        ("aws_pipes_pipe", {"desired_state": "RUNNING"}, {"desired_state": "STOPPED"}, ["mapping-disabled"]),
        ("aws_pipes_pipe", {}, {"desired_state": "STOPPED"}, ["mapping-disabled"]),
        ("aws_pipes_pipe", {"desired_state": "STOPPED"}, {"desired_state": "RUNNING"}, []),
        ("aws_lambda_function_url", SIGNED, {"authorization_type": "NONE"}, ["authorization-removed"]),
        ("aws_lambda_function_url", {"authorization_type": "NONE"}, SIGNED, []),
        (TABLE, {"billing_mode": "PAY_PER_REQUEST"}, {"billing_mode": "PROVISIONED"}, ["throttling-cut"]),
        ("aws_kinesis_stream", mode("ON_DEMAND"), mode("PROVISIONED"), ["throttling-cut"]),
        ("aws_kinesis_stream", mode("PROVISIONED"), mode("ON_DEMAND"), []),
        ("aws_cloudwatch_event_rule", {"is_enabled": True}, {"is_enabled": False}, ["rule-disabled"]),
        ("aws_cloudwatch_event_rule", {"state": "DISABLED"}, {"state": "DISABLED"}, []),
        ("aws_cloudwatch_event_rule", {"state": "DISABLED"}, {"state": "ENABLED"}, []),
        ("aws_lambda_function", {RESERVED: 5}, {RESERVED: 0}, ["function-stopped"]),
        ("aws_lambda_function", {RESERVED: 0}, {RESERVED: -1}, []),
        (TABLE, ttl("a"), ttl("b"), ["expiry-added"]),
        (TABLE, ttl("a"), {"ttl": [{"enabled": False}]}, []),
        ("aws_kinesis_stream", {"encryption_type": "KMS"}, {"encryption_type": "NONE"}, ["encryption-removed"]),
        ("aws_kinesis_stream", {"encryption_type": "NONE"}, {"encryption_type": "KMS"}, []),
        ("aws_apigatewayv2_api", {"name": "a"}, {"name": "a", "disable_execute_api_endpoint": True}, ["api-removed"]),
        ("aws_apigatewayv2_api", {"name": "a"}, {CORS: [{"allow_origins": ["*"]}]}, ["access-widened"]),
        ("aws_apigatewayv2_api", {CORS: [{"allow_origins": ["*"]}]}, {CORS: [{"allow_origins": ["https://a"]}]}, []),
        ("aws_apigatewayv2_route", {"route_key": "GET /a"}, {"route_key": "GET /b"}, ["route-removed"]),
        ("aws_apigatewayv2_route", {"authorization_type": "NONE"}, JWT, ["authorization-changed"]),
        ("aws_apigatewayv2_route", JWT | {"authorization_scopes": ["a"]}, JWT, ["authorization-changed"]),
        ("aws_apigatewayv2_authorizer", ISSUER, ISSUER | {"name": "b"}, []),
    ],
)
def test_other_changes(kind: str, before: Json, after: Json, expected: list[str]) -> None:
    assert rules(kind, before, after) == expected


def test_what_is_forgotten_is_a_note() -> None:
    (found,) = dangers_of(change("aws_sqs_queue", {"name": "x"}, {}, "forget"))
    assert (found.rule, found.severity) == ("left-behind", "note")


def test_a_route_that_begins_open() -> None:
    kind, after = "aws_apigatewayv2_route", {"route_key": "GET /a"}
    assert rules(kind, {}, after, "create") == ["route-open"]
    (found,) = dangers_of(change(kind, {}, after, "create", {"api_id": True}))
    assert (found.rule, found.severity) == ("route-open", "note")  # as new as its API
    assert rules(kind, {}, after | {"authorization_type": "AWS_IAM"}, "create") == []


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("aws_sqs_queue.services_order-service_orders_dead-letters_1", "order-service"),
        ("aws_cloudwatch_event_rule.forwarding_order-service_1", "order-service"),
        ("aws_cloudwatch_event_rule.forwarding-parcels_order-service_1", "order-service"),
        ("aws_cloudwatch_event_bus.global-bus", "global bus"),
        ("aws_cloudwatch_event_bus.buses_parcels_1", "global bus parcels"),
        ("aws_kms_key.accounts_order_key_1", "account order"),
        ("aws_sns_topic.alarms", "stack order_buses"),
    ],
)
def test_whose_a_resource_is(address: str, whose: str) -> None:
    assert owner(f"order_buses/{address}") == whose
