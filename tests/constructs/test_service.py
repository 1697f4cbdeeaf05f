"""The services' own resources: what the constructs make of a module, and that it agrees with the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.constructs.api_destination import ApiDestination
from backbone.constructs.function import Function
from backbone.constructs.http_api import Cors, HttpApi, Jwt, Route
from backbone.constructs.service import Service
from backbone.constructs.stream import Stream
from backbone.errors import BackboneError
from backbone.synthesis import modules
from backbone.synthesis.modules import Module, ModuleError
from backbone.synthesis.package import Package
from backbone.topology import TopologyError, parse
from tests.synthesis import Resource, Stacks, resources, synthesize

TEXT = """
name: shop
region: eu-west-1
accounts: {bus: {id: "111111111111"}, order: {id: "222222222222"}}
bus: {account: bus}
services:
  order-service:
    account: order
    publishes: [Order.Created]
    subscribes: [Delivery.Updated, {detail_type: Invoice.Paid, source: billing}]
    module: some.module
    settings: {size: 3, loud: true}
  billing: {account: bus, publishes: [Invoice.Paid, Delivery.Updated]}
"""


def built(build: Callable[[Service], None], folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = TEXT) -> Stacks:
    monkeypatch.setattr(modules, "load", lambda *_: Module(build, Package(b"zip")))
    return synthesize(parse(text), folder)


def agreeing(service: Service) -> None:
    """A module that does what the file says."""
    service.setting("size", default=1), service.setting("loud", default=False)
    function = service.function("work", handler="some.module.handle")
    service.grant_publish(function, "Order.Created")
    service.subscribe("all", "Delivery.Updated", "Invoice.Paid", to=function, buffer=False)


def only(stacks: Stacks, kind: str, part: str = "") -> Resource:
    (found,) = [one for one in resources(stacks, kind) if one.path.startswith("services/order-service/" + part)]
    return found


def test_a_function_has_all_that_one_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        agreeing(service)
        assert service.setting("size", default=1) == 3
        assert service.setting("other", default="x") == "x"

    stacks = built(build, tmp_path, monkeypatch)
    body = only(stacks, "aws_lambda_function").body
    assert body["runtime"] == "python3.13"
    assert body["architectures"] == ["arm64"]
    assert body["tracing_config"] == {"mode": "Active"}
    assert body["logging_config"]["log_format"] == "JSON"
    assert body["layers"] == [
        "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"
    ]
    assert body["environment"]["variables"]["EVENT_BUS_ARN"] == (
        "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
    )
    assert body["source_code_hash"] == Package(b"zip").source_code_hash
    assert (tmp_path / "stacks" / "backbone" / body["filename"]).read_bytes() == b"zip"
    group = only(stacks, "aws_cloudwatch_log_group", "work/")
    assert (group.body["name"], group.body["retention_in_days"]) == ("/aws/lambda/shop-order-service-work", 7)
    config = only(stacks, "aws_lambda_function_event_invoke_config").body
    assert (config["maximum_retry_attempts"], config["maximum_event_age_in_seconds"]) == (2, 21_600)
    failures = only(stacks, "aws_sqs_queue", "work/failures")
    assert config["destination_config"]["on_failure"]["destination"] == f"${{{failures.address}.arn}}"
    granted = {
        one.body["name"]: one.document("policy")["Statement"]
        for one in resources(stacks, "aws_iam_role_policy")
        if "work/" in one.path
    }
    assert granted["publish"] == [
        {
            "Action": "events:PutEvents",
            "Condition": {"StringEquals": {"events:detail-type": "Order.Created", "events:source": "order-service"}},
            "Effect": "Allow",
            "Resource": "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global",
        }
    ]
    assert {one["Sid"] for one in granted["function"]} == {"Log", "Trace", "Fail"}


def test_a_subscription_to_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = built(agreeing, tmp_path, monkeypatch)
    rule = only(stacks, "aws_cloudwatch_event_rule", "all")
    assert rule.document("event_pattern") == {
        "$or": [
            {"detail-type": ["Delivery.Updated"]},
            {"detail-type": ["Invoice.Paid"], "source": ["billing"]},
        ]
    }
    target = only(stacks, "aws_cloudwatch_event_target", "all")
    function, permission = only(stacks, "aws_lambda_function"), only(stacks, "aws_lambda_permission")
    assert target.body["arn"] == f"${{{function.address}.arn}}"
    assert permission.body["source_arn"] == f"${{{rule.address}.arn}}"
    assert permission.address in target.body["depends_on"]
    assert "dead_letter_config" in target.body
    assert "role_arn" not in target.body


FILTERED = TEXT.replace(
    "[Delivery.Updated, {detail_type: Invoice.Paid, source: billing}]",
    """
      - {detail_type: Invoice.Paid, name: large, detail: {data: {total: [{numeric: [">", 100]}]}}}
      - {detail_type: Invoice.Paid, source: billing}
      - {source: [billing, {prefix: bill}]}
