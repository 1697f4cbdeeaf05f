"""The code of functions: whether the zip is there, of a size that Lambda takes, and has the handler for its runtime.

Sources: Lambda developer guide, "Lambda quotas", "Lambda runtimes" and "Define Lambda function handler in Python".
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

from backbone.aws.limits import CODE_UNZIPPED_BYTES, CODE_ZIPPED_BYTES
from backbone.manifest import Manifest
from backbone.system import layers
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, System

__all__ = ["check"]

DEPRECATED = {"python2.7", "python3.6", "python3.7", "python3.8", "python3.9"}
"""The Python runtimes that AWS supports no more."""


@dataclass(frozen=True)
class _Module:
    """The source of a module: the names that it defines, None where that cannot be told, or why it cannot be read."""

    names: frozenset[str] | None = None
    problem: str | None = None


def check(system: System, manifest: Manifest | None) -> Iterator[Finding]:
    """What is wrong with the code of functions; without a manifest nothing is known of how synth made it."""
    made = _made(manifest) if manifest else {}
    for function in system.of(Function):
        if function.code is None:
            words = "is not simulated: only functions whose zip lies beside the stack are"
            yield finding("BB190", function.address, words)
        elif not function.runtime.startswith("python"):
            yield finding("BB190", function.address, f"is not simulated: its runtime is {function.runtime}, not Python")
        else:
            yield from _python(system, function, made)


def _made(manifest: Manifest) -> dict[str, str]:
    """The digests of the zips that synth made, by the stack and the path from its folder."""
    return {f"{stack.name}/{path}": digest for stack in manifest.stacks for path, digest in stack.files.items()}


def _python(system: System, function: Function, made: Mapping[str, str]) -> Iterator[Finding]:
    address = function.address
    if function.runtime in DEPRECATED:
        yield finding("BB314", address, f"{function.runtime} is deprecated; name a later one")
    try:
        content = function.code.read_bytes() if function.code else b""
        archive = zipfile.ZipFile(BytesIO(content))
    except OSError as error:
        yield finding(
            "BB310", address, f"{function.code}: cannot be read: {error.strerror}; run `backbone synth` again"
        )
        return
    except zipfile.BadZipFile:
        yield finding("BB310", address, f"{function.code}: is no zip; run `backbone synth` again")
        return
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if not function.code_hash:
        words = "source_code_hash: is not given: an apply deploys no new code as long as the zip's name is the same"
        yield finding("BB313", address, words, severity="warning")
    elif function.code_hash != digest:
        words = f"source_code_hash is {function.code_hash}, but that of the zip is {digest}; run `backbone synth` again"
        yield finding("BB313", address, words)
    if function.code and made.get("/".join(function.code.parts[-3:]), digest) != digest:
        yield finding("BB318", address, f"{function.code.name} has other code than synth packed into it")
    with archive:
        yield from _sizes(address, archive, len(content))
        yield from _handler(system, function, archive)


def _sizes(address: str, archive: zipfile.ZipFile, zipped: int) -> Iterator[Finding]:
    unzipped = sum(entry.file_size for entry in archive.infolist())
    for size, allowed, what in ((zipped, CODE_ZIPPED_BYTES, "zip"), (unzipped, CODE_UNZIPPED_BYTES, "unpacked code")):
        if size > allowed:
            words = f"the {what} has {size / 1024**2:,.1f} MB; allowed: {allowed // 1024**2} MB"
            yield finding("BB312", address, words)


def _handler(system: System, function: Function, archive: zipfile.ZipFile) -> Iterator[Finding]:
    address, minor = function.address, int(re.sub(r"\D", "", function.runtime.partition(".")[2]) or 0)
    module, dot, name = function.handler.rpartition(".")
    path = module.replace(".", "/")
    if not dot:
        yield finding("BB311", address, f"got the handler {function.handler!r}; allowed: MODULE.FUNCTION")
        return
    names = archive.namelist()
    file = next((name for name in (f"{path}/__init__.py", f"{path}.py") if name in names), None)
    if file is None and not _in_a_layer(system, function, module):
        yield finding("BB311", address, f"the handler is {function.handler}, but the zip has no {path}.py")
    top = path.partition("/")[0]
    for file_name in names:
        if file_name == file or (file_name.startswith(f"{top}/") and file_name.endswith(".py")):
            found = _module(archive.read(file_name), minor)
            if found.problem is not None:
                yield _unreadable(function, file_name, found.problem, minor)
            elif file_name == file and found.names is not None and name not in found.names:
                words = f"the handler is {function.handler}, but {file_name} defines no {name}"
                yield finding("BB311", address, words)


def _unreadable(function: Function, file: str, problem: str, minor: int) -> Finding:
    ours = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    if sys.version_info.minor < minor:
        words = f"{file}: {problem}, says {ours} here, which is older than {function.runtime}; use that here as well"
        return finding("BB315", function.address, words, severity="warning")
    return finding("BB315", function.address, f"{file}: {problem}; the runtime is {function.runtime}")


def _in_a_layer(system: System, function: Function, module: str) -> bool:
    """Whether a layer may have a module: one whose packages are not known, or have a name like the module's."""
    known = [layers.packages(system, layer) for layer in function.layers]
    top = module.replace("/", ".").partition(".")[0].replace("_", "-").lower()
    return any(
        found is None or any(name.lower().replace("_", "-").startswith(top) for name in found) for found in known
    )


@lru_cache(maxsize=4096)
def _module(source: bytes, minor: int) -> _Module:
    """The source of a module for Python 3.`minor`, as far as this Python knows that."""
    try:
        tree = ast.parse(source, feature_version=(3, min(minor, sys.version_info.minor)))
    except (SyntaxError, ValueError) as error:
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        return _Module(problem=f"{line}{error.msg if isinstance(error, SyntaxError) else error}")
    names = set(_defined(tree.body))
    return _Module(None if names & {"*", "__getattr__"} else frozenset(names))


def _defined(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that statements bind, those within them as well, but for the bodies of functions and classes."""
    for statement in statements:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name
            case ast.Import() | ast.ImportFrom():
                yield from (name.asname or name.name.partition(".")[0] for name in statement.names)
            case _:
                yield from _bound(statement)


def _bound(statement: ast.stmt) -> Iterator[str]:
    blocks: list[Any] = [statement]
    while blocks:
        node = blocks.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                yield from _defined([child])
            else:
                blocks.append(child)
