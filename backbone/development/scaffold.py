"""A new service: a module that works at once, its test, and its entry in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

from backbone.errors import BackboneError
from backbone.topology import Topology, load, parse

__all__ = ["ScaffoldError", "new_service"]


class ScaffoldError(BackboneError):
    """The service cannot be added; nothing was written."""


INIT = '''"""The $title."""
'''

EVENTS = '''"""The events of the $title. Their JSON Schemas are in `schemas/` and are a promise to consumers."""

from __future__ import annotations

from typing import ClassVar

from services.common.envelope import EventData

__all__ = ["CONSUMES", "PUBLISHES", $class_names]


class $published_class(EventData):
    """What others learn from this service; `caused_by` is the id of the event that it follows from."""

    detail_type: ClassVar[str] = "$published"
    version: ClassVar[int] = 1

    caused_by: str


class $consumed_class(EventData):
    """What this service needs of $consumed: add the fields that it reads."""

    detail_type: ClassVar[str] = "$consumed"
    version: ClassVar[int] = 1


PUBLISHES: tuple[type[EventData], ...] = ($published_class,)
CONSUMES: tuple[type[EventData], ...] = ($consumed_class,)
'''

HANDLERS = '''"""The function of the $title: `on_event` receives events."""

from __future__ import annotations

$handler_imports

__all__ = ["on_event"]

consumer = Consumer()
outbox = Outbox(*PUBLISHES)


@consumer.on($consumed_class)
def handle(event: Received[$consumed_class]) -> None:
    """Answer $consumed with $published. Events come at least once: the key makes repetitions one."""
    outbox.publish(
        $published_class(caused_by=event.id),
        key=f"{event.meta.idempotency_key}/$service",
        correlation_id=event.meta.correlation_id,
        causation_id=event.id,
    )


on_event = consumer.handler()
'''

SERVICE = '''"""What the $title consists of. Runs when the Terraform is synthesized; does not ship."""

from __future__ import annotations

from backbone.constructs.service import Service
from services.$package.events import CONSUMES, PUBLISHES

__all__ = ["build"]


def build(service: Service) -> None:
    """Add the service's resources."""
    on_event = service.function("on-event", handler="services.$package.handlers.on_event")
    service.grant_publish(on_event, *(one.detail_type for one in PUBLISHES))
    service.subscribe("events", *(one.detail_type for one in CONSUMES), to=on_event)
