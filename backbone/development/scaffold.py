"""A new service: a module that works at once, its test, and its entry in the file."""

from __future__ import annotations

import json
import keyword
import re
from pathlib import Path
from string import Template

import yaml

from backbone.development.files import write_all
from backbone.errors import BackboneError
from backbone.topology import Topology, load, parse

__all__ = ["ScaffoldError", "new_service"]


class ScaffoldError(BackboneError):
    """The service cannot be added; nothing was written."""


TEMPLATES = Path(__file__).parent / "templates"
TAKEN_NAMES = {"ClassVar", "Consumer", "EventData", "Outbox", "Received"}
"""What the templates import: a class for an event cannot have these names."""


def new_service(file: Path, name: str, *, account: str, account_id: str | None = None) -> list[Path]:
    """Add a service to a file and write its module and test beside it; returns what was written.

    The account may be a new one, whose id must then be given. The service answers the first event type, by name,
    that another service publishes. When anything is wrong, nothing is written.
    """
    topology = load(file)
    package = _package(topology, name)
    words = _words(name, package, consumed=_consumed(topology, name, package))
    folder, test = file.parent / "services" / package, file.parent / "tests" / "services" / f"test_{package}.py"
    for taken in (folder, test):
        if taken.exists():
            raise ScaffoldError(f"{taken}: is there already; choose another name")
    text = _with_entry(file, topology, name, account=account, account_id=account_id, words=words)
    parse(text, file=str(file))  # what was valid stays valid, or nothing is written
    texts = {folder / part: _filled(part, words) for part in ("__init__.py", "events.py", "handlers.py", "service.py")}
    texts |= {test: _filled("test.py", words), file: text}
    write_all(texts)
    return list(texts)


def _package(topology: Topology, name: str) -> str:
    """The name of the Python package of a service: `invoice-service` is in `invoice`."""
    if name in topology.services:
        raise ScaffoldError(f"services.{name}: the file has it already; choose another name")
    package = name.removesuffix("-service").replace("-", "_")
    if keyword.iskeyword(package):
        raise ScaffoldError(f"{name}: its package would be {package!r}, a keyword of Python; choose another name")
    return package


def _published(package: str) -> str:
    return f"{package.title().replace('_', '')}.Updated"


def _consumed(topology: Topology, name: str, package: str) -> str:
    """The first event type, by name, that the service can receive: its class differs from that of its own event."""
    own = _class_name(_published(package))
    types = {detail_type for service in topology.services.values() for detail_type in service.publishes}
    others = sorted(detail_type for detail_type in types if _class_name(detail_type) != own)
    if not others:
        raise ScaffoldError(
            f"no service publishes anything that {name} could receive; let another service publish first"
        )
    return others[0]


def _words(service: str, package: str, *, consumed: str) -> dict[str, str]:
    """What the templates are filled with."""
    title = service.replace("-", " ").title()
    published = _published(package)
    consumed_class, published_class = _class_name(consumed), _class_name(published)
    return {
        "service": service,
        "package": package,
        "title": title if title.endswith("Service") else f"{title} Service",
        "consumed": consumed,
        "consumed_literal": json.dumps(consumed, ensure_ascii=False),
        "consumed_class": consumed_class,
        "consumed_name": consumed_class.lower(),
        "published": published,
        "published_class": published_class,
        "imported_classes": ", ".join(sorted([consumed_class, published_class])),
        "class_names": ", ".join(f'"{name}"' for name in sorted([consumed_class, published_class])),
    }


def _filled(part: str, words: dict[str, str]) -> str:
    return Template((TEMPLATES / f"{part}.tmpl").read_text(encoding="utf-8")).substitute(words)


def _class_name(detail_type: str) -> str:
    found = "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", detail_type))
    if not found[:1].isalpha():
        return f"Event{found}"
    return f"{found}Event" if keyword.iskeyword(found) or found in TAKEN_NAMES or found.isupper() else found


def _with_entry(
    file: Path, topology: Topology, name: str, *, account: str, account_id: str | None, words: dict[str, str]
) -> str:
    """The file's text with the service, and the account if that is new, after the last of their kind."""
    lines = file.read_text(encoding="utf-8").splitlines()
    blocks = {"services": _service_lines(name, account, words)}
    if account not in topology.accounts:
        if account_id is None:
            known = ", ".join(topology.accounts)
            raise ScaffoldError(f"--account: got {account!r}; allowed: {known}, or a new one with --account-id")
        roles = {entry.deploy_role for entry in topology.accounts.values()}
        role = roles.pop() if len(roles) == 1 else None
        blocks["accounts"] = [f'{account}: {{id: "{account_id}"' + (f", deploy_role: {role}}}" if role else "}")]
    elif account_id not in (None, topology.accounts[account].id):
        raise ScaffoldError(f"--account-id: got {account_id}; the file says {topology.accounts[account].id}")
    places = {key: _end_of(file, key) for key in blocks}
    for key in sorted(blocks, key=places.__getitem__, reverse=True):
        line, indent = places[key]
        lines[line + 1 : line + 1] = [" " * indent + text for text in blocks[key]]
    return "\n".join(lines) + "\n"


def _service_lines(name: str, account: str, words: dict[str, str]) -> list[str]:
    return [
        f"{name}:",
        f"  account: {account}",
        f"  publishes: [{_yaml(words['published'])}]",
        f"  subscribes: [{_yaml(words['consumed'])}]",
        f"  module: services.{words['package']}",
    ]


def _yaml(text: str) -> str:
    """Text as an item of a list in YAML, in quotes where it needs them."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", text) and yaml.safe_load(text) == text  # no `Yes`, for instance
    return text if plain else json.dumps(text, ensure_ascii=False)


def _end_of(file: Path, key: str) -> tuple[int, int]:
    """The last line of the entries below a key, and how far they are indented."""
    root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    found = [node for name, node in root.value if name.value == key] if isinstance(root, yaml.MappingNode) else []
    if not found or found[0].flow_style or not found[0].value:
        raise ScaffoldError(f"{file}: {key}: to add an entry, write the entries on lines of their own, not in braces")
    return _last_line(found[0]), found[0].value[0][0].start_mark.column


def _last_line(node: yaml.Node) -> int:
    """The last line of a node, without the comments after it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return max(_last_line(part) for pair in node.value for part in pair)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return max(_last_line(part) for part in node.value)
    return int(node.end_mark.line if node.end_mark.column else node.end_mark.line - 1)
