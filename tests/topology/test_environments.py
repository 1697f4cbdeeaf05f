"""One description in several environments: what may differ, what must not, and what is made of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backbone.synthesis import output
from backbone.topology import Topology, TopologyError, environments, load, output_folder, parse
from backbone.topology.deployment import GitHub
from tests.conftest import ROOT, TOPOLOGIES

FILE = TOPOLOGIES / "environments.yaml"
BASE = (ROOT / "backbone.yaml").read_text()
CASES = yaml.safe_load(Path(__file__).with_name("environments.yaml").read_text())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The file with two environments in a folder of its own, where there are the services' modules too."""
    shutil.copytree(ROOT / "services", tmp_path / "services")
    return Path(shutil.copy(FILE, tmp_path / "backbone.yaml"))


def dev_and(environment: str) -> str:
    return f"{BASE}\nenvironments:\n  dev: {{name: shop-dev}}\n  prod: {environment}\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_an_environment_must_not_say_is_answered_with_its_place(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("backbone.yaml").write_text(dev_and(case["environment"]))
    if "file" in case:
        Path("backbone.prod.yaml").write_text(case["file"])
    with pytest.raises(TopologyError) as caught:
        load(Path("backbone.yaml"), environment="prod")
    got = str(caught.value).splitlines()
    assert len(got) == len(case["errors"]), got
    for line, expected in zip(got, case["errors"], strict=True):
        assert expected in line


SEVERAL = """
name: shop
region: eu-west-1
rules: owner
accounts: {order: {id: "222222222222"}}
buses:
  orders: {account: order}
  company: {arn: "arn:aws:events:eu-west-1:888888888888:event-bus/company"}
services:
  orders: {account: order, buses: [orders, company], bus_arn: "arn:aws:events:eu-west-1:222222222222:event-bus/ours"}
environments:
  dev: {}
  prod:
    name: shop-prod
    accounts: {order: {id: "333333333333"}}
    buses: {orders: {archive_days: 365}, company: {arn: "arn:aws:events:eu-west-1:999999999999:event-bus/company"}}
    services: {orders: {bus_arn: "arn:aws:events:eu-west-1:333333333333:event-bus/ours"}}
"""


def test_global_buses_differ_in_what_they_keep_and_in_where_they_are() -> None:
    dev, prod = (parse(SEVERAL, environment=name) for name in ("dev", "prod"))
    assert [one.hubs["orders"].entry.archive_days for one in (dev, prod)] == [30, 365]
    assert [one.hubs["company"].place.account_id for one in (dev, prod)] == ["888888888888", "999999999999"]
    assert [str(one.services["orders"].bus_arn).split(":")[4] for one in (dev, prod)] == [
        "222222222222",
        "333333333333",
    ]


def test_an_environment_cannot_say_of_bus_what_the_file_says_of_buses() -> None:
    with pytest.raises(TopologyError) as caught:
        parse(
            SEVERAL.replace("    buses: {orders", "    bus: {archive_days: 1}\n    buses: {orders"), environment="prod"
        )
    assert "environments.prod.bus: the file has no such bus outside of the environment" in str(caught.value)


def test_mappings_are_merged_and_other_values_replaced() -> None:
    dev, prod = (load(FILE, environment=name) for name in ("dev", "prod"))
    assert (dev.name, dev.layout, dev.main.entry.archive_days, dev.logs.retention_days) == ("shop-dev", "single", 1, 1)
    assert (prod.name, prod.layout, prod.main.entry.archive_days, prod.retry.max_attempts) == (
        "shop",
        "per-account",
        30,
        100,
    )
    assert dev.services["order-service"].settings == {"deletion_protection": False}
    assert prod.services["order-service"].settings == {"deletion_protection": True}
    assert (dict(dev.tags), dict(prod.tags)) == ({"team": "platform"}, {"team": "platform", "stage": "production"})
    assert [account.id[0] for account in prod.accounts.values()] == ["4", "5", "6"]


def test_null_takes_a_key_away() -> None:
    bus = load(FILE, environment="prod").accounts["bus"]
    assert (bus.deploy_role, bus.profile) == (None, "production")


def test_who_talks_to_whom_is_the_same_everywhere() -> None:
    dev, prod = (load(FILE, environment=name) for name in ("dev", "prod"))
    for name, service in dev.services.items():
        other = prod.services[name]
        assert (service.publishes, service.subscribes) == (other.publishes, other.subscribes)


