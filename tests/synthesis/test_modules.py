"""The code of services: found, run, and compared with what the file says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backbone.synthesis.modules import ModuleError
from backbone.topology import parse
from tests.synthesis import synthesize

TEXT = """
name: shop
region: eu-west-1
accounts: {bus: {id: "111111111111"}}
bus: {account: bus}
services: {s: {account: bus, publishes: [T], module: mine.made}}
"""
GOOD = """
def build(service):
    service.grant_publish(service.function("f", handler="mine.made.f"), "T")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a module `mine.made` that can be imported for as long as the test runs."""
    folder = tmp_path / "mine" / "made"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("")
    (folder / "service.py").write_text(GOOD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    yield folder
    for name in [one for one in sys.modules if one.partition(".")[0] == "mine"]:
        del sys.modules[name]


def failure(tmp_path: Path) -> list[str]:
    with pytest.raises(ModuleError) as caught:
        synthesize(parse(TEXT), tmp_path / "out")
    assert not (tmp_path / "out" / "stacks").exists()
    return str(caught.value).splitlines()


def test_a_module_that_works(module: Path, tmp_path: Path) -> None:
    (stack,) = synthesize(parse(TEXT), tmp_path / "out").values()
    (function,) = stack["resource"]["aws_lambda_function"].values()
    assert function["handler"] == "mine.made.f"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("service.function('f')", "TypeError: Service.function() missing 1 required keyword-only argument: 'handler'"),
        ("service.function('f', handler='x', memory=1)", "TypeError: Function.__init__() got an unexpected keyword"),
        ("service.function('f', handler=5)", "RuntimeError: Passed to parameter config of new @cdktf/provider-aws"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("open('none.json')", "FileNotFoundError: [Errno 2] No such file or directory: 'none.json'"),
    ],
)
def test_an_error_while_it_builds_shows_the_lines_of_the_users_files_only(
    module: Path, tmp_path: Path, line: str, what: str
) -> None:
    helper = f"def helped(service):\n    {line}\n"
    (module / "parts.py").write_text(helper)
    (module / "service.py").write_text(
        "from mine.made.parts import helped\n\ndef build(service):\n    helped(service)\n"
    )
    first, *others = failure(tmp_path)
    assert first.startswith(f"services.s.module: mine.made fails: {what}")
    assert others[-2:] == [
        "  mine/made/service.py:4, in build: helped(service)",
        f"  mine/made/parts.py:2, in helped: {line}",
    ]
    assert not any("site-packages" in line or "backbone" in line for line in others)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import no_such_thing",
            [
                "services.s.module: mine.made fails: ModuleNotFoundError: No module named 'no_such_thing'",
                "  mine/made/service.py:1, in <module>: import no_such_thing",
            ],
        ),
        (
            "def build(service)\n    pass",
            [
                'services.s.module: mine.made fails: File "FOLDER/mine/made/service.py", line 1',
                "    def build(service)",
                "                      ^",
                "SyntaxError: expected ':'",
            ],
        ),
    ],
)
def test_a_module_that_cannot_be_imported(module: Path, tmp_path: Path, text: str, expected: list[str]) -> None:
    (module / "service.py").write_text(text)
    assert [line.replace(str(tmp_path), "FOLDER") for line in failure(tmp_path)] == expected


def test_a_parent_package_that_fails_is_not_a_module_that_is_not_there(module: Path, tmp_path: Path) -> None:
    (module.parent / "__init__.py").write_text("import no_such_thing")
    assert failure(tmp_path) == [
        "services.s.module: mine.made fails: ModuleNotFoundError: No module named 'no_such_thing'",
        "  mine/__init__.py:1, in <module>: import no_such_thing",
    ]


@pytest.mark.parametrize("text", ["", "build = 5"])
def test_a_module_without_build(module: Path, tmp_path: Path, text: str) -> None:
    (module / "service.py").write_text(text)
    message = "services.s.module: got 'mine.made'; allowed: a package whose service.py has a function build(service)"
    assert failure(tmp_path) == [message]
