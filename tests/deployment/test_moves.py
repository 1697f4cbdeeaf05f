"""Where resources go when the layout changes or names do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.deployment.moves import Move, Moves, MovesError, find_moves, script
from backbone.synthesis import output
from backbone.topology import parse
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT

Declared = dict[str, Any]
QUOTED = '"$tf"'


@pytest.fixture
def declared() -> Declared:
    found: Declared = yaml.safe_load((ROOT / "backbone.yaml").read_text())
    for service in found["services"].values():
        del service["module"], service["settings"]
    return found


@pytest.fixture
def synthesized(tmp_path: Path) -> Callable[[Declared], Path]:
    def of(declared: Declared) -> Path:
        folder = tmp_path / str(len([*tmp_path.iterdir()]))
        output.synth(parse(yaml.safe_dump(declared)), folder)
        return folder

    return of


def moved(moves: Moves) -> list[Move]:
    return [move for move in moves.moves if move.from_address != move.to_address]


def test_layouts_have_the_same_addresses(declared: Declared, synthesized: Callable[[Declared], Path]) -> None:
    single = synthesized(declared)
    each = synthesized(declared | {"layout": "per-account"})
    there, back = find_moves(single, each, {}), find_moves(each, single, {})
    for moves in (there, back):
        assert moves.destroyed == moves.created == ()
        assert len(moves.moves) > 30
        assert moved(moves) == []
    assert {move.from_stack for move in there.moves} == {move.to_stack for move in back.moves} == {"backbone"}
    assert {move.to_stack for move in there.moves} == {"bus", "order", "delivery"}
    document = json.loads((each / "stacks" / "order" / "cdk.tf.json").read_text())
    ours = {f"{kind}.{name}" for kind, named in document["resource"].items() for name in named}
    assert {move.to_address for move in there.moves if move.to_stack == "order"} == ours


OF_ACCOUNTS = ("aws_cloudwatch_log_resource_policy", "aws_kms_alias", "aws_kms_key")


def test_an_account_with_two_stacks_has_a_key_and_a_logs_policy_more(
    synthesized: Callable[[Declared], Path],
) -> None:
    declared: Declared = yaml.safe_load((ROOT / "examples" / "multi-bus" / "backbone.yaml").read_text())
    declared |= {"kms_key": "create", "layout": "single"}
    declared["accounts"]["hub"] = {"id": "444444444444"}
    declared["buses"]["green"] = {"account": "hub"}  # of no account with services
    declared["services"]["blue-service"]["buses"].append("green")
    single, each = synthesized(declared), synthesized(declared | {"layout": "per-account"})
    there, back = find_moves(single, each, {}), find_moves(each, single, {})

    def of_accounts(moves: Moves) -> set[tuple[str, str]]:
        return {(one.from_stack, one.to_stack) for one in moves.moves if one.from_address.startswith(OF_ACCOUNTS)}

    assert of_accounts(there) == {("backbone", name) for name in ("blue", "purple", "orange", "hub_buses")}
    assert there.destroyed == ()
    assert {one.partition("/")[0] for one in there.created} == {"blue_buses", "purple_buses", "orange_buses"}
    assert sorted(kind for one in there.created for kind in OF_ACCOUNTS if kind in one) == sorted(OF_ACCOUNTS * 3)
    assert of_accounts(back) == {(name, "backbone") for name in ("blue", "purple", "orange")} | {
        (f"{name}_buses", "backbone") for name in ("blue", "purple", "orange", "hub")
    }
    assert back.created == ()
    assert {*back.destroyed} == {*there.created}
    aside = {f"{one.from_stack}/{one.from_address}" for one in moved(back)}
    assert aside == {*back.destroyed}
    assert len({one.to_address for one in back.moves}) == len(back.moves)


def test_an_account_is_known_by_its_id(declared: Declared, synthesized: Callable[[Declared], Path]) -> None:
    before = synthesized(declared | {"layout": "per-account"})
    declared["accounts"]["shipping"] = declared["accounts"].pop("delivery")
    declared["services"]["delivery-service"]["account"] = "shipping"
    moves = find_moves(before, synthesized(declared | {"layout": "per-account"}), {})
    assert moves.destroyed == moves.created == ()
    assert [move.from_address.partition("_policy.")[2][:17] for move in moved(moves)] == ["accounts_delivery"]
    assert {(move.from_stack, move.to_stack) for move in moves.moves if move.from_stack != move.to_stack} == {
        ("delivery", "shipping")
    }


def test_a_renamed_service_keeps_what_it_has(declared: Declared, synthesized: Callable[[Declared], Path]) -> None:
    before = synthesized(declared)
    declared["services"]["shipping"] = declared["services"].pop("delivery-service") | {"source": "delivery-service"}
    after = synthesized(declared)
    moves = find_moves(before, after, {"delivery-service": "shipping"})
    assert moves.destroyed == moves.created == ()
    assert {move.to_address.partition(".")[2].split("_")[1] for move in moved(moves)} == {"shipping"}
    unknown = find_moves(before, after, {})
    assert len(unknown.destroyed) == len(unknown.created) == len(moved(moves))


def test_a_renamed_service_keeps_its_rules_on_every_global_bus(synthesized: Callable[[Declared], Path]) -> None:
    declared: Declared = yaml.safe_load((ROOT / "examples" / "multi-bus" / "backbone.yaml").read_text())
    before = synthesized(declared)
    declared["services"]["violet-service"] = declared["services"].pop("purple-service") | {"known_as": "purple-service"}
    moves = find_moves(before, synthesized(declared), {"purple-service": "violet-service"})
    assert moves.destroyed == moves.created == ()
    rules = [
        one.from_address for one in moved(moves) if one.from_address.startswith("aws_cloudwatch_event_rule.forward")
    ]
    assert sorted(one.partition(".")[2].partition("_")[0] for one in rules) == ["forwarding-blue", "forwarding-orange"]


def test_a_renamed_service_that_is_known_as_before_is_as_before(
    declared: Declared, synthesized: Callable[[Declared], Path]
) -> None:
    for name, module in (("order-service", "services.order"), ("delivery-service", "services.delivery")):
        declared["services"][name]["module"] = module
    before = synthesized(declared)
    declared["services"]["shipping"] = declared["services"].pop("delivery-service") | {"known_as": "delivery-service"}
    after = synthesized(declared)
    moves = find_moves(before, after, {"delivery-service": "shipping"})
    assert moves.destroyed == moves.created == ()
    assert len(moved(moves)) > 20
    ours, theirs = (
        json.loads((folder / "stacks" / "backbone" / "cdk.tf.json").read_text()) for folder in (before, after)
    )
    for document in (ours, theirs):
        for named in document["resource"].values():
            for body in named.values():
                del body["//"]
                body["depends_on"] = sorted(body.get("depends_on", ()))
    text = json.dumps(ours["resource"])
    for move in sorted(moved(moves), key=lambda one: -len(one.from_address)):
        for one, other in (
            (move.from_address, move.to_address),
            *[map(last_part, (move.from_address, move.to_address))],
        ):
            text = text.replace(f'"{one}"', f'"{other}"').replace(f"{{{one}.", f"{{{other}.")
    expected = json.loads(text)
    for named in expected.values():
        for body in named.values():
            body["depends_on"] = sorted(body["depends_on"])
    assert expected == theirs["resource"]


def last_part(address: str) -> str:
    return address.partition(".")[2]


def test_renames_of_what_is_not_there(declared: Declared, synthesized: Callable[[Declared], Path]) -> None:
    folder = synthesized(declared)
    with pytest.raises(MovesError, match="--service: got 'x'; allowed: delivery-service, order-service"):
        find_moves(folder, folder, {"x": "y"})
    with pytest.raises(MovesError, match="--service: got 'y' as a new name"):
        find_moves(folder, folder, {"order-service": "y"})
    with pytest.raises(MovesError, match="the old stacks are of 'shop', the new ones of 'store'"):
        find_moves(folder, synthesized(declared | {"name": "store"}), {})


def test_every_resource_and_every_state_is_in_the_script(
    declared: Declared, synthesized: Callable[[Declared], Path]
) -> None:
    moves = find_moves(synthesized(declared), synthesized(declared | {"layout": "per-account"}), {})
    text = script(moves, old="old folder", new="new", program="tofu")
    lines = text.splitlines()
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    assert sum(line.startswith("move old-backbone ") for line in lines) == len(moves.moves)
    pushes = [line for line in lines if line.startswith(QUOTED) and " state push " in line]
    assert [line.split('"')[-2] for line in pushes] == [
        *(f"$work/new-{stack}.tfstate" for stack in ("bus", "delivery", "order")),
        "$work/old-backbone.tfstate",
    ]
    assert "-chdir='old folder/stacks/backbone'" in pushes[-1]


def test_the_command_leaves_the_stacks_as_they_are(tmp_path: Path, declared: Declared) -> None:
    file = tmp_path / "backbone.yaml"
    file.write_text(yaml.safe_dump(declared))
    run(BACKBONE, "synth", folder=tmp_path)
    before = (tmp_path / "cdktf.out" / "backbone.json").read_bytes()
    file.write_text(yaml.safe_dump(declared | {"layout": "per-account"}))
    out, _ = run(BACKBONE, "move-layout", folder=tmp_path)
    assert (tmp_path / "cdktf.out" / "backbone.json").read_bytes() == before
    steps = tmp_path / "cdktf.moved.out" / "move.sh"
    assert f"run: sh {steps.relative_to(tmp_path)}" in out
    assert steps.exists()
    run(BACKBONE, "move-layout", "--service", "order-service", folder=tmp_path, status=2)


def test_stacks_that_were_synthesized_after_the_change_are_no_old_ones(tmp_path: Path, declared: Declared) -> None:
    file = tmp_path / "backbone.yaml"
    file.write_text(yaml.safe_dump(declared | {"layout": "per-account"}))
    run(BACKBONE, "deploy-order", folder=tmp_path)
    _, errors = run(BACKBONE, "move-layout", folder=tmp_path, status=2)
    assert "the stacks in cdktf.out are already what the file says, so that nothing moves" in errors
    file.write_text(yaml.safe_dump(declared))
    run(BACKBONE, "synth", "--output", "deployed", folder=tmp_path)
    file.write_text(yaml.safe_dump(declared | {"layout": "per-account"}))
    out, _ = run(BACKBONE, "move-layout", "--from", "deployed", folder=tmp_path)
    assert "then: rm -r deployed cdktf.out && mv deployed.moved.out cdktf.out && backbone" in out
