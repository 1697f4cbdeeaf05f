"""The steps of the pipelines, run here: the real `backbone`, a Terraform that only notes, and a `gh` that answers."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT
from tests.deployment.bootstrapped import GITHUB, STATE, document
from tests.deployment.fakes import FAKE_TERRAFORM

GH = f"""#!{sys.executable}
import json, os, pathlib, sys
control, words = pathlib.Path(os.environ["CONTROL"]), sys.argv[1:]
with (control / "gh").open("a") as calls:
    print(json.dumps(words), file=calls)
if words[:2] == ["run", "download"]:
    target = pathlib.Path(words[words.index("--dir") + 1])
    (target / "review.json").write_bytes((control / "review.json").read_bytes())
elif any("/pulls" in word for word in words):
    print("0123abcd" if (control / "review.json").exists() else "")
elif any("/runs?" in word for word in words):
    print("42")
elif "PATCH" not in words and any(word.endswith("/comments") for word in words) and "--paginate" in words:
    print((control / "comment").read_text() if (control / "comment").exists() else "")
"""


GITLAB = {"by": "gitlab", "project": "acme/backbone", "account": "444444444444"}


class Runner:
    """A repository with the workflow, in which its jobs are run."""

    def __init__(self, folder: Path, deployment: dict[str, str] = GITHUB | {"environment": "production"}) -> None:
        self.folder, self.control = folder / "repository", folder / "control"
        self.control.mkdir(parents=True)
        (self.control / "seconds").write_text("0")
        shutil.copytree(ROOT / "services", self.folder / "services")
        given = document("single", deployment=deployment, state=STATE)
        (self.folder / "backbone.yaml").write_text(yaml.safe_dump(given))
        programs = folder / "bin"
        programs.mkdir()
        for name, text in (("gh", GH), ("terraform", FAKE_TERRAFORM)):
            (programs / name).write_text(text)
            (programs / name).chmod((programs / name).stat().st_mode | stat.S_IXUSR)
        self.path = f"{programs}:{Path(BACKBONE).parent}:{os.environ['PATH']}"
        run(BACKBONE, "ci", deployment["by"], "--no-tests", folder=self.folder)
        file = {"github": ".github/workflows/backbone.yml", "gitlab": ".gitlab-ci.yml"}[deployment["by"]]
        self.workflow: dict[str, Any] = yaml.safe_load((self.folder / file).read_text())

    def command(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a step as GitHub and GitLab run bash: until a command fails."""
        environment = {
            "PATH": self.path,
            **{name: os.environ[name] for name in ("HOME", "PYTHONPATH") if name in os.environ},
            "CONTROL": str(self.control),
            "FAKE_TERRAFORM": str(self.control),
            "GITHUB_REPOSITORY": "acme/backbone",
            "GITHUB_SHA": "feedbeef",
            "GITHUB_OUTPUT": str(self.control / "output"),
            "GITHUB_STEP_SUMMARY": str(self.control / "summary"),
            "NUMBER": "7",
        }
        # How GitHub runs bash where the workflow names it ("Workflow syntax", jobs.<job_id>.steps[*].shell).
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    def job(self, name: str, *, status: int = 0) -> dict[str, str]:
        """Run the steps of a job that are commands, but for the installation; returns its outputs."""
        output = self.control / "output"
        output.write_text("")
        for step in self.workflow["jobs"][name]["steps"]:
            if "run" not in step or step.get("name") == "Install":
                continue
            done = self.command(step["run"])
            if done.returncode:
                assert done.returncode == status, done.stdout + done.stderr
                return {"failed": step.get("name", "")}
        assert status == 0
        return dict(line.partition("=")[::2] for line in output.read_text().split() if "=" in line)

    def script(self, name: str, *, status: int = 0) -> None:
        """Run the script of a job of GitLab, in a fresh checkout but for the artifacts of the plan."""
        kept = {
            path: (self.folder / path).read_bytes()
            for path in self.workflow["plan"]["artifacts"]["paths"]
            if (self.folder / path).exists()
        }
        shutil.rmtree(self.folder / "cdktf.out", ignore_errors=True)
        for path, content in kept.items() if "plan" in self.workflow[name].get("needs", ()) else ():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
        done = self.command("\n".join(self.workflow[name]["script"]))
        assert done.returncode == status, done.stdout + done.stderr

    def gh(self) -> list[list[str]]:
        """What `gh` was called with since the last time."""
        file = self.control / "gh"
        found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    @property
    def state(self) -> str | None:
        """What was applied."""
        file = self.control / "backbone.state"
        return file.read_text() if file.exists() else None


