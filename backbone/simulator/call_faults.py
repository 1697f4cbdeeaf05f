"""What goes wrong with the AWS calls of functions: refused, done without an answer, or the end of the function."""

from __future__ import annotations

from collections.abc import Callable

from backbone.simulator.api import error
from backbone.simulator.engine import Engine
from backbone.simulator.faults import CallKind
from backbone.simulator.processes import Call, CrashedError, Reply, StalledError
from backbone.system.model import Function

__all__ = ["answer"]

BEFORE: tuple[CallKind, ...] = ("call-error", "call-throttle", "crash-before", "concurrent")
AFTER: tuple[CallKind, ...] = ("call-lost", "call-timeout", "crash-after")


def answer(
    engine: Engine, function: Function, call: Call, do: Callable[[], Reply], run_another: Callable[[], None] | None
) -> Reply:
    """The answer to a call of a function, or what a fault makes of it.

    `run_another` runs the same invocation in another process; None in such a process. CrashedError when the function
    ends here, StalledError when the answer does not come.
    """
    operation = call.target.rpartition(".")[2]
    names = [f"{name}/{operation}" for name in function.names]
    before = engine.strikes(BEFORE if run_another else BEFORE[:-1], *names)
    if before is not None:
        engine.node("refused", function.name, function.account, f"{operation}: {before.kind} by a fault")
        match before.kind:
            case "call-error":
                return error("InternalServerError", "an error by a fault", 500)
            case "call-throttle":
                return error("ThrottlingException", "throttled by a fault")
            case "crash-before":
                raise CrashedError
            case _ if run_another is not None:
                run_another()
    done = do()
    after = engine.strikes(AFTER, *names)
    if after is None:
        return done
    engine.node("refused", function.name, function.account, f"{operation}: done, but {after.kind} by a fault")
    match after.kind:
        case "call-timeout":
            raise StalledError
        case "crash-after":
            raise CrashedError
        case _:
            return error("InternalServerError", "done, but the answer is lost by a fault", 500)
