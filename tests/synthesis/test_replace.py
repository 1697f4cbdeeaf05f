"""Files that are replaced together: all of them or none, whatever fails and whoever else writes."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from backbone.synthesis.replace import LOCK, WORK, replacing

OURS = ("stacks/*/cdk.tf.json",)
MARK = "backbone.json"
OLD = {"stacks/a/cdk.tf.json": "old a", "stacks/b/cdk.tf.json": "old b", "manifest.json": "same", MARK: "old"}
NEW = {"stacks/a/cdk.tf.json": "new a", "stacks/c/cdk.tf.json": "new c", "manifest.json": "same", MARK: "new"}
OTHERS = {"stacks/b/terraform.tfvars": "x = 1", "stacks/a/.terraform/lock": "1", "notes.txt": "mine"}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def replace(folder: Path, files: dict[str, str]) -> None:
    with replacing(folder, ours=OURS, last=MARK) as new:
        write(new, files)


def found(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != LOCK)
    return {file.relative_to(folder).as_posix(): file.read_text() for file in files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an earlier synth, Terraform and the user left."""
    write(tmp_path, OLD | OTHERS)
    return tmp_path


def test_what_is_new_replaces_what_was_ours_and_all_else_stays(folder: Path) -> None:
    replace(folder, NEW)
    assert found(folder) == NEW | OTHERS
    assert not (folder / WORK).exists()


def test_the_first_time(tmp_path: Path) -> None:
    replace(tmp_path / "deep" / "out", NEW)
    assert found(tmp_path / "deep" / "out") == NEW


def test_what_is_the_same_is_not_touched(folder: Path) -> None:
    def times() -> dict[Path, int]:
        return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}

    before = times()
    replace(folder, OLD)
    assert {file: time for file, time in times().items() if file.name != LOCK} == before


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_failure_in_the_block_leaves_all_as_it_was(folder: Path, failure: BaseException) -> None:
    def fail(new: Path) -> None:
        write(new, NEW)
        raise failure

    with pytest.raises(type(failure)), replacing(folder, ours=OURS, last=MARK) as new:
        fail(new)
    assert found(folder) == OLD | OTHERS


def replace_with_failure(folder: Path, step: int, failure: BaseException) -> int:
    """Replace, and let the step with a number fail, of those that follow the block; returns how many there were."""
    steps = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == step:
                raise failure
            return call(*args, **options)

        return count

    with (
        pytest.MonkeyPatch.context() as patched,
        suppress(type(failure)),
        replacing(folder, ours=OURS, last=MARK) as new,
    ):
        write(new, NEW)
        for owner, name in ((Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (shutil, "copy2")):
            patched.setattr(owner, name, counted(getattr(owner, name)))
    return steps


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_failure_of_any_step_leaves_all_as_it_was(folder: Path, failure: BaseException) -> None:
    steps = replace_with_failure(folder, 0, failure)
    assert found(folder) == NEW | OTHERS
    assert steps > 10
    for step in range(1, steps + 1):
        shutil.rmtree(folder)
        write(folder, OLD | OTHERS)
        replace_with_failure(folder, step, failure)
        assert found(folder) == OLD | OTHERS, step


def test_what_a_killed_synth_left_is_removed(folder: Path) -> None:
    write(folder / WORK, {"new/stacks/x/cdk.tf.json": "half"})
    replace(folder, NEW)
    assert found(folder) == NEW | OTHERS


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OSError, match="exists"):
        replace(tmp_path / "out", NEW)


WRITER = """
import sys, time
from pathlib import Path
from backbone.synthesis.replace import replacing
folder, name = Path(sys.argv[1]), sys.argv[2]
for number in range(20):
    with replacing(folder, ours=["stacks/*/cdk.tf.json"], last="backbone.json") as new:
        for stack in ("a", "b", "only-" + name):
            (new / "stacks" / stack).mkdir(parents=True)
            (new / "stacks" / stack / "cdk.tf.json").write_text(name)
            time.sleep(0.001)
        (new / "backbone.json").write_text(name)
    with open(folder / "log", "a") as log:
        log.write(name)
"""


def test_two_at_once_wait_for_each_other(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    both = [subprocess.Popen([*command, name], stderr=subprocess.PIPE) for name in ("x", "y")]
    assert [one.communicate()[1] for one in both] == [b"", b""]
    log = (tmp_path / "log").read_text()
    assert sorted(log) == ["x"] * 20 + ["y"] * 20
    files = found(tmp_path)
    (name,) = {text for path, text in files.items() if path != "log"}
    assert files.keys() == {"log", MARK, *(f"stacks/{one}/cdk.tf.json" for one in ("a", "b", f"only-{name}"))}
