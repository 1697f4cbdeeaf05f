"""The code of a new service, as text: a service that subscribes answers events, another one answers HTTP."""

from __future__ import annotations

import json
import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from backbone.development.shapes import class_name

__all__ = ["Publisher", "ServiceCode", "filled", "listed", "literal"]

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 88
"""What is longer goes onto several lines, which is right for any larger width of a formatter too."""
LONGEST_CLASS_NAME = 32
TAKEN_NAMES = {"CONSUMES", "PUBLISHES", "ClassVar", "EventData"}
"""What `events.py` imports or defines: a class for an event cannot have these names."""


@dataclass(frozen=True)
class Publisher:
    """A service that publishes an event type, the source of the events, and the name in AWS of their global bus."""

    service: str
    source: str
    bus: str


@dataclass(frozen=True)
class ServiceCode:
    """What the code of a service is made of.

    `package` is the whole name of its Python package. `received` has the publishers of what it subscribes to, by
    detail-type. `names` are those of its resources, by their role in the service.
    """

    service: str
    package: str
    account: str
    publishes: Sequence[str]
    subscribes: Sequence[str]
    received: dict[str, Publisher]
    names: dict[str, str]

    def files(self) -> dict[str, str]:
        """The texts of the files of the package, by their names."""
        kind = "events" if self.subscribes else "api"
        return {
            "__init__.py": self._filled("__init__.py"),
            "events.py": self._filled(
                "events.py",
                classes="\n\n\n".join(self._classes()),
                publishes=_events("PUBLISHES", self._named(self.publishes)),
                consumes=_events("CONSUMES", self._named(self.subscribes)),
            ),
            "handlers.py": self._handlers()
            if self.subscribes
            else self._filled("handlers_api.py", publish=self._posts()),
            "service.py": self._filled(f"service_{kind}.py", grant=GRANT if self.publishes else ""),
        }

    def test(self) -> str:
        """The text of the test."""
        published = listed("PUBLISHED: list[str] = [", list(map(literal, self.publishes)), "]")
        if not self.subscribes:
            return self._filled("test_api.py", published=published, account=self.account, api=self.names["http-api"])
        cases = "\n".join(
            listed("(", [literal(text) for text in (by.service, by.bus, by.source, name)], "),", indent=8)
            for name, by in self.received.items()
        )
        return self._filled("test_events.py", function=self.names["on-event"], cases=cases, published=published)

    @property
    def title(self) -> str:
        """What the service is called in sentences: `invoice-service` is the Invoice Service."""
        title = self.service.replace("-", " ").title()
        return title if title.endswith("Service") else f"{title} Service"

    @property
    def path(self) -> str:
        """The path of the API of a service that answers HTTP."""
        return "/" + self.package.rpartition(".")[2].replace("_", "-")

    def _filled(self, part: str, **words: str) -> str:
        return filled(f"service/{part}", title=self.title, package=self.package, path=self.path, **words)

    def _class_names(self) -> dict[str, str]:
        """The name of the class of each event type, no two alike."""
        taken = set(TAKEN_NAMES)
        return {name: _free(_class_name(name), taken) for name in dict.fromkeys([*self.publishes, *self.subscribes])}

    def _named(self, detail_types: Iterable[str]) -> list[str]:
        names = self._class_names()
        return [names[detail_type] for detail_type in detail_types]

    def _classes(self) -> list[str]:
        return [
            filled(
                "service/event_published.py" if detail_type in self.publishes else "service/event_consumed.py",
                name=name,
                detail_type=_assigned("detail_type: ClassVar[str] = ", literal(detail_type)),
            ).rstrip("\n")
            for detail_type, name in self._class_names().items()
        ]

    def _handlers(self) -> str:
        runtime = ["Consumer", "Outbox", "Received"] if self.publishes else ["Consumer", "Received", "logger"]
        taken: set[str] = set()
        handlers = []
        for name in self._named(self.subscribes):
            function = _free("handle_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(), taken)
            handlers.append(
                filled(
                    f"service/handle_{'answer' if self.publishes else 'log'}.py",
                    consumed=name,
                    define=listed(f"def {function}(", [f"event: Received[events.{name}]"], ") -> None:"),
                    publish=self._publications("publish_answer.py"),
                ).rstrip("\n")
            )
        objects = ["consumer = Consumer()", *(["outbox = Outbox(*events.PUBLISHES)"] if self.publishes else [])]
        return self._filled(
            "handlers_events.py",
            runtime=", ".join(runtime),
            objects="\n".join(objects),
            handlers="\n\n\n".join(handlers),
        )

    def _posts(self) -> str:
        return self._publications("publish_request.py")

    def _publications(self, part: str) -> str:
        keys = [self.service, *(f"{self.service}/{number}" for number in range(2, len(self.publishes) + 1))]
        parts = zip(self._named(self.publishes), keys, strict=False)
        return "".join(filled(f"service/{part}", name=name, key=key) for name, key in parts).rstrip("\n")


GRANT = "    service.grant_publish(on_event, *(event.detail_type for event in events.PUBLISHES))\n"


def filled(part: str, **words: str) -> str:
    """A template with its words."""
    return Template((TEMPLATES / f"{part}.tmpl").read_text(encoding="utf-8")).substitute(words)


def listed(before: str, items: Sequence[str], after: str, *, indent: int = 0) -> str:
    """Some items between brackets: on a line where they fit, else on a line each."""
    space = " " * indent
    line = f"{space}{before}{', '.join(items)}{after}"
    if _width(line) <= WIDTH:
        return line
    return "\n".join([f"{space}{before}", *(f"{space}    {item}," for item in items), f"{space}{after}"])


def _events(name: str, classes: Sequence[str]) -> str:
    before = f"{name}: tuple[type[EventData], ...] = ("
    return f"{before}{classes[0]},)" if len(classes) == 1 else listed(before, classes, ")")


def _assigned(before: str, literal: str) -> str:
    """A value behind its name, as a formatter with lines of 120 characters has it."""
    line = f"    {before}{literal}"
    return line if _width(line) <= 120 else f"    {before}(\n        {literal}\n    )"


def _width(text: str) -> int:
    """How many columns a line takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def literal(text: str) -> str:
    """Text in Python, in the quotes that need fewer backslashes."""
    if text.count('"') <= text.count("'"):
        return json.dumps(text, ensure_ascii=False)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _class_name(detail_type: str) -> str:
    found = class_name(detail_type)[:LONGEST_CLASS_NAME]
    return f"{found}Event" if keyword.iskeyword(found) or found in TAKEN_NAMES or found.isupper() else found


def _free(name: str, taken: set[str]) -> str:
    """The name, or the first with a number that is free; it is taken then."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}{number}", number + 1
    taken.add(free)
    return free
