"""In what this machine differs from Lambda."""

from __future__ import annotations

import sys
from collections.abc import Callable

from backbone.simulator import Simulator
from backbone.simulator.host import differences
from backbone.system.findings import Finding
from tests.simulator.conftest import Edit

NEWER = f"python3.{sys.version_info.minor + 1}"
OURS = f"python3.{sys.version_info.minor}"


def found(edited: Callable[[Edit], Simulator], **body: object) -> tuple[Finding, ...]:
    """The differences where each function has some arguments; they are among all findings, and only there."""

    def edit(resources: dict[str, dict[str, dict[str, object]]]) -> None:
        for function in resources["aws_lambda_function"].values():
            function |= body

    simulator = edited(edit)
    notes = tuple(differences(simulator.system))
    assert simulator.all_findings[-len(notes) :] == notes or not notes
    assert not any("here" in one and "Lambda" in one for one in simulator.findings)
    assert {(one.rule, one.severity) for one in notes} <= {("BB191", "note")}
    return notes


def test_the_same_python_and_no_layers(edited: Callable[[Edit], Simulator]) -> None:
    assert found(edited, runtime=OURS, layers=[]) == ()


def test_another_python_is_told_once(edited: Callable[[Edit], Simulator]) -> None:
    (note,) = found(edited, runtime=NEWER, layers=[])
    assert note.message == f"runs on {OURS} here, and on {NEWER} on Lambda (and 4 more functions)"


def test_packages_of_layers_that_are_not_installed_here(edited: Callable[[Edit], Simulator]) -> None:
    layer = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV2-Arm64:60"
    (note,) = found(edited, runtime=OURS, layers=[layer])
    assert note.message.startswith("cannot import here what its layers have on Lambda, since it is not installed: ")
    assert "aws-lambda-powertools<3,>=2" in note.message
