"""What exists at AWS already, found by name on an emulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from moto import mock_aws

from backbone.deployment.accounts import as_yaml, of_organization
from backbone.deployment.adopt import AwsError, adopt, session_of, write
from backbone.synthesis import output
from backbone.system.terraform import Provider, load
from backbone.topology import load as load_topology
from backbone.topology import parse
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


def client(folder: Path, account: str, service: str) -> Any:
    provider = next(found for found in load(folder).providers if found.alias == account)
    return session_of(provider).client(service)  # type: ignore[call-overload]


@pytest.fixture
def folder(stacks: Callable[[str], Path], tmp_path: Path) -> Path:
    for file in stacks("per-account").glob("stacks/*/cdk.tf.json"):
        (tmp_path / "stacks" / file.parent.name).mkdir(parents=True)
        (tmp_path / "stacks" / file.parent.name / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_nothing_exists_yet(folder: Path) -> None:
    found = adopt(folder)
    assert (found.found, found.warnings) == ((), ())
    assert write(found, folder) == []


def test_what_was_made_by_hand_is_found_in_its_account(folder: Path) -> None:
    events = client(folder, "bus", "events")
    events.create_event_bus(Name="shop-global")
    events.put_rule(Name="shop-forward-order-service", EventBusName="shop-global", EventPattern='{"source":["x"]}')
    target = {"Id": "local-bus", "Arn": "arn:aws:events:eu-west-1:222222222222:event-bus/shop-order-service"}
    events.put_targets(Rule="shop-forward-order-service", EventBusName="shop-global", Targets=[target])
    client(folder, "order", "logs").create_log_group(logGroupName="/aws/events/shop-order-service")
    client(folder, "order", "logs").create_log_group(logGroupName="/aws/events/shop-order-service-2")
    client(folder, "delivery", "events").create_event_bus(Name="shop-order-service")  # of another's name
    url = client(folder, "bus", "sqs").create_queue(QueueName="shop-forward-order-service-dead-letters")["QueueUrl"]

    found = adopt(folder)
    assert {(one.stack, one.address.partition(".")[0], one.id) for one in found.found} == {
        ("bus", "aws_cloudwatch_event_bus", "shop-global"),
        ("bus", "aws_cloudwatch_event_rule", "shop-global/shop-forward-order-service"),
        ("bus", "aws_cloudwatch_event_target", "shop-global/shop-forward-order-service/local-bus"),
        ("bus", "aws_sqs_queue", url),
        ("order", "aws_cloudwatch_log_group", "/aws/events/shop-order-service"),
    }
    assert found.warnings == ()
    files = write(found, folder)
    assert sorted(file.parent.name for file in files) == ["bus", "order"]
    document = json.loads((folder / "stacks" / "order" / "adopt.tf.json").read_text())
    (block,) = document["import"]
    assert block["to"] in {f"{found.type}.{found.address.partition('.')[2]}" for found in load(folder)}


def test_what_no_stack_makes_is_said(folder: Path) -> None:
    events = client(folder, "bus", "events")
    events.create_event_bus(Name="shop-global")
    events.put_rule(Name="audit", EventBusName="shop-global", EventPattern='{"source":["x"]}')
    events.put_rule(Name="shop-forward-order-service", EventBusName="shop-global", EventPattern='{"source":["x"]}')
    target = {"Id": "mine", "Arn": "arn:aws:events:eu-west-1:222222222222:event-bus/shop-order-service"}
    events.put_targets(Rule="shop-forward-order-service", EventBusName="shop-global", Targets=[target])
    text = "\n".join(adopt(folder).warnings)
    assert "the bus has a rule audit that no stack makes" in text
    assert "the rule has a target mine that no stack makes" in text
    assert text.count("\n") == 1


@pytest.fixture
def hubs(tmp_path: Path) -> Path:
    """The stacks of an example with several global buses, and rules of the services' accounts."""
    output.synth(load_topology(ROOT / "examples" / "multi-bus" / "backbone.yaml"), tmp_path)
    return tmp_path


def test_several_global_buses_with_rules_of_other_stacks(hubs: Path) -> None:
    """The account of a bus sees the rules that others have on it; moto has them in the bus's account."""
    events = client(hubs, "purple", "events")
    for bus in ("purple", "other"):
        events.create_event_bus(Name=f"multi-bus-{bus}-global")
    for rule in ("multi-bus-forward-purple_blue-service", "multi-bus-forward-purple_orange-service", "audit"):
        events.put_rule(Name=rule, EventBusName="multi-bus-purple-global", EventPattern='{"source":["x"]}')
    found = adopt(hubs)
    assert [(one.stack, one.id) for one in found.found] == [("purple_buses", "multi-bus-purple-global")]
    (warning,) = found.warnings
    assert "the bus has a rule audit that no stack makes" in warning


