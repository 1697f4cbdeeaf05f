"""EventBridge's rules of the game, on the example: who may put what, and what reaches whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from backbone.simulator import Fault, PutEventsError, Simulator, SimulatorError
from tests.simulator.conftest import LAYOUTS, Edit, put

Load = Callable[..., Simulator]
LOCAL = {"order-service": "shop-order-service", "delivery-service": "shop-delivery-service"}


def logged(sim: Simulator) -> dict[str, int]:
    return {name: len(entries) for name, entries in sim.logs.items() if name.startswith("/aws/events/")}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("sender", LOCAL)
def test_everybody_but_the_sender_receives_and_every_bus_logs(load: Load, name: str, sender: str) -> None:
    sim = load(name)
    detail_type = {"order-service": "Order.Updated", "delivery-service": "Delivery.Updated"}[sender]
    assert "EventId" in put(sim, sender, detail_type)
    trace = sim.run_until_idle(at_most=1)
    receiver = next(one for one in LOCAL if one != sender)
    buses = [one.place for one in trace.of("delivered") if one.data["target"] == "bus"]
    assert buses == [LOCAL[receiver]]
    assert logged(sim) == {
        "/aws/events/shop-global": 1,
        f"/aws/events/{LOCAL[receiver]}": 1,
        f"/aws/events/{LOCAL[sender]}": 0,
    }


def test_an_event_keeps_what_its_publisher_gave_and_what_aws_made(load: Load) -> None:
    sim = load()
    given: dict[str, Any] = {
        "Resources": ["arn:aws:s3:::x"],
        "Detail": '{"a": [1, "b"]}',
        "Time": "2024-02-03T04:05:06Z",
    }
    result = put(sim, "order-service", "Order.Updated", **given)
    sim.run_until_idle()
    assert sim.logs["/aws/events/shop-delivery-service"] == [
        {
            "version": "0",
            "id": result["EventId"],
            "detail-type": "Order.Updated",
            "source": "order-service",
            "account": "222222222222",
            "time": "2024-02-03T04:05:06Z",
            "region": "eu-west-1",
            "resources": ["arn:aws:s3:::x"],
            "detail": {"a": [1, "b"]},
        }
    ]


@pytest.mark.parametrize("name", ["single", "per-account"])
def test_a_forged_source_or_type_is_denied(load: Load, name: str) -> None:
    sim = load(name)
    source, kind = "NotAuthorizedForSourceException", "NotAuthorizedForDetailTypeException"
    for given, detail_type, caller, code in (
        ("delivery-service", "Delivery.Updated", "order-service", source),
        ("order-service", "Delivery.Updated", "order-service", kind),
        ("order-service", "Order.Created", "delivery-service", source),
        ("order-service", "Order.Created", "shop-delivery-service-deliveries-outbox", source),
    ):
        assert put(sim, given, detail_type, caller=caller)["ErrorCode"] == code
    trace = sim.run_until_idle()
    assert len(trace.of("denied")) == 4
    assert trace.of("delivered") == []


def test_a_function_may_put_only_what_it_was_granted(load: Load) -> None:
    sim = load()
    result = put(sim, "order-service", "Order.Deleted", caller="shop-order-service-orders-outbox")
    assert result["ErrorCode"] == "NotAuthorizedForDetailTypeException"
    assert "no policy of arn:aws:iam::222222222222:role/shop-order-service-orders-outbox" in result["ErrorMessage"]


def test_nobody_puts_straight_on_another_services_bus(load: Load) -> None:
    sim = load()
    for caller in ("order-service", "shop-order-service-api", "bus"):
        arn = "arn:aws:events:eu-west-1:333333333333:event-bus/shop-delivery-service"
        result = put(sim, "order-service", "Order.Created", caller=caller, EventBusName=arn)
        assert result["ErrorCode"] == "AccessDeniedException"
    assert sim.run_until_idle().of("delivered") == []


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": ""}, "InvalidArgument"),
        ({"DetailType": "x" * 129}, "InvalidArgument"),
        ({"Detail": ""}, "InvalidArgument"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
        ({"Source": "s" * 257}, "InvalidArgument"),
        ({"Detail": '{"x": NaN}'}, "MalformedDetail"),
        ({"Detail": {"x": float("inf")}}, "MalformedDetail"),
        ({"Detail": None}, "InvalidArgument"),
        ({"Source": "aws"}, "NotAuthorizedForSourceException"),
    ],
)
def test_entries_that_are_refused(load: Load, entry: dict[str, Any], code: str) -> None:
    sim = load()
    bus = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
    good = {"Source": "order-service", "DetailType": "Order.Updated", "Detail": {}, "EventBusName": bus}
    answer = sim.put_events([good, good | entry], caller="order-service")
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][1]["ErrorCode"] == code
    assert "EventId" in answer["Entries"][0]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"Source": ["x"]}, r"Entries\[0\]\.Source: got \['x'\]; allowed: text"),
        ({"DetailType": ["Event1"]}, r"Entries\[0\]\.DetailType: got \['Event1'\]; allowed: text"),
        ({"Detail": 5}, r"Entries\[0\]\.Detail: got 5; allowed: text"),
        ({"Resources": "x"}, r"Entries\[0\]\.Resources: got 'x'; allowed: a list of texts"),
        ({"Time": "soon"}, r"Entries\[0\]\.Time: got 'soon'; allowed: a time"),
        ({"Time": True}, r"Entries\[0\]\.Time: got True; allowed: a time"),
        ({"detail-type": "T"}, r"Entries\[0\]: got 'detail-type'; allowed: Time, Source"),
    ],
)
def test_what_no_client_sends_is_refused_not_turned_into_text(load: Load, entry: dict[str, Any], message: str) -> None:
    with pytest.raises(PutEventsError, match=message) as caught:
        load().put_events([entry], caller="order-service")
    assert caught.value.code == "ParamValidationError"


def test_the_size_of_a_call_counts_all_its_entries(load: Load) -> None:
    sim = load()
    entry = {"Source": "order-service", "DetailType": "Order.Updated", "EventBusName": "none"}
    rest = len("order-service" + "Order.Updated" + '{"x":""}') + 14 + len("arn:x")
    half = "a" * (512 * 1024 - rest)
    more = {"Detail": f'{{"x":"{half}"}}', "Time": 0, "Resources": ["arn:x"]}
    assert sim.put_events([entry | more] * 2, caller="order-service")["FailedEntryCount"] == 0
    with pytest.raises(
        PutEventsError, match=r"^ValidationException: Total size of the entries .* is over the limit\.$"
    ):
        sim.put_events([entry | more, entry | more | {"Resources": ["arn:xy"]}], caller="order-service")


def test_a_bus_that_does_not_exist_swallows_the_event(load: Load) -> None:
    sim = load()
    result = put(sim, "order-service", "Order.Updated", EventBusName="none")
    assert result.keys() == {"EventId"}
    (lost,) = sim.run_until_idle().lost
    assert lost.words.endswith("AWS accepts it, and it is gone: there is no bus none in account order")
    assert sim.problems(allow=["finding"]) != []


def test_a_call_takes_one_to_ten_entries_and_a_known_caller(load: Load) -> None:
    sim = load()
    for count, words in ((0, "greater than or equal to 1"), (11, "less than or equal to 10")):
        entries: list[dict[str, Any]] = [{}] * count
        with pytest.raises(PutEventsError, match=f"ValidationException: .* Member must have length {words}"):
            sim.put_events(entries, caller="order-service")
    with pytest.raises(SimulatorError, match="caller: got 'nobody'; allowed: "):
        sim.put_events([{}], caller="nobody")


def backwards(resources: dict[str, Any]) -> None:
    """A rule on the order service's bus that sends everything to the global bus, all permissions given."""
    rule = next(
        name for name in resources["aws_cloudwatch_event_rule"] if name.startswith("services_order-service_bus")
    )
    bus = next(name for name in resources["aws_cloudwatch_event_bus"] if "order-service" in name)
    queue = next(name for name in resources["aws_sqs_queue"] if name.startswith("services_order-service_bus"))
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}]
    }
    resources["aws_iam_role"]["back"] = {
        "name": "back",
        "provider": "aws.order",
        "assume_role_policy": json.dumps(trust),
    }
    allow = {"Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}]}
    resources["aws_iam_role_policy"]["back"] = {"role": "back", "provider": "aws.order", "policy": json.dumps(allow)}
    resources["aws_cloudwatch_event_target"]["back"] = {
        "arn": "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global",
        "rule": f"${{aws_cloudwatch_event_rule.{rule}.name}}",
        "event_bus_name": f"${{aws_cloudwatch_event_bus.{bus}.name}}",
        "role_arn": "${aws_iam_role.back.arn}",
        "dead_letter_config": {"arn": f"${{aws_sqs_queue.{queue}.arn}}"},
        "provider": "aws.order",
    }
    policy = next(
        iter(
            resources["aws_cloudwatch_event_bus_policy"][one]
            for one in resources["aws_cloudwatch_event_bus_policy"]
            if one.startswith("global")
        )
    )
    everyone = {"Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Principal": "*", "Resource": "*"}]}
    policy["policy"] = json.dumps(everyone)


