"""`backbone check`: findings as text, JSON and SARIF, accepted with a reason, and with Terraform's own verdict."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.system.findings import CATALOGUE
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT


@pytest.fixture
def project(stacks: Callable[[str], Path], tmp_path: Path) -> Path:
    """A folder with the example's file and stacks, which are taken as they are."""
    shutil.copy(ROOT / "backbone.yaml", tmp_path)
    shutil.copytree(stacks("single"), tmp_path / "cdktf.out")
    (tmp_path / "cdktf.out" / "backbone.json").unlink()
    return tmp_path


def break_target(project: Path) -> str:
    """Take the dead-letter queue from the target that forwards to the delivery service; returns its address."""
    file = project / "cdktf.out" / "stacks" / "backbone" / "cdk.tf.json"
    document: dict[str, Any] = json.loads(file.read_text())
    targets = document["resource"]["aws_cloudwatch_event_target"]
    (name,) = [name for name in targets if name.startswith("forwarding_delivery")]
    del targets[name]["dead_letter_config"]
    file.write_text(json.dumps(document))
    return f"backbone/aws_cloudwatch_event_target.{name}"


def test_nothing_is_wrong_with_the_example(project: Path) -> None:
    assert run(BACKBONE, "check", folder=project)[0] == "0 errors, 0 warnings, 0 notes\n"


def test_a_finding_has_id_severity_address_effect_and_mend(project: Path) -> None:
    address = break_target(project)
    text, _ = run(BACKBONE, "check", folder=project, status=1)
    assert text.startswith(f"error BB202: {address}: has no dead-letter queue")
    assert (
        "Events are lost without a trace. Give the target a dead_letter_config, or the subscription a redrive_policy.\n"
        in text
    )
    assert text.endswith("1 errors, 0 warnings, 0 notes\n")
    (found,) = json.loads(run(BACKBONE, "check", "--json", folder=project, status=1)[0])
    assert found.keys() == {"rule", "severity", "address", "message", "effect", "fix"}
    assert (found["rule"], found["severity"], found["address"]) == ("BB202", "error", address)


def test_sarif_points_to_the_service_in_its_file(project: Path) -> None:
    address = break_target(project)
    run(BACKBONE, "check", "--sarif", "out.sarif", folder=project, status=1)
    log = json.loads((project / "out.sarif").read_text())
    assert log["version"] == "2.1.0"
    (one_run,) = log["runs"]
    assert {rule["id"] for rule in one_run["tool"]["driver"]["rules"]} == set(CATALOGUE)
    (result,) = one_run["results"]
    assert (result["ruleId"], result["level"]) == ("BB202", "error")
    (location,) = result["locations"]
    assert location["logicalLocations"] == [{"fullyQualifiedName": address}]
    place = location["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "backbone.yaml"}
    line = (project / "backbone.yaml").read_text().splitlines()[place["region"]["startLine"] - 1]
    assert line.strip() == "delivery-service:"
    main = (project / "backbone.yaml").read_text()
    text, found, rest = main.partition("  delivery-service:")
    entry, logs, more = rest.partition("logs:")
    (project / "backbone.yaml").write_text(f"{text}{logs}{more}include: [teams/*.yaml]\n")
    (project / "teams").mkdir()
    (project / "teams" / "my delivery.yaml").write_text(f"# ours\nservices:\n{found}{entry}")
    run(BACKBONE, "synth", folder=project)
    break_target(project)
    run(BACKBONE, "check", "--sarif", "out.sarif", folder=project, status=1)
    (result,) = json.loads((project / "out.sarif").read_text())["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "teams/my%20delivery.yaml"}, "region": {"startLine": 3}}
    _, errors = run(BACKBONE, "check", "--sarif", "none/out.sarif", folder=project, status=2)
    assert "--sarif: none/out.sarif: cannot be written" in errors


def test_a_finding_is_accepted_with_a_reason(project: Path) -> None:
    break_target(project)
    accept = project / "backbone.accept.yaml"
    accept.write_text('- {rule: BB202, address: "*forwarding_delivery*", reason: the team knows}\n')
    text, _ = run(BACKBONE, "check", folder=project)
    assert text.startswith("note BB202: ")
    assert "(accepted: the team knows)" in text
    accept.write_text('- {rule: BB303, address: "*", reason: why}\n')
    text, _ = run(BACKBONE, "check", folder=project, status=1)
    assert "warning BB192: backbone.accept.yaml: accepts BB303 at *, which is no finding" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("rule: BB202", "got dict; allowed: a list of"),
        ("- BB202", "[0]: got 'BB202'; allowed: rule, address and reason"),
        ("- {rule: BB202, address: x}", "allowed: rule, address and reason"),
        ("- {rule: BB999, address: x, reason: y}", "[0].rule: got 'BB999'; allowed: BB101"),
        ("- {rule: BB202, address: x, reason: ''}", "[0].reason: got ''; allowed: text"),
    ],
)
def test_a_file_of_acceptances_that_cannot_be_read(project: Path, text: str, message: str) -> None:
    (project / "backbone.accept.yaml").write_text(text)
    _, errors = run(BACKBONE, "check", folder=project, status=2)
    assert message in errors


TERRAFORM = """#!/bin/sh
case "$1" in
  init) {init} ;;
  validate) echo '{verdict}' ;;
esac
"""


def with_terraform(folder: Path, *, init: str = "true", verdict: dict[str, Any] | None = None) -> str:
    """A PATH with a program `terraform` that answers as told."""
    program = folder / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(TERRAFORM.replace("{init}", init).replace("{verdict}", json.dumps(verdict or {})))
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


def test_terraforms_own_verdict_comes_in_the_same_form(project: Path) -> None:
    diagnostic = {
        "severity": "error",
        "summary": "Unsupported argument",
        "detail": "An argument named x is not expected here.",
        "snippet": {"context": "resource.aws_sqs_queue.q"},
    }
    path = with_terraform(project, verdict={"diagnostics": [diagnostic]})
    text, _ = run(BACKBONE, "check", "--terraform", folder=project, status=1, PATH=path)
    words = "backbone/resource.aws_sqs_queue.q: Unsupported argument An argument named x is not expected here."
    assert text.startswith(f"error BB193: {words}\n")


def test_terraform_that_is_not_there_or_has_no_provider(project: Path) -> None:
    _, errors = run(BACKBONE, "check", "--terraform", folder=project, status=2, PATH="/usr/bin:/bin")
    assert "there is no terraform on the PATH" in errors
    path = with_terraform(project, init="echo no provider >&2; exit 1")
    _, errors = run(BACKBONE, "check", "--terraform", folder=project, status=2, PATH=path)
    assert "terraform init failed: no provider" in errors
