"""What a pipeline checks, and what it deploys to."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.version import __version__

__all__ = ["Checked", "Target", "installation"]


def installation(*, tests: bool) -> str:
    """The command that installs this version of the tool, and pytest where there are tests."""
    return f"python -m pip install 'event-backbone[synth]=={__version__}'{' pytest' if tests else ''}"


@dataclass(frozen=True)
class Checked:
    """A backbone, or one of its environments (`name`)."""

    name: str | None

    def named(self, word: str) -> str:
        """A word, with the environment's name if there is one: `plan`, or `plan-prod`."""
        return word if self.name is None else f"{word}-{self.name}"

    @property
    def option(self) -> str:
        """The option that commands take to mean this environment, with a space before it; empty without one."""
        return "" if self.name is None else f" --env {self.name}"

    @property
    def output(self) -> str:
        """The folder that its stacks are synthesized into."""
        return "cdktf.out" if self.name is None else f"cdktf.{self.name}.out"


@dataclass(frozen=True)
class Target(Checked):
    """The accounts of a backbone, or of one of its environments, and how a pipeline gets into them.

    The roles are ARNs of those that jobs begin as, by tokens for the `audience`. `branch` is the one that deploys.
    `gate` is the environment of the pipeline's service that jobs which deploy belong to, where the roles ask for one.
    """

    region: str
    deploy_role: str
    plan_role: str
    branch: str
    audience: str
    gate: str | None = None
