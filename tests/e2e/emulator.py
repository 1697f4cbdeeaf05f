"""The emulator with what it lacks: `python -m tests.e2e.emulator -H HOST -p PORT`, as `python -m moto.server`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.server import main
from moto.stepfunctions.responses import StepFunctionResponse

ANSWERS: dict[str, dict[str, Any]] = {
    "list_state_machine_versions": {"stateMachineVersions": []},
    "validate_state_machine_definition": {"result": "OK", "diagnostics": [], "truncated": False},
}
"""What Step Functions answers for a machine that has no versions, and for a definition that is right."""


def answering(text: str) -> Callable[[StepFunctionResponse], str]:
    """An operation that always answers the same."""
    return lambda _: text


for name, answer in ANSWERS.items():
    setattr(StepFunctionResponse, name, answering(json.dumps(answer)))

if __name__ == "__main__":
    main()
