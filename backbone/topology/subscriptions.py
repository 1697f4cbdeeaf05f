"""What a service receives, as the file says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from backbone.patterns import Pattern, PatternError
from backbone.topology.fields import SOURCE, Allowed, DetailType, Key, Model, received_source
from backbone.topology.source import KeyPath, format_value

__all__ = ["SubscriptionEntry", "misplaced", "plain", "subscription"]

PatternJson = dict[str, Any]

_ONE = {
    "anyOf": [
        {"type": "string", **SOURCE.keywords},
        {
            "type": "object",
            "properties": {
                "prefix": {"type": "string", "description": "What the sources begin with.", **SOURCE.keywords}
            },
            "required": ["prefix"],
            "additionalProperties": False,
        },
    ]
}
_SOURCES = Allowed(
    "the source of a service in this file, {prefix: ...}, or a list of these",
    keywords={"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE, "minItems": 1}]},
)


def _sources(value: object) -> object:
    for one in value if isinstance(value, tuple) and value else (value,):
        is_prefix = isinstance(one, dict) and list(one) == ["prefix"]
        received_source(one["prefix"] if isinstance(one, dict) and is_prefix else one, _SOURCES)
    return value


def subscription(value: object) -> object:
    """An entry as a mapping: a detail-type alone stands for one."""
    return {"detail_type": value} if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """A value of the file as `json.loads` would give it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return int(value) if type(value) not in (bool, float, int, str) and isinstance(value, int) else value


class SubscriptionEntry(Model):
    """Events that a service receives: those of a detail-type, of a source, or of both, and with `detail` some of them.

    A detail-type alone stands for `{detail_type: ...}`: it is received from every service that publishes it.
    """

    detail_type: DetailType | None = Field(default=None, examples=["Order.Created"])
    """The detail-type to receive. It may be left out where there is a `source`, all of whose events are received."""

    source: Annotated[Any, AfterValidator(_sources), _SOURCES] = None
    """The only source to receive from, several in a list, or `{prefix: ...}` for all that begin alike. The default is
    every source."""

    detail: dict[str, Any] | None = None
    """An event pattern on the event's `detail`, as EventBridge has it, that an event must match to be received, as in
    `{data: {total: [{numeric: [">", 100]}]}}`. The default is every detail."""

    name: Key | None = None
    """What the module's `service.subscribe` calls the entry. The default is its detail-type, else its source."""

    @property
    def called(self) -> str:
        """What `service.subscribe` calls it: its name, else its detail-type, else its sources."""
        return self.name or self.detail_type or ", ".join(self.source_words)

    @property
    def sources(self) -> list[Any] | None:
        """The sources as a pattern has them; None for every source."""
        if self.source is None:
            return None
        return plain(self.source if isinstance(self.source, tuple) else [self.source])  # type: ignore[no-any-return]

    @property
    def source_words(self) -> list[str]:
        """The sources as a reader knows them: a prefix ends in `*`."""
        return [f"{one['prefix']}*" if isinstance(one, dict) else one for one in self.sources or ()]

    @property
    def pattern(self) -> PatternJson:
        """The event pattern of exactly these events, wherever they are."""
        found: PatternJson = {"detail-type": [self.detail_type]} if self.detail_type else {}
        if self.sources is not None:
            found["source"] = self.sources
        if self.detail is not None:
            found["detail"] = plain(self.detail)
        return found

    def takes(self, detail_type: str, source: str) -> bool:
        """Whether some event of this type and source is received."""
        return self.detail_type in (None, detail_type) and self.takes_from(source)

    def examples(self, event: PatternJson) -> list[PatternJson]:
        """Events like one of a type and source that are received, with a detail that is received."""
        return [event] if self.detail is None else Pattern.parse({"detail": plain(self.detail)}).examples(event)

    def takes_from(self, source: str) -> bool:
        """Whether some event of a source is received."""
        return self.sources is None or any(
            source.startswith(one["prefix"]) if isinstance(one, dict) else source == one for one in self.sources
        )


def misplaced(pattern: dict[str, Any]) -> tuple[KeyPath, str] | None:
    """Where and why EventBridge would refuse a pattern; None where it is good."""
    try:
        Pattern.parse(plain(pattern))
    except PatternError as error:
        return tuple(_steps(error.path.removeprefix("$"), pattern)), str(error).removeprefix(f"{error.path}: ")
    return None


def _steps(path: str, value: Any) -> Iterator[str | int]:
    """The keys and places along a JSON path of a value, as far as the value has them."""
    while path:
        if isinstance(value, dict):
            keys = [key for key in value if path == f".{key}" or path.startswith((f".{key}.", f".{key}["))]
            steps: list[tuple[str | int, str]] = [(key, f".{key}") for key in sorted(keys, key=len, reverse=True)]
        elif isinstance(value, list | tuple):
            steps = [(n, f"[{n}]") for n in range(len(value)) if path.startswith(f"[{n}]")]
        else:
            return
        if not steps:
            return
        step, text = steps[0]
        yield step
        value, path = value[step], path[len(text) :]


def words(entry: SubscriptionEntry) -> str:
    """An entry as a reader knows it, in a sentence."""
    what = entry.detail_type or "every event"
    from_where = f" of {' or '.join(entry.source_words)}" if entry.source_words else ""
    return f"{format_value(what) if entry.detail_type else what}{from_where}"
