"""Whether Terraform and AWS would take the arguments of a resource."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any

from backbone.system.arguments import limits, rules, schema
from backbone.system.arguments.api_facts import API_FACTS
from backbone.system.arguments.delivery_facts import DELIVERY_FACTS
from backbone.system.arguments.facts import EVERY, FACTS
from backbone.system.arguments.pipe_facts import PIPE_FACTS
from backbone.system.arguments.problem import ArgumentProblem
from backbone.system.arguments.scheduler_facts import SCHEDULER_FACTS
from backbone.system.arguments.task_facts import TASK_FACTS
from backbone.system.arguments.versions import is_constraint, majors, terraforms

__all__ = ["OF_TYPES", "ArgumentProblem", "attributes", "is_constraint", "known", "majors", "problems", "terraforms"]

OF_TYPES = (FACTS, API_FACTS, DELIVERY_FACTS, PIPE_FACTS, SCHEDULER_FACTS, TASK_FACTS)


@cache
def known(resource_type: str) -> frozenset[str]:
    """The path of every argument and block of a type, as in provider 5.100 or 6; empty for a type that is not known.

    Left out are Terraform's own arguments, such as `depends_on`, and what only AWS sets.
    """
    return frozenset(schema.known(schema.types().get(resource_type, {})))


@cache
def attributes(resource_type: str) -> frozenset[str]:
    """What a reference to a resource of a type can name; empty for a type that is not known."""
    return frozenset(schema.types().get(resource_type, {}))


def problems(resource_type: str, body: Mapping[str, Any], *, providers: Collection[int] = ()) -> list[ArgumentProblem]:
    """What Terraform or AWS would refuse in a resource's body.

    `body` is Terraform's JSON with its references resolved; null stands for absent, and what is still an expression is
    not judged. `providers` are the major versions of the AWS provider that the stack allows, of 5 and 6; without them
    an argument that either has is fine. A type that is not known here gets a note.
    """
    known_schema = schema.types().get(resource_type)
    if known_schema is None:
        message = f"the arguments of {resource_type} are not known here and not checked"
        return [ArgumentProblem("", message, "note")]
    reading = schema.read(known_schema, body, providers)
    found = [*reading.problems, *_limits(resource_type, reading.values)]
    if "dynamic" in body:  # which blocks there are is known to Terraform only
        return found
    found += rules.problems(limits.rules_of(resource_type), reading.body)
    for fact in chain(EVERY, *(facts.get(resource_type, ()) for facts in OF_TYPES)):
        found += fact(reading.body)
    return found


def _limits(resource_type: str, values: Iterable[schema.Value]) -> Iterator[ArgumentProblem]:
    for argument in values:
        allowed = limits.of(resource_type, argument.schema_path)
        if argument.value == "" and argument.is_optional and allowed.get("empty"):
            continue
        if message := limits.breach(argument.value, allowed):
            if argument.is_sensitive:
                message = "the value is secret and not shown; " + message.partition("; ")[2]
            yield ArgumentProblem(argument.path, message)
