"""Deployments with a Terraform that only notes what it is called with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from backbone.deployment.deploy import Deployment, DeploymentError, locked
from backbone.deployment.program import Program, ProgramError, find_program
from backbone.deployment.run import RunError
from backbone.errors import MachineError
from backbone.synthesis import output
from tests.cli.command import BACKBONE
from tests.conftest import example
from tests.deployment.bootstrapped import GITHUB, STATE, document, synthesize
from tests.deployment.fakes import FAKE_TERRAFORM

WAVES = [["delivery", "order"], ["bus"]]


class Called(NamedTuple):
    """A call of the fake Terraform, with the variable that chooses the roles."""

    command: str
    stack: str
    words: list[str]
    suffix: str | None


class Ground:
    """Stacks `bus`, `order` and `delivery`, and the fake Terraform with what it noted."""

    def __init__(self, folder: Path, stacks: Path, *, keep: bool = False) -> None:
        self.stacks, self.control = folder / "cdktf.out", folder / "control"
        self.control.mkdir()
        (folder / "bin").mkdir()
        terraform = folder / "bin" / "terraform"
        terraform.write_text(FAKE_TERRAFORM)
        terraform.chmod(0o755)
        self.program = Program(str(terraform))
        self.path = f"{terraform.parent}:{os.environ['PATH']}"
        for stack in ("bus", "delivery", "order"):
            (self.stacks / "stacks" / stack).mkdir(parents=True)
            self.change(stack, "1")
            if keep:  # what the stacks say, beside being different from each other
                (self.stacks / "stacks" / stack / "cdk.tf.json").write_bytes(
                    (stacks / "stacks" / stack / "cdk.tf.json").read_bytes()
                )
        (self.stacks / "backbone.json").write_bytes((stacks / "backbone.json").read_bytes())
        self.seconds(0)

    def change(self, stack: str, text: str) -> None:
        (self.stacks / "stacks" / stack / "cdk.tf.json").write_text(text)

    def fail(self, stack: str, command: str | None) -> None:
        file = self.control / f"fail-{stack}"
        file.write_text(command) if command else file.unlink()

    def seconds(self, number: float) -> None:
        (self.control / "seconds").write_text(str(number))

    def calls(self, *commands: str) -> list[str]:
        """What was called since the last time."""
        file = self.control / "calls"
        found = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [call for call in found if call.split()[1] in commands]

    def arguments(self, command: str) -> list[Called]:
        """With which words a command was called."""
        lines = (self.control / "words").read_text().splitlines()
        return [Called(*parts) for parts in map(json.loads, lines) if parts[0] == command]

    def deployment(self, *, destroy: bool = False, parallel: int = 2) -> Deployment:
        return Deployment(self.stacks, WAVES, program=self.program, parallel=parallel, destroy=destroy)

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [BACKBONE, "deploy", "--stacks", str(self.stacks), *words]
        environment = os.environ | {"PATH": self.path, "FAKE_TERRAFORM": str(self.control)}
        return subprocess.Popen(
            command,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def deploy(self, *words: str, status: int = 0) -> tuple[str, str]:
        with self.start(*words) as started:
            found = started.communicate(timeout=60)
        assert started.returncode == status, found
        return found


@pytest.fixture
def ground(tmp_path: Path, stacks: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Ground:
    made = Ground(tmp_path, stacks("per-account"))
    monkeypatch.setenv("FAKE_TERRAFORM", str(made.control))
    return made


def test_waves_one_after_the_other_and_their_stacks_together(ground: Ground) -> None:
    ground.seconds(0.3)
    deployment = ground.deployment()
    assert [(plan.stack, plan.changes) for plan in deployment.plan()] == [("delivery", 1), ("order", 1), ("bus", 1)]
    deployment.apply()
    calls = ground.calls("apply")
    assert sorted(calls[:2]) == ["begin apply delivery", "begin apply order"]
    assert calls[4:] == ["begin apply bus", "end apply bus"]
    assert ground.deployment().plan() == []


def test_one_at_a_time_on_request(ground: Ground) -> None:
    deployment = ground.deployment(parallel=1)
    deployment.plan()
    deployment.apply()
    assert [call.split()[0] for call in ground.calls("plan", "apply")] == ["begin", "end"] * 6


def test_stacks_that_another_layout_leaves_behind_are_told(ground: Ground) -> None:
    _, err = ground.deploy("--yes")
    assert "no stacks any more" not in err
    output.synth(example("single"), ground.stacks)
    _, err = ground.deploy("--plan-only")
    assert "deployed before, and no stacks any more: bus, delivery, order; " in err
    assert "after a change of layout or names run `backbone move-layout`" in err


def test_what_was_destroyed_is_not_left_behind(ground: Ground) -> None:
    ground.deploy("--yes")
    ground.deploy("--yes", "--destroy", "--allow-dangers")
    output.synth(example("single"), ground.stacks)
    assert "no stacks any more" not in ground.deploy("--plan-only")[1]


def test_only_what_changed_is_applied(ground: Ground) -> None:
    ground.deploy("--yes")
    ground.change("order", "2")
    ground.calls()
    out, _ = ground.deploy("--yes")
    assert ground.calls("apply") == ["begin apply order", "end apply order"]
    assert "stack order:\n  updates 1\n" in out
    assert out.endswith("applied: order\n")
    out, _ = ground.deploy("--yes")
    assert out == "nothing to change\n"


def test_a_failure_stops_the_waves_and_the_next_run_goes_on(ground: Ground) -> None:
    ground.fail("order", "apply")
    _, err = ground.deploy("--yes", status=1)
    assert sorted(ground.calls("apply")) == ["begin apply delivery", "begin apply order", "end apply delivery"]
    assert "order: terraform apply failed" in err
    assert "apply of order went wrong" in err
    assert "applied: delivery; not begun: bus" in err
    assert "to go back: " in err
    ground.fail("order", None)
    _, err = ground.deploy("--yes")
    assert "applied: delivery; left: bus, order; going on there" in " ".join(err.split())
    assert ground.calls("plan") == ["begin plan order", "end plan order"]
    assert ground.deployment().earlier is None


def test_in_a_wave_that_fails_nothing_more_begins(ground: Ground) -> None:
    ground.fail("delivery", "apply")
    deployment = ground.deployment(parallel=1)
    deployment.plan()
    with pytest.raises(DeploymentError, match="not begun: bus, order"):
        deployment.apply()
    assert ground.calls("apply") == ["begin apply delivery"]


def test_a_failure_is_not_gone_on_from_with_other_stacks(ground: Ground) -> None:
    ground.fail("order", "apply")
    ground.deploy("--yes", status=1)
    ground.fail("order", None)
    ground.change("order", "2")
    ground.calls()
    _, err = ground.deploy("--yes")
    assert "planning everything anew" in " ".join(err.split())
    assert len(ground.calls("plan")) == 6
    assert ground.deployment().plan() == []


@pytest.mark.parametrize("command", ["init", "plan", "show"])
def test_nothing_is_applied_when_a_plan_fails(ground: Ground, command: str) -> None:
    ground.fail("bus", command)
    _, err = ground.deploy("--yes", status=1)
    assert f"bus: terraform {command} failed" in err
    assert ground.calls("apply") == []
    ground.fail("bus", None)
    out, _ = ground.deploy("--yes")
    assert "applied: delivery, order, bus" in out


def test_a_killed_run_is_resumed_where_it_was(ground: Ground) -> None:
    ground.seconds(3)
    started = ground.start("--yes")
    calls = ground.control / "calls"
    for _ in range(200):
        if calls.exists() and "begin apply" in calls.read_text():
            break
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    assert started.returncode == -signal.SIGKILL
    time.sleep(3.5)  # Terraform itself was not killed, and ends what it began
    ground.seconds(0)
    ground.calls()
    out, err = ground.deploy("--yes")
    assert "an earlier deployment stopped half-way" in err
    assert sorted(ground.calls("plan")) == [
        "begin plan delivery",
        "begin plan order",
        "end plan delivery",
        "end plan order",
    ]
    assert "applied: bus" in out
    assert ground.deployment().plan() == []


def test_plans_that_others_overtook_are_refused_and_planned_again(ground: Ground) -> None:
    deployment = ground.deployment()
    deployment.plan()
    (ground.control / "bus.state").write_text("another")
    with pytest.raises(DeploymentError, match="Saved plan is stale"):
        deployment.apply()
    again = ground.deployment()
    assert again.resumes
    assert [plan.stack for plan in again.plan()] == ["bus"]
    again.apply()


def test_destroy_goes_from_the_last_wave_to_the_first(ground: Ground) -> None:
    ground.deploy("--yes")
    ground.calls()
    ground.deploy("--yes", "--destroy")
    assert ground.calls("apply")[0] == "begin apply bus"
    assert {file.read_text() for file in ground.control.glob("*.state")} == {""}


def test_a_second_run_is_refused(ground: Ground) -> None:
    with locked(ground.stacks):
        _, err = ground.deploy("--yes", status=3)
    assert "another deployment of these stacks is running" in err
    assert ground.calls("init", "plan") == []
    with locked(ground.stacks), pytest.raises(MachineError), locked(ground.stacks):
        pass


def test_nobody_is_asked_without_a_terminal(ground: Ground) -> None:
    _, err = ground.deploy(status=2)
    assert "allowed: --yes, --approved FILE, or --plan-only" in err
    out, _ = ground.deploy("--plan-only")
    assert "stack bus:\n  creates 1\n" in out
    assert ground.calls("apply") == []


def test_each_stack_has_a_log_of_its_own(ground: Ground) -> None:
    deployment = ground.deployment()
    deployment.plan()
    deployment.apply()
    text = deployment.log("order").read_text()
    assert [line.split()[2] for line in text.splitlines() if line.startswith("$ ")] == ["init", "plan", "apply"]
    assert "delivery" not in text
    assert (ground.stacks / "deployment").stat().st_mode & 0o077 == 0  # plans have secrets in them


def test_how_far_an_apply_is_is_reported(ground: Ground) -> None:
    ground.seconds(0.6)
    seen: list[tuple[str, str, int]] = []
    deployment = Deployment(
        ground.stacks, WAVES, program=ground.program, parallel=1, report=lambda *found: seen.append(found)
    )
    deployment.plan()
    deployment.apply()
    assert ("bus", "applying", 1) in seen
    assert seen[-1] == ("bus", "applied", 0)


def test_what_an_earlier_run_left_may_be_broken(ground: Ground) -> None:
    (ground.stacks / "deployment").mkdir()
    (ground.stacks / "deployment" / "run.json").write_text("{")
    with pytest.raises(RunError, match="delete it"):
        ground.deployment()


def test_the_program_is_terraform_else_opentofu(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(ground.program.path).parent))
    assert find_program().name == "terraform"
    Path(ground.program.path).rename(Path(ground.program.path).with_name("tofu"))
    assert find_program().name == "tofu"
    with pytest.raises(ProgramError, match="there is no terraform on the PATH"):
        find_program("terraform")


def test_what_was_approved_is_applied_and_nothing_else(ground: Ground) -> None:
    ground.deploy("--plan-only")
    approved = ground.stacks.parent / "approved.json"
    approved.write_bytes((ground.stacks / "deployment" / "review.json").read_bytes())
    assert (ground.stacks / "deployment" / "review.md").read_text().startswith("## Plan: creates 3\n")
    ground.change("order", "2")
    _, err = ground.deploy("--approved", str(approved), status=1)
    assert "the same resources change, but to other values than was approved" in err
    assert ground.calls("apply") == []
    ground.change("order", "1")
    out, _ = ground.deploy("--approved", str(approved))
    assert "applied: delivery, order, bus" in out
    _, err = ground.deploy("--approved", str(approved))
    assert ground.calls("apply")[6:] == []


def test_the_result_as_json(ground: Ground) -> None:
    planned = json.loads(ground.deploy("--plan-only", "--json")[0])
    assert (planned.keys(), planned["applied"]) == ({"review", "applied"}, [])
    written = json.loads((ground.stacks / "deployment" / "review.json").read_text())
    assert {**planned["review"], "digest": written["digest"]} == written
    assert planned["review"]["counts"] == {"create": 3}
    _, err = ground.deploy("--json", status=2)
    assert "there is no terminal to ask at; allowed: --yes, --approved FILE, or --plan-only" in err
    assert ground.calls("apply") == []
    applied = json.loads(ground.deploy("--yes", "--json")[0])
    assert (applied["applied"], applied["review"]) == (["delivery", "order", "bus"], planned["review"])
    nothing = json.loads(ground.deploy("--yes", "--json")[0])
    assert (nothing["applied"], nothing["review"]["changes"]) == ([], [])


def test_an_approval_says_in_what_the_plan_differs(ground: Ground) -> None:
    ground.deploy("--yes")
    ground.change("order", "2")
    ground.deploy("--plan-only")
    approved = ground.stacks.parent / "approved.json"
    approved.write_bytes((ground.stacks / "deployment" / "review.json").read_bytes())
    ground.change("bus", "2")
    _, err = ground.deploy("--approved", str(approved), status=1)
    assert "planned, and not approved: update bus/aws_cloudwatch_event_bus.bus" in err
    for text, words in ((None, "nothing was approved"), ("[", "is no review"), ("[1]", "planned, and not approved")):
        approved.unlink(missing_ok=True)
        if text is not None:
            approved.write_text(text)
        assert words in ground.deploy("--approved", str(approved), status=1)[1]
    assert [call for call in ground.calls("apply") if "order" in call] == ["begin apply order", "end apply order"]


def test_drift_is_status_1(ground: Ground) -> None:
    ground.deploy("--yes")
    assert ground.deploy("--no-changes")[0] == "nothing to change\n"
    ground.change("bus", "2")
    ground.calls()
    assert "stack bus:\n  updates 1\n" in ground.deploy("--no-changes", status=1)[0]
    assert ground.calls("apply") == []


def test_roles_that_only_read_apply_nothing(ground: Ground) -> None:
    assert "these roles can apply nothing" in ground.deploy("--yes", "--plan-roles", status=2)[1]
    assert "the file has no deployment" in ground.deploy("--plan-only", "--plan-roles", status=2)[1]
    assert ground.calls("init", "plan", "apply") == []


def test_a_plan_with_roles_that_only_read_reads_the_state_with_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = document("per-account", deployment=GITHUB, state=STATE)
    (tmp_path / "a").mkdir()
    ground = Ground(tmp_path / "a", synthesize(tmp_path / "made", given), keep=True)
    monkeypatch.setenv("FAKE_TERRAFORM", str(ground.control))
    ground.deploy("--plan-only", "--plan-roles")
    backend = (ground.stacks / "deployment" / "order.tfbackend").read_text()
    assert backend.startswith('assume_role = { role_arn = "arn:aws:iam::444444444444:role/backbone/shop-state-order')
    assert backend.endswith('-plan" }\n')
    for call in ground.arguments("init"):
        assert f"-backend-config={ground.stacks / 'deployment' / call.stack}.tfbackend" in call.words
        assert call.suffix == "-plan"
    assert all("-lock=false" in call.words for call in ground.arguments("plan"))
