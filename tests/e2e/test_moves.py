"""`move-layout` on real states with real Terraform: nothing is planned afterwards, there and back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backbone.deployment.moves import Moves, script
from tests.cli.command import BACKBONE
from tests.e2e.project import Project
from tests.e2e.terraform import moto_server

pytestmark = pytest.mark.e2e

PROVIDER = 'provider["terraform.io/builtin/terraform"]'
STATE: dict[str, Any] = {
    "version": 4,
    "serial": 1,
    "lineage": "moves",
    "resources": [
        {
            "mode": "managed",
            "type": "terraform_data",
            "name": name,
            "provider": PROVIDER,
            "instances": [{"schema_version": 0, "attributes": {"id": name}}],
        }
        for name in ("x", "y")
    ],
}


def move(project: Project, *options: str) -> None:
    """Do what the documentation says: the steps that `move-layout` prints."""
    project.write()
    *_, steps, then = project.run(BACKBONE, "move-layout", *options).splitlines()
    assert steps.startswith("run: ")
    project.run("sh", "-c", steps.removeprefix("run: "))
    project.run("sh", "-c", then.removeprefix("then: ").partition(" && backbone")[0])


def test_there_and_back_again(tmp_path: Path) -> None:
    with moto_server(tmp_path / "moto.log") as url:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", url)
        project.run(BACKBONE, "synth")
        project.run(BACKBONE, "deploy", "--yes")
        assert [*project.planned()] == ["backbone: No changes"]

        project.declared["layout"] = "per-account"
        move(project)
        each = ["bus: No changes", "delivery: No changes", "order: No changes"]
        assert [*project.planned()] == each

        project.declared["accounts"]["shipping"] = project.declared["accounts"].pop("delivery")
        project.declared["services"]["delivery-service"]["account"] = "shipping"
        move(project)
        assert [*project.planned()] == ["bus: No changes", "order: No changes", "shipping: No changes"]

        services = project.declared["services"]
        services["parcels"] = services.pop("delivery-service") | {"known_as": "delivery-service"}
        move(project, "--service", "delivery-service=parcels")
        assert [*project.planned()] == ["bus: No changes", "order: No changes", "shipping: No changes"]

        project.declared["layout"] = "single"
        move(project)
        assert [*project.planned()] == ["backbone: No changes"]


def test_a_resource_is_moved_within_a_state_and_to_another(tmp_path: Path) -> None:
    """The script's own way to move: a state that is both ends must not be written as two."""
    lines = script(Moves((), (), (), {}, {}), old="old", new="new", program="terraform").splitlines()
    begin = lines.index(next(line for line in lines if line.startswith("move()")))
    (tmp_path / "old-a.tfstate").write_text(json.dumps(STATE))
    (tmp_path / "old-a.list").write_text("terraform_data.x\nterraform_data.y\n")
    moves = ["move old-a terraform_data.x old-a terraform_data.z", "move old-a terraform_data.y new-b terraform_data.y"]
    steps = ["set -eu", "tf=terraform", "work=$(pwd)", *lines[begin : lines.index("}", begin) + 1], *moves]
    subprocess.run(["sh", "-c", "\n".join(steps)], cwd=tmp_path, check=True)
    found = {
        name: [one["name"] for one in json.loads((tmp_path / f"{name}.tfstate").read_text())["resources"]]
        for name in ("old-a", "new-b")
    }
    assert found == {"old-a": ["z"], "new-b": ["y"]}
