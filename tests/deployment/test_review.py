"""The catalogue of plans: the dangers that a review finds in each, and none in those that are harmless."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from backbone.deployment import universe
from backbone.deployment.dangers import RULES, Danger
from backbone.deployment.markdown import markdown
from backbone.deployment.review import Review, review
from backbone.system.plan import read_plan
from tests.cli.command import BACKBONE, run
from tests.deployment.plans.cases import cases, plans, synthesize_case

Json = dict[str, Any]
CASES = cases()
RARE = {
    "detail-logged": "confidential types",
    "handled-twice": "a queue that is more patient than its function",
    "key-removed": "a key that the stacks make",
    "mapping-narrowed": "a mapping with a filter",
    "sent-elsewhere": "an account outside",
}
"""Dangers that are tried elsewhere, and what they need."""


WAVES = [["billing", "delivery", "order"], ["bus"]]
ACCOUNTS = ["111111111111", "222222222222", "333333333333", "444444444444"]


@cache
def reviewed(case: str) -> Review:
    return review([read_plan(document, stack) for stack, document in plans(case)], WAVES, ACCOUNTS)


def found_in(review: Review) -> set[str]:
    return {found.rule for found in review.dangers if found.severity != "note"}


@pytest.mark.parametrize("case", CASES)
def test_dangers_are_found_and_nothing_else(case: str) -> None:
    found = reviewed(case)
    assert found_in(found) == {*CASES[case]["finds"]}, [str(one) for one in found.dangers]


@pytest.mark.parametrize("case", CASES)
def test_a_backbone_that_is_too_large_to_try_everything_is_reviewed_alike(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(universe, "MOST_TRIED", 0)
    found = review([read_plan(document, stack) for stack, document in plans(case)], WAVES, ACCOUNTS)
    assert found_in(found) == {*CASES[case]["finds"]}, [str(one) for one in found.dangers]


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"the hub's routing is narrowed to what services subscribe to"}))
def test_the_plans_of_the_changed_stacks_are_enough(case: str) -> None:
    """Not quite: that a service does not want what is no longer forwarded, only its own stack can tell."""
    changed = [read_plan(document, stack) for stack, document in plans(case) if document["resource_changes"]]
    found = review(changed, [], ACCOUNTS)
    assert found_in(found) == {*CASES[case]["finds"]} - {"order"}, [str(one) for one in found.dangers]


def test_the_catalogue_has_every_danger_and_enough_that_is_harmless() -> None:
    found = [rule for case in CASES.values() for rule in case["finds"]]
    assert {rule for rule, entry in RULES.items() if entry.severity != "note"} - {*found} == RARE.keys()
    assert sum(bool(case["finds"]) for case in CASES.values()) >= 20
    assert sum(not case["finds"] for case in CASES.values()) >= 20


def edited(part: str, *, before: Json | None = None, after: Json | None = None) -> Review:
    """A plan without changes, but that a resource was, or will be, something else."""
    each = copy.deepcopy(dict(plans("nothing changes")))
    for document in each.values():
        for place, values in (("prior_state", before), ("planned_values", after)):
            root = document[place].get("values", document[place])["root_module"]
            for resource in root["resources"]:
                if part in resource["address"]:
                    resource["values"] |= values or {}
    return review([read_plan(document, stack) for stack, document in each.items()], WAVES, ACCOUNTS)


def test_events_that_leave_the_backbone() -> None:
    abroad = {"arn": "arn:aws:events:eu-west-1:999999999999:event-bus/theirs"}
    assert "sent-elsewhere" in found_in(edited("event_target.forwarding_ledger", after=abroad))


def test_messages_that_come_back_too_early() -> None:
    found = edited("aws_lambda_function.services_delivery-service_on-event", after={"timeout": 900})
    assert found_in(found) == {"handled-twice"}


PIPE = {
    "name": "p",
    "role_arn": "arn:aws:iam::333333333333:role/p",
    "source": "arn:aws:sqs:eu-west-1:333333333333:shop-delivery-service-orders-buffer",
    "target": "arn:aws:states:eu-west-1:333333333333:stateMachine:steps",
}
LETTERS = {"dead_letter_config": [{"arn": "arn:aws:sqs:eu-west-1:333333333333:letters"}]}


def piped(before: Json, after: Json) -> Review:
    """A plan without changes beside a pipe, which was and will be something else."""
    each = copy.deepcopy(dict(plans("nothing changes")))
    plan, pipe = each["delivery"], {"address": "aws_pipes_pipe.p", "type": "aws_pipes_pipe", "name": "p"}
    declared = plan["configuration"]["root_module"]["resources"]
    declared.append(pipe | {"mode": "managed", "provider_config_key": "aws.delivery", "expressions": {}})
    for place, values in (("prior_state", before), ("planned_values", after)):
        found = plan[place].get("values", plan[place])["root_module"]["resources"]
        found.append(pipe | {"mode": "managed", "values": PIPE | values})
    return review([read_plan(document, stack) for stack, document in each.items()], WAVES, ACCOUNTS)


def test_pipes_are_among_those_who_receive_and_whose_failures_are_kept() -> None:
    assert found_in(piped({}, {})) == set()
    assert found_in(piped({}, {"desired_state": "STOPPED"})) == {"receiving-ends"}
    assert found_in(piped({"desired_state": "STOPPED"}, {})) == set()
    table = {"source": "arn:aws:dynamodb:eu-west-1:333333333333:table/t/stream/2024-01-01T00:00:00.000"}
    streamed = [table | {"source_parameters": [{"dynamodb_stream_parameters": [letters]}]} for letters in (LETTERS, {})]
    assert found_in(piped(*streamed)) == {"dead-letters-detached"}
    assert found_in(piped(*reversed(streamed))) == set()


def test_logs_that_hold_more_than_before() -> None:
    template = {
        "input_transformer": [{"input_template": '{"detail-type": <type>}', "input_paths": {"type": "$.detail-type"}}]
    }
    assert found_in(edited("event_target.global-bus_log", before=template)) == {"detail-logged"}


def statement(**parts: Any) -> Json:
    return {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"}} | parts


BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/shop-global"
PINNED = {"StringEquals": {"events:source": ["ledger"]}}
PUT = {"Action": "events:PutEvents", "Resource": BUS}
TLS_ONLY = statement(
    Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}, Sid="Tls", **PUT
)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([statement(**PUT, Condition=PINNED)], [statement(**PUT, Condition=PINNED, Sid="Renamed")], None),
        ([statement(**PUT, Condition=PINNED)], [statement(**PUT)], "with any events:source"),
        (
            [statement(**PUT, Condition=PINNED)],
            [statement(**PUT, Condition={"StringLike": {"events:source": "led*"}})],
            "with events:source like led",
        ),
        (
            [statement(**PUT, Condition=PINNED)],
            [statement(**PUT, Condition={"StringLike": {"events:source": "*"}})],
            "any",
        ),
        ([statement(**PUT, Condition=PINNED), TLS_ONLY], [statement(**PUT, Condition=PINNED)], "a Deny kept out"),
        ([statement(**PUT, Condition=PINNED)], [statement(**PUT, Condition=PINNED), TLS_ONLY], None),
        (
            [statement(**PUT, Condition=PINNED)],
            [statement(**PUT, Condition=PINNED), statement(Action="events:PutRule", Resource=BUS)],
            "do more than send",
        ),
        (
            [statement(**PUT, Condition=PINNED)],
            [statement(**PUT, Condition=PINNED, Principal={"AWS": "999999999999"})],
            "lets the account 999999999999 in",
        ),
    ],
)
def test_access_to_a_bus_is_compared_by_requests(before: list[Json], after: list[Json], words: str | None) -> None:
    documents = [json.dumps({"Version": "2012-10-17", "Statement": found}) for found in (before, after)]
    found = edited("bus_policy.global-bus", before={"policy": documents[0]}, after={"policy": documents[1]})
    said = [one.message for one in found.dangers if one.rule == "access-widened"]
    assert bool(said) is (words is not None), said
    assert all(words in one for one in said if words), said


@pytest.mark.parametrize(
    ("action", "resource", "dangerous"),
    [
        ("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:222222222222:table/orders/index/*", False),
        ("dynamodb:DeleteItem", "arn:aws:dynamodb:eu-west-1:222222222222:table/orders", False),
        ("dynamodb:DeleteTable", "arn:aws:dynamodb:eu-west-1:222222222222:table/orders", True),
        ("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:222222222222:table/*", True),
        ("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:999999999999:table/orders", True),
        ("dynamodb:*", "arn:aws:dynamodb:eu-west-1:222222222222:table/orders", True),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:222222222222:jobs", False),
        ("sqs:PurgeQueue", "arn:aws:sqs:eu-west-1:222222222222:jobs", True),
        ("iam:PassRole", "arn:aws:iam::222222222222:role/jobs", True),
        ("xray:PutTraceSegments", "*", False),
        ("cloudwatch:PutMetricData", "*", False),
        ("s3:PutObject", "arn:aws:s3:::shop-invoices/*", False),
        ("s3:GetObject", "arn:aws:s3:::*", True),
        ("events:PutEvents", BUS, True),
    ],
)
def test_what_a_function_may_do_is_compared_by_requests(action: str, resource: str, dangerous: bool) -> None:
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    found = edited("role_policy.services_order-service_api_grant-publish", after={"policy": json.dumps(allowed)})
    assert ("access-widened" in found_in(found)) is dangerous, [str(one) for one in found.dangers]


@pytest.fixture
def plan_files(tmp_path: Path) -> Callable[[str], list[str]]:
    """The plans of a case in files, as `backbone deploy` leaves them."""

    def of(case: str) -> list[str]:
        folder = tmp_path / "cdktf.out" / "deployment"
        folder.mkdir(parents=True)
        for stack, document in plans(case):
            (folder / f"{stack}.plan.json").write_text(json.dumps(document))
        return [str(file) for file in sorted(folder.iterdir())]

    return of


def test_the_command_says_it_in_words(plan_files: Callable[[str], list[str]]) -> None:
    out, _ = run(BACKBONE, "review", *plan_files("a forwarding rule is disabled"), status=1)
    assert "error rule-disabled: bus/aws_cloudwatch_event_rule.forwarding_order-service_" in out
    assert "order-service:\n  order-service stops receiving Delivery.Updated from delivery-service\n" in out


def test_exit_statuses_follow_the_severity(plan_files: Callable[[str], list[str]]) -> None:
    files = plan_files("the archive keeps a week")
    for level, status in (("error", 0), ("warning", 1), ("note", 1), ("never", 0)):
        run(BACKBONE, "review", "--fail-on", level, *files, status=status)
    _, err = run(BACKBONE, "review", "--fail-on", "info", *files, status=2)
    assert "allowed: error, warning, note, never" in err


def test_json_and_markdown_say_the_same(plan_files: Callable[[str], list[str]]) -> None:
    files = plan_files("a service comes, with a bus of its own")
    found = json.loads(run(BACKBONE, "review", "--json", *files)[0])
    assert found["severity"] == "note"  # the bus takes the events of another account, by name
    assert found["counts"]["create"] == len(found["changes"]) - found["counts"].get("update", 0)
    words = found["services"]["billing"]
    assert "billing starts receiving Order.Created" not in words  # it has a bus, and no rule of its own yet
    text, _ = run(BACKBONE, "review", "--markdown", *files)
    assert text.startswith("## Plan: creates ")
    assert all(f"- {line}\n" in text for lines in found["services"].values() for line in lines)
    assert all(f"`{change['resource']}`" in text for change in found["changes"])


def test_markdown_takes_no_orders_from_names() -> None:
    found = reviewed("the archive keeps a week")
    evil = Danger("order", "warning", "stack/x", "a | b\n@everyone <img src=x>")
    text = markdown(Review({"<b>": ["@all"]}, [evil], found.changes))
    assert not re.search("@[a-z]", text)
    assert "<img" not in text
    row = next(line for line in text.splitlines() if "**warning**" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    for text, words in (
        ("{", "is not JSON"),
        ("{}", "this is no plan"),
        ('{"configuration": {"root_module": 1}}', "cannot be read"),
    ):
        (tmp_path / "plan.json").write_text(text)
        assert words in run(BACKBONE, "review", str(tmp_path / "plan.json"), status=2)[1]
    assert "cannot be read" in run(BACKBONE, "review", str(tmp_path / "none.json"), status=2)[1]


def test_a_stack_has_one_plan(plan_files: Callable[[str], list[str]]) -> None:
    first, *_ = plan_files("nothing changes")
    assert "this is a second plan of the stack bus" in run(BACKBONE, "review", first, first, status=2)[1]


@pytest.mark.parametrize(("case", "arrives"), [("nothing changes", True), ("a forwarding rule is disabled", False)])
def test_what_a_plan_leads_to_is_simulated_and_checked(
    case: str, arrives: bool, plan_files: Callable[[str], list[str]], tmp_path: Path
) -> None:
    files = plan_files(case)
    synthesize_case(CASES[case], tmp_path / "cdktf.out")  # where the functions' code is
    event = tmp_path / "event.json"
    event.write_text('{"Source": "ledger", "DetailType": "Payment.Authorised", "Detail": "{}"}')
    options = [word for file in files for word in ("--plan", file)]
    out, _ = run(BACKBONE, "simulate", *options, "--event", str(event), "--allow", "finding")
    assert ("shop-order-service-payments" in out) is arrives
    # The code is newer than the plans, which is a finding of its own.
    checked = json.loads(run(BACKBONE, "check", *options, "--json", status=1)[0])
    assert {found["rule"] for found in checked} & {"BB205", "BB702"} == (set() if arrives else {"BB205", "BB702"})
