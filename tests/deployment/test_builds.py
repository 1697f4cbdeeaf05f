"""The commands of CodePipeline's builds, run here: what they install, and what they tell the pipeline."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.deployment.bootstrap import buildspecs
from backbone.deployment.bootstrap.facts import Facts
from backbone.deployment.bootstrap.stacks import PIPELINE, stacks
from tests.cli.command import BACKBONE, run
from tests.conftest import ROOT
from tests.deployment.bootstrapped import CODEPIPELINE, document
from tests.deployment.fakes import FAKE_TERRAFORM

CURL = f"""#!{sys.executable}
import os, pathlib, shutil, sys
name = sys.argv[-1].rpartition("/")[2]
shutil.copy(pathlib.Path(os.environ["ARCHIVES"], name), name)
"""
"""A curl that has what is asked for in a folder."""


class Build:
    """A checkout, and the machine of a build, whose programs are in a folder."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.programs, self.control = (folder / name for name in ("checkout", "bin", "control"))
        self.archives, self.plugins = folder / "archives", folder / "plugins"
        for each in (self.checkout, self.programs, self.control, self.archives):
            each.mkdir()
        (self.control / "seconds").write_text("0")
        shutil.copytree(ROOT / "services", self.checkout / "services")
        install = {"install": "sh tools.sh"}
        given = document("single", deployment=CODEPIPELINE | install)
        (self.checkout / "backbone.yaml").write_text(yaml.safe_dump(given))
        (self.checkout / "tools.sh").write_text(f"ln -s {BACKBONE} {self.programs}/backbone\n")

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod((self.programs / name).stat().st_mode | stat.S_IXUSR)

    def spec(self) -> Any:
        """The buildspec of the plan, with places in this folder and the digest of the archive here."""
        facts = Facts.read(self.checkout / "cdktf.out")
        text = stacks(facts)[PIPELINE]["resource"]["aws_codebuild_project"]["plan"]["source"]["buildspec"]
        for old, new in (
            (buildspecs.PLUGINS, str(self.plugins)),
            ("/usr/local/bin", str(self.programs)),
            (buildspecs.TERRAFORM_SHA256, self.digest()),
        ):
            assert old in text
            text = text.replace(old, new)
        return json.loads(text)

    def digest(self) -> str:
        (archive,) = self.archives.iterdir()
        return hashlib.sha256(archive.read_bytes()).hexdigest()

    def publish(self, text: str) -> Path:
        """An archive with a Terraform, called as HashiCorp calls it."""
        archive = self.archives / f"terraform_{buildspecs.TERRAFORM}_linux_amd64.zip"
        with zipfile.ZipFile(archive, "w") as file:
            entry = zipfile.ZipInfo("terraform")
            entry.external_attr = 0o755 << 16
            file.writestr(entry, text)
            file.writestr("LICENSE.txt", "")
        return archive

    def run(self, phase: str, *, status: int = 0) -> dict[str, str]:
        """Run a phase as CodeBuild does: one shell, whose variables stay; returns those that the pipeline gets."""
        spec = self.spec()
        show = [f'echo "{name}=${name}"' for name in spec["env"]["exported-variables"]]
        done = subprocess.run(
            ["bash", "-ec", "\n".join([*spec["phases"][phase]["commands"], *show])],
            cwd=self.checkout,
            env={
                **{name: os.environ[name] for name in ("HOME", "PYTHONPATH") if name in os.environ},
                **spec["env"]["variables"],
                "PATH": f"{self.programs}:/usr/bin:/bin",
                "ARCHIVES": str(self.archives),
                "FAKE_TERRAFORM": str(self.control),
                "CODEBUILD_BUILD_URL": "https://console.example.com/build",
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return dict(line.partition("=")[::2] for line in done.stdout.splitlines() if line.startswith("REVIEW_"))


@pytest.fixture
def build(tmp_path: Path) -> Build:
    made = Build(tmp_path)
    run(BACKBONE, "bootstrap", folder=made.checkout)
    made.program("curl", CURL)
    made.publish(FAKE_TERRAFORM)
    return made


def test_what_is_installed_plans_and_says_whether_to_ask(build: Build) -> None:
    build.run("install")
    assert {file.name for file in build.programs.iterdir()} == {"backbone", "curl", "terraform"}
    assert build.plugins.is_dir()
    assert list(build.checkout.glob("terraform*")) == []

    said = build.run("build")
    assert said == {
        "REVIEW_CHANGES": "yes",
        "REVIEW_SUMMARY": "Plan: creates 1",
        "REVIEW_URL": "https://console.example.com/build",
    }
    (plan,) = (build.checkout / "cdktf.out" / "deployment").glob("*.tfplan")
    (build.control / "backbone.state").write_text(json.loads(plan.read_text())["to"])  # as if it were applied
    assert build.run("build")["REVIEW_CHANGES"] == "no"

    (build.control / "fail-backbone").write_text("plan")
    build.run("build", status=1)


def test_a_terraform_that_is_not_the_one_that_was_published_is_not_installed(build: Build) -> None:
    known = build.digest()
    build.publish(FAKE_TERRAFORM + "# more\n")
    build.digest = lambda: known  # type: ignore[method-assign]
    build.run("install", status=1)
    assert not (build.programs / "terraform").exists()