def test_from_a_local_bus_no_way_leads_on(edited: Callable[[Edit], Simulator]) -> None:
    sim = edited(backwards)
    put(sim, "delivery-service", "Delivery.Updated")
    trace = sim.run_until_idle(at_most=1)
    (dead,) = trace.of("dead-lettered")
    assert dead.data["code"] == "THIRD_ACCOUNT_HOP_DETECTED"
    (message,) = sim.queues["shop-order-service-log-dead-letters"]
    assert message.attributes["ERROR_CODE"] == "THIRD_ACCOUNT_HOP_DETECTED"
    assert message.attributes["TARGET_ARN"].endswith(":event-bus/shop-global")
    assert message.attributes.keys() == {"RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE", "RETRY_ATTEMPTS"}
    assert len(trace.of("put")) == 1
    sim.redrive("shop-order-service-log-dead-letters")
    assert len(sim.run_until_idle(at_most=1).of("dead-lettered")) == 2  # a redrive makes no hop forgotten


def test_without_a_queue_the_third_hop_drops_the_event_silently(edited: Callable[[Edit], Simulator]) -> None:
    def edit(resources: dict[str, Any]) -> None:
        backwards(resources)
        del resources["aws_cloudwatch_event_target"]["back"]["dead_letter_config"]

    sim = edit_and_put(edited, edit)
    (dropped,) = sim.trace().lost
    assert (dropped.kind, dropped.data["code"]) == ("dropped", "THIRD_ACCOUNT_HOP_DETECTED")
    assert any("has no dead-letter queue" in one for one in sim.findings)


