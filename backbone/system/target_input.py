"""What EventBridge sends to a target: the event, a part of it, a constant, or a template filled from it.

Facts: EventBridge user guide, "Amazon EventBridge input transformation"; API reference, "PutTargets", "Target" and
"InputTransformer"; and answers recorded on AWS, in `tests/aws/recorded/target-input.yaml`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Never

from backbone.aws.limits import TARGET_INPUT_CHARACTERS, TARGET_PATH_CHARACTERS, TARGET_PATHS
from backbone.errors import BackboneError

__all__ = ["Delivered", "Dropped", "TargetInput", "Transformer", "at_path", "path_problems"]

PREDEFINED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)
"""The variables that every template has (user guide, "Predefined variables")."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_STEP = re.compile(r"\.([A-Za-z0-9_/-]+)|\[([0-9]+)\]|\.\*|\[\*\]")
_PATH = re.compile(rf"\$(?:{_STEP.pattern})*")
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_KEY = re.compile(rf"{_STRING.pattern}\s*:", re.DOTALL)
_TEXT = re.compile(rf"\s*(?:{_STRING.pattern}\s*)+", re.DOTALL)

PATH_ALLOWED = "$ and then fields, indexes and wildcards, as in $.detail.items[0].id or $.detail.items[*].id"


@dataclass(frozen=True)
class Delivered:
    """The target's input as EventBridge sends it: the body of a queue's message, the payload of a function."""

    text: str

    @property
    def json_problem(self) -> str | None:
        """Why the text is not JSON, which Lambda would refuse; None when it is."""
        return _json_problem(self.text)


@dataclass(frozen=True)
class Dropped:
    """Nothing is sent: the publisher gets no error, and no dead-letter queue gets the event."""

    reason: str


@dataclass(frozen=True)
class Transformer:
    """An InputTransformer: a template with placeholders such as `<id>`, and the paths that define them."""

    template: str
    paths: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[str]:
        """What PutTargets would refuse, in words."""
        if len(self.paths) > TARGET_PATHS:
            yield f"input_paths has {len(self.paths)} paths; allowed: at most {TARGET_PATHS}"
        for name, path in self.paths.items():
            if not _NAME.fullmatch(name):
                yield f"the name {name!r} in input_paths is not valid; allowed: 1 to 256 of A-Z, a-z, 0-9, _ and -"
            yield from path_problems(f"input_paths[{name!r}]", path)
        if not 1 <= len(self.template) <= TARGET_INPUT_CHARACTERS:
            yield f"input_template has {len(self.template):,} characters; allowed: 1 to {TARGET_INPUT_CHARACTERS:,}"
            return
        known = [*self.paths, *PREDEFINED]
        for name in dict.fromkeys(_PLACEHOLDER.findall(self.template)):
            if name not in known:
                yield f"input_template has the placeholder <{name}>, which nothing defines; defined: {', '.join(known)}"
        for key in _KEY.findall(self.template):
            if _PLACEHOLDER.search(key):
                yield f"input_template has a placeholder in the key {key.rstrip(': ')}; allowed: placeholders in values"
        for wrong in _template_problems(_PLACEHOLDER.sub("null", self.template)):
            yield (
                f"input_template is not JSON once its placeholders are filled ({wrong}): {self.template!r}; "
                'allowed: JSON such as {"id": <id>}, or lines of text that are each within quotes, "as <id>"'
            )

    @property
    def keys(self) -> set[str]:
        """The keys of the object that the template is; none when it is no object."""
        try:
            filled = _DECODER.decode(_PLACEHOLDER.sub("null", self.template))
        except ValueError:
            return set()
        return set(filled) if isinstance(filled, dict) else set()

    def fill(self, event: Mapping[str, Any], known: Mapping[str, Any]) -> Delivered | Dropped:
        """The template filled with what the paths find in an event and with the predefined variables."""

        def value(name: str) -> Any:
            if name in self.paths:
                return at_path(event, self.paths[name])
            if name not in known:
                raise BackboneError(f"input_template has the placeholder <{name}>, which nothing defines")
            return known[name]

        if _TEXT.fullmatch(self.template):
            return Delivered(_PLACEHOLDER.sub(lambda found: _in_text(value(found[1])), self.template))
        quoted = [found.span() for found in _STRING.finditer(self.template)]
        breaking: list[str] = []

        def filled(found: re.Match[str]) -> str:
            if not any(begin < found.start() < end for begin, end in quoted):
                return _compact(value(found[1]))
            written = _unescaped(value(found[1]))
            if _json_problem(f'"{written}"') is not None:
                breaking.append(f"<{found[1]}> ({written})")
            return written

        text = _PLACEHOLDER.sub(filled, self.template)
        if (wrong := _json_problem(text)) is None:
            return Delivered(text)
        if breaking:
            wrong = f"within quotes EventBridge fills in {' and '.join(breaking)} without escaping it"
        return Dropped(f"the filled input_template is not JSON: {wrong}; got {text}")


DETAIL = r"\$(\.detail([.\[].*)?)?$"
"""The paths to an event as a whole, to its detail, or into it."""


