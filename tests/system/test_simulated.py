"""A resource argument is honoured, or is said not to be simulated: every argument that the provider knows."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from backbone.system import http_model, mapping, model, reader, terraform, values
from backbone.system.arguments import known, schema
from backbone.system.arguments.simulated import JUDGED, NEUTRAL, NOT_SIMULATED, SAID, notes
from backbone.system.resources import ATTACHED, LOGS_POLICY, READ_ALONG, RESOURCES, WITHOUT_PART
from tests.aws.systems import Terraform
from tests.conftest import EXAMPLES
from tests.system.mutations import BODIES

READ = {*RESOURCES, *ATTACHED, LOGS_POLICY, *READ_ALONG, *WITHOUT_PART}
EVERYTHING = yaml.safe_load(Path(__file__).with_name("everything.yaml").read_text())

Asked = Mapping[str, set[str]]


@pytest.fixture(scope="module")
def asked(stacks: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Asked, Asked]:
    """The arguments of each type that are asked for when systems are read, and then when they are checked."""
    reading, checking = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    now, value, attribute = reading, values.Values.value, terraform.Configuration._value

    def ask(self: values.Values, name: str) -> Any:
        now[self.block.type].add(self.path + name)
        return value(self, name)

    def ask_attribute(self: terraform.Configuration, block: terraform.Block, name: str) -> Any:
        now[block.type].add(name)
        return attribute(self, block, name)

    folder = tmp_path_factory.mktemp("everything")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values.Values, "value", ask)
        patch.setattr(terraform.Configuration, "_value", ask_attribute)
        for each in (Terraform(EVERYTHING["system"], EVERYTHING["blocks"]).write(folder), *map(stacks, EXAMPLES)):
            now = reading
            found = reader.read(each)
            now = checking
            assert found.findings is not None
    return reading, checking


def is_below(path: str, places: tuple[str, ...] | Mapping[str, object]) -> bool:
    return any(path == place or path.startswith(f"{place}.") for place in places)


def blocks_of(kind: str) -> set[str]:
    return {path.rpartition(".")[0] for path in known(kind) if "." in path}


@pytest.mark.parametrize("kind", sorted(READ))
def test_every_argument_is_honoured_or_listed(kind: str, asked: tuple[Asked, Asked]) -> None:
    reading, checking = asked
    neutral, judged = (*NEUTRAL[""], *NEUTRAL.get(kind, ()), *SAID.get(kind, ())), JUDGED.get(kind, ())
    listed = {*NEUTRAL.get(kind, ()), *SAID.get(kind, ()), *judged, *NOT_SIMULATED.get(kind, {})}
    assert known(kind)
    assert listed <= known(kind), "a list names what the provider does not have"
    for path in known(kind) - {"region"}:
        is_honoured = path in reading[kind]
        is_listed = is_below(path, neutral) or is_below(path, judged) or is_below(path, NOT_SIMULATED.get(kind, {}))
        assert is_honoured or is_listed, f"{path} does nothing, and nothing says so"
        if path not in blocks_of(kind):
            assert not (is_honoured and is_listed), f"{path} is honoured, and said not to be"
    assert {path.partition(".")[0] for path in judged} <= {path.partition(".")[0] for path in checking[kind]}


@pytest.mark.parametrize("kind", sorted(schema.types()))
def test_what_is_not_simulated_is_said(kind: str) -> None:
    """Each argument by itself, given as the schema has it, is noted once, in words of its own."""
    for path, note in NOT_SIMULATED.get(kind, {}).items():
        body: Any = "given"
        for name in reversed(path.split(".")):
            body = {name: body}
        (found,) = notes(kind, body)
        assert (found.path, found.severity) == (path, "note")
        assert found.message == f"not simulated: {note.words}"
        for value in note.unless:
            assert list(notes(kind, {path: value})) == []
    for body in BODIES[kind]:
        assert len({found.path for found in notes(kind, body)}) == len(list(notes(kind, body)))
    assert list(notes(kind, {})) == []


def test_what_is_read_is_used() -> None:
    """Every field of the model has a reader: the simulator, a decision about access or a finding."""
    package = Path(reader.__file__).parent.parent
    files = [*package.glob("simulator/*.py"), *package.glob("system/checks/*.py"), *package.glob("views/*.py")]
    files += [package / "system" / name for name in ("access.py", "layers.py", "mapping.py", "model.py")]
    used = {
        node.attr
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    fields = {
        f"{kind.__name__}.{field.name}"
        for module in (http_model, mapping, model)
        for kind in vars(module).values()
        if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__
        for field in dataclass_fields(kind)
    }
    assert {field for field in fields if field.partition(".")[2] not in used} == set()


def test_the_finding_says_it_once(tmp_path: Path) -> None:
    system = {
        "queue": {"q": {}},
        "function": {"f": {"file_system_config": [{"arn": "a", "local_mount_path": "/mnt/a"}]}},
    }
    found = reader.read(Terraform(system).write(tmp_path)).findings
    said = [str(one) for one in found if one.rule == "BB190"]
    assert said == ["s/aws_lambda_function.f: file_system_config: not simulated: the file system is not mounted"]


@pytest.mark.parametrize("argument", SAID["aws_lambda_function"])
def test_a_function_without_a_zip_is_said(tmp_path: Path, argument: str) -> None:
    function = {"provider": "aws.a", "function_name": "g", "role": "${aws_iam_role.account-a.arn}", argument: "given"}
    found = reader.read(Terraform({}, {"aws_lambda_function": {"g": function}}).write(tmp_path)).findings
    assert [str(one) for one in found if one.rule == "BB190"] == [
        "s/aws_lambda_function.g: is not simulated: only functions whose zip lies beside the stack are"
    ]


def test_a_type_that_is_not_read_is_said(tmp_path: Path) -> None:
    for kind in {*schema.types()} - READ:
        blocks = {kind: {"x": {"provider": "aws.a", **BODIES[kind][0]}}}
        found = reader.read(Terraform({}, blocks).write(tmp_path / kind)).findings
        assert f"s/{kind}.x: this type is not simulated" in [str(one) for one in found if one.rule == "BB190"]