def test_an_environment_may_change_events_when_it_says_so() -> None:
    text = dev_and(
        "{name: shop-prod, changes_events: true, services: {order-service: {publishes: [Order.Updated, A.B]}, "
        "extra: {account: bus, subscribes: [Order.Created]}}}"
    )
    prod = parse(text, environment="prod")
    assert "A.B" in prod.services["order-service"].detail_types
    assert set(prod.services) - set(parse(text, environment="dev").services) == {"extra"}


def test_an_environment_that_adds_a_service_without_saying_so_is_refused() -> None:
    with pytest.raises(TopologyError, match=r"prod\.services\.extra: the file has no such service outside"):
        parse(dev_and("{services: {extra: {account: bus}}}"), environment="prod")


def test_an_environment_may_be_deployed_by_another_pipeline() -> None:
    github = "{by: github, repository: acme/backbone, environment: production}"
    text = dev_and(f"{{name: shop-prod, deployment: {github}}}")
    assert parse(text, environment="dev").deployment is None
    assert isinstance(parse(text, environment="prod").deployment, GitHub)


def test_its_own_file_is_laid_over_what_the_file_says(project: Path) -> None:
    (project.parent / "backbone.prod.yaml").write_text("retry: {max_attempts: 7}\nkms_key: null\n")
    assert load(project, environment="prod").retry.max_attempts == 7
    assert load(project, environment="prod").layout == "per-account"
    assert load(project, environment="dev").retry.max_attempts == 185


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (dev_and("{}"), None, "environments: the file declares dev, prod; say which is meant, as in --env dev"),
        (
            dev_and("{}"),
            "prd",
            r"got the environment 'prd'; allowed: dev, prod \(did you mean 'prod'\?\)",
        ),
        (BASE, "prod", "got the environment 'prod'; allowed: none, since the file declares none"),
        (
            dev_and("{}").replace("  prod:", "  accept:"),
            "dev",
            "environments.accept: got 'accept'; allowed: a lower-case",
        ),
    ],
)
def test_a_file_with_environments_is_read_in_one_of_them(text: str, name: str | None, message: str) -> None:
    with pytest.raises(TopologyError, match=message):
        parse(text, environment=name)


def test_two_environments_do_not_share_resources() -> None:
    text = dev_and("{name: shop-dev, accounts: {order: {id: '444444444444'}}}")
    with pytest.raises(
        TopologyError, match=r"environments.prod: bus is account 111111111111, as in the environment dev"
    ):
        parse(text, environment="dev")
    assert parse(text.replace("prod: {name: shop-dev", "prod: {name: shop-prod"), environment="dev")


def test_the_variable_names_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBONE_ENV", "dev")
    assert load(FILE).environment == "dev"
    assert load(FILE, environment="prod").environment == "prod"
    assert output_folder(Path("a/backbone.yaml")) == Path("a/cdktf.dev.out")
    assert output_folder(Path("a/other.yaml"), environment="prod") == Path("a/cdktf.other.prod.out")


def test_the_names_of_a_files_environments() -> None:
    assert environments(FILE) == ("dev", "prod")
    assert environments(ROOT / "backbone.yaml") == ()


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_environment_has_states_and_a_manifest_of_its_own(name: str, project: Path) -> None:
    folder = project.parent / "out"
    stacks = output.synth(load(project, environment=name), folder)
    keys = [json.loads(stack.file.read_text())["terraform"]["backend"]["s3"]["key"] for stack in stacks]
    assert keys == [f"shop/{name}/{stack.name}.tfstate" for stack in stacks]
    assert json.loads((folder / "backbone.json").read_text())["environment"] == name


@given(st.integers(0, 185), st.sampled_from([1, 3, 30, 365]), st.sampled_from(["single", "per-account"]))
def test_laying_over_is_the_same_as_writing_it_into_the_file(attempts: int, days: int, layout: str) -> None:
    changes = {"retry": {"max_attempts": attempts}, "logs": {"retention_days": days}, "layout": layout}
    whole = yaml.safe_load(BASE)
    laid = parse(yaml.safe_dump(whole | {"environments": {"one": changes}}), environment="one")
    written = parse(yaml.safe_dump(whole | changes))
    assert without_environments(laid) == without_environments(written)


def without_environments(topology: Topology) -> dict[str, Any]:
    return topology.model_dump(exclude={"environments"})
