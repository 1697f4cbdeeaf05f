"""What ECS demands of a task definition.

Sources: ECS developer guide, "Task definition parameters", "Send Amazon ECS logs to CloudWatch", "Fargate task CPU and
memory"; ECS API reference, ContainerDefinition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved, listed

__all__ = ["TASK_FACTS"]

Body = Mapping[str, Any]
Fact = Callable[[Body], Iterator[ArgumentProblem]]

CONTAINERS = "container_definitions"
NAME = re.compile(r"[\w-]{1,255}", re.ASCII)
LOG_OPTIONS = ("awslogs-group", "awslogs-region")

MEMORY: Mapping[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""The MiB of memory that a task on Fargate may have, by its CPU units."""


def _on_fargate(body: Body) -> bool:
    return "FARGATE" in (body.get("requires_compatibilities") or [])


def _size(body: Body) -> Iterator[ArgumentProblem]:
    cpu, memory = str(body.get("cpu")), str(body.get("memory"))
    if not _on_fargate(body) or not cpu.isdecimal():
        return  # "1 vCPU" is fine as well
    sizes = MEMORY.get(int(cpu))
    if sizes is None:
        yield ArgumentProblem("cpu", f"got {cpu}; allowed: {', '.join(map(str, MEMORY))}, for a task on Fargate")
    elif memory.isdecimal() and int(memory) not in sizes:
        words = f"got {memory}; allowed: {sizes[0]:,} to {sizes[-1]:,} MiB in steps, for {cpu} units of CPU on Fargate"
        yield ArgumentProblem("memory", words)


def _containers(body: Body) -> Iterator[ArgumentProblem]:
    containers = _definitions(body)
    if containers is None:
        return
    if not isinstance(containers, list) or not containers or not all(isinstance(each, dict) for each in containers):
        yield ArgumentProblem(CONTAINERS, f"got {format_value(body[CONTAINERS])}; allowed: a JSON list of containers")
        return
    names = [each.get("name") for each in containers]
    for number, container in enumerate(containers):
        place, name = f"{CONTAINERS}[{number}]", names[number]
        if not isinstance(name, str) or not NAME.fullmatch(name):
            yield ArgumentProblem(f"{place}.name", f"got {format_value(name)}; allowed: 1 to 255 of A-Z a-z 0-9 _ -")
        elif names.index(name) < number:
            yield ArgumentProblem(f"{place}.name", f"got {format_value(name)} twice; allowed: a name of its own")
        yield from _container(body, container, place, names)
    if all(each.get("essential") is False for each in containers):
        yield ArgumentProblem(CONTAINERS, "has no essential container; allowed: at least one, by which the task ends")


def _definitions(body: Body) -> Any:
    """What the text of the containers holds; None where that is not known, or no JSON, which its limits say."""
    text = body.get(CONTAINERS)
    if not isinstance(text, str) or is_unresolved(text):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _container(body: Body, container: Body, place: str, names: Sequence[Any]) -> Iterator[ArgumentProblem]:
    if not container.get("image"):
        yield ArgumentProblem(f"{place}.image", "is required: the image that the container runs; add it")
    if body.get("memory") is None and not (container.get("memory") or container.get("memoryReservation")):
        words = "is required where the task has no memory: memory or memoryReservation, in MiB; add it"
        yield ArgumentProblem(f"{place}.memory", words)
    for other in (_object(each).get("containerName") for each in _list(container.get("dependsOn"))):
        if other not in names:
            words = f"got {format_value(other)}; allowed: {listed(str(other), [str(name) for name in names])}"
            yield ArgumentProblem(f"{place}.dependsOn", words)
    log = _object(container.get("logConfiguration"))
    if log.get("logDriver") == "awslogs":
        options = _object(log.get("options"))
        prefixed = ("awslogs-stream-prefix",) if _on_fargate(body) else ()
        for option in (*LOG_OPTIONS, *prefixed):
            if not options.get(option):
                yield ArgumentProblem(f"{place}.logConfiguration.options.{option}", "is required for awslogs; add it")


def _execution(body: Body) -> Iterator[ArgumentProblem]:
    """On Fargate what starts a container writes its log and reads its secrets by the execution role alone."""
    if body.get("execution_role_arn") or not _on_fargate(body):
        return
    containers = [_object(each) for each in _list(_definitions(body))]
    logs = (_object(each.get("logConfiguration")).get("logDriver") for each in containers)
    if "awslogs" in logs or any(each.get("secrets") for each in containers):
        yield ArgumentProblem("execution_role_arn", "is required for a log or secrets of a task on Fargate; add it")


def _object(value: Any) -> Body:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


TASK_FACTS: Mapping[str, tuple[Fact, ...]] = {"aws_ecs_task_definition": (_size, _containers, _execution)}
