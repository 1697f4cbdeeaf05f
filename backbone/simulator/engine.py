"""What the simulated services share: the clock, ids, faults, the trace, and the way from one service to another.

One thread at a time runs everything in the order of the clock. Each service registers what it takes from the others,
so that none imports another.
"""

from __future__ import annotations

import heapq
import json
import random
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from backbone.errors import BackboneError
from backbone.simulator.api import error
from backbone.simulator.faults import Fault, Kind
from backbone.simulator.processes import Call, Outcome, Reply
from backbone.simulator.turns import Turns
from backbone.system.iam import Identity
from backbone.system.model import Function, Queue, Resource, System, Target
from backbone.trace import Node, NodeKind, Trace

__all__ = ["Deliver", "Engine", "Event", "Request", "SimulatorError", "StreamRecord", "Timer"]

BEGIN = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
"""The time on the simulator's clock when it is made."""

MAX_CHAIN = 100
"""Events and calls that may cause each other, one after the other; AWS itself would not stop all of them."""

Event = dict[str, Any]
Action = Callable[[], object]
Found = TypeVar("Found", bound=Resource)


class SimulatorError(BackboneError):
    """Something was asked of the simulator that it cannot do."""


@lru_cache(64)
def _iso(seconds: int) -> str:
    """Seconds since 1970 as ISO 8601: many events and deliveries have the same."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Request:
    """What a rule sends to a target: the event as it is forwarded, and the input that the target is given."""

    target: Target
    event: Event
    input: str
    """Empty for a bus and for a log of whole events, which take the event."""
    hops: int
    """How often the event was forwarded from bus to bus."""
    other_region: bool = False
    """Whether the target is in another region than the rule."""

    @property
    def value(self) -> Any:
        """The input read as JSON; the text itself when it is not JSON, as lines of text are not."""
        if self.target.input.is_whole:
            return self.event
        try:
            return json.loads(self.input)
        except ValueError:
            return self.input


Deliver = Callable[[Any, Request, Node], None]
"""Takes what a rule sends to a resource; what follows from it goes below the node."""

Answer = Callable[[Identity, Call], Reply]
"""Answers an AWS API call of an identity."""


class Send(Protocol):
    """Puts a message into a queue; what follows from it goes below the node."""

    def __call__(
        self,
        queue: Queue,
        body: str,
        attributes: Mapping[str, str | int],
        node: Node | None,
        *,
        hops: int = 0,
        group: str | None = None,
    ) -> None:
        """Send it. `hops` says how often the event in it was forwarded, `group` is the message group."""


class Refuses(Protocol):
    """Tells whether a queue takes a message."""

    def __call__(
        self, queue: Queue, body: str, attributes: Mapping[str, str | int], *, group: str | None = None
    ) -> str | None:
        """Why it does not; None when it does."""


class WriteLog(Protocol):
    """Writes a text into a log group of an account, if there is such a group."""

    def __call__(self, account_id: str, name: str, text: str) -> None:
        """Write it."""


class Invoke(Protocol):
    """Runs a function now and returns how that ended."""

    def __call__(self, function: Function, event: Any, node: Node | None, *, request_id: str = "") -> Outcome:
        """Invoke it. `request_id` is that of an invocation that is tried again."""


class PutEvents(Protocol):
    """Puts events for an identity, as PutEvents does."""

    def __call__(self, entries: Sequence[Mapping[str, Any]], who: Identity) -> dict[str, Any]:
        """Put them, and return what PutEvents answers."""


class Throttle(Protocol):
    """Tells whether Lambda runs a function now."""

    def __call__(self, function: Function) -> str | None:
        """Why it does not; None when it does."""


class Read(Protocol):
    """Takes what is new in a stream."""

    def __call__(self, record: StreamRecord) -> None:
        """Take a record."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A record of a Kinesis stream or of a table's stream; what follows from it goes below the node."""

    shard: str
    key: str
    """Records with the same key stay in their order."""
    sequence_number: str
    arrived: float
    content: Mapping[str, Any]
    """The record as functions get it."""
    node: Node | None


