"""`backbone new-service` writes a service that works at once."""

from __future__ import annotations

import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backbone.development.scaffold import ScaffoldError, new_service
from backbone.errors import MachineError
from backbone.topology import TopologyError, load
from tests.conftest import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "backbone.yaml", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "services", tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(project: Path, *command: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("BACKBONE_FILE", "CDKTF_OUTDIR")}
    done = subprocess.run(
        command,
        cwd=project,
        env=environment | {"PYTHONPATH": f"{project}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def synthesized(project: Path) -> dict[str, Any]:
    run(project, str(Path(sys.executable).parent / "backbone"), "synth")
    read = json.loads((project / "cdktf.out" / "stacks" / "backbone" / "cdk.tf.json").read_text())
    return {f"{kind}.{name}": body for kind, named in read["resource"].items() for name, body in named.items()}


@pytest.mark.parametrize("name", ["invoice-service", "billing"])
def test_it_synthesizes_and_passes_its_test_and_touches_nothing_else(project: Path, name: str) -> None:
    before, text = synthesized(project), (project / "backbone.yaml").read_text()
    command = [str(Path(sys.executable).parent / "backbone"), "new-service", name]
    run(project, *command, "--account", "invoice", "--account-id", "444444444444")
    after = synthesized(project)
    assert [address for address in before if before[address] != after[address]] == [
        "aws_cloudwatch_event_bus_policy.global-bus_policy_117A2459"
    ]
    assert all(
        f"services_{name}" in address or f"forwarding_{name}" in address or "accounts_invoice" in address
        for address in after.keys() - before.keys()
    )
    changed = list(difflib.ndiff(text.splitlines(), (project / "backbone.yaml").read_text().splitlines()))
    assert not any(line.startswith("-") for line in changed)
    added = [line[2:] for line in changed if line.startswith("+")]
    assert added[0] == '  invoice: {id: "444444444444", deploy_role: backbone-deploy}'
    assert len(added) == 6
    package = name.removesuffix("-service")
    python = sys.executable
    assert "1 passed" in run(project, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/services")
    for check in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        run(project, str(Path(python).parent / "ruff"), *check, f"services/{package}", "tests")


def test_what_cannot_be_added_is_said_and_nothing_written(project: Path) -> None:
    file = project / "backbone.yaml"
    before = {path.name for path in (project / "services").iterdir()}
    for name, options, message in (
        ("order-service", {"account": "order"}, r"services.order-service: the file has it already"),
        ("class", {"account": "order"}, r"class: its package would be 'class', a keyword of Python; choose another"),
        ("import-service", {"account": "order"}, r"its package would be 'import', a keyword of Python"),
        ("order", {"account": "order"}, r"services/order: is there already; choose another name"),
        ("invoice", {"account": "none"}, r"got 'none'; allowed: bus, order, delivery, or a new one with --account-id"),
        ("invoice", {"account": "bus", "account_id": "444444444444"}, r"the file says 111111111111"),
    ):
        with pytest.raises(ScaffoldError, match=message):
            new_service(file, name, **options)
    with pytest.raises(TopologyError, match=r"12 digits"):
        new_service(file, "invoice", account="invoice", account_id="4")
    with pytest.raises(TopologyError, match=r"a lower-case letter, then"):
        new_service(file, "In_voice", account="order")
    file.write_text('name: shop\nregion: eu-west-1\naccounts: {bus: {id: "111111111111"}}\nbus: {account: bus}\n')
    with pytest.raises(ScaffoldError, match=r"no service publishes anything that invoice could receive"):
        new_service(file, "invoice", account="bus")
    assert {path.name for path in (project / "services").iterdir()} == before
    assert not (project / "tests").exists()


def test_comments_after_the_last_service_stay_where_they_are(project: Path) -> None:
    file = project / "backbone.yaml"
    file.write_text(file.read_text().replace("logs: {ret", "  # the end of services\nlogs: {ret"))
    new_service(file, "invoice", account="order")
    lines = file.read_text().splitlines()
    end = lines.index("  # the end of services")
    assert lines[end - 1] == "    module: services.invoice"
    assert lines[end + 1].startswith("logs:")
    assert list(load(file).services) == ["order-service", "delivery-service", "invoice"]


@pytest.mark.parametrize(
    ("published", "consumed"),
    [
        ("Invoice.Updated", None),
        ("InvoiceUpdated", None),
        ("None", "None"),
        ("Outbox", "Outbox"),
        ("ABC", "ABC"),
        ("Yes", "Yes"),
        ("2 fast", "2 fast"),
        ('it\'s a "quoted": [type], #1 \\n', 'it\'s a "quoted": [type], #1 \\n'),
        ("Bücher", "Bücher"),
    ],
)
def test_any_event_type_gives_a_module_that_python_reads(project: Path, published: str, consumed: str | None) -> None:
    file = project / "backbone.yaml"
    accounts = 'accounts: {bus: {id: "111111111111"}}\nbus: {account: bus}\n'
    service = {"account": "bus", "publishes": [published]}
    file.write_text(f"name: shop\nregion: eu-west-1\n{accounts}services:\n  shop: {json.dumps(service)}\n")
    if consumed is None:
        with pytest.raises(ScaffoldError, match="no service publishes anything that invoice could receive"):
            new_service(file, "invoice", account="bus")
        return
    for path in new_service(file, "invoice", account="bus"):
        if path.suffix == ".py":
            compile(path.read_text(), path, "exec")
    assert [wanted.detail_type for wanted in load(file).services["invoice"].subscribes] == [consumed]
    events = (project / "services" / "invoice" / "events.py").read_text()
    classes = [node.name for node in ast.parse(events).body if isinstance(node, ast.ClassDef)]
    assert len(set(classes) - {"ClassVar", "EventData", "PUBLISHES", "CONSUMES"}) == 2


def test_after_an_error_everything_is_as_it_was(project: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    (project / "tests").write_text("in the way of the folder that the test goes to")
    before = files()
    with pytest.raises(
        MachineError, match=r"tests/services/test_invoice.py: cannot be written: .*; nothing was changed"
    ):
        new_service(project / "backbone.yaml", "invoice", account="order")
    assert files() == before
    assert not (project / "services" / "invoice").exists()
