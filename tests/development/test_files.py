"""Files are written all together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from backbone.development.files import write_all
from backbone.errors import MachineError


def contents(folder: Path) -> dict[str, str | None]:
    """Everything below a folder: the text of files, nothing for folders."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "old").write_text("as it was")
    (tmp_path / "link").symlink_to("old")
    return tmp_path


def test_all_are_written(folder: Path) -> None:
    (folder / "old").chmod(0o600)
    write_all({folder / "a" / "b" / "new": "1\n", folder / "link": "2"})
    assert contents(folder) == {"a": None, "a/b": None, "a/b/new": "1\n", "link": "2", "old": "2"}
    assert (folder / "link").is_symlink()
    assert (folder / "old").stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_of_what_cannot_be_written(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(MachineError, match=r"old/b: cannot be written: .*; nothing was changed"):
        write_all({folder / "link": "2", folder / "a" / "new": "1", folder / "old" / "b": "3"})
    assert contents(folder) == before


@pytest.mark.parametrize("step", range(1, 3))
def test_an_interruption_while_names_change_undoes_it(folder: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    before = contents(folder)
    replace, steps = Path.replace, iter(range(1, 100))

    def interrupted(self: Path, target: Path) -> Path:
        if next(steps) == step:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all({folder / "a" / "new": "1", folder / "old": "2", folder / "last": "3"})
    assert contents(folder) == before
