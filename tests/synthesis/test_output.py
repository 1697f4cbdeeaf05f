"""The output folder: what synth writes into it, and what is there when it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone import manifest
from backbone.cdk import App
from backbone.errors import BackboneError
from backbone.synthesis import output
from backbone.topology import Topology, parse
from tests.conftest import EXAMPLES, ROOT, example
from tests.synthesis import resources, synthesize

TEXT = """
name: shop
region: eu-west-1
layout: LAYOUT
accounts: {bus: {id: "111111111111"}, one: {id: "222222222222"}, two: {id: "333333333333", profile: x}}
bus: {account: bus}
services: {first: {account: one, publishes: [T]}, second: {account: two, subscribes: [T]}}
"""


def without(text: str, *parts: str) -> str:
    for part in parts:
        assert part in text
        text = text.replace(part, "")
    return text


SERVICE, ACCOUNT = ", second: {account: two, subscribes: [T]}", ', two: {id: "333333333333", profile: x}'


def declared(layout: str, *gone: str) -> Topology:
    return parse(without(TEXT, *gone).replace("LAYOUT", layout))


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def broken(*_args: Any, **_options: Any) -> None:
    raise OSError(28, "No space left on device")


def broken_in_node(*_args: Any, **_options: Any) -> None:
    raise RuntimeError("Error: ENOSPC: no space left on device, write")


@pytest.mark.parametrize(
    ("owner", "name", "failure"),
    [
        (App, "synth", broken_in_node),
        (output, "_write_files", broken),
        (manifest, "write", broken),
    ],
)
def test_a_full_disk_leaves_the_old_output(
    owner: Any, name: str, failure: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthesize(example("single"), tmp_path)
    before = files(tmp_path)
    monkeypatch.setattr(owner, name, failure)
    with pytest.raises(BackboneError) as caught:
        synthesize(example("per-account"), tmp_path)
    assert str(caught.value).lower().startswith(f"{tmp_path}: cannot be written: no space left on device; ")
    monkeypatch.undo()
    assert files(tmp_path) == before


def test_an_error_of_node_that_is_not_the_file_systems_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_app: object) -> None:
        raise RuntimeError("Error: ENONSENSE: something else")

    monkeypatch.setattr(App, "synth", fail)
    with pytest.raises(RuntimeError, match="ENONSENSE"):
        synthesize(example("single"), tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackboneError, match=r"file/out: cannot be written: Not a directory; nothing in it was changed"):
        synthesize(example("single"), tmp_path / "file" / "out")


def test_two_synths_at_once_leave_the_output_of_one(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; import backbone\n"
    script += "backbone.synth(backbone.load(Path(sys.argv[1])), Path(sys.argv[2]))"
    each = {}
    for name in ("single", "per-account"):
        synthesize(example(name), tmp_path / name)
        each[name] = files(tmp_path / name)
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(EXAMPLES[name]), str(tmp_path / "out")], cwd=ROOT)
        for name in each
    ]
    assert [one.wait() for one in both] == [0, 0]
    assert files(tmp_path / "out") in each.values()


@pytest.mark.parametrize("layout", ["single", "per-account"])
def test_an_account_that_lost_its_services_keeps_its_provider_until_it_leaves_the_file(
    layout: str, tmp_path: Path
) -> None:
    before = synthesize(declared(layout), tmp_path)
    emptied = declared(layout, SERVICE)
    assert "its stack has nothing but the provider, so applying it destroys what was there" in str(emptied.warnings)
    stacks = synthesize(emptied, tmp_path)
    assert "two" not in {one.account for one in resources(stacks)}
    name = "backbone" if layout == "single" else "two"
    assert list(stacks)[-1] == name
    assert stacks[name]["terraform"] == before[name]["terraform"]
    (provider,) = [one for one in stacks[name]["provider"]["aws"] if one["alias"] == "two"]
    assert provider in before[name]["provider"]["aws"]
    if layout == "per-account":
        assert stacks["two"].keys() == {"//", "provider", "terraform"}
        assert manifest.read(tmp_path).stacks[-1].depends_on == ("bus",)  # which sends to it no more
        assert json.loads((tmp_path / "manifest.json").read_text())["stacks"]["two"]["dependencies"] == ["bus"]
    gone = synthesize(declared(layout, SERVICE, ACCOUNT), tmp_path)
    assert "two" not in {one["alias"] for stack in gone.values() for one in stack["provider"]["aws"]}
    assert not (tmp_path / "stacks" / "two" / "cdk.tf.json").exists()


@pytest.mark.parametrize("layout", ["single", "per-account"])
def test_an_account_does_not_leave_the_file_along_with_its_services(layout: str, tmp_path: Path) -> None:
    synthesize(declared(layout), tmp_path)
    before = files(tmp_path)
    with pytest.raises(BackboneError) as caught:
        synthesize(declared(layout, SERVICE, ACCOUNT), tmp_path)
    assert str(caught.value) == (
        f"accounts: 'two' left the file, but the stacks in {tmp_path} have resources there, which no stack could "
        "destroy any more. Put 'two' back under accounts, without services; synth and apply: that destroys them. Then "
        f"take 'two' out. If nothing was ever applied there, delete {tmp_path} and synth again"
    )
    assert files(tmp_path) == before
    (tmp_path / "backbone.json").unlink()
    assert synthesize(declared(layout, SERVICE, ACCOUNT), tmp_path)


def test_the_folder_of_another_backbone_is_taken(tmp_path: Path) -> None:
    synthesize(declared("single"), tmp_path)
    other = without(TEXT, SERVICE, ACCOUNT).replace("LAYOUT", "single").replace("name: shop", "name: other")
    assert synthesize(parse(other), tmp_path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_manifest_says_what_was_declared(name: str, tmp_path: Path) -> None:
    topology = example(name)
    stacks = output.synth(topology, tmp_path)
    found = manifest.read(tmp_path)
    assert found.backbone == topology.name
    assert (found.region, found.partition, found.layout) == (topology.region, "aws", topology.layout)
    assert found.accounts == {name: one.id for name, one in topology.accounts.items()}
    assert [one.name for one in found.stacks] == [one.name for one in stacks]
    dependencies = json.loads((tmp_path / "manifest.json").read_text())["stacks"]
    assert {one.name: sorted(one.depends_on) for one in found.stacks} == {
        name: sorted(one["dependencies"]) for name, one in dependencies.items()
    }
    synthesized = {one.name: json.loads(one.file.read_text()) for one in stacks}
    assert {one.name: list(one.accounts) for one in found.stacks} == {
        name: [each["alias"] for each in stack["provider"]["aws"]] for name, stack in synthesized.items()
    }
    places = {name: topology.place(name) for name in topology.accounts}
    buses = {places[one.account].bus(one.body["name"]) for one in resources(synthesized, "aws_cloudwatch_event_bus")}
    assert buses == {found.global_bus.arn, *(one.local_bus for one in found.services.values())}
    layers = {layer for one in resources(synthesized, "aws_lambda_function") for layer in one.body["layers"]}
    assert found.layers == dict.fromkeys(layers, ("aws-lambda-powertools[all]>=3,<4",))
    for service, entry in topology.services.items():
        written = found.services[service]
        assert (written.account, written.module) == (entry.account, entry.module)
        assert written.source == topology.source_of(service)
        assert set(written.publishes) == set(entry.detail_types)
        assert {(one.detail_type, one.source) for one in written.subscribes} == {
            (one.detail_type, one.source) for one in entry.subscribes
        }


def test_the_manifest_of_the_example_names_each_source(tmp_path: Path) -> None:
    output.synth(example("single"), tmp_path)
    found = manifest.read(tmp_path)
    assert found.file == "backbone.yaml"
    assert found.services["order-service"].folders == ("services/order",)
    modules = {
        str(file.relative_to(ROOT))
        for folder in ("services/order", "services/delivery", "backbone/runtime")
        for file in (ROOT / folder).glob("*.py")
    }
    assert found.sources.keys() == modules | {"services/__init__.py", "backbone.yaml"}
    assert manifest.stale(found, ROOT) == []


def test_the_manifest_is_the_same_on_every_machine(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; import backbone\n"
    script += "backbone.synth(backbone.load(Path(sys.argv[1])), Path('out'))"
    for place in ("a", "b/deeper"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "backbone.yaml").write_bytes((ROOT / "backbone.yaml").read_bytes())
        (folder / "services").symlink_to(ROOT / "services")
        environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}", "PYTHONHASHSEED": str(len(place))}
        subprocess.run([sys.executable, "-c", script, "backbone.yaml"], cwd=folder, env=environment, check=True)
    one, other = ((tmp_path / place / "out" / "backbone.json").read_bytes() for place in ("a", "b/deeper"))
    assert one == other
    assert str(tmp_path).encode() not in one
