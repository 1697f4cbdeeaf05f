"""A YAML file as plain values, with the line of each value.

It is stricter than YAML: duplicate keys, merge keys, tags, and aliases that expand without end are errors here, and a
number keeps the digits that it was written with.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from backbone.errors import BackboneError

__all__ = [
    "KeyPath",
    "Origin",
    "Problem",
    "Source",
    "SourceError",
    "Unquoted",
    "dotted",
    "format_value",
    "parse",
    "read",
    "suggestion",
]

KeyPath = tuple[str | int, ...]
Severity = Literal["error", "warning"]

BEGINNING = "name, region, accounts, bus and services"
MAX_BYTES = 4 << 20
MAX_DEPTH = 20
MAX_VALUES = 200_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MAP, _SEQ, _STR = f"{_TAG}map", f"{_TAG}seq", f"{_TAG}str"


_PATTERNS = frozenset({"detail", "pattern"})
"""The keys below which a file has event patterns, which AWS and its users write as JSON."""

_AMBIGUOUS = {
    "bool": ("true or false", "true or false", re.compile("yes|no|on|off", re.IGNORECASE)),
    "int": ("a number", "its decimal digits", re.compile(r"[-+]?0[0-9box_].*|.*[_:].*", re.IGNORECASE)),
    "str": ("text", "its decimal digits", re.compile(r"-?[0-9]+(\.[0-9]+)?e[-+]?[0-9]+", re.IGNORECASE)),
}
"""By YAML's kind: what a value is taken for, what to write instead, and which unquoted values JSON reads otherwise."""

_HINTS = {
    "mapping values are not allowed in this context": "; check its indentation, or put a value with a colon in quotes",
    "found character that cannot start any token": "; put the value in quotes",
    "found undefined alias": "; put a value that begins with * in quotes",
}


class Unquoted(int):
    """A whole number, with the digits that the file has (`text`): YAML reads both 012 and 0012 as ten."""

    text: str

    def __new__(cls, value: int, text: str) -> Unquoted:
        """Keep the text beside the value."""
        number = super().__new__(cls, value)
        number.text = text
        return number


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file at a place, and what to do about it, in a sentence for its author.

    An error keeps the file from being used. A warning is about what is valid and yet needs the author's attention.
    """

    file: str
    line: int | None
    path: KeyPath
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """`file:line: key.path: message`, without the line and the path where there are none."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join([place, *([dotted(self.path)] if self.path else []), self.message])


