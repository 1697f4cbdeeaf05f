"""What Step Functions demands of a state machine's definition.

Source: Amazon States Language (Step Functions developer guide, "State machine structure", "Workflow states").
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.system.arguments.problem import ArgumentProblem, format_value, is_unresolved, listed

__all__ = ["definition"]

TYPES = ("Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait")
ENDING = frozenset({"Fail", "Succeed"})
"""States after which nothing comes."""


def definition(body: Mapping[str, Any]) -> Iterator[ArgumentProblem]:
    """What is wrong with the states of a definition, and with how they follow each other."""
    text = body.get("definition")
    if not isinstance(text, str) or is_unresolved(text):
        return
    try:
        machine = json.loads(text)
    except ValueError:
        return  # that it is no JSON is said by its limits
    for place, words in _machine(machine, "definition"):
        yield ArgumentProblem(place, words)


def _machine(machine: Any, place: str) -> Iterator[tuple[str, str]]:
    states = machine.get("States") if isinstance(machine, dict) else None
    if not isinstance(states, dict) or not states:
        yield f"{place}.States", "is required: an object with at least one state"
        return
    if (start := machine.get("StartAt")) not in states:
        yield f"{place}.StartAt", f"got {format_value(start)}; allowed: {listed(str(start), [*states])}"
    for name, state in states.items():
        here = f"{place}.States.{name}"
        if not isinstance(state, dict) or state.get("Type") not in TYPES:
            got = state.get("Type") if isinstance(state, dict) else state
            yield f"{here}.Type", f"got {format_value(got)}; allowed: {listed(str(got), TYPES)}"
            continue
        yield from _state(state, here)
        for path, following in _following(state):
            if following not in states:
                allowed = listed(str(following), [*states])
                yield f"{here}.{path}", f"got {format_value(following)}; allowed: {allowed}"


def _state(state: Mapping[str, Any], here: str) -> Iterator[tuple[str, str]]:
    kind = state["Type"]
    goes_on = ("Next" in state) + (state.get("End") is True)
    if kind in ENDING or kind == "Choice":
        if goes_on:
            yield here, f"has Next or End; not allowed for a state of type {kind}"
    elif goes_on != 1:
        yield here, f"needs Next, or End with true, and not both; a state of type {kind} has one of them"
    if kind == "Task" and not isinstance(state.get("Resource"), str):
        yield f"{here}.Resource", "is required for a state of type Task: the ARN of what it does"
    if kind == "Choice" and not state.get("Choices"):
        yield f"{here}.Choices", "is required for a state of type Choice: at least one"
    if kind == "Parallel":
        for number, branch in enumerate(state.get("Branches") or [None]):
            yield from _machine(branch, f"{here}.Branches[{number}]")
    if kind == "Map":
        inner = "Iterator" if "Iterator" in state else "ItemProcessor"
        yield from _machine(state.get(inner), f"{here}.{inner}")


def _following(state: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The states that may come next, each with where it is named."""
    for key in ("Next", "Default"):
        if key in state:
            yield key, state[key]
    for key in ("Choices", "Catch"):
        parts = state.get(key)
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict):
                yield f"{key}[{number}].Next", part.get("Next")
