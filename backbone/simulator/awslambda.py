"""Lambda: functions run in processes of their own; what fails is tried again and then sent to a failure queue."""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from backbone.aws.limits import ASYNC_RETRY_SECONDS
from backbone.simulator import call_faults
from backbone.simulator.destinations import Destinations, Result
from backbone.simulator.engine import Engine, Request, SimulatorError
from backbone.simulator.processes import Call, Outcome, Reply, Worker
from backbone.system import layers
from backbone.system.model import Function, Role
from backbone.trace import Node

__all__ = ["Lambda"]


PROCESSES = 8
"""The most that a function has, where several run at once. Lambda would start up to 1,000."""

LONGEST_PAUSE_SECONDS = 300.0
"""Between attempts of an event that was throttled (developer guide, "Asynchronous invocation")."""


@dataclass(slots=True, eq=False)
class Invocation:
    """An asynchronous invocation."""

    function: Function
    event: Any
    node: Node
    request_id: str
    since: float
    attempts: int = 0
    pause: float = 1.0
    waiting: Node | None = None
    """What tells of attempts that were throttled."""

    @property
    def about(self) -> dict[str, Any]:
        """The id of the event, for nodes."""
        return {"id": self.event.get("id", "") if isinstance(self.event, dict) else ""}


@dataclass(slots=True)
class _Processes:
    """The processes of a function."""

    all: list[Worker] = field(default_factory=list)
    idle: list[Worker] = field(default_factory=list)
    waiting: deque[Callable[[Worker], None]] = field(default_factory=deque)
    """Who is to be given the next that is idle."""


