"""The emulator with what it lacks: `python -m tests.e2e.emulator -H HOST -p PORT`, as `python -m moto.server`."""

from __future__ import annotations

import json
from typing import Any

from moto.server import main
from moto.stepfunctions.responses import StepFunctionResponse

ANSWERS: dict[str, dict[str, Any]] = {
    "list_state_machine_versions": {"stateMachineVersions": []},
    "validate_state_machine_definition": {"result": "OK", "diagnostics": [], "truncated": False},
}
"""What Step Functions answers for a machine that has no versions, and for a definition that is right."""

for name, answer in ANSWERS.items():
    setattr(StepFunctionResponse, name, lambda _, text=json.dumps(answer): text)

if __name__ == "__main__":
    main()
