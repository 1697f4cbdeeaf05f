"""Plans of all stacks, and their apply in waves: exactly what was planned, until something fails, and on from there."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from backbone.deployment.bootstrap.roles import state_plan_role
from backbone.deployment.program import Program, last_lines
from backbone.deployment.run import Progress, Run, digest, read_run
from backbone.errors import BackboneError, MachineError

__all__ = ["FOLDER", "Deployment", "DeploymentError", "StackPlan", "locked"]

FOLDER = "deployment"
"""The folder beside the stacks for plans, logs and what a deployment remembers."""

LOCK_TIMEOUT = "-lock-timeout=5m"
"""How long Terraform waits for the lock of a state: a Terraform whose deployment was killed may still hold it."""

COMPLETE = re.compile(rb"(?:Creation|Modifications|Destruction) complete after ")
CHANGES = 2
"""The exit status of `plan -detailed-exitcode` when something would change."""


class DeploymentError(BackboneError):
    """A deployment stopped half-way, or could not begin."""

    exit_status = 1


@dataclass(frozen=True)
class StackPlan:
    """The plan of a stack that something is to change in, as `terraform show -json` prints it."""

    stack: str
    file: Path

    @property
    def document(self) -> dict[str, Any]:
        """The plan."""
        found: dict[str, Any] = json.loads(self.file.read_bytes())
        return found

    @property
    def changes(self) -> int:
        """How many resources Terraform creates, updates or destroys; a replaced resource counts twice."""
        return sum(
            len(change["change"]["actions"])
            for change in self.document.get("resource_changes", [])
            if not {"no-op", "read"} & {*change["change"]["actions"]}
        )


class Deployment:
    """The deployment of the stacks of a folder, in waves of their names.

    `report` is called with a stack and its progress, and how many of its changes are done, from several threads.
    With `plan_roles` the states are read by the roles that only read them, and not locked; such plans are to be looked
    at, and never applied.
    """

    def __init__(
        self,
        stacks: Path,
        waves: Sequence[Sequence[str]],
        *,
        program: Program,
        parallel: int,
        destroy: bool = False,
        plan_roles: bool = False,
        report: Callable[[str, Progress, int], None] = lambda *_: None,
    ) -> None:
        self.folder = stacks / FOLDER
        self._stacks, self._program, self._parallel, self._report = stacks / "stacks", program, parallel, report
        self._destroy, self._plan_roles = destroy, plan_roles
        self._waves = [tuple(wave) for wave in (reversed(waves) if destroy else waves)]
        self._names = [name for wave in self._waves for name in wave]
        self._write = threading.Lock()
        self._stopped = threading.Event()
        known = read_run(self.folder / "run.json")
        now = digest(self._stacks / name for name in sorted(self._names))
        resumes = known is not None and known.is_half_done and (known.digest, known.destroy) == (now, destroy)
        self.earlier = known if known is not None and known.is_half_done else None
        """A deployment that was left half-way."""
        self.resumes = resumes
        """Whether this deployment goes on where that one stopped; not when the stacks have changed since."""
        stood = known.of("applied", "unchanged") if known is not None and not known.destroy else ()
        self.left = sorted({*stood} - {*self._names})
        """The stacks that were deployed from here and are no stacks any more."""
        self._run = known if known is not None and resumes else Run(digest=now, destroy=destroy)

    def plan(self) -> list[StackPlan]:
        """Plan every stack, or, of a deployment that goes on, those whose apply was begun and not finished.

        Returns the plans of all stacks that are yet to be applied, in order. DeploymentError when a plan fails.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        wanted = [name for name in self._names if self._run.stacks.get(name) not in ("planned", "unchanged", "applied")]
        for name in wanted:  # one after the other: a cache of plugins that they share is not made for more
            self.log(name).unlink(missing_ok=True)
            if self._terraform(name, "init", *self._backend(name)):
                raise DeploymentError(self._failure(name, "init"))
        with ThreadPoolExecutor(self._parallel) as threads:
            failures = [failure for failure in threads.map(self._plan_stack, wanted) if failure]
        if failures:
            raise DeploymentError("\n".join(failures))
        return [StackPlan(name, self._json(name)) for name in self._names if self._run.stacks[name] == "planned"]

    @property
    def order(self) -> list[tuple[str, ...]]:
        """The stacks in the waves in which they are applied."""
        return self._waves

    @property
    def applied(self) -> list[str]:
        """The stacks that are applied already."""
        return self._run.of("applied")

    @property
    def plan_files(self) -> list[Path]:
        """The plans of all stacks, those as well that nothing changes in: what a review needs."""
        return [self._json(name) for name in self._names]

    def apply(self) -> None:
        """Apply the plans wave by wave, each wave in parallel; DeploymentError when a stack fails.

        After a failure nothing more is begun, and what was begun is finished.
        """
        self._stopped.clear()
        for wave in self._waves:
            waiting = [name for name in wave if self._run.stacks[name] == "planned"]
            with ThreadPoolExecutor(self._parallel) as threads:
                try:
                    failures = [failure for failure in threads.map(self._apply_stack, waiting) if failure]
                except BaseException:
                    self._stopped.set()
                    raise
            if failures:
                raise DeploymentError("\n".join([*failures, *self._way_on()]))

    def log(self, name: str) -> Path:
        """The file with everything that Terraform said about a stack."""
        return self.folder / f"{name}.log"

    def _json(self, name: str) -> Path:
        return self.folder / f"{name}.plan.json"

    def _plan_file(self, name: str) -> str:
        return str((self.folder / f"{name}.tfplan").absolute())

    def _terraform(self, name: str, *words: str, watch: Callable[[], None] = lambda: None) -> int:
        command, *options = words
        said = (command, "-input=false", "-no-color", *options)
        return self._program.run(*said, folder=self._stacks / name, log=self.log(name).absolute(), watch=watch)

    def _backend(self, name: str) -> list[str]:
        """The options of `init` by which the state is reached."""
        if not self._plan_roles:
            return ["-reconfigure"]
        document = json.loads((self._stacks / name / "cdk.tf.json").read_bytes())
        role = document["terraform"].get("backend", {}).get("s3", {}).get("assume_role")
        if role is None:
            return ["-reconfigure"]
        file = (self.folder / f"{name}.tfbackend").absolute()
        file.write_text(f'assume_role = {{ role_arn = "{state_plan_role(role["role_arn"])}" }}\n', encoding="utf-8")
        return ["-reconfigure", f"-backend-config={file}"]

    def _plan_stack(self, name: str) -> str | None:
        options = ["-destroy"] if self._destroy else []
        options.append("-lock=false" if self._plan_roles else LOCK_TIMEOUT)
        status = self._terraform(name, "plan", f"-out={self._plan_file(name)}", "-detailed-exitcode", *options)
        if status not in (0, CHANGES):
            return self._failure(name, "plan")
        failed, text = self._program.output("show", "-json", self._plan_file(name), folder=self._stacks / name)
        if failed:
            return f"{name}: {self._program.name} show failed: {text.decode(errors='replace').strip()}"
        self._json(name).write_bytes(text)
        self._set(name, "planned" if status == CHANGES else "unchanged")
        return None

    def _apply_stack(self, name: str) -> str | None:
        if self._stopped.is_set():
            return None
        self._set(name, "applying")
        before = self.log(name).stat().st_size

        def watch() -> None:
            with self.log(name).open("rb") as log:
                log.seek(before)
                self._report(name, "applying", len(COMPLETE.findall(log.read())))

        if self._terraform(name, "apply", LOCK_TIMEOUT, self._plan_file(name), watch=watch):
            self._stopped.set()
            self._set(name, "failed")
            return self._failure(name, "apply")
        self._set(name, "applied")
        return None

    def _set(self, name: str, progress: Progress) -> None:
        with self._write:
            self._run.stacks[name] = progress
            self._run.write(self.folder / "run.json")
        self._report(name, progress, 0)

    def _failure(self, name: str, command: str) -> str:
        log = self.log(name)
        return f"{name}: {self._program.name} {command} failed; everything it said is in {log}\n{last_lines(log)}"

    def _way_on(self) -> Iterator[str]:
        """What is done, what is not, and what to do now."""
        applied, planned = self._run.of("applied"), self._run.of("planned")
        yield f"applied: {', '.join(applied) or 'nothing'}; not begun: {', '.join(planned) or 'nothing'}"
        yield "to go on: remove the cause and run the same command again; it leaves out what is applied"
        yield (
            "to go back: take the sources of what was deployed before (such as `git checkout` of that commit) and run "
            "`backbone deploy`; it plans the way back from wherever each stack is now"
        )


@contextmanager
def locked(stacks: Path) -> Iterator[None]:
    """Keep other deployments of the same folder out; MachineError when there is one already."""
    folder = stacks / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        with lock:
            yield
    except Timeout:
        raise MachineError(
            f"{folder}: another deployment of these stacks is running; wait until it has ended"
        ) from None