'''

TEST = """from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

$test_imports

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-west-1:222222222222:function:function",
    aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
)
EVENT = {
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "$consumed",
    "source": "somebody",
    "detail": {"data": {}, "meta": {"correlation_id": "c-1", "version": 1, "idempotency_key": "k-1"}},
}


class MemoryBus:
    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: Any) -> dict[str, Any]:  # noqa: N803
        self.entries += Entries
        return {"Entries": [{"EventId": "event"} for _ in Entries]}


def test_${consumed_name}_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = MemoryBus()
    publisher = Publisher(bus="bus", source="$service", detail_types=["$published"], client=bus)
    monkeypatch.setattr(handlers, "outbox", Outbox(*PUBLISHES, publisher=publisher))
    handlers.on_event(EVENT, CONTEXT)
    (entry,) = bus.entries
    assert entry["DetailType"] == "$published"
    assert json.loads(entry["Detail"])["data"] == {"caused_by": EVENT["id"]}
"""


@dataclass(frozen=True)
class _Change:
    file: Path
    text: str


def new_service(file: Path, name: str, *, account: str, account_id: str | None = None) -> list[Path]:
    """Add a service to a file and write its module and test beside it; returns what was written.

    The account may be a new one, whose id must then be given. The service answers the first event type, by name,
    that another one publishes. ScaffoldError before anything is written when that cannot be done.
    """
    topology = load(file)
    if name in topology.services:
        raise ScaffoldError(f"services.{name}: the file has it already; choose another name")
    package = name.removesuffix("-service").replace("-", "_")
    folder, test = file.parent / "services" / package, file.parent / "tests" / "services" / f"test_{package}.py"
    if not (file.parent / "services" / "common").is_dir():
        raise ScaffoldError(f"{file.parent / 'services' / 'common'}: is not there; new services use its publisher")
    for taken in (folder, test):
        if taken.exists():
            raise ScaffoldError(f"{taken}: is there already; choose another name")
    consumed = min((one for service in topology.services.values() for one in service.publishes), default=None)
    if consumed is None:
        raise ScaffoldError(f"{file}: no service publishes anything that {name} could receive; let one publish first")
    title = name.replace("-", " ").title()
    published = f"{package.title().replace('_', '')}.Updated"
    words = {
        "service": name,
        "package": package,
        "title": title if title.endswith("Service") else f"{title} Service",
        "consumed": consumed,
        "consumed_class": _identifier(consumed),
        "consumed_name": _identifier(consumed).lower(),
        "published": published,
        "published_class": _identifier(published),
    }
    classes = ", ".join(sorted(["PUBLISHES", words["consumed_class"], words["published_class"]], key=_import_order))
    words["class_names"] = ", ".join(f'"{one}"' for one in sorted([words["consumed_class"], words["published_class"]]))
    words["handler_imports"] = _sorted_imports(
        f"from services.{package}.events import {classes}",
        "from services.common.consumer import Consumer",
        "from services.common.envelope import Received",
        "from services.common.outbox import Outbox",
    )
    words["test_imports"] = _sorted_imports(
        f"from services.{package} import handlers",
        f"from services.{package}.events import PUBLISHES",
        "from services.common.outbox import Outbox",
        "from services.common.publisher import Publisher",
    )
    text = _with_entry(file, topology, name, account=account, account_id=account_id, words=words)
    parse(text, file=str(file))  # what was valid stays valid, or nothing is written
    files = {
        folder / "__init__.py": INIT,
        folder / "events.py": EVENTS,
        folder / "handlers.py": HANDLERS,
        folder / "service.py": SERVICE,
        test: TEST,
    }
    changes = [_Change(path, Template(content).substitute(words)) for path, content in files.items()]
    for change in [*changes, _Change(file, text)]:
        change.file.parent.mkdir(parents=True, exist_ok=True)
        change.file.write_text(change.text, encoding="utf-8")
    return [*files, file]


def _sorted_imports(*lines: str) -> str:
    return "\n".join(sorted(lines))


def _import_order(name: str) -> tuple[bool, str]:
    """Constants come before classes."""
    return not name.isupper(), name


def _identifier(detail_type: str) -> str:
    found = "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", detail_type))
    return found if found[:1].isalpha() else f"Event{found}"


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
        roles = {one.deploy_role for one in topology.accounts.values()}
        role = roles.pop() if len(roles) == 1 else None
        blocks["accounts"] = [f'{account}: {{id: "{account_id}"' + (f", deploy_role: {role}}}" if role else "}")]
    elif account_id not in (None, topology.accounts[account].id):
        raise ScaffoldError(f"--account-id: got {account_id}; the file says {topology.accounts[account].id}")
    places = {key: _end_of(file, key) for key in blocks}
    for key in sorted(blocks, key=lambda one: places[one], reverse=True):
        line, indent = places[key]
        lines[line + 1 : line + 1] = [" " * indent + one for one in blocks[key]]
    return "\n".join(lines) + "\n"


def _service_lines(name: str, account: str, words: dict[str, str]) -> list[str]:
    return [
        f"{name}:",
        f"  account: {account}",
        f"  publishes: [{words['published']}]",
        f"  subscribes: [{words['consumed']}]",
        f"  module: services.{words['package']}",
    ]


def _end_of(file: Path, key: str) -> tuple[int, int]:
    """The last line of the entries below a key, and how far they are indented."""
    root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    found = [node for one, node in root.value if one.value == key] if isinstance(root, yaml.MappingNode) else []
    if not found or found[0].flow_style or not found[0].value:
        raise ScaffoldError(f"{file}: {key}: write it as a block of lines, one entry below the other, to add one")
    return _last_line(found[0]), found[0].value[0][0].start_mark.column


def _last_line(node: yaml.Node) -> int:
    """The last line of a node, without the comments after it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return max(_last_line(part) for pair in node.value for part in pair)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return max(_last_line(part) for part in node.value)
    return int(node.end_mark.line if node.end_mark.column else node.end_mark.line - 1)
