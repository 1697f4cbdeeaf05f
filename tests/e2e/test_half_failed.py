"""A stack of a wave that fails: forward when the cause is mended, and back to the commit before, as is documented."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import BACKBONE
from tests.e2e.project import Project
from tests.e2e.terraform import Terraform, moto_server
from tests.e2e.test_apply import inside
from tests.e2e.test_upgrade import apply

pytestmark = pytest.mark.e2e

MODULE = """\
def build(service):
    for name in {tables}:
        service.table(name, key="id", deletion_protection=False)
"""
BEFORE = {"order-service": (), "delivery-service": ()}
AFTER = {"order-service": ("baskets", "carts"), "delivery-service": ("labels",)}
"""The tables of each service, which are made in no time: a queue takes Terraform half a minute."""
NAME = "shop-order-service-carts"


def git(project: Project, *words: str) -> None:
    project.run("git", "-c", "user.name=Shop", "-c", "user.email=shop@example.com", *words)


def declare(project: Project, tables: Mapping[str, tuple[str, ...]], *, archive_days: int) -> None:
    """A state of the sources; another one changes both stacks of the first wave, and the bus's."""
    project.declared["layout"] = "per-account"
    project.declared["bus"]["archive_days"] = archive_days
    for name, service in project.declared["services"].items():
        service |= {"publishes": [], "subscribes": [], "module": name.replace("-", "_")}
        package = project.folder / service["module"]
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        (package / "service.py").write_text(MODULE.format(tables=tables[name]))
    project.write()
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "change")


def test_forward_and_back(tmp_path: Path) -> None:
    with moto_server(tmp_path / "moto.log") as url:
        (tmp_path / "shop").mkdir()
        project = Project(tmp_path / "shop", url)
        (project.folder / ".gitignore").write_text("cdktf.out\nterraform.*\n")
        git(project, "init", "--quiet", "--initial-branch=main")
        declare(project, BEFORE, archive_days=30)
        project.run(BACKBONE, "synth")
        each = [Terraform(file.parent, url) for file in project.folder.glob("cdktf.out/stacks/*/cdk.tf.json")]
        with ThreadPoolExecutor() as threads:
            list(threads.map(apply, each))

        by_hand = inside(url, project.declared["accounts"]["order"]["id"], "eu-west-1").client(
            "dynamodb", endpoint_url=url
        )
        make(by_hand)
        declare(project, AFTER, archive_days=31)
        fails(project)

        git(project, "checkout", "--quiet", "HEAD~1")
        assert project.run(BACKBONE, "deploy", "--yes", "--allow-dangers").endswith("applied: delivery, order\n")
        nothing_to_do(project)
        assert by_hand.list_tables()["TableNames"] == [NAME]

        git(project, "checkout", "--quiet", "main")
        fails(project)
        by_hand.delete_table(TableName=NAME)
        assert project.run(BACKBONE, "deploy", "--yes").endswith("applied: order, bus\n")
        nothing_to_do(project)
        assert by_hand.list_tables()["TableNames"] == ["shop-order-service-baskets", NAME]


def make(dynamodb: Any) -> None:
    """The cause: somebody made a table that the stack is to make."""
    dynamodb.create_table(
        TableName=NAME,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def fails(project: Project) -> None:
    said = project.run(BACKBONE, "deploy", "--yes", status=1)
    assert "order: terraform apply failed; everything it said is in cdktf.out/deployment/order.log" in said
    assert f"Table already exists: {NAME}" in said
    assert "applied: delivery; not begun: bus" in said
    assert "to go on: remove the cause and run the same command again" in said
    assert "to go back: take the sources of what was deployed before (such as `git checkout` of that commit)" in said


def nothing_to_do(project: Project) -> None:
    assert project.run(BACKBONE, "deploy", "--no-changes") == "nothing to change\n"
