"""What holds for the Terraform of any backbone, over random ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.aws.policies import to_json
from backbone.topology import Topology, parse
from tests.conftest import EXAMPLES, ROOT, example
from tests.synthesis import DOCUMENTS, REFERENCE, Json, Resource, Stacks, bodies, resources, strings, synthesize

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,11}", fullmatch=True)
LONGEST = {"aws_cloudwatch_log_resource_policy": 5_120, "aws_kms_key": 32_768}
TYPES = st.sampled_from(["Order.Created", "Order.Updated", "Delivery.Updated", "Invoice.Paid", "Ünïcode Type"])

DETAILS: list[dict[str, Any]] = [{"n": 0, "kind": "tea"}, {"n": 7, "kind": "coffee"}, {"n": 200}]
FILTERS: list[dict[str, Any]] = [
    {"n": [{"numeric": [">", 5]}]},
    {"kind": ["tea"]},
    {"kind": [{"exists": False}]},
    {"$or": [{"n": [0]}, {"kind": [{"prefix": "cof"}]}]},
]
"""Filters, and details of which each matches some."""


@st.composite
def subscriptions(draw: st.DrawFn, others: list[str]) -> list[Any]:
    """Entries of `subscribes`: detail-types alone, from sources of others, and of some details only."""
    sources = (
        st.sampled_from([*others, f"{others[0]}.also", {"prefix": others[0][:1]}, {"prefix": others[0][:2]}, others])
        if others
        else st.nothing()
    )
    entry = st.fixed_dictionaries(
        {"detail_type": TYPES}, optional={"source": sources, "detail": st.sampled_from(FILTERS)}
    )
    of_source = st.fixed_dictionaries({"source": sources}, optional={"detail": st.sampled_from(FILTERS)})
    types = TYPES.map(lambda detail_type: {"detail_type": detail_type})
    found: list[Any] = draw(st.lists(types | entry | of_source, max_size=3))
    distinct = [one for index, one in enumerate(found) if one not in found[:index]]
    return [one["detail_type"] if one.keys() == {"detail_type"} else one for one in distinct]


@st.composite
def service_entries(draw: st.DrawFn, name: str, services: list[str], accounts: list[str]) -> dict[str, Any]:
    also = draw(st.lists(TYPES, max_size=1))
    subscribes = draw(subscriptions([other for other in services if other != name]))
    return {
        "account": draw(st.sampled_from(accounts)),
        "publishes": [
            *draw(st.lists(TYPES, max_size=2, unique=True)),
            *({"detail_type": one, "source": f"{name}.also"} for one in also),
        ],
        "subscribes": subscribes,
        "receives": "bus" if subscribes else draw(st.sampled_from(["bus", "none"])),
    }


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A file's content: up to 5 services in up to 4 accounts, that of the bus among them."""
    accounts = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    services = draw(st.lists(NAMES.filter(lambda one: one != "global"), max_size=5, unique=True))
    key = st.sampled_from([None, "create", "arn:aws:kms:eu-west-1:111111111111:key/1"])
    entries = {name: draw(service_entries(name, services, accounts)) for name in services}
    return {
        "name": "any",
        "region": "eu-west-1",
        "layout": draw(st.sampled_from(["single", "per-account"])),
        "rules": draw(st.sampled_from(["platform", "owner"])),
        "routing": draw(st.sampled_from(["broadcast", "subscribed"])),
        "accounts": {name: {"id": f"{n + 1}" * 12} for n, name in enumerate(accounts)},
        "bus": {
            "account": draw(st.sampled_from(accounts)),
            "archive_days": draw(st.sampled_from([0, 30])),
            "pin_detail_types": draw(st.booleans()),
        },
        "services": entries,
        "logs": draw(st.sampled_from([{}, {"bus": {"level": "INFO"}}])),
        "organization_id": draw(st.none() | st.just("o-a1b2c3d4e5")),
        "kms_key": draw(key),
    }


