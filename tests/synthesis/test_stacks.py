"""What holds for the Terraform of any backbone, over random ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.topology import load, parse
from tests.conftest import EXAMPLES, ROOT, example
from tests.documents import Declared, documents, event_bus, prefixes, topology
from tests.synthesis import Json, Stacks, bodies, resources, synthesize
from tests.synthesis.sound import check_all, forwarding_path, hub_path


def synthesized_from(document: dict[str, Any]) -> Stacks:
    with tempfile.TemporaryDirectory() as folder:
        return synthesize(topology(document), Path(folder))


@settings(max_examples=40)
@given(documents())
def test_every_backbone_is_sound(document: dict[str, Any]) -> None:
    check_all(document, synthesized_from(document))


FILES = [EXAMPLES[name] for name in ("single", "per-account", "same-account")]
FILES += sorted(ROOT.glob("examples/*/backbone.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_example_is_sound(file: Path, tmp_path: Path) -> None:
    check_all(yaml.safe_load(file.read_text()), synthesize(load(file), tmp_path))


Where = tuple[str, str]


def by_stack(stacks: Stacks) -> dict[Where, Json]:
    """Every resource by its stack and its path there, without the order in which they are made."""
    return {(one.stack, one.path): {**one.body, "depends_on": None} for one in resources(stacks)}


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[Where]:
    """The resources that one of two files has and the other has not, or has otherwise."""
    old, new = by_stack(synthesized_from(before)), by_stack(synthesized_from(after))
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


@settings(max_examples=25)
@given(documents(), st.data())
def test_a_service_that_comes_or_goes_moves_nothing_else(document: dict[str, Any], data: st.DataObject) -> None:
    """Beside its own, only policies of global buses and keys differ, and rules that name the services of others."""
    declared, services = Declared(document), document["services"]
    if not services:
        services["first"] = {"account": next(iter(document["accounts"])), "buses": [next(iter(declared.hubs))]}
    gone = data.draw(st.sampled_from(sorted(services)))
    account = services[gone]["account"]
    neighbours = [name for name, one in services.items() if one["account"] == account and name != gone]
    own = [f"services/{gone}/", *(f"{forwarding_path(hub, gone)}/" for hub in declared.hubs)]
    own += [] if neighbours else [f"accounts/{account}/"]
    for name, service in services.items():
        for hub in declared.hubs_of(name):
            if neighbours == [name]:  # is told by its source from now on
                own.append(f"{forwarding_path(hub, name)}/Default")
            elif document["routing"] == "subscribed" and any(map(prefixes, service.get("subscribes", []))):
                own.append(f"{forwarding_path(hub, name)}/Default")  # it may list the sources of others
            if document["routing"] == "subscribed" and len(declared.hubs_of(name)) > 1:
                own.append(f"{forwarding_path(hub, name)}/")  # there is a rule where something is published for it
    own += [f"{hub_path(hub)}/policy" for hub in declared.hubs]
    own += [f"accounts/{one}/key/Default" for one in (account, *(hub.account for hub in declared.hubs.values()))]
    without = {**document, "services": {name: one for name, one in services.items() if name != gone}}
    assert [path for _, path in changed(without, document) if not path.startswith(tuple(own))] == []


@settings(max_examples=25)
@given(documents(), st.data())
def test_a_global_bus_that_comes_moves_nothing_that_is_there(document: dict[str, Any], data: st.DataObject) -> None:
    """Beside its own, only policies of keys differ, and of the local buses of services that are on it from now on."""
    for name, service in document["services"].items():
        service["buses"] = Declared(document).hubs_of(name)
    before, account = Declared(document), data.draw(st.sampled_from(sorted(document["accounts"])))
    exists = {"arn": event_bus(before.account_id(account), "more")}
    added = data.draw(st.sampled_from([{"account": account}, {"account": account, "archive_days": 0}, exists]))
    after = json.loads(json.dumps(document))
    after["buses"] = {**document["buses"], "added": added}
    own = ["buses/added/", "forwarding-added/", f"accounts/{account}/key/Default"]
    for name, service in after["services"].items():
        hears_itself = "arn" in added and any(map(prefixes, service["subscribes"]))
        is_shared = "bus_arn" in service or service.get("bus_name") == "default"
        if hears_itself or (is_shared and not before.owners_rules and service["account"] != account):
            continue
        if data.draw(st.booleans()):
            service["buses"] = [*before.hubs_of(name), "added"]
            own += [f"services/{name}/bus/policy", f"accounts/{service['account']}/key/Default"]
    used = (one for key, one in before.hubs.items() if one.is_made or not before.owns_rules(key))
    is_idle = account not in {one.account for one in used}
    is_idle &= not any(service["account"] == account for service in document["services"].values())
    for stack, path in changed(document, after):
        is_new = stack == f"{account}_buses" or is_idle
        assert path.startswith((*own, f"accounts/{account}/") if is_new else tuple(own)), path


@settings(max_examples=25)
@given(documents())
def test_no_stack_waits_for_itself(document: dict[str, Any]) -> None:
    """Each comes after those that have the buses which its rules are on and which they forward to."""
    with tempfile.TemporaryDirectory() as folder:
        found = resources(synthesize(topology(document | {"layout": "per-account"}), Path(folder)))
        manifest = json.loads((Path(folder) / "manifest.json").read_text())["stacks"]
    before: dict[str, set[str]] = {}
    for stack in TopologicalSorter({name: one["dependencies"] for name, one in manifest.items()}).static_order():
        direct = manifest[stack]["dependencies"]
        before[stack] = {*direct, *(each for one in direct for each in before[one])}
    ids = {name: one["id"] for name, one in document["accounts"].items()}
    buses = {
        event_bus(ids[one.account], one.body["name"]): one for one in found if one.kind == "aws_cloudwatch_event_bus"
    }
    for one in found:
        for arn in (one.body.get("event_bus_name"), one.body.get("arn")):
            if arn in buses and one.kind in ("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"):
                assert buses[arn].stack in {one.stack, *before[one.stack]}


@settings(max_examples=15)
@given(documents(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_written_never_shows(document: dict[str, Any], random: Any) -> None:
    """But for the first of `buses` without `bus`, which names the states, and of a service's, which it publishes on."""
    shuffled = json.loads(json.dumps(document))
    first, *buses = shuffled["buses"].items() or [()]
    for place in (shuffled, shuffled["services"], shuffled["accounts"], *shuffled["services"].values()):
        items = list(place.items())
        random.shuffle(items)
        place.clear()
        place.update(items)
    random.shuffle(buses)
    shuffled["buses"] = dict([first, *buses]) if first else {}
    for service in shuffled["services"].values():
        random.shuffle(service["publishes"])
        random.shuffle(service["subscribes"])
        if "buses" in service:
            main, *others = service["buses"]
            random.shuffle(others)
            service["buses"] = [main, *others]
    assert by_stack(synthesized_from(document)) == by_stack(synthesized_from(shuffled))


@settings(max_examples=15)
@given(documents())
def test_an_address_is_the_same_in_both_layouts(document: dict[str, Any]) -> None:
    """An account whose further global buses have a stack has a key and a policy of its logs in each of its two."""
    single, apart = (synthesized_from(document | {"layout": one}) for one in ("single", "per-account"))
    found, divided = {one.address: one for one in resources(single)}, resources(apart)
    assert found.keys() == {one.address for one in divided}
    for one in divided:
        # Between two states there is no depends_on, and no reference to a bus: the order of the stacks takes its place.
        beside = ["//", "depends_on", *(["event_bus_name"] if one.path.startswith("forwarding-") else [])]
        ours, theirs = ({**each.body, **dict.fromkeys(beside)} for each in (found[one.address], one))
        assert ours == theirs or (one.path.startswith("accounts/") and f"{one.account}_buses" in apart)
        assert set(one.body.get("depends_on", [])) <= set(found[one.address].body.get("depends_on", []))


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