def test_a_bus_of_another_account_that_does_not_let_it_be_asked(hubs: Path) -> None:
    def session(provider: Provider) -> Any:
        return Denying(session_of(provider))

    found = adopt(hubs, session)
    assert found.found == ()
    rules = [warning for warning in found.warnings if "aws_cloudwatch_event_rule" in warning]
    assert len(rules) == 4
    assert all("-global does not let it be asked for, so that it is taken not to exist" in warning for warning in rules)


class Denying:
    """A session whose account may ask for nothing on the buses of other accounts."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session

    def client(self, service: str) -> Any:
        made = self._session.client(service)  # type: ignore[call-overload]
        made.meta.events.register("before-call.events", self._refuse)
        return made

    @staticmethod
    def _refuse(model: Any, params: dict[str, Any], **_: Any) -> None:
        if "arn:aws:events" in params["body"].decode():
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, model.name)


def test_an_earlier_file_does_not_stay(folder: Path) -> None:
    logs = client(folder, "order", "logs")
    logs.create_log_group(logGroupName="/aws/events/shop-order-service")
    (file,) = write(adopt(folder), folder)
    logs.delete_log_group(logGroupName="/aws/events/shop-order-service")
    assert write(adopt(folder), folder) == []
    assert not file.exists()


def test_credentials_of_another_account_are_refused(folder: Path) -> None:
    provider = load(folder).providers[0]
    with pytest.raises(AwsError, match="allowed: those of"):
        session_of(Provider(provider.stack, provider.alias, provider.place, {}))


def organization() -> tuple[Any, dict[str, str]]:
    client = boto3.client("organizations", region_name="us-east-1")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    shops = client.create_organizational_unit(ParentId=root, Name="shops")["OrganizationalUnit"]["Id"]
    inner = client.create_organizational_unit(ParentId=shops, Name="inner")["OrganizationalUnit"]["Id"]
    ids: dict[str, str] = {}
    for title, unit in (("Order Service", shops), ("Delivery", inner), ("1st: Sandbox", root), ("order/service", root)):
        account = client.create_account(AccountName=title, Email=f"{len(ids)}@example.com")["CreateAccountStatus"][
            "AccountId"
        ]
        client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit) if unit != root else None
        ids[title] = account
    client.tag_resource(ResourceId=ids["Delivery"], Tags=[{"Key": "backbone", "Value": "shop"}])
    return {"root": root, "shops": shops}, ids


def test_accounts_of_an_organization() -> None:
    units, ids = organization()
    session = boto3.Session(region_name="us-east-1")
    found = {account.name: account.id for account in of_organization(session)}
    assert found.pop("master")  # the management account, as the emulator calls it
    assert found == {
        f"order-service-{ids['Order Service']}": ids["Order Service"],
        f"order-service-{ids['order/service']}": ids["order/service"],
        "delivery": ids["Delivery"],
        "account-1st-sandbox": ids["1st: Sandbox"],
    }
    beneath = {account.id for account in of_organization(session, units=(units["shops"],))}
    assert beneath == {ids["Order Service"], ids["Delivery"]}
    tagged = of_organization(session, tags={"backbone": "shop"})
    assert [account.id for account in tagged] == [ids["Delivery"]]


def test_they_are_written_as_the_file_has_them() -> None:
    organization()
    accounts = of_organization(boto3.Session(region_name="us-east-1"))
    text = as_yaml(accounts, deploy_role="backbone-deploy")
    declared = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    declared |= {"bus": {"account": accounts[0].name}, "services": {}} | yaml.safe_load(text)
    topology = parse(yaml.safe_dump(declared))
    assert {name: account.id for name, account in topology.accounts.items()} == {one.name: one.id for one in accounts}
    assert {account.deploy_role for account in topology.accounts.values()} == {"backbone-deploy"}


def test_an_organization_that_may_not_be_asked() -> None:
    session = boto3.Session(region_name="us-east-1")
    unknown = ("ou-none-00000000",)
    with pytest.raises(AwsError, match="the organization cannot be asked"):
        of_organization(session, units=unknown)
