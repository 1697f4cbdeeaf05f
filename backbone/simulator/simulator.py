"""Runs the world: events are put, matched, delivered, retried and lost as EventBridge would, on a clock of its own."""

from __future__ import annotations

import heapq
import json
import random
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError
from backbone.simulator import aws, http_api
from backbone.simulator.faults import Fault, Kind
from backbone.simulator.functions import Outcome, Worker
from backbone.simulator.transform import at_path, transformed
from backbone.simulator.world import (
    Archive,
    Bus,
    Destination,
    Function,
    LogGroup,
    Message,
    Queue,
    Role,
    Rule,
    Stream,
    Target,
    World,
)
from backbone.system import terraform
from backbone.system.iam import Identity, authorize
from backbone.trace import Node, Trace

__all__ = ["Simulator", "SimulatorError"]

BEGIN = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
"""The time on the simulator's clock when it is made."""

MAX_ENTRIES = 10  # of one PutEvents call (EventBridge API reference)
MAX_ENTRY_BYTES = 1024 * 1024  # since January 2026
MAX_CHAIN = 100
"""Events that may cause each other, one after the other; EventBridge itself would not stop them."""

ASYNC_RETRY_SECONDS = (60, 120)  # between Lambda's attempts (Lambda developer guide, "Asynchronous invocation")

Event = dict[str, Any]
Action = Callable[[], None]


class SimulatorError(BackboneError):
    """Something was asked of the simulator that it cannot do."""


