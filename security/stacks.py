"""Every topology of the repository, synthesized, and what bootstrap writes for the examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone import topology
from backbone.synthesis import output
from security.tools import ROOT
from tests.deployment.bootstrapped import CODEPIPELINE, FILES, bootstrap, document

__all__ = ["Synthesized", "synthesized"]


@dataclass(frozen=True)
class Synthesized:
    """The stacks of a topology, in a folder."""

    name: str
    folder: Path

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The Terraform JSON of each stack, by the stack's name."""
        for file in sorted(self.folder.glob("stacks/*/cdk.tf.json")):
            yield file.parent.name, json.loads(file.read_text(encoding="utf-8"))


def synthesized(folder: Path) -> list[Synthesized]:
    """The examples and the tests' topologies, in all environments, each in a folder of its own below the given one."""
    made = []
    files = {file.stem: file for file in (ROOT / "backbone.yaml", *(ROOT / "tests" / "topologies").glob("*.yaml"))}
    files |= {file.parent.name: file for file in (ROOT / "examples").glob("*/backbone.yaml")}
    for stem, file in sorted(files.items()):
        environments: Sequence[str | None] = topology.environments(file) or (None,)
        for environment in environments:
            name = "-".join(filter(None, [stem, environment]))
            output.synth(topology.load(file, environment=environment), folder / name)
            made.append(Synthesized(name, folder / name))
    return [*made, *_bootstrapped(folder)]


def _bootstrapped(folder: Path) -> Iterator[Synthesized]:
    """What bootstrap writes for each example, deployed from GitHub, and for one that CodePipeline deploys."""
    wanted = {f"bootstrap-{name}": document(name) for name in FILES}
    wanted["bootstrap-codepipeline"] = document("per-account", deployment=CODEPIPELINE)
    for name, file in wanted.items():
        yield Synthesized(name, bootstrap(folder / "deployed" / name / "cdktf.out", file).bootstrap)