def edit_and_put(edited: Callable[[Edit], Simulator], edit: Edit) -> Simulator:
    sim = edited(edit)
    put(sim, "delivery-service", "Delivery.Updated")
    sim.run_until_idle(at_most=1)
    return sim


def test_retries_go_on_until_it_works(load: Load) -> None:
    sim = load(faults=[Fault("throttle", "shop-delivery-service", 0, 3 * 3600)])
    put(sim, "order-service", "Order.Updated")
    trace = sim.run_until_idle()
    (retry,) = trace.of("retry")
    assert retry.data["attempts"] > 5
    assert "shop-delivery-service" in trace.delivered_to()
    assert 3 * 3600 <= sim.now < 5 * 3600
    assert sim.queues["shop-forward-delivery-service-dead-letters"] == []


@pytest.mark.parametrize(("kind", "code"), [("throttle", "THROTTLING"), ("timeout", "SDK_CLIENT_ERROR")])
def test_after_a_day_the_queue_has_it_and_a_redrive_delivers(load: Load, kind: Any, code: str) -> None:
    sim = load(faults=[Fault(kind, "shop-delivery-service", 0, 30 * 3600)])
    put(sim, "order-service", "Order.Updated")
    sim.run_until_idle()
    (message,) = sim.queues["shop-forward-delivery-service-dead-letters"]
    assert message.attributes["ERROR_CODE"] == code
    assert message.attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert message.attributes["RETRY_ATTEMPTS"] == "185"
    assert message.attributes["RULE_ARN"].endswith(":rule/shop-global/shop-forward-delivery-service")
    assert json.loads(message.body)["detail-type"] == "Order.Updated"
    assert 20 * 3600 < sim.now <= 24 * 3600
    sim.faults.clear()
    assert sim.redrive("shop-forward-delivery-service-dead-letters") == 1
    assert "shop-delivery-service" in sim.run_until_idle().delivered_to()
    assert sim.queues["shop-forward-delivery-service-dead-letters"] == []


