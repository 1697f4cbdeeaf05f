"""The synthesized JSON as it is, under real Terraform: applied, planned again, destroyed."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import boto3
import pytest
import yaml

from backbone import manifest
from backbone.deployment.waves import waves as waves_of
from backbone.synthesis import output
from backbone.topology import Topology, load, parse
from tests.conftest import EXAMPLES, ROOT, example
from tests.e2e.terraform import Terraform, moto_server
from tests.synthesis import Resource, resources, synthesize

pytestmark = pytest.mark.e2e


def inside(url: str, account_id: str, region: str) -> boto3.Session:
    """Credentials of an account."""
    outside = boto3.Session("testing", "testing", region_name=region)
    role = outside.client("sts", endpoint_url=url).assume_role(
        RoleArn=f"arn:aws:iam::{account_id}:role/administrator", RoleSessionName="check"
    )["Credentials"]
    return boto3.Session(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"], region)


def buses(url: str, account_id: str, region: str) -> set[str]:
    """The buses of an account, seen by a client that is in that account."""
    events = inside(url, account_id, region).client("events", endpoint_url=url)
    return {one["Name"] for one in events.list_event_buses()["EventBuses"]} - {"default"}


def publish_layers(url: str, topology: Topology, made: list[Resource]) -> None:
    """Put the public layers where moto looks for them: by name and version in the function's own account."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("python/empty.py", "")
    wanted = {(one.account, arn) for one in made for arn in one.body.get("layers", ())}
    for account, arn in sorted(wanted):
        *_, name, version = arn.split(":")
        client = inside(url, topology.accounts[account].id, topology.region).client("lambda", endpoint_url=url)
        for _ in range(int(version)):
            client.publish_layer_version(LayerName=name, Content={"ZipFile": archive.getvalue()})


def declared_buses(topology: Topology, made: list[Resource]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {account: set() for account in topology.accounts}
    for one in made:
        if one.kind == "aws_cloudwatch_event_bus":
            found[one.account].add(one.body["name"])
    return found


def with_a_key() -> Topology:
    """An example with a key that is made. Archives with a key need a newer provider than the one that runs here."""
    document = yaml.safe_load(EXAMPLES["same-account"].read_text()) | {"kms_key": "create"}
    document["bus"]["archive_days"] = 0
    return parse(yaml.safe_dump(document))


def at_once(work: Callable[[Terraform], object], stacks: list[Terraform]) -> None:
    """Work on stacks that need not wait for each other, each of which mostly waits for its queues."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, stacks))


DESIGNS = ("security-events", "multi-bus")


def design(name: str) -> Topology:
    """A design of `examples/` without rules on another account's bus, which moto looks for in the caller's."""
    document = yaml.safe_load((ROOT / "examples" / name / "backbone.yaml").read_text())
    return parse(yaml.safe_dump(document | {"rules": "platform"}, sort_keys=False))


@pytest.mark.parametrize("name", ["single", "same-account", "with-a-key", *DESIGNS])
def test_apply_plan_again_and_destroy(name: str, tmp_path: Path) -> None:
    topology = design(name) if name in DESIGNS else with_a_key() if name == "with-a-key" else example(name)
    folder = tmp_path / "project" / "cdktf.out"
    stacks = synthesize(topology, folder)
    with moto_server(tmp_path / "moto.log") as url:
        publish_layers(url, topology, resources(stacks))
        waves = [
            [Terraform(folder / "stacks" / one.name, url) for one in wave] for wave in waves_of(manifest.read(folder))
        ]
        for wave in waves:
            for terraform in wave:
                terraform.init()
                terraform.run("validate")
                terraform.run("plan", "-out=first")
            at_once(lambda one: one.run("apply", "first"), wave)
        for terraform in chain(*waves):
            made = resources({terraform.folder.name: stacks[terraform.folder.name]})
            assert sorted(terraform.resources()) == sorted(one.address for one in made)
        for account, expected in declared_buses(topology, resources(stacks)).items():
            assert expected or name in DESIGNS
            assert buses(url, topology.accounts[account].id, topology.region) == expected
        for terraform in chain(*waves):
            assert terraform.second_plan() == []
        # The state lies beside the output folder, where deleting the output does not reach it.
        assert len(list(folder.parent.glob("terraform.*.tfstate"))) == sum(map(len, waves))
        for wave in reversed(waves):
            at_once(lambda one: one.run("destroy", "-auto-approve"), wave)
        assert all(one.resources() == [] for one in chain(*waves))
        for each_account in topology.accounts.values():
            assert buses(url, each_account.id, topology.region) == set()


@pytest.mark.parametrize("name", ["single-bus", "multi-bus"])
def test_rules_on_the_bus_of_another_account_are_planned(name: str, tmp_path: Path) -> None:
    topology = load(ROOT / "examples" / name / "backbone.yaml")
    with moto_server(tmp_path / "moto.log") as url:
        for one in output.synth(topology, tmp_path / "project" / "cdktf.out"):
            terraform = Terraform(one.file.parent, url)
            terraform.init()
            terraform.run("validate")
            _, planned = terraform.run("plan")
            services = topology.services_by_account.get(one.name, ())
            hubs = {hub for service in services for hub in topology.hubs_of(service) if hub.account != one.name}
            assert set(re.findall(r'event_bus_name += "(arn:.*)"', planned)) == {hub.arn for hub in hubs}
