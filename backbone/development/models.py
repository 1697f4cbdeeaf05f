"""Types of the events that a service receives, in the languages that there are."""

from __future__ import annotations

from typing import Literal

from backbone.development import contracts, python_models, shapes, typescript_models
from backbone.topology import Topology

__all__ = ["Language", "module_for"]

Language = Literal["python", "typescript"]


def module_for(topology: Topology, service: str, language: Language) -> tuple[str, str]:
    """The name and the text of a file with types of the events that a service subscribes to."""
    events = shapes.events(contracts.received_by(topology, service))
    title = (
        f"The events that {service} receives, as `backbone schemas --models {language}` wrote them: edit nothing here."
    )
    match language:
        case "python":
            return "events.py", python_models.module(events, title)
        case "typescript":
            return "events.ts", typescript_models.module(events, title)