""",
)


def test_subscriptions_by_name_detail_type_and_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        service.setting("size", default=1), service.setting("loud", default=False)
        function = service.function("work", handler="some.module.handle")
        service.grant_publish(function, "Order.Created")
        service.subscribe("large", "large", to=function)
        service.subscribe("paid", "Invoice.Paid", to=function)
        service.subscribe("both", "large", "billing, bill*", to=function)

    stacks = built(build, tmp_path, monkeypatch, FILTERED)
    found = {
        one.path.split("/")[2]: one.document("event_pattern")
        for one in resources(stacks, "aws_cloudwatch_event_rule")
        if one.path.startswith("services/order-service/") and one.path.endswith("/Default")
    }
    large = {"detail": {"data": {"total": [{"numeric": [">", 100]}]}}, "detail-type": ["Invoice.Paid"]}
    assert found == {
        "large": large,
        "paid": {"detail-type": ["Invoice.Paid"], "source": ["billing"]},
        "both": {"$or": [large, {"source": ["billing", {"prefix": "bill"}]}]},
    }


def test_entries_that_no_rule_takes_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        service.subscribe("all", "Invoice.Paid", "billing", to=service.function("work", handler="some.module.handle"))

    text = TEXT.replace(
        "[Delivery.Updated, {detail_type: Invoice.Paid, source: billing}]",
        "[{detail_type: Invoice.Paid, detail: {prefix: [1]}}, {source: billing}]",
    )
    words = (
        r"services.order-service: the pattern of the rule 'all', for Invoice.Paid, billing: .*inside \$or, a field "
        "whose name no operator has; call service.subscribe for some of them by themselves"
    )
    with pytest.raises(BackboneError, match=words):
        built(build, tmp_path, monkeypatch, text)
    long = text.replace("{prefix: [1]}", f"{{a: [{'x' * 2_000}]}}")
    with pytest.raises(BackboneError, match=r"2,0\d\d characters; allowed: at most 2,048"):
        built(build, tmp_path, monkeypatch, long)


TWO_SOURCES = TEXT.replace("[Order.Created]", "[Order.Created, {detail_type: Payment.Taken, source: payments}]")


def test_events_under_two_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        agreeing(service)
        function = service.function("pay", handler="some.module.handle")
        service.grant_publish(function, "Payment.Taken", source="payments")
        service.grant_publish(function, "Order.Created")
        service.table("payments", key="id", outbox=["Payment.Taken"], source="payments")

    stacks = built(build, tmp_path, monkeypatch, TWO_SOURCES)
    granted = [
        one.document("policy")["Statement"][0]["Condition"]["StringEquals"]
        for one in resources(stacks, "aws_iam_role_policy")
        if one.path.startswith("services/order-service/pay/") and "grant-publish" in one.path
    ]
    pinned = [
        {"events:detail-type": "Order.Created", "events:source": "order-service"},
        {"events:detail-type": "Payment.Taken", "events:source": "payments"},
    ]
    assert sorted(granted, key=str) == pinned
    relay = only(stacks, "aws_lambda_function", "payments-outbox")
    assert relay.body["environment"]["variables"]["EVENT_SOURCE"] == "payments"
    (policy,) = [one for one in resources(stacks, "aws_cloudwatch_event_bus_policy") if one.path == "global-bus/policy"]
    of_account = [one for one in policy.document("policy")["Statement"] if "222" in one["Sid"]]
    assert sorted((one["Condition"]["StringEquals"] for one in of_account), key=str) == pinned


def test_an_event_under_a_source_that_the_file_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ModuleError, match=r"file says Order.Created, Payment.Taken as payments; the module some.module sa"
    ):
        built(agreeing, tmp_path, monkeypatch, TWO_SOURCES)


def test_a_buffer_before_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        agreeing(service)
        function = service.function("slow", handler="some.module.handle", timeout_seconds=20)
        service.subscribe("buffered", "Invoice.Paid", to=function, max_receives=7)

    stacks = built(build, tmp_path, monkeypatch)
    queue = only(stacks, "aws_sqs_queue", "buffered/buffer/")
    assert queue.body["visibility_timeout_seconds"] == 120
    redrive = json.loads(queue.body["redrive_policy"])
    dead_letters = only(stacks, "aws_sqs_queue", "buffered/buffer-dead-letters")
    assert redrive == {"deadLetterTargetArn": f"${{{dead_letters.address}.arn}}", "maxReceiveCount": 7}
    (slow,) = [one for one in resources(stacks, "aws_lambda_function") if "slow" in one.path]
    assert slow.body["environment"]["variables"]["BUFFER_MAX_RECEIVES"] == "7"
    mapping = only(stacks, "aws_lambda_event_source_mapping")
    assert mapping.body["function_response_types"] == ["ReportBatchItemFailures"]
    assert mapping.body["event_source_arn"] == f"${{{queue.address}.arn}}"
    (grant,) = mapping.body["depends_on"]
    assert "buffered-buffer" in grant
    target = only(stacks, "aws_cloudwatch_event_target", "buffered")
    assert target.body["arn"] == f"${{{queue.address}.arn}}"
    policy = only(stacks, "aws_sqs_queue_policy", "buffered/buffer")
    rule = only(stacks, "aws_cloudwatch_event_rule", "buffered")
    (statement,) = policy.document("policy")["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": f"${{{rule.address}.arn}}"}}
    assert policy.address in target.body["depends_on"]


def test_a_stream_and_a_partner_as_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        agreeing(service)
        stream = Stream(service, "stream", account=service.account, name=service.name_of("stream"))
        path = "$.detail.data.order_id"
        service.subscribe("streamed", "Delivery.Updated", to=stream, partition_key_path=path)
        partner = ApiDestination(
            service,
            "partner",
            account=service.account,
            name=service.name_of("partner"),
            endpoint="https://partner.example/hook",
            secret_variable="partner_api_key",
            calls_per_second=5,
        )
        service.subscribe("told", "Invoice.Paid", to=partner)

    stacks = built(build, tmp_path, monkeypatch)
    stream = only(stacks, "aws_kinesis_stream")
    target = only(stacks, "aws_cloudwatch_event_target", "streamed")
    assert target.body["kinesis_target"] == {"partition_key_path": "$.detail.data.order_id"}
    role = only(stacks, "aws_iam_role", "streamed")
    assert target.body["role_arn"] == f"${{{role.address}.arn}}"
    granted = only(stacks, "aws_iam_role_policy", "streamed").document("policy")["Statement"]
    assert granted[0]["Resource"] == f"${{{stream.address}.arn}}"
    destination = only(stacks, "aws_cloudwatch_event_api_destination")
    assert destination.body["invocation_rate_limit_per_second"] == 5
    connection = only(stacks, "aws_cloudwatch_event_connection")
    assert connection.body["auth_parameters"]["api_key"] == {
        "key": "Authorization",
        "value": "${var.partner_api_key}",
    }
    assert stacks["backbone"]["variable"]["partner_api_key"]["sensitive"] is True
    assert only(stacks, "aws_cloudwatch_event_target", "told").body["arn"] == f"${{{destination.address}.arn}}"


@pytest.mark.parametrize(
    ("authorization", "kind"),
    [("iam", "AWS_IAM"), ("none", "NONE"), (Jwt("https://issuer.example", ("shop",)), "JWT")],
)
def test_an_http_api(authorization: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        agreeing(service)
        function = service.function("api", handler="some.module.handle")
        HttpApi(
            service,
            "http-api",
            account=service.account,
            name=service.name_of("http-api"),
            routes={"POST /orders": function, "GET /orders/{id}": function},
            log_retention_days=7,
            authorization=authorization,
            cors=Cors(("https://shop.example",)),
        )

    stacks = built(build, tmp_path, monkeypatch)
    routes = resources(stacks, "aws_apigatewayv2_route")
    assert {one.body["route_key"] for one in routes} == {"POST /orders", "GET /orders/{id}"}
    assert {one.body["authorization_type"] for one in routes} == {kind}
    assert all(("authorizer_id" in one.body) is (kind == "JWT") for one in routes)
    stage = only(stacks, "aws_apigatewayv2_stage").body
    assert stage["default_route_settings"] == {
        "detailed_metrics_enabled": True,
        "throttling_burst_limit": 200,
        "throttling_rate_limit": 100,
    }
    assert json.loads(stage["access_log_settings"]["format"])["status"] == "$context.status"
    assert only(stacks, "aws_apigatewayv2_api").body["cors_configuration"]["allow_origins"] == ["https://shop.example"]
    if kind == "JWT":
        authorizer = only(stacks, "aws_apigatewayv2_authorizer").body
        assert authorizer["jwt_configuration"] == {"audience": ["shop"], "issuer": "https://issuer.example"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "publishes: [Order.Created]",
            "publishes: [Order.Created, Order.Gone]",
            "services.order-service.publishes: the file says Order.Created, Order.Gone; the module some.module says "
            "Order.Created; make them the same",
        ),
        (
            "subscribes: [Delivery.Updated, ",
            "subscribes: [",
            "services.order-service.subscribes: the file says Invoice.Paid; the module some.module says "
            "Delivery.Updated, Invoice.Paid; make them the same",
        ),
        ("loud: true", "lowd: true", "services.order-service.settings: got 'lowd'; allowed: what the module"),
        ("size: 3", "size: big", "services.order-service.settings.size: got 'big'; allowed: a whole number"),
        ("loud: true", "loud: 1", "services.order-service.settings.loud: got 1; allowed: true or false"),
    ],
)
def test_the_module_and_the_file_agree(
    old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Exception, match="services") as caught:
        built(agreeing, tmp_path, monkeypatch, TEXT.replace(old, new))
    assert message in str(caught.value)


def test_a_service_without_a_module_has_its_bus_and_routing_only(tmp_path: Path) -> None:
    text = TEXT.replace("    module: some.module\n    settings: {size: 3, loud: true}\n", "")
    kinds = {
        one.kind
        for one in resources(synthesize(parse(text), tmp_path))
        if one.path.startswith("services/order-service")
    }
    assert "aws_lambda_function" not in kinds
    assert "aws_cloudwatch_event_bus" in kinds


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="got 'some"):
        synthesize(parse(TEXT), tmp_path)
    with pytest.raises(TopologyError, match="a Python package, as in"):
        parse(TEXT.replace("some.module", "some/module"))


@pytest.mark.parametrize(
    ("region", "layer"),
    [
        ("cn-north-1", "arn:aws-cn:lambda:cn-north-1:498634801083:layer:"),
        ("us-gov-west-1", "arn:aws-us-gov:lambda:us-gov-west-1:165093116878:layer:"),
    ],
)
def test_the_layer_of_other_partitions_and_one_of_ones_own(
    region: str, layer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEXT.replace("eu-west-1", region)
    body = only(built(agreeing, tmp_path / "a", monkeypatch, text), "aws_lambda_function").body
    assert body["layers"][0].startswith(layer)
    with pytest.raises(BackboneError, match="no public Powertools layer in cn-northwest-1; name one of your own"):
        built(agreeing, tmp_path / "c", monkeypatch, TEXT.replace("eu-west-1", "cn-northwest-1"))
    own = "arn:aws:lambda:eu-west-1:222222222222:layer:powertools:3"
    stacks = built(agreeing, tmp_path / "b", monkeypatch, f"{TEXT}powertools_layer: {own}\n")
    assert only(stacks, "aws_lambda_function").body["layers"] == [own]


def test_a_route_may_have_an_authorization_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        agreeing(service)
        function = service.function("api", handler="some.module.handle")
        routes: dict[str, Function | Route] = {
            "GET /things": function,
            "GET /health": Route(function, authorization="none"),
            "POST /admin": Route(function, authorization="iam"),
        }
        jwt = Jwt("https://issuer.example", ("shop",))
        HttpApi(
            service,
            "http-api",
            account=service.account,
            name="api",
            routes=routes,
            log_retention_days=7,
            authorization=jwt,
        )

    stacks = built(build, tmp_path, monkeypatch)
    found = {one.body["route_key"]: one.body for one in resources(stacks, "aws_apigatewayv2_route")}
    assert {key: body["authorization_type"] for key, body in found.items()} == {
        "GET /things": "JWT",
        "GET /health": "NONE",
        "POST /admin": "AWS_IAM",
    }
    assert [key for key, body in found.items() if "authorizer_id" in body] == ["GET /things"]
    assert len(resources(stacks, "aws_apigatewayv2_integration")) == 1


def test_a_function_gives_up_at_the_smallest_of_its_buffers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        function = service.function("work", handler="some.module.handle", reserved_concurrency=5)
        service.grant_publish(function, "Order.Created")
        service.subscribe("patient", "Delivery.Updated", to=function, max_concurrency=20)
        service.subscribe("hasty", "Invoice.Paid", to=function, max_receives=3, max_concurrency=2)
        service.setting("size", default=1), service.setting("loud", default=False)

    stacks = built(build, tmp_path, monkeypatch)
    assert only(stacks, "aws_lambda_function").body["environment"]["variables"]["BUFFER_MAX_RECEIVES"] == "3"
    mappings = resources(stacks, "aws_lambda_event_source_mapping")
    assert {one.body["scaling_config"]["maximum_concurrency"] for one in mappings} == {2, 5}


def test_an_outbox_and_a_stream_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(service: Service) -> None:
        service.setting("size", default=1), service.setting("loud", default=False)
        service.table("things", key="id", expires="until", outbox=["Order.Created"])
        stream = Stream(service, "stream", account=service.account, name="stream")
        service.subscribe("all", "Delivery.Updated", "Invoice.Paid", to=stream, partition_key_path="$.id")
        service.read(stream, by=service.function("work", handler="some.module.handle"))

    stacks = built(build, tmp_path, monkeypatch)
    table = only(stacks, "aws_dynamodb_table").body
    assert (table["stream_view_type"], table["ttl"]) == (
        "NEW_AND_OLD_IMAGES",
        {"attribute_name": "until", "enabled": True},
    )
    relay = only(stacks, "aws_lambda_function", "things-outbox").body
    assert relay["handler"] == "backbone.runtime.relay.on_stream"
    for reader, hours in (("things-outbox/reader", 22), ("work/reader", 160)):
        mapping = only(stacks, "aws_lambda_event_source_mapping", reader).body
        assert mapping["starting_position"] == "TRIM_HORIZON"
        assert mapping["bisect_batch_on_function_error"] is True
        assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
        assert mapping["maximum_record_age_in_seconds"] == hours * 3_600
        assert "failures" in mapping["destination_config"]["on_failure"]["destination_arn"]
    published = only(stacks, "aws_iam_role_policy", "things-outbox/grant-publish").document("policy")["Statement"]
    assert published[0]["Condition"]["StringEquals"]["events:detail-type"] == "Order.Created"