def test_with_few_attempts_or_little_time_a_delivery_ends_sooner(edited: Callable[[Edit], Simulator]) -> None:
    for retry, condition in (
        ({"maximum_retry_attempts": 60, "maximum_event_age_in_seconds": 86_400}, "MaximumRetryAttempts"),
        ({"maximum_retry_attempts": 185, "maximum_event_age_in_seconds": 3_600}, "MaximumEventAgeInSeconds"),
    ):

        def edit(resources: dict[str, Any], retry: dict[str, int] = retry) -> None:
            for name, body in resources["aws_cloudwatch_event_target"].items():
                if name.startswith("forwarding_delivery"):
                    body["retry_policy"] = retry

        sim = edited(edit)
        sim.faults.append(Fault("throttle", "shop-delivery-service"))
        put(sim, "order-service", "Order.Updated")
        sim.run_until_idle()
        (message,) = sim.queues["shop-forward-delivery-service-dead-letters"]
        assert message.attributes["EXHAUSTED_RETRY_CONDITION"] == condition
        assert int(message.attributes["RETRY_ATTEMPTS"]) <= retry["maximum_retry_attempts"]
        assert sim.now <= retry["maximum_event_age_in_seconds"]


def test_a_denial_is_not_retried(load: Load) -> None:
    sim = load(faults=[Fault("deny", "shop-delivery-service", times=1)])
    put(sim, "order-service", "Order.Updated")
    sim.run_until_idle()
    (message,) = sim.queues["shop-forward-delivery-service-dead-letters"]
    assert (message.attributes["ERROR_CODE"], message.attributes["RETRY_ATTEMPTS"]) == ("NO_PERMISSIONS", "0")
    assert sim.now == 0


def test_a_replay_comes_with_its_name_for_the_rules_that_are_named(load: Load) -> None:
    sim = load(faults=[Fault("deny", "shop-delivery-service", times=1)])
    put(sim, "order-service", "Order.Updated")
    sim.run_until_idle()
    before = logged(sim)
    sim.replay(rules=["shop-forward-delivery-service"], name="again")
    trace = sim.run_until_idle()
    assert [one.kind for one in trace.roots] == ["put", "replayed"]
    assert [one["replay-name"] for one in sim.logs["/aws/events/shop-delivery-service"]] == ["again"]
    assert logged(sim)["/aws/events/shop-global"] == before["/aws/events/shop-global"]
    assert len(trace.of("archived")) == 1
    sim.replay()
    sim.run_until_idle()
    assert logged(sim)["/aws/events/shop-global"] == before["/aws/events/shop-global"] + 1
    sim.replay(end=0)
    assert len(sim.run_until_idle().of("replayed")) == 2
    with pytest.raises(SimulatorError, match="archive: got 'none'; allowed: shop-global"):
        sim.replay("none")


def test_what_cannot_be_redriven_is_kept(load: Load) -> None:
    sim = load()
    with pytest.raises(SimulatorError, match="queue: got 'none'; allowed: "):
        sim.redrive("none")


def test_an_identity_of_the_same_name_with_other_policies_is_another(load: Load) -> None:
    sim = load()
    role = sim.identity("shop-order-service-orders-outbox")
    assert "EventId" in put(sim, "order-service", "Order.Updated", caller=role)
    assert "ErrorCode" in put(sim, "order-service", "Order.Updated", caller=replace(role, policies=()))
    assert "EventId" in put(sim, "order-service", "Order.Updated", caller=role)