@dataclass(frozen=True)
class TargetInput:
    """The arguments of a target that say what it is sent: at most one; the whole event without any."""

    input: str | None = None
    input_path: str | None = None
    input_transformer: Transformer | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the target is sent the event as it is."""
        return self.input is None and self.input_path is None and self.input_transformer is None

    def problems(self, *, other_account: bool = False) -> list[str]:
        """What PutTargets would refuse, in words that name Terraform's arguments.

        `other_account` says that the target is a bus of another account, which takes whole events only.
        """
        given = [name for name in self.__dataclass_fields__ if getattr(self, name) is not None]
        problems = []
        if other_account and given:
            problems.append(f"{' and '.join(given)} cannot be used: a bus of another account takes whole events only")
        if len(given) > 1:
            problems.append(f"{' and '.join(given)} are set; allowed: one of input, input_path and input_transformer")
        if self.input is not None:
            problems += _constant_problems(self.input)
        if self.input_path is not None:
            problems += path_problems("input_path", self.input_path)
        if self.input_transformer is not None:
            problems += self.input_transformer.problems()
        return problems

    @property
    def shows_detail(self) -> bool:
        """Whether the target is sent the event's `detail`, or a part of it."""
        if self.input is not None:
            return False
        if self.input_transformer is None:
            return re.match(DETAIL, self.input_path or "$") is not None
        paths = self.input_transformer.paths.values()
        return "<aws.events.event.json>" in self.input_transformer.template or any(
            re.match(DETAIL, path) for path in paths
        )

    def of(
        self, event: Mapping[str, Any], *, rule_arn: str, rule_name: str, ingestion_time: str
    ) -> Delivered | Dropped:
        """What the target of a rule is sent for an event that EventBridge received at `ingestion_time` (ISO 8601)."""
        if self.input is not None:
            return Delivered(self.input)
        if self.input_path is not None:
            return Delivered(_compact(at_path(event, self.input_path)))
        if self.input_transformer is None:
            return Delivered(_compact(event))
        without_detail = {
            "detailType" if name == "detail-type" else name: value for name, value in event.items() if name != "detail"
        }
        values = (rule_arn, rule_name, ingestion_time, without_detail, event)
        return self.input_transformer.fill(event, dict(zip(PREDEFINED, values, strict=True)))


def at_path(event: Any, path: str) -> Any:
    """The value at a JSON path: the empty string when it finds nothing, a list when the path has a wildcard.

    BackboneError when EventBridge does not support the path.
    """
    steps = _steps(path)
    if steps is None:
        raise BackboneError(f"the JSON path {path!r} cannot be read; allowed: {PATH_ALLOWED}")
    found = [event]
    for step in steps:
        found = list(_children(found, step))
    if None in steps:
        return found
    return found[0] if found else ""


@cache
def _steps(path: str) -> tuple[str | int | None, ...] | None:
    """A path's fields, indexes, and None for each wildcard; None for a path that EventBridge does not support."""
    if not _PATH.fullmatch(path):
        return None
    return tuple(name or (int(index) if index else None) for name, index in _STEP.findall(path))


def _children(values: Iterable[Any], step: str | int | None) -> Iterator[Any]:
    for value in values:
        if isinstance(value, Mapping):
            if step is None:
                yield from value.values()
            elif step in value:
                yield value[step]
        elif isinstance(value, list):
            if step is None:
                yield from value
            elif isinstance(step, int) and step < len(value):
                yield value[step]


def _template_problems(filled: str) -> Iterator[str]:
    """Why a filled template is neither JSON nor lines of text."""
    values = _STRING.findall(filled) if _TEXT.fullmatch(filled) else [filled]
    yield from filter(None, map(_json_problem, values))


def _constant_problems(constant: str) -> Iterator[str]:
    if len(constant) > TARGET_INPUT_CHARACTERS:
        yield f"input has {len(constant):,} characters; allowed: at most {TARGET_INPUT_CHARACTERS:,}"
    if (wrong := _json_problem(constant)) is not None:
        yield f'input is not JSON ({wrong}): {constant!r}; allowed: JSON, so a text within quotes, as in "text"'


def path_problems(where: str, path: str) -> Iterator[str]:
    """What is wrong with a JSON path that stands at a place."""
    if len(path) > TARGET_PATH_CHARACTERS:
        yield f"{where} has {len(path)} characters; allowed: at most {TARGET_PATH_CHARACTERS}"
    elif _steps(path) is None:
        yield f"{where} is {path!r}, a path that EventBridge does not support; allowed: {PATH_ALLOWED}"


def _in_text(value: Any) -> str:
    """A value within a template of text: objects and arrays lose their quotes there (recorded on AWS)."""
    return value if isinstance(value, str) else _compact(value).replace('"', "")


def _unescaped(value: Any) -> str:
    """A value within quotes of a JSON template; what it contains is not escaped (user guide, "Common issues")."""
    return value if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _json_problem(text: str) -> str | None:
    """Why a text is not JSON; None when it is."""
    try:
        _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None