def test_from_a_pull_request_to_its_merge_and_a_night_after(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    run(BACKBONE, "synth", folder=runner.folder)
    run(BACKBONE, "bootstrap", folder=runner.folder)
    runner.job("check")

    runner.job("plan")
    assert runner.state is None
    comment = (runner.folder / "comment.md").read_text()
    assert comment.startswith("<!-- backbone plan -->\n## Plan: creates 1\n")
    assert runner.gh()[-1][:2] == ["api", "--silent"]
    (runner.control / "comment").write_text("1234")
    runner.job("plan")
    assert runner.gh()[-1][2:5] == ["--method", "PATCH", "repos/acme/backbone/issues/comments/1234"]

    review = runner.folder / "cdktf.out" / "deployment" / "review.json"
    shutil.copy(review, runner.control / "review.json")  # the artifact of the pull request
    assert runner.job("deploy") == {}
    assert runner.state is not None
    assert ["run", "download", "42", "--repo", "acme/backbone", "--name", "review", "--dir", "approved"] in runner.gh()

    runner.job("drift")
    (runner.control / "backbone.state").write_text("something else")
    assert runner.job("drift", status=1) == {"failed": "Plan, and fail when anything would change"}


def test_from_a_merge_request_to_its_apply_and_a_night_after(tmp_path: Path) -> None:
    runner = Runner(tmp_path, GITLAB)
    run(BACKBONE, "bootstrap", folder=runner.folder)
    runner.script("check")
    runner.script("plan")
    assert runner.state is None
    runner.script("apply")
    assert runner.state is not None
    runner.script("drift")

    (runner.control / "backbone.state").write_text("something else")
    runner.script("drift", status=1)
    runner.script("plan")
    (runner.control / "backbone.state").unlink()  # between the plan and its approval
    runner.script("apply", status=1)
    assert runner.state is None


def test_a_merge_that_was_not_reviewed_asks(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert runner.job("deploy") == {"differs": "true"}
    assert runner.state is None
    approved = runner.folder / "approved"
    shutil.copy(runner.folder / "cdktf.out" / "deployment" / "review.json", approved / "review.json")
    runner.job("deploy-again")
    assert runner.state is not None


def test_a_deployment_that_fails_does_not_ask(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    (runner.control / "fail-backbone").write_text("plan")
    assert runner.job("deploy", status=1) == {"failed": "Apply what was approved"}
    (runner.control / "fail-backbone").write_text("apply")
    shutil.rmtree(runner.folder / "approved")
    runner.job("plan")
    shutil.copy(runner.folder / "cdktf.out" / "deployment" / "review.json", runner.control / "review.json")
    assert runner.job("deploy", status=1) == {"failed": "Apply what was approved"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("ci", "gitlab"),
            "deployment: got by: github; allowed for this pipeline: {by: gitlab, project: acme/backbone}",
        ),
        (("ci", "jenkins"), "'jenkins' is not one of"),
        (("ci", "github"), "backbone.yml: is already there; give --force to replace it"),
    ],
)
def test_what_the_command_refuses(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert message in " ".join(run(BACKBONE, *words, folder=runner.folder, status=2)[1].split())
    run(BACKBONE, "ci", "github", "--force", "--install", "make install", folder=runner.folder)
    text = (runner.folder / ".github/workflows/backbone.yml").read_text()
    assert "run: make install" in text
    assert "run: python -m pytest" in text
    assert "arn:aws:iam::444444444444:role/backbone/shop-ci-eu-west-1" in text
