"""A Terraform that only keeps the digest of a stack as its state; what it was called with goes to a file.

FAKE_TERRAFORM names a folder: `calls` in it gets a line for the beginning and the end of each call, and `words` the
words of each; a file `fail-STACK`
has the command that fails, and `seconds` says how long an apply takes.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

control = Path(os.environ["FAKE_TERRAFORM"])
stack = Path.cwd().name
command, *words = sys.argv[1:]
state = control / f"{stack}.state"


def note(what: str) -> None:
    with (control / "calls").open("a") as calls:
        calls.write(f"{what} {command} {stack}\n")


def wanted() -> str:
    return "" if "-destroy" in words else hashlib.sha256(Path("cdk.tf.json").read_bytes()).hexdigest()


def stored() -> str:
    return state.read_text() if state.exists() else ""


note("begin")
with (control / "words").open("a") as words_file:
    print(json.dumps([command, stack, words, dict(os.environ).get("TF_VAR_role_suffix")]), file=words_file)
fails = control / f"fail-{stack}"
if fails.exists() and fails.read_text() == command:
    print(f"Error: {command} of {stack} went wrong")
    sys.exit(1)
if command == "plan":
    target = next(word.removeprefix("-out=") for word in words if word.startswith("-out="))
    Path(target).write_text(json.dumps({"from": stored(), "to": wanted()}))
    note("end")
    sys.exit(2 if stored() != wanted() else 0)
if command == "show":
    plan = json.loads(Path(words[-1]).read_text())
    actions = ["no-op"] if plan["from"] == plan["to"] else ["update"] if plan["from"] else ["create"]
    address = f"aws_cloudwatch_event_bus.{stack}"
    change = {
        "address": address,
        "mode": "managed",
        "change": {"actions": actions, "after": {"description": plan["to"]}},
    }
    print(json.dumps({"configuration": {"root_module": {}}, "resource_changes": [change]}))
if command == "apply":
    plan = json.loads(Path(words[-1]).read_text())
    if plan["from"] != stored():
        print("Error: Saved plan is stale")
        sys.exit(1)
    state.write_text("half")
    print(f"aws_cloudwatch_event_bus.{stack}: Creation complete after 1s", flush=True)
    time.sleep(float((control / "seconds").read_text()))
    state.write_text(plan["to"])
note("end")