class Simulator:
    """The system of the synthesized stacks, from a known state and with no time passed.

    Time passes only in `run_until_idle`, and only as far as something is due: a day of retries takes none. The same
    calls with the same `seed` give the same trace, as far as functions do. `close` ends the functions' processes.
    """

    def __init__(
        self, world: World, *, seed: int = 0, faults: Iterable[Fault] = (), stub_authorizers: bool = False
    ) -> None:
        self.world = world
        self.faults = list(faults)
        self.stub_authorizers = stub_authorizers
        self.queues = {one.name: one.messages for one in world.of(Queue)}
        self.on_node: Callable[[Node], None] | None = None
        self.now = 0.0
        self._random = random.Random(seed)  # noqa: S311 - repeats, on purpose
        self._due: list[tuple[float, int, Action]] = []
        self._order = 0
        self._roots: list[Node] = []
        self._current: Node | None = None
        self._workers: dict[str, Worker] = {}
        self._tables = aws.Tables(world)
        self._organization = _organization(world)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        seed: int = 0,
        faults: Iterable[Fault] = (),
        stub_authorizers: bool = False,
    ) -> Simulator:
        """The system of all stacks in a folder such as `cdktf.out`; TerraformError when they cannot be read."""
        world = World(terraform.load(Path(folder)), Path(folder))
        return cls(world, seed=seed, faults=faults, stub_authorizers=stub_authorizers)

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the functions' processes and remove what was unpacked for them."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    @property
    def findings(self) -> list[str]:
        """What AWS would refuse or what could never work, with the address and the cost of each."""
        return [str(one) for one in self.world.findings]

    # Time

    def at(self, seconds: float, action: Action) -> None:
        """Do something when so many seconds have passed from now."""
        self._order += 1
        heapq.heappush(self._due, (self.now + seconds, self._order, action))

    def run_until_idle(self, *, at_most: float = float("inf")) -> Trace:
        """Let everything happen that is due, at most so many seconds from now; returns the whole trace."""
        end = self.now + at_most
        while self._due and self._due[0][0] <= end:
            due, _, action = heapq.heappop(self._due)
            self.now = max(self.now, due)
            action()
        if at_most != float("inf"):
            self.now = end
        return self.trace()

    def trace(self, event_id: str | None = None) -> Trace:
        """All that happened, or only what became of one event."""
        if event_id is None:
            return Trace(self._roots)
        return Trace([one for root in self._roots for one in root.walk() if one.data.get("id") == event_id][:1])

    def forget(self) -> None:
        """Begin a new trace, and empty the logs and archives, so that a long run does not grow."""
        self._roots.clear()
        for group in self.world.of(LogGroup):
            group.entries.clear()
        for archive in self.world.of(Archive):
            archive.events.clear()

    def node(
        self, kind: str, place: str, account: str, words: str = "", parent: Node | None = None, **data: Any
    ) -> Node:
        """Note that something happened, under what it follows from."""
        node = Node(kind, self.now, place, account, words, data)
        parent = parent or self._current
        (self._roots if parent is None else parent.children).append(node)
        node.depth = (parent.depth if parent else 0) + (kind == "put")
        if node.depth > MAX_CHAIN:
            raise SimulatorError(
                f"{node.place}: {words} is the {node.depth}th event in a chain in which each causes the next: they "
                "would go on without end; have a function not answer what follows from its own events"
            )
        if self.on_node is not None:
            self.on_node(node)
        return node

    def new_id(self) -> str:
        """An id that is the same in the next run with the same seed."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    # Putting events

    def identity(self, name: str) -> Identity:
        """A caller: an account by name or id, a service by its source, or a function or role by name or ARN.

        An account stands for an identity in it that its own policies allow everything.
        """
        function = self.world.find(Function, name)
        if function is not None and function.role is not None:
            return function.role.identity()
        if role := self.world.find(Role, name):
            return role.identity()
        ids = self.world.account_ids
        account_id = ids.get(name) or (name if name in ids.values() else None)
        account_id = account_id or self._publisher(name)
        if account_id is None:
            known = ", ".join([*ids, *(one.name for one in self.world.of(Function))])
            raise SimulatorError(f"caller: got {name!r}; allowed: {known}, or a service's name")
        partition = next(self.world.of(Bus)).arn.split(":")[1]
        return Identity(f"arn:{partition}:iam::{account_id}:root", account_id)

    def _publisher(self, source: str) -> str | None:
        """The account that a bus's policy lets put events of a source."""
        for bus in self.world.of(Bus):
            for statement in bus.policy.statements if bus.policy else ():
                sources = statement.get("Condition", {}).get("StringEquals", {}).get("events:source", [])
                principal = statement.get("Principal")
                root = principal.get("AWS") if isinstance(principal, dict) else None
                if isinstance(root, str) and source in ([sources] if isinstance(sources, str) else sources):
                    return root.split(":")[4]
        return next((one.account_id for one in self.world.of(Bus) if one.name.endswith(f"-{source}")), None)

    def put_events(self, entries: Sequence[Mapping[str, Any]], *, caller: str | Identity) -> dict[str, Any]:
        """What PutEvents answers a caller: the results of the entries in their order, in the shape of the API.

        Entries have the names of the API; `Detail` may be an object as well as its JSON. Deliveries happen in
        `run_until_idle`.
        """
        who = caller if isinstance(caller, Identity) else self.identity(caller)
        if not 1 <= len(entries) <= MAX_ENTRIES:
            raise SimulatorError(f"Entries: got {len(entries)}; allowed: 1 to {MAX_ENTRIES}")
        results = [self._put(entry, who) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results}

    def _put(self, entry: Mapping[str, Any], who: Identity) -> dict[str, Any]:
        source, detail_type = str(entry.get("Source") or ""), str(entry.get("DetailType") or "")
        name = str(entry.get("EventBusName") or "default")
        bus = self.world.things.get(name) if name.startswith("arn:") else self._bus_named(name, who.account_id)
        place, account = (bus.name, bus.account) if isinstance(bus, Bus) else (name, who.account_id)
        caller = who.name.rpartition("/")[2] if "/" in who.name else self._account(who.account_id)

        def refuse(kind: str, code: str, words: str) -> dict[str, Any]:
            more: dict[str, Any] = {"detail_type": detail_type, "source": source, "code": code, "caller": caller}
            self.node(kind, place, account, f"{detail_type or 'event'} from {caller}: {code}: {words}", **more)
            return {"ErrorCode": code, "ErrorMessage": words}

        for key, value in (("Source", source), ("DetailType", detail_type), ("Detail", entry.get("Detail"))):
            if not value and value != {}:
                return refuse(
                    "refused", "InvalidArgument", f"Parameter {key} is not valid. Reason: {key} is a required argument."
                )
        text = entry["Detail"] if isinstance(entry["Detail"], str) else json.dumps(entry["Detail"])
        try:
            detail = json.loads(text)
        except (ValueError, RecursionError):
            detail = None
        if not isinstance(detail, dict):
            return refuse("refused", "MalformedDetail", "Detail is malformed.")
        if source.startswith("aws."):
            words = "Not authorized for the source."
            return refuse("refused", "NotAuthorizedForSourceException", words)
        size = len(text.encode("utf-8", "replace")) + len(source.encode()) + len(detail_type.encode())
        if size > MAX_ENTRY_BYTES:
            return refuse(
                "refused", "InvalidArgument", f"Total size of the entries in the request is over the limit: {size:,}"
            )
        if len(detail_type) > 128:
            return refuse("refused", "InvalidArgument", "DetailType is longer than 128 characters.")
        if not isinstance(bus, Bus):
            return refuse("refused", "ResourceNotFoundException", f"Event bus {name} does not exist.")
        if self._strikes(("throttle", "timeout"), *bus.names):
            return refuse("refused", "ThrottlingException", "Rate exceeded.")
        context = self._context(who) | {"events:source": source, "events:detail-type": detail_type}
        decision = authorize(
            who,
            "events:PutEvents",
            bus.arn,
            owner=bus.account_id,
            policy=bus.policy,
            context=context | {"events:eventBusInvocation": "false"},
        )
        if not decision or self._strikes(("deny",), *bus.names):
            return refuse("denied", "AccessDeniedException", decision.why if not decision else "by a fault")
        event: Event = {
            "version": "0",
            "id": self.new_id(),
            "detail-type": detail_type,
            "source": source,
            "account": who.account_id,
            "time": str(entry.get("Time") or self._time()),
            "region": bus.arn.split(":")[3],
            "resources": list(entry.get("Resources") or []),
            "detail": detail,
        }
        node = self.node(
            "put",
            bus.name,
            bus.account,
            f"{detail_type} from {caller}",
            id=event["id"],
            source=source,
            caller=caller,
            allowed_by=decision.why,
            detail_type=detail_type,
        )
        self._ingest(bus, event, node, hops=0)
        return {"EventId": event["id"]}

    def _bus_named(self, name: str, account_id: str) -> Bus | None:
        for bus in self.world.of(Bus):
            if bus.account_id == account_id and bus.arn.rpartition("/")[2] == name:
                return bus
        return None

    def _context(self, who: Identity) -> dict[str, str]:
        context = {"aws:PrincipalArn": who.name, "aws:PrincipalAccount": who.account_id}
        return context | ({"aws:PrincipalOrgID": self._organization} if self._organization else {})

    def _time(self) -> str:
        return datetime.fromtimestamp(BEGIN + self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _account(self, account_id: str) -> str:
        return next((name for name, one in self.world.account_ids.items() if one == account_id), account_id)

    # From a bus to targets

    def _ingest(self, bus: Bus, event: Event, node: Node, *, hops: int, only: frozenset[str] | None = None) -> None:
        for archive in bus.archives:
            if "replay-name" not in event and (archive.pattern is None or archive.pattern.matches(event)):
                archive.events.append((self.now, event))
                self.node("archived", archive.name, archive.account, "", node)
        for rule in bus.matching.matching(event):
            if only is not None and rule.arn not in only:
                continue
            branch = self.node("rule", rule.name, rule.account, "", node, address=rule.address)
            for target in rule.targets:
                self._schedule(_Delivery(target, event, branch, hops, self.now))

    def _schedule(self, delivery: _Delivery) -> None:
        names = self._names_of(delivery.target)
        for fault in self.faults:
            if fault.strikes(("delay",), names, self.now):
                self.at(fault.seconds, lambda: self._attempt(delivery))
                return
            if fault.strikes(("reorder",), names, self.now):
                self.at(self._random.uniform(0, fault.seconds), lambda: self._attempt(delivery))
                return
            if fault.strikes(("duplicate",), names, self.now):
                self.at(0, lambda: self._attempt(delivery))
        self.at(0, lambda: self._attempt(delivery))

    def _names_of(self, target: Target) -> tuple[str, ...]:
        return (target.arn, target.address, target.rule.name, *(target.to.names if target.to else ()))

    def _strikes(self, kinds: tuple[Kind, ...], *names: str) -> bool:
        return any(fault.strikes(kinds, names, self.now) for fault in self.faults)

    def _attempt(self, delivery: _Delivery) -> None:
        target, event = delivery.target, delivery.event
        if self.faults:
            names = self._names_of(target)
            if self._strikes(("deny",), *names):
                return self._give_up(delivery, "NO_PERMISSIONS", "denied by a fault", None)
            if not isinstance(target.to, Function):
                # A function takes events whatever its state: its own failures are Lambda's to retry.
                for kind, code in (("throttle", "THROTTLING"), ("timeout", "SDK_CLIENT_ERROR")):
                    if self._strikes((kind,), *names):  # type: ignore[arg-type]
                        return self._retry(delivery, code, f"{kind} by a fault")
        key = (event["source"], event["detail-type"])
        if key not in target.decisions:
            context = {"events:source": key[0], "events:detail-type": key[1]}
            if self._organization:
                context["aws:PrincipalOrgID"] = self._organization
            target.decisions[key] = self.world.may_deliver(target, context)
        if (refusal := target.decisions[key]) is not None:
            code, words = refusal
            return self._give_up(delivery, code, words, None)
        to = target.to
        if isinstance(to, Bus):
            if delivery.hops:
                words = "an event that was forwarded from another bus is not forwarded again"
                return self._give_up(delivery, "THIRD_ACCOUNT_HOP_DETECTED", words, None, silently="dropped")
            node = self._delivered(delivery, "bus")
            self._ingest(to, event, node, hops=delivery.hops + 1)
            return None
        about = {"aws.events.rule-arn": target.rule.arn, "aws.events.rule-name": target.rule.name}
        given = transformed(
            event, input=target.input, path=target.input_path, transformer=target.transformer, known=about
        )
        if isinstance(to, LogGroup):
            self._delivered(delivery, "log")
            to.entries.append(given)
        elif isinstance(to, Function):
            node = self._delivered(delivery, "function")
            self._invoke_later(to, given, node, attempt=0, since=self.now)
        elif isinstance(to, Queue):
            node = self._delivered(delivery, "queue")
            self._send(to, given if isinstance(given, str) else json.dumps(given), {}, node)
        elif isinstance(to, Stream):
            self._delivered(delivery, "stream")
            key_path = target.partition_key_path
            to.records.append((str(at_path(event, key_path)) if key_path else event["id"], given))
        elif isinstance(to, Destination):
            self._delivered(delivery, "destination")
            to.calls.append(given)
        return None

    def _delivered(self, delivery: _Delivery, target: str) -> Node:
        to, event = delivery.target.to, delivery.event
        if to is None:
            raise SimulatorError(f"{delivery.target.address}: there is nothing to deliver to")
        more = {
            "detail_type": event["detail-type"],
            "id": event["id"],
            "target": target,
            "attempt": delivery.attempts + 1,
        }
        return self.node("delivered", to.name, to.account, "", delivery.node, **more)

    def _retry(self, delivery: _Delivery, code: str, words: str) -> None:
        """Try again later, with pauses that double up to an hour, unless attempts or time are used up."""
        target = delivery.target
        pause = min(2.0**delivery.attempts, 3600) * self._random.uniform(0.5, 1)
        if delivery.attempts >= target.max_attempts:
            return self._give_up(delivery, code, words, "MaximumRetryAttempts")
        if self.now + pause - delivery.since > target.max_age_seconds:
            return self._give_up(delivery, code, words, "MaximumEventAgeInSeconds")
        delivery.attempts += 1
        if delivery.attempts == 1:
            delivery.retrying = self.node("retry", target.name, target.rule.account, f"{code}: {words}", delivery.node)
        elif delivery.retrying is not None:
            delivery.retrying.data["attempts"] = delivery.attempts
        self.at(pause, lambda: self._attempt(delivery))
        return None

    def _give_up(
        self, delivery: _Delivery, code: str, words: str, exhausted: str | None, *, silently: str = "lost"
    ) -> None:
        target = delivery.target
        queue = self.world.things.get(target.dead_letters_arn or "")
        refused = self.world.may_dead_letter(target) if target.dead_letters_arn else "there is no dead-letter queue"
        about = {"code": code, "id": delivery.event["id"], "detail_type": delivery.event["detail-type"]}
        if refused or not isinstance(queue, Queue):
            what = f"{code}: {words}; {refused}"
            self.node(silently, target.name, target.rule.account, what, delivery.node, **about)
            return
        attributes = {
            "RULE_ARN": target.rule.arn,
            "TARGET_ARN": target.arn,
            "ERROR_CODE": code,
            "ERROR_MESSAGE": words,
            "RETRY_ATTEMPTS": str(delivery.attempts),
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        node = self.node("dead-lettered", queue.name, queue.account, f"{code}: {words}", delivery.node, **about)
        self._send(queue, json.dumps(delivery.event), attributes, node, hops=delivery.hops)

    # Queues

    def _send(self, queue: Queue, body: str, attributes: dict[str, str], node: Node, *, hops: int = 0) -> None:
        queue.messages.append(Message(body, attributes, self.new_id(), visible_at=self.now, hops=hops))
        self.poll(queue, node)

    def poll(self, queue: Queue, node: Node | None = None, seconds: float = 0) -> None:
        """Let the functions that read a queue look into it, so many seconds from now."""
        for function in self.world.of(Function):
            for mapping in function.mappings:
                if mapping["event_source_arn"] == queue.arn:
                    self.at(seconds, lambda f=function, m=mapping: self._receive(queue, f, m, node))  # type: ignore[misc]

    def _receive(self, queue: Queue, function: Function, mapping: Mapping[str, Any], node: Node | None) -> None:
        ready = [one for one in queue.messages if one.visible_at <= self.now]
        batch = ready[: int(mapping["batch_size"] or 10)]
        if not batch:
            return
        for message in batch:
            message.receives += 1
            message.visible_at = self.now + queue.visibility_seconds
        records = [
            {
                "messageId": one.id,
                "receiptHandle": one.id,
                "body": one.body,
                "attributes": {"ApproximateReceiveCount": str(one.receives)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": queue.arn,
                "awsRegion": queue.arn.split(":")[3],
            }
            for one in batch
        ]
        outcome = self._invoke(function, {"Records": records}, node)
        failed = {one.id for one in batch}
        if outcome.error is None:
            partial = "ReportBatchItemFailures" in (mapping["function_response_types"] or [])
            answer = outcome.result if isinstance(outcome.result, dict) and partial else {}
            failed = {one["itemIdentifier"] for one in answer.get("batchItemFailures", [])}
        queue.messages[:] = [one for one in queue.messages if one not in batch or one.id in failed]
        for message in [one for one in batch if one.id in failed]:
            self._move_if_spent(queue, message, node)
        if queue.messages:
            soonest = min(one.visible_at for one in queue.messages)
            self.poll(queue, node, max(0.0, soonest - self.now))

    def _move_if_spent(self, queue: Queue, message: Message, node: Node | None) -> None:
        dead = self.world.things.get(queue.redrive_arn or "")
        if isinstance(dead, Queue) and message.receives >= queue.max_receives:
            queue.messages.remove(message)
            dead.messages.append(message)
            self.node("dead-lettered", dead.name, dead.account, f"received {message.receives} times", node)

    # Functions

    def _invoke_later(self, function: Function, event: Any, node: Node, *, attempt: int, since: float) -> None:
        """An asynchronous invocation, with Lambda's own retries and failure destination."""
        if self._strikes(("throttle",), *function.names):
            if self.now - since >= function.max_age_seconds:
                self._fail(function, event, node, "EventAgeExceeded", attempt, None)
                return
            self.node("retry", function.name, function.account, "throttled by a fault", node)
            self.at(min(300.0, 1.0 + (self.now - since)), lambda: self._again(function, event, node, attempt, since))
            return
        outcome = self._invoke(function, event, node)
        if outcome.error is None:
            return
        if attempt >= function.retry_attempts:
            self._fail(function, event, node, "RetriesExhausted", attempt + 1, outcome)
            return
        pause = ASYNC_RETRY_SECONDS[min(attempt, 1)]
        if self.now + pause - since > function.max_age_seconds:
            self._fail(function, event, node, "EventAgeExceeded", attempt + 1, outcome)
            return
        self.at(pause, lambda: self._again(function, event, node, attempt + 1, since))

    def _again(self, function: Function, event: Any, node: Node, attempt: int, since: float) -> None:
        self._invoke_later(function, event, node, attempt=attempt, since=since)

    def _fail(
        self, function: Function, event: Any, node: Node, condition: str, attempts: int, outcome: Outcome | None
    ) -> None:
        error = outcome.error if outcome and outcome.error else {}
        words = f"{condition} after {attempts} attempts: {error.get('errorMessage', 'throttled')}"
        queue = self.world.things.get(function.failures_arn or "")
        about = {"id": event.get("id", "") if isinstance(event, dict) else "", "code": condition}
        if not isinstance(queue, Queue) or function.role is None:
            self.node("lost", function.name, function.account, f"{words}; no failure destination", node, **about)
            return
        allowed = authorize(
            function.role.identity(), "sqs:SendMessage", queue.arn, owner=queue.account_id, policy=None, context={}
        )
        if not allowed:
            self.node("lost", function.name, function.account, f"{words}; {allowed.why}", node, **about)
            return
        record = {
            "version": "1.0",
            "timestamp": self._time(),
            "requestContext": {
                "requestId": self.new_id(),
                "functionArn": f"{function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": dict(error),
        }
        branch = self.node("dead-lettered", queue.name, queue.account, words, node, **about)
        self._send(queue, json.dumps(record), {}, branch)

    def _invoke(self, function: Function, event: Any, node: Node | None) -> Outcome:
        """Run a function now; what it does is noted below the invocation."""
        branch = self.node("invoked", function.name, function.account, "", node)
        if self._strikes(("timeout",), *function.names):
            words = f"Task timed out after {function.timeout_seconds:.2f} seconds"
            outcome = Outcome(error={"errorType": "Sandbox.Timedout", "errorMessage": words})
        else:
            before, self._current = self._current, branch
            try:
                outcome = self._run(function, event)
            finally:
                self._current = before
            if outcome.error is None and self._strikes(("crash",), *function.names):
                outcome = Outcome(error={"errorType": "Runtime.ExitError", "errorMessage": "crashed by a fault"})
        group = next((one for one in self.world.of(LogGroup) if one.name == function.log_group), None)
        if outcome.printed and group is not None:
            group.entries.append(outcome.printed)
        branch.data["printed"] = outcome.printed
        if outcome.error is not None:
            words = f"{outcome.error['errorType']}: {outcome.error['errorMessage']}"
            self.node("failed", function.name, function.account, words, branch)
        return outcome

    def _run(self, function: Function, event: Any) -> Outcome:
        worker = self._worker(function)
        role = function.role
        if role is None:
            return Outcome(error={"errorType": "AccessDenied", "errorMessage": "the function has no role"})
        return worker.invoke(event, self.new_id(), lambda call: aws.answer(self, self._tables, role.identity(), call))

    def _worker(self, function: Function) -> Worker:
        if function.arn not in self._workers:
            if not function.runtime.startswith("python"):
                raise SimulatorError(
                    f"{function.address}: the runtime {function.runtime} is not simulated, only Python"
                )
            if not function.code.exists():
                raise SimulatorError(f"{function.address}: {function.code} is not there; run `backbone synth` again")
            region = function.arn.split(":")[3]
            context = {
                "function_name": function.name,
                "function_arn": function.arn,
                "memory_mb": function.memory_mb,
                "log_group": function.log_group,
            }
            self._workers[function.arn] = Worker(
                function.code,
                function.handler,
                function.environment | aws.environment(function, region),
                timeout_seconds=function.timeout_seconds,
                context=context,
            )
        return self._workers[function.arn]

    def start_functions(self) -> None:
        """Start the process of every function now, so that the first event need not wait for it."""
        for function in self.world.of(Function):
            self._worker(function).start()

    # HTTP

    def http(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        caller: str | None = None,
    ) -> http_api.Answer:
        """Call an API: `body` is JSON values or text. `caller` signs the call as an identity of an account.

        Authorizers are honoured unless the simulator was made with `stub_authorizers`.
        """
        request = http_api.Request(method, path, body, dict(headers or {}))
        api, route, parameters = http_api.find(self.world, method, request.path)
        place, account = (api.name, api.account) if api else ("no API", "")
        node = self.node("http", place, account, f"{method} {path}", caller=caller or "caller")
        who = self.identity(caller) if caller else None
        if api is None or route is None:
            return self._answered(node, http_api.Answer(404, {"message": "Not Found"}))
        authorizer = http_api.authorize(route, request, who, stub=self.stub_authorizers)
        if authorizer is None:
            denied = self.node("denied", route.key, account, f"{route.authorization} authorization", node)
            denied.data["code"] = "403"
            return self._answered(node, http_api.Answer(403, {"message": "Forbidden"}))
        function = route.function
        source = f"{api.execution_arn}/$default/{method}{request.path}"
        if function is None or not self.world.may_invoke(function, "apigateway.amazonaws.com", source, api.account_id):
            self.node("denied", route.key, account, "the API may not invoke the function", node)
            return self._answered(node, http_api.Answer(500, {"message": "Internal Server Error"}))
        if self._strikes(("throttle",), *api.names, *function.names):
            return self._answered(node, http_api.Answer(429, {"message": "Too Many Requests"}))
        event = http_api.event(api, route, request, parameters, authorizer, self.new_id(), BEGIN + self.now)
        return self._answered(node, http_api.answer(self._invoke(function, event, node)))

    def _answered(self, node: Node, answer: http_api.Answer) -> http_api.Answer:
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.node("returned", node.place, node.account, f"{answer.status} {text[:100]}", node, status=answer.status)
        return answer

    # Getting things back

    def replay(
        self,
        archive: str | None = None,
        *,
        rules: Sequence[str] | None = None,
        begin: float = 0,
        end: float = float("inf"),
        name: str = "replay",
    ) -> None:
        """Put what an archive has kept on its bus again, for the rules with these names or ARNs, or for all.

        Without a name it is the only archive. `begin` and `end` are seconds since the simulator was made.
        """
        found = [one for one in self.world.of(Archive) if archive in (None, *one.names)]
        if len(found) != 1:
            known = ", ".join(one.name for one in self.world.of(Archive)) or "none"
            raise SimulatorError(f"archive: got {archive!r}; allowed: {known}")
        bus = self.world.things[found[0].bus_arn]
        only = None
        if rules is not None:
            only = frozenset(one.arn for one in self.world.of(Rule) if not set(rules).isdisjoint(one.names))
        if not isinstance(bus, Bus):
            raise SimulatorError(f"{found[0].address}: its bus is made by no stack")
        for event in [one for at, one in found[0].events if begin <= at < end]:
            again = event | {"replay-name": name}
            more = {"id": event["id"], "detail_type": event["detail-type"]}
            node = self.node("replayed", bus.name, bus.account, f"{event['detail-type']} from {found[0].name}", **more)
            self._ingest(bus, again, node, hops=0, only=only)

    def redrive(self, queue: str) -> int:
        """Send every message of a dead-letter or failure queue to where it should have gone; returns how many."""
        found = self.world.find(Queue, queue)
        if found is None:
            known = ", ".join(self.queues)
            raise SimulatorError(f"queue: got {queue!r}; allowed: {known}")
        messages, found.messages[:] = list(found.messages), []
        targets = {(one.rule.arn, one.arn): one for one in self.world.targets()}
        for message in messages:
            node = self.node("redriven", found.name, found.account, message.attributes.get("ERROR_CODE", ""))
            body = json.loads(message.body)
            target = targets.get((message.attributes.get("RULE_ARN", ""), message.attributes.get("TARGET_ARN", "")))
            if target is not None:
                self._schedule(_Delivery(target, body, node, message.hops, self.now))
                continue
            failed = self._function_of(found)
            payload = body.get("requestPayload", body) if isinstance(body, dict) else body
            if failed is None:
                found.messages.append(message)
                raise SimulatorError(f"{found.name}: nothing tells where its messages should go")
            if isinstance(payload, dict) and "Records" in payload:
                payload = json.loads(payload["Records"][0]["body"])
            self.at(0, lambda f=failed, p=payload, n=node: self._again(f, p, n, 0, self.now))  # type: ignore[misc]
        return len(messages)

    def _function_of(self, queue: Queue) -> Function | None:
        return next((one for one in self.world.of(Function) if one.failures_arn == queue.arn), None)

    def strikes_call(self, names: tuple[str, ...]) -> bool:
        """Whether a fault throttles a function's call of something."""
        return self._strikes(("throttle", "timeout"), *names)

    def items(self, table: str) -> list[dict[str, Any]]:
        """The items of a DynamoDB table, by its name, in DynamoDB's JSON."""
        return self._tables.items(table)

    def rejected(self, queue: Queue) -> None:
        """Note that a function put something into a queue."""
        self.node("rejected" if self._function_of(queue) else "call", queue.name, queue.account, "sqs:SendMessage")


class _Delivery:
    """An event on its way to one target."""

    __slots__ = ("attempts", "event", "hops", "node", "retrying", "since", "target")

    def __init__(self, target: Target, event: Event, node: Node, hops: int, since: float) -> None:
        self.target = target
        self.event = event
        self.node = node
        self.hops = hops
        self.since = since
        self.attempts = 0
        self.retrying: Node | None = None


def _organization(world: World) -> str | None:
    """The organization that policies ask for: all accounts of the stacks count as members of it."""
    for bus in world.of(Bus):
        for statement in bus.policy.statements if bus.policy else ():
            for keys in statement.get("Condition", {}).values():
                if found := keys.get("aws:PrincipalOrgID"):
                    return str(found[0] if isinstance(found, list) else found)
    return None