def topology(document: dict[str, Any]) -> Topology:
    return parse(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def synthesized_from(document: dict[str, Any]) -> Stacks:
    with tempfile.TemporaryDirectory() as folder:
        return synthesize(topology(document), Path(folder))


def expected_account(one: Resource, declared: Topology) -> str:
    """The account that a resource belongs to, by the words of its path."""
    match one.path.split("/"):
        case ["accounts", account, *_]:
            return account
        case ["services", service, *_]:
            return declared.services[service].account
        case ["forwarding", service, *_]:
            return declared.forwarding_account(service, declared.main)
        case _:
            return str(declared.main.account)


def check_all(declared: Topology, stacks: Stacks) -> None:
    """Every property of one backbone's stacks that needs no other to compare with."""
    found = resources(stacks)
    addresses = Counter(one.address for one in found)
    assert set(addresses.values()) == {1}
    for one in found:
        assert one.account == expected_account(one, declared), one.address
        assert f"aws.{one.account}" == one.body["provider"]
        aliases = {each["alias"] for each in stacks[one.stack]["provider"]["aws"]}
        assert one.account in aliases
        check_references(one, stacks[one.stack])
        for key in DOCUMENTS:
            if key in one.body:
                check_document(one.document(key), one.body[key], one)
        if one.kind == "aws_cloudwatch_log_group":
            assert one.body["retention_in_days"] in (7, 30, 90)
        if one.kind == "aws_cloudwatch_event_target":
            check_target(one, found)
    check_names(found)
    check_forwarding(declared, stacks)


def check_references(one: Resource, document: Json) -> None:
    known = document["resource"]
    for text in strings({key: value for key, value in one.body.items() if key != "//"}):
        if "${" in text:
            for kind, name, _ in REFERENCE.findall(text):
                assert name in known[kind], text
            assert "${" not in REFERENCE.sub("", text), text
    for address in one.body.get("depends_on", []):
        kind, _, name = address.partition(".")
        assert name in known[kind]


def check_document(document: Json, text: str, one: Resource) -> None:
    assert text == to_json(document), "sorted and compact"
    if "Statement" not in document:
        assert len(text) <= 2_048
        return
    assert len(text) <= LONGEST.get(one.kind, 10_240)
    assert document["Statement"]
    for statement in document["Statement"]:
        equal = statement.get("Condition", {}).get("StringEquals", {})
        if "*" in strings_of(statement.get("Principal", {})):
            assert "aws:PrincipalOrgID" in equal
        assert "*" not in strings_of(statement["Action"])
        service = statement.get("Principal", {}).get("Service")
        if service == "lambda.amazonaws.com":
            assert statement["Action"] == "sts:AssumeRole"  # Lambda names no source when it assumes a role
        elif service and one.kind == "aws_kms_key":
            assert "Condition" in statement or statement["Action"] == "kms:DescribeKey"
        elif service and one.kind != "aws_cloudwatch_log_resource_policy":
            assert "aws:SourceArn" in json.dumps(statement["Condition"])


def strings_of(value: Any) -> list[str]:
    return list(strings(value))


def check_target(target: Resource, found: list[Resource]) -> None:
    """Its dead letters go to an encrypted queue that lets this rule send, before the target is made."""
    ((kind, name, _),) = REFERENCE.findall(target.body["dead_letter_config"]["arn"])
    assert kind == "aws_sqs_queue"
    (queue,) = [one for one in found if one.kind == kind and one.name == name and one.stack == target.stack]
    assert queue.body["message_retention_seconds"] == 1_209_600
    assert queue.body.get("sqs_managed_sse_enabled") or queue.body["kms_master_key_id"]
    policies = [
        one
        for one in found
        if one.kind == "aws_sqs_queue_policy" and REFERENCE.findall(one.body["queue_url"])[0][1] == name
    ]
    (statement,) = policies[0].document("policy")["Statement"]
    ((_, rule, _),) = REFERENCE.findall(target.body["rule"])
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == f"${{aws_cloudwatch_event_rule.{rule}.arn}}"
    assert policies[0].address in target.body["depends_on"]
    retry = target.body["retry_policy"]
    assert 60 <= retry["maximum_event_age_in_seconds"] <= 86_400
    assert 0 <= retry["maximum_retry_attempts"] <= 185


def check_names(found: list[Resource]) -> None:
    """No two resources of a type have one name in an account."""
    named = Counter(
        (one.kind, one.account, one.body.get("name") or one.body.get("policy_name"))
        for one in found
        if one.kind != "aws_iam_role_policy" and ("name" in one.body or "policy_name" in one.body)
    )
    assert not [key for key, count in named.items() if count > 1]


def check_forwarding(declared: Topology, stacks: Stacks) -> None:
    """What the two accounts say of each other agrees, though neither refers to the other's resources."""
    found = {one.path: one for one in resources(stacks)}
    for service, given_service in declared.services.items():
        if given_service.receives == "none":
            assert not [
                path for path in found if path.startswith((f"services/{service}/bus", f"forwarding/{service}/"))
            ]
            continue
        local = found[f"services/{service}/bus/Default"]
        local_arn = declared.place(given_service.account).bus(local.body["name"])
        if f"forwarding/{service}/target" not in found:
            assert declared.routing == "subscribed"
            assert not given_service.subscribes
            continue
        target, role = found[f"forwarding/{service}/target"], found[f"forwarding/{service}/role"]
        bus_place = declared.main.place
        assert target.body["arn"] == local_arn
        policy = found.get(f"services/{service}/bus/policy")
        assert (policy is None) is (declared.rules == "owner")
        if policy:
            (statement,) = policy.document("policy")["Statement"]
            assert statement["Resource"] == local_arn
            assert statement["Condition"]["ArnEquals"]["aws:PrincipalArn"] == bus_place.iam(f"role/{role.body['name']}")
            assert statement["Principal"]["AWS"] == bus_place.root
        (allowed,) = found[f"forwarding/{service}/role-policy"].document("policy")["Statement"]
        assert (allowed["Action"], allowed["Resource"]) == ("events:PutEvents", target.body["arn"])
        (trust,) = role.document("assume_role_policy")["Statement"]
        rule = found[f"forwarding/{service}/Default"]
        is_elsewhere = rule.account != declared.main.account
        whose = {} if is_elsewhere else {"aws:SourceAccount": bus_place.account_id}
        assert trust["Condition"].get("StringEquals", {}) == whose
        on_hub = declared.main.arn
        assert (rule.body["event_bus_name"] == on_hub) is is_elsewhere
        if is_elsewhere:
            check_owner(declared, service, found.get("global-bus/policy"), rule)
        assert trust["Condition"]["ArnEquals"] == {"aws:SourceArn": f"${{{rule.address}.arn}}"}
        if local.stack == target.stack and policy:
            assert policy.address in target.body["depends_on"]


def check_owner(declared: Topology, service: str, policy: Resource | None, rule: Resource) -> None:
    """The global bus lets a service's account have this rule, and no rule that another account made."""
    assert policy
    place = declared.place(declared.services[service].account)
    hub = declared.main
    (statement,) = [one for one in policy.document("policy")["Statement"] if one["Sid"] == f"Rules{place.account_id}"]
    assert hub.place.rule(hub.name, rule.body["name"]) in strings_of(statement["Resource"])
    assert statement["Principal"]["AWS"] == place.root
    assert statement["Condition"] == {"StringEqualsIfExists": {"events:creatorAccount": place.account_id}}
    assert {"events:PutRule", "events:PutTargets", "events:RemoveTargets"} < set(statement["Action"])
    assert rule.stack != policy.stack or policy.address in rule.body["depends_on"]


@settings(max_examples=40)
@given(documents())
def test_every_backbone_is_sound(document: dict[str, Any]) -> None:
    check_all(topology(document), synthesized_from(document))


@pytest.mark.parametrize("name", ["single", "per-account", "same-account"])
def test_every_example_is_sound(name: str, synthesized: Callable[[str], Stacks]) -> None:
    check_all(example(name), synthesized(name))


@settings(max_examples=25)
@given(documents(), st.data())
def test_a_service_that_comes_or_goes_moves_nothing_else(document: dict[str, Any], data: st.DataObject) -> None:
    """Beside its own, only the policies of global bus and key differ, and neighbours in an account of two."""
    if not document["services"]:
        document["services"] = {"first": {"account": next(iter(document["accounts"])), "publishes": ["Order.Created"]}}
    gone = data.draw(st.sampled_from(sorted(document["services"])))
    account = document["services"][gone]["account"]
    without = {**document, "services": {key: one for key, one in document["services"].items() if key != gone}}
    before, after = synthesized_from(without), synthesized_from(document)
    paths = {one.address: one.path for one in resources(before) + resources(after)}
    old, new = bodies(before), bodies(after)
    alone_before = [key for key, one in without["services"].items() if one["account"] == account]
    neighbour = alone_before[0] if len(alone_before) == 1 else None  # is told by its source from now on
    for address in old.keys() | new.keys():
        if old.get(address) == new.get(address):
            continue
        own = paths[address].startswith((f"services/{gone}/", f"forwarding/{gone}/"))
        first_in_account = paths[address].startswith(f"accounts/{account}/") and not alone_before
        policy = paths[address] in ("global-bus/policy", f"accounts/{account}/key/Default")
        rule_of_neighbour = paths[address] == f"forwarding/{neighbour}/Default"
        assert own or first_in_account or policy or rule_of_neighbour, paths[address]


@settings(max_examples=15)
@given(documents(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_written_never_shows(document: dict[str, Any], random: Any) -> None:
    shuffled = json.loads(json.dumps(document))
    for place in (shuffled, shuffled["services"], shuffled["accounts"]):
        items = list(place.items())
        random.shuffle(items)
        place.clear()
        place.update(items)
    for service in shuffled["services"].values():
        random.shuffle(service["publishes"])
        random.shuffle(service["subscribes"])
    assert bodies(synthesized_from(document)) == bodies(synthesized_from(shuffled))


@settings(max_examples=15)
@given(documents())
def test_an_address_is_the_same_in_both_layouts(document: dict[str, Any]) -> None:
    single, apart = (bodies(synthesized_from(document | {"layout": one})) for one in ("single", "per-account"))
    assert single.keys() == apart.keys()
    for address, body in single.items():
        other = apart[address]
        # Between two states there is no depends_on: the order of the stacks takes its place.
        assert {**body, "depends_on": None} == {**other, "depends_on": None}
        assert set(other.get("depends_on", [])) <= set(body.get("depends_on", []))


FOURTH = """\
  invoice-service:
    account: order
    publishes: [Invoice.Paid]
    subscribes: [Order.Created]
    source: com.example.invoices
    log_retention_days: 30
"""


@pytest.mark.parametrize("routing", ["broadcast", "subscribed"])
@pytest.mark.parametrize("layout", ["single", "per-account"])
def test_a_service_of_six_lines_in_the_middle_of_the_file(routing: str, layout: str, tmp_path: Path) -> None:
    text = (ROOT / "backbone.yaml").read_text()
    text = text.replace("layout: single", f"layout: {layout}").replace("routing: broadcast", f"routing: {routing}")
    text = text.replace("accounts:\n", 'accounts:\n  invoice:  {id: "444444444444"}\n')
    fourth = FOURTH.replace("account: order", "account: invoice")
    longer = text.replace("  delivery-service:\n", fourth + "  delivery-service:\n")
    before, after = synthesize(parse(text), tmp_path / "a"), synthesize(parse(longer), tmp_path / "b")
    paths = {one.address: one.path for one in resources(after)}
    old, new = bodies(before), bodies(after)
    assert old.keys() <= new.keys()
    own = ("accounts/invoice/", "services/invoice-service/", "forwarding/invoice-service/")
    added = [paths[address] for address in new.keys() - old.keys()]
    assert len(added) == 14
    assert all(path.startswith(own) for path in added)
    assert [paths[address] for address in old if old[address] != new[address]] == ["global-bus/policy"]


def test_stacks_depend_in_the_order_of_deployment(tmp_path: Path) -> None:
    assert list(synthesize(example("per-account"), tmp_path)) == ["delivery", "order", "bus"]
    manifest = json.loads((tmp_path / "manifest.json").read_text())["stacks"]
    assert {name: sorted(stack["dependencies"]) for name, stack in manifest.items()} == {
        "bus": ["delivery", "order"],
        "delivery": [],
        "order": [],
    }


def backend(state: dict[str, Any], folder: Path) -> Json:
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text()) | {"state": state, "layout": "per-account"}
    stacks = synthesize(topology(document), folder)
    return {name: stack["terraform"] for name, stack in stacks.items()}


def test_every_stack_has_a_state_of_its_own(tmp_path: Path) -> None:
    found = backend({"backend": "local"}, tmp_path)
    assert found["bus"]["backend"] == {"local": {"path": "../../../terraform.shop-111111111111-eu-west-1.bus.tfstate"}}
    assert len({one["backend"]["local"]["path"] for one in found.values()}) == 3


def test_state_in_s3_is_locked_by_a_file(tmp_path: Path) -> None:
    found = backend({"backend": "s3", "bucket": "states"}, tmp_path)["order"]
    assert found["required_version"] == ">= 1.10.0"
    assert found["backend"]["s3"] == {
        "bucket": "states",
        "encrypt": True,
        "key": "backbone/shop-111111111111-eu-west-1/order.tfstate",
        "region": "eu-west-1",
        "use_lockfile": True,
    }


def test_state_in_hcp_terraform(tmp_path: Path) -> None:
    found = backend({"backend": "cloud", "organization": "shop", "project": "events"}, tmp_path / "cloud")["order"]
    assert found["cloud"] == {
        "organization": "shop",
        "workspaces": {"name": "shop-111111111111-eu-west-1-order", "project": "events"},
    }
    found = backend({"backend": "remote", "organization": "shop"}, tmp_path / "remote")["order"]
    assert found["backend"]["remote"] == {
        "organization": "shop",
        "workspaces": {"name": "shop-111111111111-eu-west-1-order"},
    }


@pytest.mark.parametrize(
    ("options", "constraint"),
    [
        ({}, ">= 5.100.0, < 7.0.0"),
        ({"kms_key": "arn:aws:kms:eu-west-1:111111111111:key/1"}, ">= 6.2.0, < 7.0.0"),
        ({"kms_key": "arn:aws:kms:eu-west-1:111111111111:key/1", "bus": {"account": "bus", "archive_days": 0}},
         ">= 5.100.0, < 7.0.0"),
        ({"kms_key": "create"}, ">= 6.2.0, < 7.0.0"),
        ({"logs": {"bus": {"level": "ERROR"}}}, ">= 6.6.0, < 7.0.0"),
    ],
)  # fmt: skip
def test_an_option_raises_the_lowest_provider_by_itself(
    options: dict[str, Any], constraint: str, tmp_path: Path
) -> None:
    document = yaml.safe_load((ROOT / "backbone.yaml").read_text()) | options
    (stack,) = synthesize(topology(document), tmp_path).values()
    assert stack["terraform"]["required_providers"] == {"aws": {"source": "hashicorp/aws", "version": constraint}}


def test_a_provider_gets_in_as_the_account_says(synthesized: Callable[[str], Stacks]) -> None:
    stacks = synthesized("all-features")
    (by_role,) = stacks["bus"]["provider"]["aws"]
    assert by_role["assume_role"] == [
        {"role_arn": "arn:aws:iam::111111111111:role/ci/backbone-deploy", "session_name": "backbone-shop"}
    ]
    assert by_role["allowed_account_ids"] == ["111111111111"]
    assert by_role["default_tags"] == [{"tags": {"cost:center": "42", "team": "platform"}}]
    (by_profile,) = stacks["order"]["provider"]["aws"]
    assert (by_profile["profile"], "assume_role" in by_profile) == ("order-admin", False)
    (by_environment,) = stacks["shared"]["provider"]["aws"]
    assert by_environment.keys() == {"alias", "allowed_account_ids", "default_tags", "region"}


def test_one_logs_policy_per_account(synthesized: Callable[[str], Stacks]) -> None:
    policies = resources(synthesized("same-account"), "aws_cloudwatch_log_resource_policy")
    assert [one.account for one in policies] == ["bus"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_same_bytes_in_another_process_and_folder_without_a_path_of_the_machine(name: str, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "deeper" / "two"]
    script = (
        "import sys; from pathlib import Path; from backbone import topology; from backbone.synthesis import output\n"
    )
    script += "output.synth(topology.load(Path(sys.argv[1])), Path(sys.argv[2]))"
    for seed, folder in enumerate(folders):
        folder.mkdir(parents=True)
        environment = os.environ | {"PYTHONHASHSEED": str(seed), "TZ": ("UTC", "Asia/Tokyo")[seed]}
        command = [sys.executable, "-c", script, str(EXAMPLES[name]), str(folder / "out")]
        subprocess.run(command, check=True, cwd=folder, env=environment)
    one, two = ({path.relative_to(f): path.read_bytes() for path in f.rglob("*") if path.is_file()} for f in folders)
    assert one == two
    assert len(one) > 1
    for content in one.values():
        for machine in (ROOT, tmp_path, Path.home(), Path(tempfile.gettempdir())):
            assert str(machine).encode() not in content
        assert not re.search(rb'"(/home|/root|/tmp|/Users|[A-Z]:\\\\)', content)


def test_a_stack_that_is_no_more_leaves_no_terraform_behind(tmp_path: Path) -> None:
    synthesize(example("single"), tmp_path)
    state = tmp_path / "stacks" / "backbone" / ".terraform.lock.hcl"
    state.write_text("kept")
    synthesize(example("per-account"), tmp_path)
    assert not (tmp_path / "stacks" / "backbone" / "cdk.tf.json").exists()
    assert state.read_text() == "kept"
