"""Findings about functions' code, layers and settings, before anything runs."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backbone.system import reader
from backbone.system.findings import Finding

LAYER = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"
CODE = {"app/__init__.py": "", "app/handlers.py": "def handle(event, context): ..."}
ROLE = {
    "provider": "aws.a",
    "name": "r",
    "assume_role_policy": json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    ),
}


RULES = {"BB190", *(f"BB{number}" for number in range(310, 318))}


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def findings(folder: Path, files: Mapping[str, str] | bytes | None = CODE, **body: Any) -> list[Finding]:
    """The findings about a function with some body."""
    stack = folder / "stacks" / "s"
    stack.mkdir(parents=True)
    content = files if isinstance(files, bytes) else zipped(files or {})
    if files is not None:
        (stack / "f.zip").write_bytes(content)
    function = {
        "provider": "aws.a",
        "function_name": "f",
        "filename": "f.zip",
        "source_code_hash": base64.b64encode(hashlib.sha256(content).digest()).decode(),
        "handler": "app.handlers.handle",
        "runtime": "python3.11",
        "architectures": ["arm64"],
        "role": "${aws_iam_role.r.arn}",
        **body,
    }
    function = {name: value for name, value in function.items() if value is not None}
    read = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.100.0"}}},
        "provider": {"aws": [{"alias": "a", "region": "eu-west-1", "allowed_account_ids": ["111111111111"]}]},
        "resource": {"aws_iam_role": {"r": ROLE}, "aws_lambda_function": {"f": function}},
    }
    (stack / "cdk.tf.json").write_text(json.dumps(read))
    return [one for one in reader.read(folder).findings if one.rule in RULES]


def said(folder: Path, *args: Any, **body: Any) -> list[tuple[str, str, str]]:
    found = findings(folder, *args, **body)
    assert {one.address for one in found} <= {"s/aws_lambda_function.f"}
    return [(one.severity, one.rule, one.message.replace(str(folder), "FOLDER")) for one in found]


def test_nothing_is_wrong(tmp_path: Path) -> None:
    assert said(tmp_path) == []


NEWER = f"python3.{sys.version_info.minor + 1}"
OURS = f"python3.{sys.version_info.minor}"
WITH_LAYER = {"layers": [LAYER], "runtime": "python3.13"}

HANDLERS: dict[str, tuple[dict[str, str], str, str | None]] = {
    "a function": (CODE, "app.handlers.handle", None),
    "a path with slashes": (CODE, "app/handlers.handle", None),
    "a package": ({"app/__init__.py": "async def handle(event, context): ..."}, "app.handle", None),
    "a name": ({"app.py": "handle = other"}, "app.handle", None),
    "one of two names": ({"app.py": "one, [handle, *_] = other"}, "app.handle", None),
    "a name with a type": ({"app.py": "handle: object = other"}, "app.handle", None),
    "an import": ({"app.py": "from x import y as handle"}, "app.handle", None),
    "in a branch": ({"app.py": "try:\n  import x\nexcept ImportError:\n  def handle(e, c): ..."}, "app.handle", None),
    "in a match": ({"app.py": "match x:\n  case 1:\n    handle = 1"}, "app.handle", None),
    "an assignment in a test": ({"app.py": "if (handle := 1): ..."}, "app.handle", None),
    "what a star brings": ({"app.py": "from x import *"}, "app.handle", None),
    "what is made when asked for": ({"app.py": "def __getattr__(name): ..."}, "app.handle", None),
    "a local name": (
        {"app.py": "def other():\n  handle = 1\nclass A:\n  def handle(self): ..."},
        "app.handle",
        "the handler is app.handle, but app.py defines no handle",
    ),
    "another name": (
        CODE,
        "app.handlers.handel",
        "the handler is app.handlers.handel, but app/handlers.py defines no handel",
    ),
    "no such module": (
        CODE,
        "app.handler.handle",
        "the handler is app.handler.handle, but the zip has no app/handler.py",
    ),
    "no module": (CODE, "handle", "got the handler 'handle'; allowed: MODULE.FUNCTION"),
}


@pytest.mark.parametrize("case", HANDLERS)
def test_the_handler_is_looked_for_without_importing_it(tmp_path: Path, case: str) -> None:
    files, handler, words = HANDLERS[case]
    assert said(tmp_path, files, handler=handler) == ([("error", "BB311", words)] if words else [])


@pytest.mark.parametrize(
    ("layer", "missing"),
    [
        ("arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Python313-ARM:100", False),
        ("arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27", True),
    ],
)
def test_a_handler_may_come_from_a_layer_that_may_have_it(tmp_path: Path, layer: str, missing: bool) -> None:
    found = said(tmp_path, CODE, handler="datadog_lambda.handler.handler", layers=[layer], runtime="python3.13")
    assert ("BB311" in {rule for _, rule, _ in found}) is missing


CASES: dict[str, tuple[Mapping[str, str] | bytes | None, dict[str, Any], list[tuple[str, str, str]]]] = {
    "no zip": (
        None,
        {},
        [
            (
                "error",
                "BB310",
                "FOLDER/stacks/s/f.zip: cannot be read: No such file or directory; run `backbone synth` again",
            )
        ],
    ),
    "no real zip": (
        b"x",
        {},
        [("error", "BB310", "FOLDER/stacks/s/f.zip: is no zip; run `backbone synth` again")],
    ),
    "syntax that is none": (
        CODE | {"app/other.py": "x =\n1 +"},
        {"runtime": OURS},
        [("error", "BB315", f"app/other.py: line 1: invalid syntax; the runtime is {OURS}")],
    ),
    "syntax that is newer": (
        CODE | {"app/other.py": "match x:\n  case 1: ..."},
        {"runtime": "python3.9"},
        [
            ("warning", "BB314", "python3.9 is deprecated; name a later one"),
            (
                "error",
                "BB315",
                "app/other.py: line 2: Pattern matching is only supported in Python 3.10 and greater; the "
                "runtime is python3.9",
            ),
        ],
    ),
    "syntax that may be newer than this Python": (
        CODE | {"app/other.py": "type X ="},
        {"runtime": NEWER},
        [
            (
                "warning",
                "BB315",
                f"app/other.py: line 1: invalid syntax, says Python 3.{sys.version_info.minor} here, which is older "
                f"than {NEWER}; use that here as well",
            )
        ],
    ),
    "packages in the zip are not read": (CODE | {"package/old.py": "print 1"}, {}, []),
    "an image": (
        CODE,
        {
            "package_type": "Image",
            "image_uri": "x",
            "filename": None,
            "handler": None,
            "runtime": None,
            "source_code_hash": None,
        },
        [("note", "BB190", "is not simulated: only functions whose zip lies beside the stack are")],
    ),
    "another language": (
        CODE,
        {"runtime": "nodejs22.x"},
        [("note", "BB190", "is not simulated: its runtime is nodejs22.x, not Python")],
    ),
    "a layer that fits": (CODE, WITH_LAYER, []),
    "a layer of another region": (
        CODE,
        WITH_LAYER | {"layers": [LAYER.replace("eu-west-1", "eu-west-2")]},
        [
            (
                "error",
                "BB316",
                f"the layer {LAYER.replace('eu-west-1', 'eu-west-2')} is in eu-west-2; allowed: eu-west-1, the "
                "function's region",
            )
        ],
    ),
    "a layer of another architecture": (
        CODE,
        WITH_LAYER | {"architectures": ["x86_64"]},
        [("error", "BB316", f"the layer {LAYER} is made for arm64; the function runs on x86_64")],
    ),
    "the architecture that is the default": (
        CODE,
        WITH_LAYER | {"architectures": None},
        [("error", "BB316", f"the layer {LAYER} is made for arm64; the function runs on x86_64")],
    ),
    "a layer of another runtime": (
        CODE,
        WITH_LAYER | {"runtime": "python3.12"},
        [("error", "BB316", f"the layer {LAYER} is made for python3.13; the function runs on python3.12")],
    ),
    "a layer named like a public one, of another account": (
        CODE,
        WITH_LAYER | {"layers": [LAYER.replace("017000801446", "222222222222")]},
        [
            (
                "warning",
                "BB317",
                f"nothing is known of the layer {LAYER.replace('017000801446', '222222222222')}: here the function can "
                "import nothing of it",
            )
        ],
    ),
    "a layer twice": (
        CODE,
        WITH_LAYER | {"layers": [LAYER, LAYER.replace(":27", ":26")]},
        [("error", "BB316", f"the layer {LAYER.removesuffix(':27')} is given twice")],
    ),
    "an unknown layer": (
        CODE,
        {"layers": ["arn:aws:lambda:eu-west-1:111111111111:layer:mine:1"]},
        [
            (
                "warning",
                "BB317",
                "nothing is known of the layer arn:aws:lambda:eu-west-1:111111111111:layer:mine:1: here the function "
                "can import nothing of it",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(tmp_path: Path, case: str) -> None:
    files, body, expected = CASES[case]
    assert said(tmp_path, files, **body) == expected


def test_no_hash(tmp_path: Path) -> None:
    ((severity, rule, words),) = said(tmp_path, source_code_hash=None)
    assert (severity, rule) == ("warning", "BB313")
    assert words.startswith("source_code_hash: is not given")


def test_a_hash_of_other_code(tmp_path: Path) -> None:
    ((severity, rule, words),) = said(tmp_path, source_code_hash="abc=")
    assert (severity, rule) == ("error", "BB313")
    assert words.startswith("source_code_hash is abc=, but that of the zip is ")


def test_code_that_is_too_large(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app/handlers.py", CODE["app/handlers.py"])
        archive.writestr("data", b"\0" * (251 * 1024**2))
    assert said(tmp_path, content.getvalue()) == [("error", "BB312", "the unpacked code has 251.0 MB; allowed: 250 MB")]
