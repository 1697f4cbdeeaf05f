"""The simulator as users and their tests know it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backbone.simulator import callers, event_sources, host, verdict
from backbone.simulator.api_destinations import ApiDestinations
from backbone.simulator.api_gateway import Answer, ApiGateway, HttpCall
from backbone.simulator.awslambda import Lambda
from backbone.simulator.dynamodb import DynamoDb
from backbone.simulator.engine import Engine, SimulatorError
from backbone.simulator.eventbridge import EventBridge
from backbone.simulator.faults import Fault
from backbone.simulator.kinesis import Kinesis
from backbone.simulator.logs import Logs
from backbone.simulator.messages import Message
from backbone.simulator.processes import Call, Reply
from backbone.simulator.scheduler import Scheduler
from backbone.simulator.sns import Sns
from backbone.simulator.sqs import Sqs
from backbone.simulator.sqs_calls import SqsCalls
from backbone.simulator.tokens import KeySet
from backbone.simulator.turns import Turns
from backbone.simulator.verdict import Allowable
from backbone.system.findings import Finding
from backbone.system.http_model import HttpApi
from backbone.system.iam import Identity
from backbone.system.model import ApiDestination, Function, LogGroup, Queue, Stream, Topic
from backbone.system.reader import Reading, read
from backbone.trace import Node, Trace

__all__ = ["Simulator", "SimulatorError"]


class Simulator:
    """The system of the synthesized stacks, from a known state and with no time passed.

    Time passes only in `run_until_idle`, and only as far as something is due: a day of retries takes none. The same
    calls with the same `seed` give the same trace, what functions do included. `close` ends the functions' processes.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        seed: int = 0,
        faults: Iterable[Fault] = (),
        stub_authorizers: bool = False,
        keys: KeySet | None = None,
    ) -> None:
        self.system = reading.system
        self._reading = reading
        self._engine = engine = Engine(reading.system, seed=seed, faults=faults)
        self._logs, self._streams, self._destinations = Logs(engine), Kinesis(engine), ApiDestinations(engine)
        self._sqs, self._lambda, self._tables = Sqs(engine), Lambda(engine), DynamoDb(engine)
        SqsCalls(engine, self._sqs)
        self._eventbridge = EventBridge(engine)
        event_sources.connect(engine, self._sqs, self._lambda.destinations, self._eventbridge.inputs)
        self._topics = Sns(engine, self._lambda.invoke_later)
        self._apis = ApiGateway(engine, stub_authorizers=stub_authorizers, keys=keys or KeySet())
        self.queues: dict[str, list[Message]] = engine.by_name(Queue, self._sqs.messages)
        """The messages of each queue by its name, oldest first; `ACCOUNT:NAME` where two accounts use a name."""
        self.logs: dict[str, list[Any]] = engine.by_name(LogGroup, self._logs.entries)
        """The events and lines in each log group by its name."""
        self.streams: dict[str, list[tuple[str, Any]]] = engine.by_name(Stream, self._streams.records)
        """The records of each stream by its name, as (partition key, data)."""
        self.destinations: dict[str, list[Any]] = engine.by_name(ApiDestination, self._destinations.calls)
        """The bodies that each API destination was sent, by its name."""
        self.topics: dict[str, list[str]] = engine.by_name(Topic, self._topics.messages)
        """The messages that each topic was sent, by its name."""
        self.inputs: dict[str, list[str]] = self._eventbridge.inputs
        """What each target that is not simulated was sent (a state machine, a delivery stream, …), by its ARN."""
        self._schedules = Scheduler(engine, self.inputs)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        seed: int = 0,
        faults: Iterable[Fault] = (),
        stub_authorizers: bool = False,
        keys: KeySet | None = None,
    ) -> Simulator:
        """The system of all stacks in a folder such as `cdktf.out`; TerraformError when they cannot be read.

        `keys` are those that sign tokens for JWT authorizers; without them signatures are not checked.
        """
        return cls(read(Path(folder)), seed=seed, faults=faults, stub_authorizers=stub_authorizers, keys=keys)

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the functions' processes and remove what was unpacked for them."""
        self._lambda.close()

    @property
    def findings(self) -> list[str]:
        """What AWS would refuse or what could never work, with the address and the cost of each. Notes are left out."""
        return [str(finding) for finding in self._reading.findings if finding.severity != "note"]

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings with their ids and severities, notes as well, and in what this machine differs from Lambda."""
        return (*self._reading.findings, *host.differences(self.system))

    def problems(
        self, *, allow: Collection[Allowable] = (), expect: Mapping[str, int | None] | Sequence[str] = ()
    ) -> list[str]:
        """Everything so far that is not as it should be, in words; empty when all is well.

        That is what was denied, refused, failed, dead-lettered or lost, an HTTP answer of 400 or more, a finding, and
        a fault that struck nothing. `allow` has the kinds of it that are the point of a test. `expect` has
        detail-types, each with how many events of it must have been published; None, or a list, means one or more.
        """
        wanted = expect if isinstance(expect, Mapping) else dict.fromkeys(expect)
        return verdict.problems(self.trace(), self._reading.findings, self.faults, allow=allow, expect=wanted)

    @property
    def faults(self) -> list[Fault]:
        """What is made to go wrong; faults may be added and removed at any time."""
        return self._engine.faults

    @property
    def now(self) -> float:
        """Seconds since the simulator was made, on its own clock."""
        return self._engine.now

    def iso_time(self) -> str:
        """The time on its own clock: UTC, in whole seconds."""
        return self._engine.iso_time()

    def messages(self, queue: Queue) -> list[Message]:
        """The messages in a queue, oldest first."""
        return self._sqs.queues[queue.arn].messages

    @property
    def on_node(self) -> Callable[[Node], None] | None:
        """What is called with everything that happens, when it happens."""
        return self._engine.on_node

    @on_node.setter
    def on_node(self, call: Callable[[Node], None] | None) -> None:
        self._engine.on_node = call

    @property
    def stub_authorizers(self) -> bool:
        """Whether every HTTP call is let through."""
        return self._apis.stub_authorizers

    @stub_authorizers.setter
    def stub_authorizers(self, stub: bool) -> None:
        self._apis.stub_authorizers = stub

    def run_until_idle(self, *, at_most: float = float("inf")) -> Trace:
        """Let everything happen that is due, at most so many seconds from now; returns the whole trace."""
        self._engine.run(at_most=at_most)
        return self.trace()

    def trace(self, event_id: str | None = None) -> Trace:
        """All that happened, or only what became of one event."""
        trace = self._engine.trace()
        if event_id is None:
            return trace
        return Trace([node for node in trace if node.data.get("id") == event_id][:1])

    def forget(self, *, keep: int = 0) -> None:
        """Begin a new trace, and empty logs and archives, so that a long run does not grow; `keep` of each stay."""
        logs, archives, sent = self._logs.entries, self._eventbridge.archived, self._destinations.calls
        told = [*self._topics.messages.values(), *self.inputs.values()]
        for kept in (self._engine.roots, *logs.values(), *archives.values(), *sent.values(), *told):
            del kept[: max(0, len(kept) - keep)]

    def work_by(self, turns: Turns | None) -> None:
        """Have threads work on it by turns from now on, and functions run at once in several processes each.

        None ends that: the thread that calls it does everything itself.
        """
        self._engine.turns = turns

    def next_at(self) -> float:
        """When something is due next, on its own clock; infinite when nothing is."""
        return self._engine.next_at()

    def end_functions(self) -> None:
        """End the functions' processes, whatever they are doing."""
        self._lambda.end()

    def take_over(self, before: Simulator) -> None:
        """Go on where a simulation of the system as it was before has stopped: that is not to be used any more.

        The time, the trace, faults, tables, queues, logs and archives are kept, and what waits for another attempt.
        Records of streams are not.
        """
        self._engine.take_over(before._engine)
        self.faults[:] = before.faults
        self._tables.take_over(before._tables)
        self._sqs.take_over(before._sqs)
        self._eventbridge.take_over(before._eventbridge)
        self._schedules.take_over(before._schedules)
        self._lambda.take_over(before._lambda)
        for arn, entries in before._logs.entries.items():
            if arn in self._logs.entries:
                self._logs.entries[arn] += entries

    def start_functions(self) -> None:
        """Start the process of every function now, so that the first event need not wait for it."""
        self._lambda.start()

    def identity(self, name: str) -> Identity:
        """A caller: an account by name or id, a service by its source, or a function or role by name or ARN.

        An account stands for an identity in it that its own policies allow everything.
        """
        return callers.identity(self.system, name)

    def put_events(self, entries: Sequence[Mapping[str, Any]], *, caller: str | Identity) -> dict[str, Any]:
        """What PutEvents answers a caller: the results of the entries in their order, in the shape of the API.

        Entries have the names of the API; `Detail` may be an object as well as its JSON. Deliveries happen in
        `run_until_idle`. PutEventsError, with AWS's code, when the call as a whole fails.
        """
        who = caller if isinstance(caller, Identity) else self.identity(caller)
        return self._eventbridge.put(entries, who)

    def put_aws_event(self, event: Mapping[str, Any], *, account: str) -> str:
        """Have an AWS service put an event on the default bus of an account, by its name or id; returns the event's id.

        The event is as rules see it. Its `id` and `time` are kept if it has any, and are made otherwise; account and
        region are those of the bus. SimulatorError when its source is not that of an AWS service.
        """
        return self._eventbridge.arise(dict(event), self.identity(account).account_id)

    def call(self, who: Identity, call: Call) -> Reply:
        """What AWS answers an API call, as a function's or any AWS client's."""
        return self._engine.call(who, call)

    def http(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        caller: str | None = None,
        api: str | None = None,
    ) -> Answer:
        """Call an API: `body` is JSON values, text or bytes. `caller` signs the call.

        A caller is a role or function of the system, or an account, which stands for an identity that may do
        everything there. Authorizers are honoured unless the simulator was made with `stub_authorizers`. `api` is the
        API's name, which may be left out where there is one; a `Host` header tells it as well.
        """
        who = self.identity(caller) if caller else None
        call = HttpCall(method, path, body, dict(headers or {}))
        return self._apis.call(self._apis.api_of(api, call.headers.get("host", "")), call, who, caller or "caller")

    def api(self, host: str = "") -> HttpApi | None:
        """The API that a host name means, or the only one; None when there is none, SimulatorError when several are."""
        return self._apis.api_of(None, host)

    def items(self, table: str) -> list[dict[str, Any]]:
        """The items of a DynamoDB table, by its name, in DynamoDB's JSON."""
        return self._tables.items(table)

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
        self._eventbridge.replay(archive, rules=rules, begin=begin, end=end, name=name)

    def redrive(self, queue: str) -> int:
        """Send every message of a dead-letter or failure queue to where it should have gone; returns how many."""
        found, messages = self._sqs.take_all(queue)
        for position, message in enumerate(messages):
            code = message.attributes.get("ERROR_CODE", "")
            node = self._engine.node("redriven", found.name, found.account, code, payload=message.body)
            if not self._redeliver(found, message, node):
                self.queues[found.name] += messages[position:]
                raise SimulatorError(f"{found.name}: nothing says where its messages should go")
        return len(messages)

    def _redeliver(self, queue: Queue, message: Message, node: Node) -> bool:
        """Send a message where it should have gone: to its target or queue, or to the function that failed at it."""
        rule, target = message.attributes.get("RULE_ARN", ""), message.attributes.get("TARGET_ARN", "")
        if rule and self._eventbridge.redeliver(rule, target, json.loads(message.body), node, hops=message.hops):
            return True
        if self._sqs.return_to_source(message, node):
            return True
        functions = self.system.of(Function)
        function = next((each for each in functions if queue.arn in (each.failures_arn, each.dead_letters_arn)), None)
        if function is None:
            return False
        body = json.loads(message.body)
        payload = body.get("requestPayload", body) if isinstance(body, dict) else body
        self._engine.at(0, lambda: self._lambda.invoke_later(function, payload, node))
        return True
