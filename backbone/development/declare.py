"""Additions to a file that declares a backbone: what is there, comments too, stays byte for byte as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from backbone.errors import BackboneError

__all__ = ["DeclareError", "add_entry", "add_item", "add_key", "in_yaml", "keys", "read"]


class DeclareError(BackboneError):
    """The file is not written in a way that something could be added to."""


def read(file: Path) -> str:
    """The text of a file with its own line ends."""
    return file.read_bytes().decode("utf-8")


def add_entry(text: str, section: str, entry: Sequence[str], *, file: str) -> str:
    """The text with an entry, as lines, after the last one of a section, which is made where it is missing."""
    root = _root(text, file)
    found = next((pair for pair in root.value if pair[0].value == section), None)
    if found is None:
        return _after(text, len(text), [f"{section}:", *(f"  {line}" for line in entry)])
    key, node = found
    if not node.value:  # {}
        start, end = node.start_mark.index, node.end_mark.index
        return _after(text[:start].rstrip(" ") + text[end:], key.end_mark.index, [f"  {line}" for line in entry])
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise DeclareError(
            f"{file}: {section}: to add an entry, write the entries on lines of their own, not in braces"
        )
    indent = " " * node.value[0][0].start_mark.column
    return _after(text, _end(text, node), [indent + line for line in entry])


def add_key(text: str, path: Sequence[str], key: str, value: str, *, file: str) -> str:
    """The text with a key in the mapping at a path, after the last key that is there; the value is YAML in a line."""
    place = ".".join(path)
    node = _at(text, path, file)
    if not isinstance(node, yaml.MappingNode):
        raise DeclareError(f"{file}: {place}: to add {key}, write the keys of the entry first")
    if not node.value:  # {}
        return f"{text[: node.start_mark.index]}{{{key}: {value}}}{text[node.end_mark.index :]}"
    if node.flow_style:
        end = node.value[-1][1].end_mark.index
        return f"{text[:end]}, {key}: {value}{text[end:]}"
    indent = " " * node.value[0][0].start_mark.column
    return _after(text, _end(text, node), [f"{indent}{key}: {value}"])


def add_item(text: str, path: Sequence[str], item: str, *, file: str) -> str:
    """The text with an item, as YAML in a line, after the last one of the list at a path, which is made if missing."""
    *above, key = path
    if key not in keys(text, above, file=file):
        return add_key(text, above, key, f"[{item}]", file=file)
    node = _at(text, path, file)
    if not isinstance(node, yaml.SequenceNode):
        raise DeclareError(f"{file}: {'.'.join(path)}: to add an item, write a list")
    if not node.value:  # []
        return f"{text[: node.start_mark.index]}[{item}]{text[node.end_mark.index :]}"
    if node.flow_style:
        end = node.value[-1].end_mark.index
        return f"{text[:end]}, {item}{text[end:]}"
    return _after(text, _end(text, node), [f"{' ' * node.start_mark.column}- {item}"])


def keys(text: str, path: Sequence[str], *, file: str) -> list[str]:
    """The keys of the mapping at a path; none where there is something else."""
    node = _at(text, path, file)
    return [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def _at(text: str, path: Sequence[str], file: str) -> yaml.Node:
    """What stands at a path; DeclareError when that is not written in the file."""
    node: yaml.Node = _root(text, file)
    for step in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = [below for each, below in pairs if each.value == step]
        if not found:
            raise DeclareError(f"{file}: {'.'.join(path)}: is not written in this file, so that nothing can be added")
        node = found[0]
    return node


def in_yaml(text: str) -> str:
    """Text as an item of a list in YAML, in quotes where it needs them."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", text) and yaml.safe_load(text) == text  # no `Yes`, for instance
    return text if plain else json.dumps(text, ensure_ascii=False)


def _root(text: str, file: str) -> yaml.MappingNode:
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise DeclareError(f"{file}: to add something, write the keys on lines of their own, not in braces")
    return root


def _after(text: str, index: int, lines: Sequence[str]) -> str:
    """The text with lines after the line that an index is in."""
    end = "\r\n" if "\r\n" in text else "\n"
    newline = text.find("\n", index)
    before, after = (text, "") if newline < 0 else (text[: newline + 1], text[newline + 1 :])
    if before and not before.endswith("\n"):
        before += end
    return before + "".join(line + end for line in lines) + after


def _end(text: str, node: yaml.Node) -> int:
    """Where the last value of a node ends, before the comments after it."""
    return max(len(text[: leaf.end_mark.index].rstrip()) for leaf in _leaves(node))


def _leaves(node: yaml.Node) -> Iterator[yaml.Node]:
    """The nodes that hold nothing which could end with a comment."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        for part in node.value:
            for below in part if isinstance(part, tuple) else (part,):
                yield from _leaves(below)
    else:
        yield node
