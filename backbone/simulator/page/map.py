"""The map of a system: where things happen, and along which edges events run."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import Any

from backbone.system import pipe_access
from backbone.system.http_model import HttpApi
from backbone.system.model import (
    ApiDestination,
    EventBus,
    Function,
    LogGroup,
    Queue,
    Resource,
    Role,
    Rule,
    Stream,
    System,
    Table,
)
from backbone.system.pipes import Pipe
from backbone.system.scheduler import ScheduledCall
from backbone.system.scheduler_access import target_of
from backbone.trace import Node

__all__ = ["Map"]

KINDS: dict[type[Resource], str] = {
    HttpApi: "api",
    EventBus: "bus",
    Rule: "rule",
    ScheduledCall: "rule",
    Pipe: "rule",
    Function: "function",
    Queue: "queue",
    Table: "table",
    Stream: "stream",
    ApiDestination: "destination",
    LogGroup: "log",
}
WRITES = {
    "bus": "events:PutEvents",
    "table": "dynamodb:PutItem",
    "queue": "sqs:SendMessage",
    "stream": "kinesis:PutRecord",
}
"""What a function must be allowed for an edge from it to be drawn."""

HAPPENS_AT: dict[str, tuple[str, ...]] = {
    "http": ("api",),
    "returned": ("api",),
    "put": ("bus",),
    "replayed": ("bus",),
    "rule": ("rule",),
    "invoked": ("function",),
    "failed": ("function",),
    "filtered": ("function",),
    "retry": ("function", "queue", "bus"),
    "call": ("table", "queue", "stream", "function"),
    "dead-lettered": ("queue",),
    "rejected": ("queue",),
    "redriven": ("queue",),
    "denied": ("bus", "table", "queue", "function"),
    "refused": ("bus", "table", "queue", "function"),
    "lost": ("function", "queue", "bus"),
    "dropped": ("bus", "queue"),
}
"""Of which kinds a node's place may be, by the node's kind; a delivered one says it itself."""


class Map:
    """The places of a system and the edges between them, by their numbers."""

    def __init__(self, system: System) -> None:
        self._resources = [each for kind in KINDS for each in system.of(kind)]
        self._numbers = {resource.arn: number for number, resource in enumerate(self._resources)}
        self._by_name = {
            (KINDS[type(resource)], resource.account, resource.name): number
            for number, resource in enumerate(self._resources)
        }
        self._system = system
        found = dict.fromkeys(self._edges())
        self.edges: dict[tuple[int, int], int] = {edge: number for number, edge in enumerate(found)}
        """The number of each edge, by the numbers of its places."""
        self._dead_letters = set(self._failure_queues())

    def place_of(self, node: Node) -> int | None:
        """The number of the place where something happened; None where the map does not have it."""
        kinds = (node.data.get("target", ""),) if node.kind == "delivered" else HAPPENS_AT.get(node.kind, ())
        for kind in kinds:
            number = self._by_name.get((kind, node.account, node.place))
            if number is not None:
                return number
        return None

    def service_of(self, node: Node) -> str:
        """The service whose place something happened at; empty for the bus's account."""
        place = self.place_of(node)
        return "" if place is None else self._system.services.get(self._resources[place].address, "")

    def number_of(self, resource: Resource) -> int:
        """The number of a resource's place."""
        return self._numbers[resource.arn]

    def is_for_failures(self, queue: Queue) -> bool:
        """Whether a queue gets what failed."""
        return queue.arn in self._dead_letters

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        named = (each for each in self._resources if not isinstance(each, LogGroup) and each.name != "default")
        parts = zip(*(each.name.split("-")[:-1] for each in named), strict=False)
        shared = takewhile(lambda column: len({*column}) == 1, parts)  # the backbone's name, which may have dashes
        prefix = "".join(f"{column[0]}-" for column in shared)
        return {
            "accounts": [{"name": name, "id": place.account_id} for name, place in self._system.accounts.items()],
            "places": [self._place(resource, prefix) for resource in self._resources],
            "edges": [list(edge) for edge in self.edges],
        }

    def _place(self, resource: Resource, prefix: str) -> dict[str, Any]:
        service = self._system.services.get(resource.address, "")
        label = resource.name.removeprefix(prefix)
        return {
            "kind": KINDS[type(resource)],
            "name": resource.name,
            "label": label.removeprefix(f"{service}-") or label,
            "account": resource.account,
            "service": service,
            "address": resource.address,
            "words": _words(resource),
            "failures": isinstance(resource, Queue) and self.is_for_failures(resource),
            "logs": isinstance(resource, LogGroup) or (isinstance(resource, Rule) and self._only_logs(resource)),
        }

    def _only_logs(self, rule: Rule) -> bool:
        return all(isinstance(self._system.target_of(target.arn), LogGroup) for target in rule.targets)

    def _failure_queues(self) -> Iterator[str]:
        system = self._system
        for target in (*system.targets, *(schedule.target for schedule in system.of(ScheduledCall))):
            yield target.dead_letters_arn or ""
        for pipe in system.of(Pipe):
            yield pipe.mapping.failures_arn or ""
        for function in system.of(Function):
            yield from (function.failures_arn or "", function.dead_letters_arn or "")
            yield from (mapping.failures_arn or "" for mapping in function.mappings)
        for queue in system.of(Queue):
            yield queue.redrive_arn or ""

    def _edges(self) -> Iterator[tuple[int, int]]:
        system, number = self._system, self._numbers
        arns = [*self._rule_edges(), *self._pipe_edges(), *self._function_edges()]
        arns += [(api.arn, route.function_arn or "") for api in system.of(HttpApi) for route in api.routes]
        for begin, end in arns:
            if begin in number and end in number:
                yield number[begin], number[end]

    def _rule_edges(self) -> Iterator[tuple[str, str]]:
        for rule in self._system.of(Rule):
            yield rule.bus_arn, rule.arn
            for target in rule.targets:
                to = self._system.target_of(target.arn)
                yield rule.arn, to.arn if to else ""
        for schedule in self._system.of(ScheduledCall):
            called = target_of(self._system, schedule)
            yield schedule.arn, called.arn if called else ""

    def _pipe_edges(self) -> Iterator[tuple[str, str]]:
        for pipe in self._system.of(Pipe):
            if (source := pipe_access.source_of(self._system, pipe)) is not None:
                yield source.arn, pipe.arn
            for to in (pipe_access.enrichment_of(self._system, pipe), pipe_access.target_of(self._system, pipe)):
                if to is not None:
                    yield pipe.arn, to.arn

    def _function_edges(self) -> Iterator[tuple[str, str]]:
        system = self._system
        tables = {table.stream_arn: table.arn for table in system.of(Table)}
        for function in system.of(Function):
            for mapping in function.mappings:
                yield tables.get(mapping.source_arn, mapping.source_arn), function.arn
            role = system.get(Role, function.role_arn)
            for resource in self._resources:
                action = WRITES.get(KINDS[type(resource)])
                if role is not None and action is not None and _may(role, action, resource.arn):
                    yield function.arn, resource.arn


def _may(role: Role, action: str, arn: str) -> bool:
    """Whether a role's policies name an action on a resource; conditions are not asked."""
    return any(
        statement.allows
        and any(fnmatchcase(action.lower(), named.lower()) for named in statement.actions)
        and any(fnmatchcase(arn, named.pattern) for named in statement.resources)
        for policy in role.policies
        for statement in policy.statements
    )


def _words(resource: Resource) -> str:
    """What a place does, in a line."""
    match resource:
        case Rule():
            return resource.pattern.to_json() if resource.pattern else f"schedule {resource.schedule}"
        case Pipe():
            return f"pipe from {resource.mapping.source_arn}"
        case ScheduledCall():
            return f"schedule {resource.expression}"
        case Function():
            return f"{resource.handler}, {resource.runtime}"
        case HttpApi():
            return ", ".join(route.key for route in resource.routes)
        case _:
            return ""
