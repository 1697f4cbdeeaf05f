"""`move-layout` on real states with real Terraform: nothing is planned afterwards, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import BACKBONE
from tests.e2e.project import Project
from tests.e2e.terraform import moto_server

pytestmark = pytest.mark.e2e


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
