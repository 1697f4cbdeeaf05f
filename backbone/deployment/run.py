"""What a deployment remembers, in a file: which stacks it has planned and applied, so that the next one can go on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from backbone.errors import BackboneError

__all__ = ["Progress", "Run", "RunError", "digest", "read_run"]

Progress = Literal["planned", "unchanged", "applying", "applied", "failed"]
STARTED: Final = ("applying", "applied", "failed")


class RunError(BackboneError):
    """What an earlier deployment left cannot be read."""


class Run(BaseModel):
    """A deployment of the stacks with a digest, by this or an earlier process.

    A stack that was applied completely is `applied`. `applying` was cut off in the middle, so that nobody knows how far
    it came, and `failed` came to an error; both must be planned again. What is `planned` was not begun.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    digest: str
    destroy: bool
    stacks: dict[str, Progress] = {}

    @property
    def is_half_done(self) -> bool:
        """Whether something was applied, and something is left."""
        states = self.stacks.values()
        return any(state in STARTED for state in states) and any(
            state not in ("applied", "unchanged") for state in states
        )

    def of(self, *states: Progress) -> list[str]:
        """The stacks in some states, by name: they became so in no certain order."""
        return sorted(name for name, state in self.stacks.items() if state in states)

    def write(self, file: Path) -> None:
        """Replace the file, all at once."""
        new = file.with_suffix(".new")
        new.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        new.replace(file)


def read_run(file: Path) -> Run | None:
    """The deployment that a file tells of; None when there is no such file."""
    try:
        return Run.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        words = str(error).splitlines()[0]
        raise RunError(
            f"{file}: cannot be read: {words}; delete it: the next deployment then plans everything"
        ) from None


def digest(stack_folders: Iterable[Path]) -> str:
    """What tells these stacks from any others: a digest of all files that Terraform reads of them."""
    found = hashlib.sha256()
    for folder in stack_folders:
        files = [*folder.glob("*.tf"), *folder.glob("*.tf.json"), *folder.glob("*.tfvars*"), *folder.rglob("*.zip")]
        for file in sorted(file for file in files if ".terraform" not in file.parts):
            content = file.read_bytes()
            found.update(f"{folder.name}/{file.relative_to(folder)}:{len(content)}:".encode() + content)
    return found.hexdigest()
