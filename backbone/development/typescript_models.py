"""Events as TypeScript: an interface for the data of each event, and a union that `detail-type` tells apart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from backbone.development import shapes
from backbone.development.shapes import Event, Field, Record, Shape

__all__ = ["module"]

ENVELOPE = """\
/** What is known about an event beside its data. */
export interface Meta<Version extends number = number> {
  /** The same for all events of one flow. */
  readonly correlation_id: string;
  /** The id of the event that caused this event. */
  readonly causation_id?: string | null;
  readonly version: Version;
  /** The same however often the event is published. */
  readonly idempotency_key: string;
}

/** An event as EventBridge delivers it. */
export interface EventOf<DetailType extends string, Data, Version extends number = number> {
  readonly version: string;
  readonly id: string;
  readonly "detail-type": DetailType;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: { readonly data: Data; readonly meta: Meta<Version> };
}"""
SCALARS = {
    "text": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "time": "string",
    "date": "string",
}


def module(events: Sequence[Event], title: str) -> str:
    """The text of a module with an interface for each event; `title` is the comment at its beginning."""
    parts = [f"/** {_plain(title)} */", ENVELOPE]
    parts += ["\n".join(part) for event in events for part in _event(event)]
    union = " | ".join(f"{event.name}Event" for event in events) or "never"
    parts.append(f"/** Any of these events: compare `detail-type` to tell which. */\nexport type AnyEvent = {union};")
    return "\n\n".join(parts) + "\n"


def _event(event: Event) -> Iterator[list[str]]:
    contract = event.contract
    words = contract.detail_type + (f", version {contract.version}" if contract.version else "")
    for record in event.records[:-1]:
        yield [_comment("", f"A part of {words}.", record.description), *_interface(record)]
    if event.records:
        record = event.records[-1]
        yield [_comment("", f"{words}, of {contract.publisher}.", record.description), *_interface(record)]
    else:
        unknown = f"No schema of it is published: {contract.publisher} knows its fields."
        yield [_comment("", f"{words}.", unknown), f"export type {event.name} = Readonly<Record<string, unknown>>;"]
    arguments = [json.dumps(contract.detail_type, ensure_ascii=False), event.name]
    arguments += [str(contract.version)] if contract.version else []
    yield [f"export type {event.name}Event = EventOf<{', '.join(arguments)}>;"]


def _interface(record: Record) -> list[str]:
    return [f"export interface {record.name} {{", *(line for field in record.fields for line in _field(field)), "}"]


def _field(field: Field) -> Iterator[str]:
    if field.description:
        yield _comment("  ", field.description)
    name = field.name if re.fullmatch(r"[A-Za-z_$][\w$]*", field.name, re.ASCII) else json.dumps(field.name)
    yield f"  readonly {name}{'' if field.required else '?'}: {_type(field.shape)};"


def _comment(indent: str, *texts: str) -> str:
    return f"{indent}/** {' '.join(filter(None, map(_plain, texts)))} */"


def _plain(text: str) -> str:
    """A text for a comment, which it cannot end."""
    return " ".join(text.replace("*/", "* /").split())


def _type(shape: Shape) -> str:
    match shape:
        case shapes.Scalar(kind):
            return SCALARS[kind]
        case shapes.Constants(values):
            return " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
        case shapes.Listed(item):
            return f"ReadonlyArray<{_type(item)}>"
        case shapes.Tuple(items):
            return f"readonly [{', '.join(map(_type, items))}]"
        case shapes.Mapped(value):
            return f"Readonly<Record<string, {_type(value)}>>"
        case shapes.Union(parts):
            return " | ".join(dict.fromkeys(map(_type, parts)))
        case shapes.Named(name):
            return name
        case shapes.Anything():
            return "unknown"