class SourceError(BackboneError):
    """A file cannot be read as YAML of the strict kind; `problems` has all its errors."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Origin:
    """Where a value was written that was laid over those of a file."""

    file: str
    path: KeyPath


@dataclass(frozen=True)
class Source:
    """The values of a file. `lines` has the line of each key path in the file; lines count from 1.

    `origins` has the place of each value that stands elsewhere in the file, or in another file.
    """

    file: str
    value: Any
    lines: Mapping[KeyPath, int] = field(repr=False)
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict, repr=False)

    def problem(self, path: KeyPath, message: str, severity: Severity = "error") -> Problem:
        """A problem at a path, on the line of the nearest part of it that the file contains."""
        known = next(path[:end] for end in range(len(path), -1, -1) if path[:end] in self.lines)
        origin = self.origins.get(known, Origin(self.file, known))
        return Problem(origin.file, self.lines[known], (*origin.path, *path[len(known) :]), message, severity)

    def warning(self, path: KeyPath, message: str) -> Problem:
        """A problem that does not keep the file from being used."""
        return self.problem(path, message, "warning")


def dotted(path: KeyPath) -> str:
    """`services.order.publishes[0]` for `("services", "order", "publishes", 0)`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def read(path: Path, *, beginning: str = BEGINNING) -> Source:
    """The values of a file; raises SourceError when it cannot be read or is not YAML of the strict kind.

    `beginning` is what the author of an empty file is told to start with.
    """
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _error(name, None, "there is no such file; name another, or write one that declares a backbone") from None
    except IsADirectoryError:
        raise _error(name, None, "is a folder; name the YAML file in it") from None
    except OSError as error:
        raise _error(name, None, f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _error(name, None, f"has {len(data):,} bytes; allowed: at most {MAX_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(name, line, f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8") from None
    return parse(text, file=name, beginning=beginning)


def parse(text: str, *, file: str, beginning: str = BEGINNING) -> Source:
    """The values of a YAML text; `file` is the name that problems give."""
    try:
        _check_depth(text, file)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            builder = _Builder(file, loader)
            value = builder.build(node, ()) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise SourceError(_syntax_problem(error, text, file)) from None
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise _error(file, line, f"not YAML: {getattr(error, 'reason', error)}") from None
    if value is None:
        raise _error(file, 1, f"the file is empty; start with {beginning}")
    if builder.problems:
        raise SourceError(*builder.problems)
    return Source(file, value, builder.lines)


def _error(file: str, line: int | None, message: str) -> SourceError:
    return SourceError(Problem(file, line, (), message))


def _check_depth(text: str, file: str) -> None:
    """Refuse deep nesting in YAML's flat stream of events, before code recurses over the values."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else None
            raise _error(file, line, f"nested more than {MAX_DEPTH} levels deep; no valid file is")


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    there = lines[line - 1] if line <= len(lines) else ""
    indent = there[: len(there) - len(there.lstrip())]
    if "\t" in indent or "'\\t'" in str(error.problem) or "tab" in str(error.problem):
        return Problem(file, line, (), "got a tab; YAML indents with spaces only: replace the tab by spaces")
    what = ", ".join(str(part) for part in (error.context, error.problem) if part)
    hint = _HINTS.get(str(error.problem), "")
    quoted = f"; the line is {there.strip()!r}" if there.strip() else ""
    return Problem(file, line, (), f"not YAML: {what}{quoted}{hint}")


def format_value(value: object) -> str:
    """A value as its author will recognize it; long text is cut."""
    if isinstance(value, Unquoted):
        return value.text
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text) - 2} characters)"


def _ambiguous(kind: str, text: str) -> str | None:
    """Why a value without quotes would not be what it is in JSON; None where it is."""
    if kind not in _AMBIGUOUS:
        return None
    taken, written, forms = _AMBIGUOUS[kind]
    if not forms.fullmatch(text):
        return None
    return f"YAML takes {text} for {taken}, as JSON would not; put it in quotes if it is text, else write {written}"


def suggestion(got: str, allowed: Iterable[str]) -> str:
    """` (did you mean 'x'?)` where a word allowed is close to the word got, else nothing."""
    words = {word.lower(): word for word in allowed}
    close = difflib.get_close_matches(got.lower(), words, n=1)
    return f" (did you mean {words[close[0]]!r}?)" if close else ""


class _Builder:
    """Turns YAML nodes into values. Collects lines, and the problems that do not stop the reading."""

    def __init__(self, file: str, loader: Any) -> None:
        self.file, self.loader = file, loader
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self.open: set[int] = set()  # nodes whose values are being built: an alias to such a node never ends
        self.count = 0

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.count += 1
        if self.count > MAX_VALUES:
            message = f"aliases expand to more than {MAX_VALUES:,} values; write the values out"
            raise _error(self.file, node.start_mark.line + 1, message)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        if id(node) in self.open:
            line = node.start_mark.line + 1
            raise _error(self.file, line, "an alias refers to what contains it; write the values out")
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
                return dict(self.items(node, path))
            if isinstance(node, yaml.SequenceNode) and node.tag == _SEQ:
                return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self.open.discard(id(node))
        return self.refuse_tag(node, path)

    def items(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, Any]]:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, path, "got a list or a mapping for a key; allowed: text")
                continue
            key = key_node.value
            here = (*path, key)
            if key in first:
                message = f"the key appears twice, first in line {first[key]}; keep one of them"
                self.problems.append(Problem(self.file, line, here, message))
                continue
            if key == "<<" and not key_node.style:
                self.refuse(key_node, here, "merge keys are not supported; write the keys out")
                continue
            first[key] = line
            self.lines[here] = line
            yield key, self.build(value_node, here)

    def scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if not node.style and _PATTERNS.intersection(path) and (message := _ambiguous(kind, node.value)):
            return self.refuse(node, path, message)
        if node.tag == _STR:
            return node.value
        if kind == "timestamp":
            return node.value
        if kind not in ("bool", "float", "int", "null"):
            return self.refuse_tag(node, path)
        try:
            value = self.loader.yaml_constructors[node.tag](self.loader, node)
        except (ValueError, yaml.YAMLError):
            return self.refuse(node, path, f"{node.value!r} is not a valid {kind} of YAML; put it in quotes")
        return Unquoted(value, node.value) if kind == "int" else value

    def refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        self.refuse(node, path, f"the tag {node.tag.replace(_TAG, '!!')} is not supported; write a plain value")

    def refuse(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, path, message))
