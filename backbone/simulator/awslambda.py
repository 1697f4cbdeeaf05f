"""Lambda: functions run in processes of their own; what fails is tried again and then sent to a failure queue."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from functools import partial
from typing import Any

from backbone.aws.limits import ASYNC_RETRY_SECONDS
from backbone.simulator.engine import Engine, Request, SimulatorError
from backbone.simulator.processes import Call, Outcome, Reply, Worker
from backbone.system.iam import Identity, authorize
from backbone.system.model import Function, Queue, Role
from backbone.trace import Node

__all__ = ["Lambda"]


class Lambda:
    """The functions of a system."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._workers: dict[str, Worker] = {}
        engine.take(Function, "function", self._deliver)
        engine.invoke = self.invoke

    def close(self) -> None:
        """End the functions' processes and remove what was unpacked for them."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def start(self) -> None:
        """Start the process of every function, so that the first event need not wait for it."""
        for function in self._engine.system.of(Function):
            self._worker(function).start()

    def _deliver(self, function: Function, request: Request, node: Node) -> None:
        self.invoke_later(function, request.value, node)

    # Asynchronous invocations

    def invoke_later(self, function: Function, event: Any, node: Node) -> None:
        """Invoke a function with Lambda's own retries and failure destination."""
        self._attempt(function, event, node, 0, self._engine.now)

    def _attempt(self, function: Function, event: Any, node: Node, attempt: int, since: float) -> None:
        engine = self._engine
        age = engine.now - since
        if engine.strikes(("throttle",), *function.names):
            if age >= function.max_age_seconds:
                self._fail(function, event, node, "EventAgeExceeded", attempt, None)
                return
            engine.node("retry", function.name, function.account, "throttled by a fault", node)
            engine.at(min(300.0, 1.0 + age), partial(self._attempt, function, event, node, attempt, since))
            return
        outcome = self.invoke(function, event, node)
        if outcome.error is None:
            return
        pause = ASYNC_RETRY_SECONDS[min(attempt, 1)]
        if attempt >= function.retry_attempts:
            self._fail(function, event, node, "RetriesExhausted", attempt + 1, outcome)
        elif age + pause > function.max_age_seconds:
            self._fail(function, event, node, "EventAgeExceeded", attempt + 1, outcome)
        else:
            engine.at(pause, partial(self._attempt, function, event, node, attempt + 1, since))

    def _fail(
        self, function: Function, event: Any, node: Node, condition: str, attempts: int, outcome: Outcome | None
    ) -> None:
        """Send what a function failed at to its failure destination, or note that it is lost."""
        engine = self._engine
        problem = outcome.error if outcome and outcome.error else {}
        words = f"{condition} after {attempts} attempts: {problem.get('errorMessage', 'throttled')}"
        about = {"id": event.get("id", "") if isinstance(event, dict) else "", "code": condition}
        queue, role = engine.system.get(Queue, function.failures_arn), engine.system.get(Role, function.role_arn)
        if queue is None or role is None:
            engine.node("lost", function.name, function.account, f"{words}; no failure destination", node, **about)
            return
        allowed = authorize(role.identity, "sqs:SendMessage", queue.arn, owner=queue.account_id, context=engine.context)
        if not allowed:
            engine.node("lost", function.name, function.account, f"{words}; {allowed.why}", node, **about)
            return
        record = {
            "version": "1.0",
            "timestamp": engine.iso_time(),
            "requestContext": {
                "requestId": engine.new_id(),
                "functionArn": f"{function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": dict(problem),
        }
        branch = engine.node("dead-lettered", queue.name, queue.account, words, node, **about)
        engine.send(queue, json.dumps(record), {}, branch)

    # One invocation

    def invoke(self, function: Function, event: Any, node: Node | None) -> Outcome:
        """Run a function now; what it does is noted below the invocation."""
        engine = self._engine
        branch = engine.node("invoked", function.name, function.account, "", node)
        if engine.strikes(("timeout",), *function.names):
            words = f"Task timed out after {function.timeout_seconds:.2f} seconds"
            problem = {"errorType": "Sandbox.Timedout", "errorMessage": words}
            outcome = Outcome(error=problem, seconds=function.timeout_seconds)
        else:
            with engine.below(branch):
                outcome = self._run(function, event)
            if outcome.error is None and engine.strikes(("crash",), *function.names):
                outcome = Outcome(error={"errorType": "Runtime.ExitError", "errorMessage": "crashed by a fault"})
        if outcome.printed:
            engine.write_log(function.account_id, function.log_group, outcome.printed)
        branch.data["printed"] = outcome.printed
        if outcome.error is not None:
            words = f"{outcome.error['errorType']}: {outcome.error['errorMessage']}"
            engine.node("failed", function.name, function.account, words, branch)
        return outcome

    def _run(self, function: Function, event: Any) -> Outcome:
        worker, role = self._worker(function), self._engine.system.get(Role, function.role_arn)
        if role is None:
            return Outcome(error={"errorType": "AccessDenied", "errorMessage": "the function has no role"})
        began = time.monotonic()
        outcome = worker.invoke(event, self._engine.new_id(), partial(self._call, role.identity))
        return replace(outcome, seconds=time.monotonic() - began)

    def _call(self, who: Identity, call: Call) -> Reply:
        return self._engine.call(who, call)

    def _worker(self, function: Function) -> Worker:
        if function.arn not in self._workers:
            if not function.runtime.startswith("python"):
                raise SimulatorError(
                    f"{function.address}: the runtime {function.runtime} is not simulated, only Python"
                )
            if not function.code.exists():
                raise SimulatorError(f"{function.address}: {function.code} is not there; run `backbone synth` again")
            context = {
                "function_name": function.name,
                "function_arn": function.arn,
                "memory_mb": function.memory_mb,
                "log_group": function.log_group,
            }
            self._workers[function.arn] = Worker(
                function.code,
                function.handler,
                {**function.environment, **_environment(function)},
                timeout_seconds=function.timeout_seconds,
                context=context,
            )
        return self._workers[function.arn]


def _environment(function: Function) -> dict[str, str]:
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
        "PATH": os.environ.get("PATH", ""),
        "TZ": "UTC",
    }
