"""How the rooms of the house hang together: who may import whom, and how large a file may be.

Every import counts, also one in a function or for types only.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

LEFT = {"topology", "constructs", "synthesis", "cdk"}
"""What leads to the Terraform JSON."""
RIGHT = {"system", "simulator", "deployment", "views", "trace", "patterns", "operations"}
"""What starts from the Terraform JSON."""
PURE = {"aws", "topology", "patterns", "system", "trace", "views", "manifest", "errors"}
IMPURE_PACKAGES = {"cdktf", "cdktf_cdktf_provider_aws", "constructs", "jsii", "boto3", "botocore", "moto"}
RUNTIME_PACKAGES = {"aws_lambda_powertools", "boto3", "botocore", "pydantic"}
"""What is on Lambda, or in its Powertools layer, for code that ships with a function."""
MAX_LINES = 400

Imports = dict[str, set[str]]
"""The modules that each module names in its imports."""


def module_of(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def named(file: Path) -> Iterator[str]:
    """Everything that could be a module in the imports of a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def read(root: Path, *folders: str) -> Imports:
    files = {module_of(file, root): file for folder in folders for file in sorted((root / folder).rglob("*.py"))}
    own = {folder.partition("/")[0] for folder in folders}
    found: Imports = {}
    for module, file in files.items():
        names = set(named(file))
        # `from package import module` names the module; of others, the package is what counts.
        submodules = {name for name in names if name in files}
        packages = {name for name in submodules if any(other.rpartition(".")[0] == name for other in submodules)}
        outside = {name.partition(".")[0] for name in names} - own
        found[module] = (submodules - packages | outside) - {module}
    return found


def reached(imports: Imports, module: str) -> set[str]:
    """What a module imports, what that imports, and so on, with the packages around them but the public face of all."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imports.get(name, ())
            package = name.rpartition(".")[0]
            waiting += [package] if package in imports and package != "backbone" else []
    return found


def room_of(module: str) -> str:
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "backbone" else ""


@pytest.fixture(scope="module")
def imports() -> Imports:
    return read(ROOT, "backbone", "services")


def test_no_modules_import_each_other_in_a_circle(imports: Imports) -> None:
    TopologicalSorter(imports).prepare()  # CycleError names the circle


def test_no_rooms_import_each_other_in_a_circle(imports: Imports) -> None:
    rooms: Imports = {}
    for module, names in imports.items():
        rooms.setdefault(room_of(module), set()).update(room_of(name) for name in names)
    TopologicalSorter({room: names - {room, ""} for room, names in rooms.items() if room}).prepare()


def test_what_starts_from_the_terraform_imports_nothing_of_what_leads_there(imports: Imports) -> None:
    wrong = {
        f"{module} imports {name}"
        for module, names in imports.items()
        for name in names
        if room_of(module) in RIGHT and room_of(name) in LEFT
    }
    assert wrong == set()


def test_pure_rooms_load_no_clients_and_no_constructs(imports: Imports) -> None:
    wrong = {
        f"{module} loads {name}"
        for module in imports
        if room_of(module) in PURE
        for name in reached(imports, module) & IMPURE_PACKAGES
    }
    assert wrong == set()


def test_what_ships_imports_nothing_of_the_backbone_but_the_runtime(imports: Imports) -> None:
    allowed = sys.stdlib_module_names | RUNTIME_PACKAGES
    shipped = {
        module: {name for name in names if name.startswith("backbone") or name.partition(".")[0] not in allowed}
        for module, names in imports.items()
        if room_of(module) == "runtime" or (module.startswith("services.") and not module.endswith(".service"))
    }
    wrong = {
        f"{module} imports {name}"
        for module, names in shipped.items()
        for name in names
        if not name.startswith("services.") and room_of(name) != "runtime"
    }
    assert len(shipped) > 12
    assert wrong == set()


def test_only_the_command_line_prints(imports: Imports) -> None:
    assert {room_of(module) for module, names in imports.items() if names & {"rich", "typer"}} == {"cli"}


def test_no_file_is_long() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for folder in ("backbone", "services")
        for file in (ROOT / folder).rglob("*.py")
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}


@pytest.mark.parametrize(
    "text",
    [
        "from p.b import name",
        "from p import b",
        "import p.b",
        "def late() -> None:\n    from p.b import name",
        "if TYPE_CHECKING:\n    from p.b import name",
    ],
)
def test_every_kind_of_circle_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "p").mkdir()
    for name, content in {"__init__": "", "a": text, "b": "import p.c\nimport boto3.session", "c": "import os"}.items():
        (tmp_path / "p" / f"{name}.py").write_text(content)
    imports = read(tmp_path, "p")
    assert imports == {"p": set(), "p.a": imports["p.a"], "p.b": {"p.c", "boto3"}, "p.c": {"os"}}
    assert "p.b" in imports["p.a"]
    assert reached(imports, "p.a") >= {"p.a", "p.b", "p.c", "p", "boto3"}
    TopologicalSorter(imports).prepare()
    (tmp_path / "p" / "c.py").write_text("from p.a import late")
    with pytest.raises(CycleError):
        TopologicalSorter(read(tmp_path, "p")).prepare()