class Timer:
    """Something that will be done."""

    __slots__ = ("action", "at", "passive")

    def __init__(self, at: float, action: Action | None, passive: bool) -> None:
        self.at = at
        self.action = action
        """None when it was done or cancelled."""
        self.passive = passive


class _Current(threading.local):
    """What a thread works on."""

    node: Node | None = None


class Engine:
    """The clock and the trace of one simulation, and the services that take part in it."""

    def __init__(self, system: System, *, seed: int, faults: Iterable[Fault]) -> None:
        self.system = system
        self.faults = list(faults)
        self.now = 0.0
        self.random = random.Random(seed)  # noqa: S311 - repeats, on purpose
        self.roots: list[Node] = []
        self.on_node: Callable[[Node], None] | None = None
        self.deliveries: dict[type[Resource], tuple[str, Deliver]] = {}
        """How each kind of target takes an event, with the word for it in the trace."""
        self.apis: dict[str, Answer] = {}
        """Who answers calls of each AWS API, by what stands before the dot in `X-Amz-Target`."""
        self.organization = system.organization
        self.send: Send
        self.refuses: Refuses
        self.write_log: WriteLog
        self.invoke: Invoke
        self.throttle: Throttle
        self.put_events: PutEvents
        self.streams: dict[str, list[Read]] = {}
        """Who reads each stream, by its ARN."""
        self._due: list[tuple[float, int, Timer]] = []
        self._order = self._active = self._nodes = 0
        self._current = _Current()
        self.turns: Turns | None = None
        """Who works on the state at once; None when a single thread does everything."""
        self.has_end = False
        """Whether time passes up to a certain time now, and not until nothing is left to do."""

    # Time

    def at(self, seconds: float, action: Action, *, passive: bool = False) -> Timer:
        """Do something when so many seconds have passed from now.

        What is passive is done if time passes that far, but time does not pass for it alone.
        """
        self._order += 1
        timer = Timer(self.now + seconds, action, passive)
        self._active += not passive
        heapq.heappush(self._due, (timer.at, self._order, timer))
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Do it not, if it is not done yet."""
        if timer is not None and timer.action is not None:
            timer.action = None
            self._active -= not timer.passive

    def run(self, *, at_most: float = float("inf")) -> None:
        """Let everything happen that is due, at most so many seconds from now."""
        end = self.now + at_most
        forever = at_most == float("inf")
        self.has_end = not forever
        while self._due and self._due[0][0] <= end:
            due, _, timer = self._due[0]
            if forever and not self._active and due > self.now:
                return
            heapq.heappop(self._due)
            if (action := timer.action) is None:
                continue
            timer.action = None
            self._active -= not timer.passive
            self.now = max(self.now, due)
            action()
            if self.turns is not None:
                self.turns.give_way(due)
        if not forever:
            self.now = max(self.now, end)

    def next_at(self) -> float:
        """When something is due next; infinite when nothing is."""
        while self._due and self._due[0][2].action is None:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else float("inf")

    @property
    def timestamp(self) -> float:
        """The time on the clock, in seconds since 1970."""
        return BEGIN + self.now

    def iso_time(self, now: float | None = None) -> str:
        """The time on the clock, or when it showed `now`, as events have it: UTC, in whole seconds."""
        return _iso(int(BEGIN + (self.now if now is None else now)))

    def iso_milliseconds(self, now: float | None = None) -> str:
        """The time on the clock, or when it showed `now`, as Lambda writes it: UTC, with milliseconds."""
        moment = datetime.fromtimestamp(BEGIN + (self.now if now is None else now), UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    def milliseconds(self, now: float) -> str:
        """When the clock showed `now`, in milliseconds since 1970, as SQS writes it."""
        return str(round((BEGIN + now) * 1000))

    def take_over(self, before: Engine) -> None:
        """Go on with the time, the ids and the trace of a simulation before this."""
        self.now, self.random = before.now, before.random
        self.roots, self._nodes = before.roots, before._nodes

    # The trace

    def node(
        self,
        kind: NodeKind,
        place: str,
        account: str,
        words: str = "",
        parent: Node | None = None,
        *,
        payload: Any = None,
        **data: Any,
    ) -> Node:
        """Note that something happened, under what it follows from."""
        node = Node(kind, self.now, place, account, words, data)
        parent = parent or self._current.node
        (self.roots if parent is None else parent.children).append(node)
        self._nodes += 1
        node.number = self._nodes
        node.parent, node.root = (parent.number, parent.root) if parent else (self._nodes, self._nodes)
        node.payload = payload
        node.depth = (parent.depth if parent else 0) + (kind in ("put", "call"))
        if node.depth > MAX_CHAIN:
            raise SimulatorError(
                f"{node.place}: {words} is the {node.depth}th event or call in a chain in which each causes the next, "
                "and the chain would never end; let no function react to what follows from its own events"
            )
        if self.on_node is not None:
            self.on_node(node)
        return node

    @contextmanager
    def below(self, node: Node) -> Iterator[None]:
        """While this holds, what happens without a node of its own goes below the node."""
        before, self._current.node = self._current.node, node
        try:
            yield
        finally:
            self._current.node = before

    def trace(self) -> Trace:
        """All that happened."""
        return Trace(self.roots)

    # Turns

    @contextmanager
    def away(self) -> Iterator[None]:
        """While this holds, which is while a function runs, other threads have their turn, if there are any."""
        if self.turns is None:
            yield
        else:
            with self.turns.away():
                yield

    @contextmanager
    def back(self) -> Iterator[None]:
        """While this holds, a thread that was away has its turn, as for a call of the function that it waits for."""
        if self.turns is None:
            yield
        else:
            with self.turns:
                yield

    # Ids and faults

    def new_id(self) -> str:
        """An id that is the same in the next run with the same seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def strikes(self, kinds: tuple[Kind, ...], *names: str) -> Fault | None:
        """The first fault of some kinds that strikes something of these names now; it uses up one of its times."""
        if not self.faults:
            return None
        return next((fault for fault in self.faults if fault.strikes(kinds, names, self.now)), None)

    # From service to service

    def take(self, kind: type[Resource], word: str, deliver: Deliver) -> None:
        """Have a service take what rules send to a kind of resource."""
        self.deliveries[kind] = word, deliver

    def answer(self, api: str, answer: Answer) -> None:
        """Have a service answer the calls of an AWS API."""
        self.apis[api] = answer

    def states(self, kind: type[Found], state: Callable[[], Any]) -> dict[str, Any]:
        """A state for each resource of a kind, by ARN."""
        return {resource.arn: state() for resource in self.system.of(kind)}

    def by_name(self, kind: type[Found], states: Mapping[str, Any]) -> dict[str, Any]:
        """The states of resources by name; where two accounts use a name, by `ACCOUNT:NAME`."""
        resources = self.system.of(kind)
        names = [resource.name for resource in resources]
        return {
            resource.name if names.count(resource.name) == 1 else f"{resource.account}:{resource.name}": states[
                resource.arn
            ]
            for resource in resources
        }

    @property
    def context(self) -> dict[str, str]:
        """The condition keys of every request that do not follow from who makes it."""
        return {"aws:PrincipalOrgID": self.organization} if self.organization else {}

    def call(self, who: Identity, call: Call) -> Reply:
        """What AWS answers an API call of an identity."""
        api, _, operation = call.target.partition(".")
        if api in self.apis:
            return self.apis[api](who, call)
        host = urlsplit(call.url).netloc
        self.node("refused", host, who.account_id, f"{operation or call.method} is not simulated")
        return error("NotSimulated", f"{operation or call.method} of {host} is not simulated", 501)