class Lambda:
    """The functions of a system."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._processes: dict[str, _Processes] = defaultdict(_Processes)
        """Those of each function, by its ARN, and of what runs beside it by a fault."""
        self._waiting: set[Invocation] = set()
        """Those that wait for another attempt."""
        self.destinations = Destinations(engine, self.invoke_later)
        """Where records of what functions did are sent."""
        engine.take(Function, "function", self._deliver)
        engine.invoke = self.invoke
        engine.throttle = self.throttle

    def take_over(self, before: Lambda) -> None:
        """Go on with invocations that wait for another attempt."""
        for old in before._waiting:
            function = self._engine.system.get(Function, old.function.arn)
            if function is not None:
                self.invoke_later(function, old.event, old.node)
            else:
                words = "the function is there no more"
                self._engine.node("lost", old.function.name, old.function.account, words, old.node, **old.about)

    def end(self) -> None:
        """End the functions' processes, whatever they are doing, of which those learn who wait for them."""
        for worker in self._workers:
            worker.end()

    def close(self) -> None:
        """End the functions' processes and remove what was unpacked for them."""
        for worker in self._workers:
            worker.close()
        self._processes.clear()

    @property
    def _workers(self) -> list[Worker]:
        return [worker for processes in self._processes.values() for worker in processes.all]

    def start(self) -> None:
        """Start a process of every function, so that the first event need not wait for it."""
        for function in self._engine.system.of(Function):
            if (worker := self._take(function)) is not None:
                worker.start(self._engine.timestamp)
                self._give_back(function, worker)

    def _deliver(self, function: Function, request: Request, node: Node) -> None:
        self.invoke_later(function, request.value, node)

    # Asynchronous invocations

    def invoke_later(self, function: Function, event: Any, node: Node) -> None:
        """Invoke a function with Lambda's own retries and destinations."""
        self._attempt(Invocation(function, event, node, self._engine.new_id(), self._engine.now))

    def _attempt(self, invocation: Invocation) -> None:
        engine, function = self._engine, invocation.function
        self._waiting.discard(invocation)
        if (words := self.throttle(function)) is not None:
            self._wait(invocation, words)
            return
        if self._is_busy(function):
            self._attempt_when_idle(invocation)
            return
        invocation.attempts += 1
        outcome = self.invoke(function, invocation.event, invocation.node, request_id=invocation.request_id)
        if outcome.error is None:
            record = self._record(invocation, "Success", outcome)
            if function.successes_arn is not None:
                result = Result(record, True, "succeeded", invocation.node, invocation.about)
                self.destinations.send_record(function, function.successes_arn, result)
            return
        age, pause = engine.now - invocation.since, ASYNC_RETRY_SECONDS[min(invocation.attempts - 1, 1)]
        if invocation.attempts > function.retry_attempts:
            self._fail(invocation, "RetriesExhausted", outcome)
        elif age + pause >= function.max_age_seconds:
            self._fail(invocation, "EventAgeExceeded", outcome)
        else:
            self._again(invocation, pause)

    def _attempt_when_idle(self, invocation: Invocation) -> None:
        processes = self._processes[invocation.function.arn]

        def attempt(worker: Worker) -> None:
            processes.idle.append(worker)
            self._engine.at(0, partial(self._attempt, invocation))

        self._waiting.add(invocation)
        processes.waiting.append(attempt)

    def _again(self, invocation: Invocation, pause: float) -> None:
        self._waiting.add(invocation)
        self._engine.at(pause, partial(self._attempt, invocation))

    def throttle(self, function: Function) -> str | None:
        """Why Lambda does not run a function now; None when it does."""
        if function.reserved_concurrency == 0:
            return "throttled: its reserved concurrency is 0"
        return "throttled by a fault" if self._engine.strikes(("throttle",), *function.names) else None

    def _wait(self, invocation: Invocation, words: str) -> None:
        """Try an event that was throttled again, with pauses that double up to five minutes, until it is too old.

        A function with a reserved concurrency of 0 is not tried again (developer guide, "Configuring reserved
        concurrency").
        """
        engine, function = self._engine, invocation.function
        if function.reserved_concurrency == 0:
            self._fail(invocation, "ZeroReservedConcurrency", None)
            return
        if engine.now - invocation.since + invocation.pause >= function.max_age_seconds:
            self._fail(invocation, "EventAgeExceeded", None)
            return
        if invocation.waiting is None:
            about = {"attempts": 0, **invocation.about}
            invocation.waiting = engine.node("retry", function.name, function.account, words, invocation.node, **about)
        invocation.waiting.data["attempts"] += 1
        self._again(invocation, invocation.pause)
        invocation.pause = min(LONGEST_PAUSE_SECONDS, 2 * invocation.pause)

    def _fail(self, invocation: Invocation, condition: str, outcome: Outcome | None) -> None:
        """Send what a function failed at to its failure destination and dead-letter queue, or note that it is lost."""
        function = invocation.function
        message = (outcome.error or {}).get("errorMessage", "") if outcome else "throttled"
        words = f"{condition} after {invocation.attempts} attempts: {message}"
        about = {**invocation.about, "code": condition}
        result = Result(self._record(invocation, condition, outcome), False, words, invocation.node, about)
        if function.failures_arn is not None or function.dead_letters_arn is None:
            self.destinations.send_record(function, function.failures_arn, result)
        if function.dead_letters_arn is not None:
            attributes = {"RequestID": invocation.request_id, "ErrorCode": 200 if outcome else 429}
            about_error = {"ErrorMessage": str(message)[:1024]} if message else {}
            self.destinations.send_dead_letter(function, invocation.event, {**attributes, **about_error}, result)

    def _record(self, invocation: Invocation, condition: str, outcome: Outcome | None) -> dict[str, Any]:
        """The record of an invocation; without an outcome the function was never run for it."""
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": self._engine.iso_milliseconds(),
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": f"{invocation.function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": invocation.attempts,
            },
            "requestPayload": invocation.event,
        }
        if outcome is not None:
            record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST"}
            if outcome.error is not None:
                record["responseContext"]["functionError"] = "Unhandled"
            record["responsePayload"] = outcome.result if outcome.error is None else dict(outcome.error)
        return record

    # One invocation

    def invoke(self, function: Function, event: Any, node: Node | None, *, request_id: str = "") -> Outcome:
        """Run a function now; what it does is noted below the invocation."""
        engine = self._engine
        request_id = request_id or engine.new_id()
        branch = engine.node("invoked", function.name, function.account, "", node, payload=event)
        if engine.strikes(("timeout",), *function.names):
            words = f"RequestId: {request_id} Error: Task timed out after {function.timeout_seconds:.2f} seconds"
            problem = {"errorType": "Sandbox.Timedout", "errorMessage": words}
            outcome = Outcome(error=problem, seconds=function.timeout_seconds)
        else:
            outcome = self._run(function, event, request_id, branch)
            if outcome.error is None and engine.strikes(("crash",), *function.names):
                words = f"RequestId: {request_id} Error: Runtime exited without providing a reason (by a fault)"
                outcome = Outcome(error={"errorType": "Runtime.ExitError", "errorMessage": words})
        if outcome.printed:
            engine.write_log(function.account_id, function.log_group, outcome.printed)
        branch.data["printed"] = outcome.printed
        if outcome.error is not None:
            words = f"{outcome.error['errorType']}: {outcome.error['errorMessage']}"
            engine.node("failed", function.name, function.account, words, branch)
        return outcome

    def _run(self, function: Function, event: Any, request_id: str, branch: Node) -> Outcome:
        engine, role = self._engine, self._engine.system.get(Role, function.role_arn)
        if role is None:
            return Outcome(error={"errorType": "AccessDenied", "errorMessage": "the function has no role"})
        worker = self._take(function)
        if worker is None:
            return Outcome(error={"errorType": "Runtime.ExitError", "errorMessage": "the simulation has ended"})
        began, now = time.monotonic(), engine.timestamp

        def run_another() -> None:
            if (copy := self._take(function, copy=True)) is not None:
                run(copy, engine.new_id(), None)
                self._give_back(function, copy, copy=True)

        def run(worker: Worker, request_id: str, run_another: Callable[[], None] | None) -> Outcome:
            def answer(call: Call) -> Reply:
                do = partial(engine.call, role.identity, call)
                with engine.back(), engine.below(branch):
                    return call_faults.answer(engine, function, call, do, run_another)

            with engine.away():
                return worker.invoke(event, request_id, answer, now=now)

        try:
            outcome = run(worker, request_id, run_another)
        finally:
            self._give_back(function, worker)
        return replace(outcome, seconds=time.monotonic() - began)

    # Processes

    def _is_busy(self, function: Function) -> bool:
        """Whether the function has as many processes as it may have, and all have something to do."""
        processes = self._processes[function.arn]
        return self._engine.turns is not None and not processes.idle and len(processes.all) >= _most(function)

    def _take(self, function: Function, *, copy: bool = False) -> Worker | None:
        """A process that does nothing, or another; None when there will be none, since the simulation ends."""
        processes, turns = self._processes[_key(function, copy=copy)], self._engine.turns
        if turns is not None and turns.ended:
            return None
        if turns is not None and not copy and self._is_busy(function):
            return turns.receive(processes.waiting)
        if processes.idle:
            return processes.idle.pop()
        worker = self._worker(function, "copy" if copy else "simulator")
        processes.all.append(worker)
        return worker

    def _give_back(self, function: Function, worker: Worker, *, copy: bool = False) -> None:
        processes = self._processes[_key(function, copy=copy)]
        if processes.waiting:
            processes.waiting.popleft()(worker)
        else:
            processes.idle.append(worker)

    def _worker(self, function: Function, log_stream: str) -> Worker:
        if not function.runtime.startswith("python"):
            raise SimulatorError(f"{function.address}: the runtime {function.runtime} is not simulated, only Python")
        if function.code is None:
            raise SimulatorError(f"{function.address}: only a function with its zip beside the stack is simulated")
        if not function.code.exists():
            raise SimulatorError(f"{function.address}: {function.code} is not there; run `backbone synth` again")
        context = {
            "function_name": function.name,
            "function_arn": function.arn,
            "memory_mb": function.memory_mb,
            "log_group": function.log_group,
        }
        return Worker(
            function.code,
            function.handler,
            {**function.environment, **_environment(function, log_stream)},
            timeout_seconds=function.timeout_seconds,
            context=context,
            requirements=layers.requirements(self._engine.system, function),
            folders=self._folders(function),
        )

    def _folders(self, function: Function) -> tuple[str, ...]:
        """Where the packages lie that the function's service needs, as this machine runs them."""
        system = self._engine.system
        folder = system.packages.get(system.services.get(function.address, ""))
        if folder is None:
            return ()
        if not folder.is_dir():
            raise SimulatorError(
                f"{function.address}: the packages that it needs are not there for this machine's Python: {folder}; "
                "run `backbone lock`"
            )
        return (str(folder),)


def _key(function: Function, *, copy: bool) -> str:
    return f"{function.arn} copy" if copy else function.arn


def _most(function: Function) -> int:
    """The processes that a function may have where several run at once."""
    reserved = function.reserved_concurrency
    return PROCESSES if reserved is None or reserved < 1 else min(reserved, PROCESSES)


def _environment(function: Function, log_stream: str) -> dict[str, str]:
    """What Lambda adds to a function's environment, and what keeps it on this machine."""
    region = function.place.region
    return {
        "AWS_ACCESS_KEY_ID": "SIMULATED",
        "AWS_SECRET_ACCESS_KEY": "SIMULATED",
        "AWS_SESSION_TOKEN": "SIMULATED",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "POWERTOOLS_TRACE_DISABLED": "true",
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "LANG": "en_US.UTF-8",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ": ":UTC",
    }
