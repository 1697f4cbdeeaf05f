"""The documentation is about what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import backbone
from backbone.cli import commands  # noqa: F401  (adds them)
from backbone.cli.app import app
from scripts.pages import DOCS, pages
from tests.conftest import ROOT
from tests.docs.documents import DOCUMENTS, code

GROUP = typer.main.get_command(app)
COMMANDS = {
    name: {option for parameter in command.params for option in parameter.opts if option.startswith("-")} | {"--help"}
    for name, command in GROUP.commands.items()  # type: ignore[attr-defined]
}
GLOBAL_OPTIONS = {option for parameter in GROUP.params for option in parameter.opts} | {"--help"}
CALL = re.compile(r"(?:^|[\s|$])backbone +([a-z][a-z-]*|--[a-z-]+)([^|]*)")
IDS = [str(file.relative_to(ROOT)) for file in DOCUMENTS]


@pytest.mark.parametrize("page", pages())
def test_pages_made_of_code_and_tests_are_fresh(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == pages()[page], "run make docs"


def test_the_commands_are_found() -> None:
    assert {"match", "synth", "simulate", "up", "validate"} <= COMMANDS.keys()
    assert "--event" in COMMANDS["match"]
    assert CALL.search("$ echo x | backbone match --pattern -") is not None


@pytest.mark.parametrize("file", DOCUMENTS, ids=IDS)
def test_every_command_exists(file: Path) -> None:
    for line in code(file):
        for name, arguments in CALL.findall(line):
            if name.startswith("--"):
                assert name in GLOBAL_OPTIONS, line
                continue
            assert name in COMMANDS, line
            options = set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", arguments))
            assert options <= COMMANDS[name], line


@pytest.mark.parametrize("file", DOCUMENTS, ids=IDS)
def test_every_target_of_make_exists(file: Path) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = [target for line in code(file) for target in re.findall(r"^(?:\$ )?make ([a-z0-9-]+)", line)]
    assert set(named) <= set(targets)


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^## backbone ([a-z-]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert parts.keys() == COMMANDS.keys()
    assert "Every command takes `--env NAME`" in text
    assert all("--env" in options for options in COMMANDS.values())
    for name, options in COMMANDS.items():
        documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", parts[name]))
        assert {option for option in options if option.startswith("--")} - {"--env", "--help"} <= documented, name


def test_the_public_names_are_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert {name for name in backbone.__all__ if not re.search(rf"`{name}\b", text)} == set()


@pytest.mark.parametrize("file", sorted(ROOT.glob("*.md")), ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").glob("*.md")))
    loaded = re.compile(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?(?:https?:)?//""")
    assert [page.name for page in pages if loaded.search(page.read_text(encoding="utf-8"))] == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\S+\.md)\)", (folder / "index.md").read_text(encoding="utf-8"))
    assert listed == sorted(file.name for file in folder.glob("0*.md"))
